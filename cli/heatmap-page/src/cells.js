// The cells, as a series of ECharts: all of one class are one shape, and those side by side one rectangle of it. So an hour is drawn
// within a frame, which a shape for each cell would take longer for.
import { classOf } from "./data.js";

charts.graphic.registerShape(
  "cells",
  charts.graphic.extendShape({
    // `above` and `below` are parts of a row's height.
    shape: { runs: [], left: 0, top: 0, wide: 1, high: 1, above: 0, below: 1 },
    buildPath(context, { runs, left, top, wide, high, above, below }) {
      for (const [row, from, to] of runs) {
        // On whole pixels, as an edge between two would be of neither's colour.
        const x = Math.round(left + from * wide);
        const y = top + (row + above) * high;
        context.rect(x, y, Math.max(Math.round(left + to * wide) - x, 1), (below - above) * high);
      }
    },
  }),
);

// By what `kindOf` says of a cell, the runs of cells: the row, the first column, and the one after the last.
function runsOf(rows, kindOf) {
  const runs = [];
  rows.forEach((row, at) => {
    let run = null;
    row.byColumn.forEach((cell, column) => {
      const it = kindOf(cell);
      if (it === undefined) return;
      if (run && run.it === it && run.span[2] === column) {
        run.span[2] += 1;
        return;
      }
      run = { it, span: [at, column, column + 1] };
      (runs[it] ??= []).push(run.span);
    });
  });
  return runs;
}

export function cells(rows, palette) {
  const runs = runsOf(rows, ({ permille }) => classOf(permille));
  // Cells that are upper bounds have a line across.
  const line = palette.classes.length;
  runs[line] = runsOf(rows, ({ keptOut }) => (keptOut ? 0 : undefined))[0];
  return {
    type: "custom",
    silent: true,
    clip: true,
    // The zoom must not take the items: each is a class, wherever it says it is.
    data: [...palette.classes.keys(), line].map((i) => [0, 0, i]),
    encode: { x: -1, y: -1 },
    renderItem(_, api) {
      const i = api.value(2);
      const [wide, high] = api.size([1, 1]);
      const [x, y] = api.coord([0, 0]);
      const [above, below] = i === line ? [0.35, 0.6] : [0, 1];
      const shape = { runs: runs[i] ?? [], left: x - wide / 2, top: y - high / 2, wide, high, above, below };
      return { type: "cells", shape, style: { fill: palette.classes[i] ?? palette.background } };
    },
  };
}

// The map itself: its chart, the pointer and the keyboard.
import { cells } from "./cells.js";
import { lines, most, name, percent, second, time } from "./data.js";
import { AFTER, BEFORE, axis, dataZoom, element, make, showColumns, view } from "./view.js";

const ROW = 15;
const ABOVE = 6;
const BELOW = 28;

const box = element("map");
const caret = make("div", undefined, { id: "caret", hidden: "" });
const tip = make("div", undefined, { id: "tip", class: "tip", hidden: "" });
let chart;

export function draw(onChoose) {
  const { panel, palette } = view;
  const rows = panel.rows;
  box.style.height = `${rows.length * ROW + ABOVE + BELOW}px`;
  if (!chart) {
    chart = charts.init(box, null, { renderer: "canvas" });
    box.append(caret, tip);
    // A name chooses its row, too.
    box.addEventListener("click", ({ clientY }) => {
      const row = Math.floor((clientY - box.getBoundingClientRect().top - ABOVE) / ROW);
      if (view.panel.rows[row]) onChoose(row);
    });
    box.addEventListener("pointermove", (event) => showTip(event.buttons ? null : cellAt(event)));
    box.addEventListener("pointerleave", hideTip);
    new ResizeObserver(() => {
      chart.resize();
      place();
    }).observe(box);
  }
  chart.resize();
  chart.setOption(options(panel, rows, palette), true);
  zoom();
  place();
}

function options(panel, rows, palette) {
  const warnings = rows.flatMap((row, at) =>
    [...row.byColumn].filter(([, cell]) => cell.warnings).map(([column]) => [column, at]),
  );
  const label = { color: palette.text, fontSize: 11, interval: 0 };
  const names = { type: "category", inverse: true, axisLine: { show: false }, axisTick: { show: false } };
  return {
    animation: false,
    grid: { left: BEFORE, right: AFTER, top: ABOVE, bottom: BELOW },
    xAxis: axis(palette),
    yAxis: [
      {
        ...names,
        data: rows.map((_, at) => at),
        axisLabel: { ...label, width: 205, overflow: "truncate", formatter: (at) => name(rows[at]) },
      },
      {
        ...names,
        position: "right",
        data: rows.map((_, at) => at),
        axisLabel: { ...label, formatter: (at) => most(rows[at]) + percent(rows[at].permille) },
      },
    ],
    dataZoom,
    series: [
      cells(rows, palette),
      {
        type: "scatter",
        data: warnings,
        symbol: "triangle",
        symbolSize: 9,
        silent: true,
        z: 5,
        itemStyle: { color: palette.mark[0], borderColor: palette.mark[1], borderWidth: 1 },
      },
    ],
  };
}

// Shows the columns that are to be seen.
export function zoom() {
  showColumns(chart);
  const [from, to] = view.columns;
  box.dataset.columns = to - from + 1;
  box.dataset.seen = `${time(second(from))} to ${time(second(to + 1))}`;
  place();
}

// The cell at a place in the window.
function cellAt({ clientX, clientY }) {
  const { left, top } = box.getBoundingClientRect();
  const [from, to] = view.columns;
  const inside = (clientX - left - BEFORE) / (box.clientWidth - BEFORE - AFTER);
  const row = Math.floor((clientY - top - ABOVE) / ROW);
  if (inside < 0 || inside >= 1 || !view.panel.rows[row]) return null;
  return { row, column: from + Math.floor(inside * (to - from + 1)) };
}

// Where a cell is in the box.
function placeOf({ row, column }) {
  const [from, to] = view.columns;
  const wide = (box.clientWidth - BEFORE - AFTER) / (to - from + 1);
  return { left: BEFORE + (column - from) * wide, top: ABOVE + row * ROW, wide };
}

// Puts a frame around the cell that the keyboard is at.
export function place() {
  const { cursor, columns } = view;
  caret.hidden = !cursor || cursor.column < columns[0] || cursor.column > columns[1] || document.activeElement !== box;
  if (caret.hidden) return;
  const { left, top, wide } = placeOf(cursor);
  caret.style.cssText = `left:${left - 2}px;top:${top - 2}px;width:${wide + 4}px;height:${ROW + 4}px`;
}

// Shows what a cell says, beside it.
export function showTip(cell) {
  if (!cell) return hideTip();
  const { panel } = view;
  tip.replaceChildren(...lines(panel, panel.rows[cell.row], cell.column).map((line, i) => make(i === 0 ? "b" : "div", line)));
  tip.hidden = false;
  const { left, top, wide } = placeOf(cell);
  const fits = left + wide + 12 + tip.offsetWidth <= box.clientWidth;
  tip.style.left = `${fits ? left + wide + 12 : Math.max(left - 12 - tip.offsetWidth, 0)}px`;
  tip.style.top = `${Math.max(Math.min(top + ROW + 4, box.clientHeight - tip.offsetHeight), 0)}px`;
}

export function hideTip() {
  tip.hidden = true;
}

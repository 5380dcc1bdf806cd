// One row by itself: its line, its warnings, and its columns as a table.
import { amount, data, lines, most, name, percent, span, time } from "./data.js";
import { AFTER, BEFORE, axis, dataZoom, element, make, showColumns, view } from "./view.js";

const box = element("line");
let chart;

export function show() {
  const { panel, chosen, palette } = view;
  element("one").hidden = chosen === null;
  if (chosen === null) return;
  const row = panel.rows[chosen];
  const heading = element("one-name");
  heading.replaceChildren(make("bdi", name(row)), `, ${panel.operation}`);
  if (!chart) {
    chart = charts.init(box, null, { renderer: "canvas" });
    new ResizeObserver(() => chart.resize()).observe(box);
  }
  chart.setOption(options(panel, row, palette), true);
  zoom();
  element("one-more").replaceChildren(...warnings(row), table(panel, row));
}

function options(panel, row, palette) {
  const shares = Array.from({ length: data.columns }, (_, column) => (row.byColumn.get(column)?.permille ?? 0) / 10);
  const warned = shares.map((share, column) => [column, share]).filter(([column]) => row.byColumn.get(column)?.warnings);
  const label = { color: palette.text, fontSize: 11 };
  return {
    animation: false,
    grid: { left: BEFORE, right: AFTER, top: 16, bottom: 28 },
    tooltip: {
      trigger: "axis",
      confine: true,
      transitionDuration: 0,
      backgroundColor: palette.background,
      borderColor: palette.faint,
      textStyle: { color: palette.text, fontSize: 12 },
      formatter: ([{ dataIndex, value }]) => {
        const text = make("div", undefined, { class: "tip" });
        const column = Array.isArray(value) ? value[0] : dataIndex;
        lines(panel, row, column).slice(1).forEach((line) => text.append(make("div", line)));
        return text;
      },
    },
    xAxis: axis(palette),
    yAxis: {
      type: "value",
      min: 0,
      max: ({ max }) => (max > 100 ? null : 100),
      axisLabel: { ...label, formatter: (share) => `${Math.round(share)} %` },
      splitLine: { lineStyle: { color: palette.faint } },
      splitNumber: 4,
    },
    dataZoom: [{ ...dataZoom[0], filterMode: "none" }],
    series: [
      {
        type: "line",
        step: "middle",
        data: shares,
        showSymbol: false,
        color: palette.classes[4],
        lineStyle: { width: 1.5 },
        areaStyle: { opacity: 0.25 },
        markLine: {
          silent: true,
          symbol: "none",
          data: [{ yAxis: 100 }],
          lineStyle: { color: palette.classes[8], type: "solid", width: 1.5 },
          label: { color: palette.text, formatter: "100 %", position: "end" },
        },
      },
      {
        type: "scatter",
        data: warned,
        symbol: "triangle",
        symbolSize: 11,
        z: 5,
        silent: true,
        itemStyle: { color: palette.mark[0], borderColor: palette.mark[1], borderWidth: 1 },
      },
    ],
  };
}

export function zoom() {
  if (chart && view.chosen !== null) showColumns(chart);
}

function warnings(row) {
  if (row.warnings.length === 0) return [];
  const list = make("ul", undefined, { class: "warnings", "aria-label": "Warnings" });
  for (const [ms, text] of row.warnings) {
    const item = make("li");
    item.append(make("time", time(ms / 1000)), ` ${text}`);
    list.append(item);
  }
  return [list];
}

function table(panel, row) {
  const details = make("details");
  details.append(make("summary", "Its columns as a table"));
  // Made when somebody asks for it.
  details.addEventListener("toggle", () => details.children.length > 1 || details.append(columns(panel, row)), { once: true });
  return details;
}

function columns(panel, row) {
  const scroll = make("div", undefined, { class: "scroll" });
  const made = make("table");
  made.append(make("caption", `${name(row)}, ${panel.operation}`));
  const cells = (tag, texts, attributes) => {
    const line = make("tr");
    texts.forEach((text, i) => line.append(i === 0 ? make("th", text, { scope: "row" }) : make(tag, text, attributes)));
    return line;
  };
  const head = make("thead");
  head.append(cells("th", ["Time", `Count, ${data.unit}`, "Fullest second", "Share", "Warnings", "Throttles"], { scope: "col" }));
  const body = make("tbody");
  row.byColumn.forEach((cell, column) =>
    body.append(cells("td", [span(column), ...[amount(cell.count), amount(cell.peak), percent(cell.permille)].map((n) => most(cell) + n), cell.warnings, cell.throttles])),
  );
  made.append(head, body);
  scroll.append(made);
  return scroll;
}

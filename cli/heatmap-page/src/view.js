// The state that all parts of the page share: which panel is shown, which columns, which row, in which colours.
import { data, second, time } from "./data.js";

export const element = (id) => document.getElementById(id);

export const view = {
  panel: data.panels[0],
  // The row whose own line is shown, and the cell that the keyboard is at.
  chosen: null,
  cursor: null,
  // The first and the last column that are seen.
  columns: [0, data.columns - 1],
  palette: data.light,
};

// Pixels before the first column, and after the last.
export const BEFORE = 220;
export const AFTER = 70;

// An element with text in it: what a log says is never markup.
export function make(tag, text, attributes = {}) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// Seconds between marks of the axis.
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200];

// Whether a column has a mark: where a round time begins, some ten of all that are seen.
export function isMarked(column) {
  const [from, to] = view.columns;
  const least = Math.max(((to - from + 1) * data.width) / 10, data.width);
  const step = STEPS.find((step) => step >= least) ?? Math.ceil(least / 86400) * 86400;
  const since = data.from - data.origin + column * data.width;
  return ((since % step) + step) % step < data.width;
}

export const axis = (palette) => ({
  type: "category",
  data: Array.from({ length: data.columns }, (_, column) => column),
  axisLine: { lineStyle: { color: palette.faint } },
  axisTick: { interval: isMarked, lineStyle: { color: palette.text } },
  splitLine: { show: false },
  axisLabel: {
    interval: isMarked,
    formatter: (column) => time(second(Number(column))),
    hideOverlap: true,
    color: palette.text,
    fontSize: 11,
  },
});

// Which columns are seen is the page's matter (zoom.js): the charts have no wheel and no drag of their own.
export const dataZoom = [{ type: "inside", disabled: true, xAxisIndex: 0, minValueSpan: 1, filterMode: "filter" }];

export function showColumns(chart) {
  const [startValue, endValue] = view.columns;
  chart.dispatchAction({ type: "dataZoom", startValue, endValue });
}

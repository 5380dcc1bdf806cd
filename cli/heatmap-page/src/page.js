// The page: what its controls do.
import { data, lines, name } from "./data.js";
import * as map from "./map.js";
import * as one from "./one.js";
import { element, make, view } from "./view.js";
import * as zoom from "./zoom.js";

const box = element("map");
const last = data.columns - 1;

function choose(row) {
  view.chosen = row;
  one.show();
  if (row !== null) tell(`The line of ${name(view.panel.rows[row])} is below.`);
}

const tell = (text) => (element("told").textContent = text);

function showPanel(panel) {
  Object.assign(view, { panel, cursor: null });
  data.panels.forEach((each, i) => (element(`panel-${i}`).hidden = each !== panel));
  legend();
  map.draw(choose);
  // The hottest is what most look for.
  choose(0);
  tell("");
}

function legend() {
  const swatches = data.class_names.map((text, i) => {
    const swatch = make("span", text);
    swatch.prepend(make("i", undefined, { style: `background:${view.palette.classes[i]}` }));
    return swatch;
  });
  if (data.kept_out) {
    const swatch = make("span", data.kept_out);
    const color = view.palette.classes[5];
    const background = `linear-gradient(${color} 35%, var(--background) 35% 60%, ${color} 60%)`;
    swatch.prepend(make("i", undefined, { style: `background:${background}` }));
    swatches.push(swatch);
  }
  const warning = make("span", "a warning");
  warning.prepend(make("i", undefined, { class: "mark" }));
  element("legend").replaceChildren(make("b", `Share of ${view.panel.whole}`), ...swatches, warning);
}

// Tables in the order of their hottest partition, and the operations that the chosen one has.
function controls() {
  const tables = [...new Set(data.panels.map((panel) => panel.table))];
  element("table").replaceChildren(...tables.map((table) => make("option", table, { value: table })));
  element("table").addEventListener("change", ({ target }) => {
    operations(target.value);
    showPanel(data.panels.find((panel) => panel.table === target.value));
  });
  operations(view.panel.table);
  element("closer").addEventListener("click", () => zoom.by(0.5));
  element("farther").addEventListener("click", () => zoom.by(2));
  element("whole").addEventListener("click", () => zoom.see([0, last]));
  element("theme").addEventListener("change", theme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", theme);
}

function operations(table) {
  const field = element("operations");
  field.replaceChildren(field.firstElementChild);
  data.panels.filter((panel) => panel.table === table).forEach((panel, i) => {
    const radio = make("input", undefined, { type: "radio", name: "operation", value: panel.operation });
    radio.checked = i === 0;
    radio.addEventListener("change", () => showPanel(panel));
    const label = make("label");
    label.append(radio, ` ${panel.operation}`);
    field.append(label);
  });
}

function theme() {
  const asked = element("theme").value;
  const isDark = asked === "system" ? matchMedia("(prefers-color-scheme: dark)").matches : asked === "dark";
  view.palette = isDark ? data.dark : data.light;
  const root = document.documentElement;
  root.dataset.theme = isDark ? "dark" : "light";
  for (const key of ["background", "text", "faint"]) root.style.setProperty(`--${key}`, view.palette[key]);
  root.style.setProperty("--mark", view.palette.mark[0]);
  root.style.setProperty("--mark-edge", view.palette.mark[1]);
  legend();
  map.draw(choose);
  one.show();
}

// The cell that a key moves to.
function moved(key) {
  const rows = view.panel.rows.length - 1;
  const { row, column } = view.cursor ?? { row: 0, column: view.columns[0] };
  if (!view.cursor) return { row, column };
  switch (key) {
    case "ArrowUp": return { row: Math.max(row - 1, 0), column };
    case "ArrowDown": return { row: Math.min(row + 1, rows), column };
    case "ArrowLeft": return { row, column: Math.max(column - 1, 0) };
    case "ArrowRight": return { row, column: Math.min(column + 1, last) };
    case "Home": return { row, column: 0 };
    case "End": return { row, column: last };
    case "PageUp": return { row: 0, column };
    case "PageDown": return { row: rows, column };
  }
  return null;
}

function move(cursor) {
  view.cursor = cursor;
  const [from, to] = view.columns;
  if (cursor.column < from) zoom.see([cursor.column, cursor.column + to - from]);
  if (cursor.column > to) zoom.see([cursor.column - (to - from), cursor.column]);
  map.place();
  map.showTip(cursor);
  tell(lines(view.panel, view.panel.rows[cursor.row], cursor.column).join(", "));
}

const KEYS = {
  "+": () => zoom.by(0.5),
  "=": () => zoom.by(0.5),
  "-": () => zoom.by(2),
  Escape: () => (map.hideTip(), zoom.see([0, last])),
  Enter: () => choose(view.cursor?.row ?? 0),
  " ": () => choose(view.cursor?.row ?? 0),
};

function keyboard() {
  box.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const to = /^(Arrow|Home|End|Page)/.test(event.key) ? moved(event.key) : null;
    if (to) move(to);
    else if (KEYS[event.key]) KEYS[event.key]();
    else return;
    event.preventDefault();
  });
  box.addEventListener("focus", map.place);
  box.addEventListener("blur", () => (map.place(), map.hideTip()));
}

// The names in the tables choose a row, too.
function tables() {
  element("tables").open = false;
  data.panels.forEach((panel, i) =>
    element(`panel-${i}`).querySelectorAll("tbody th").forEach((head, row) => {
      const button = make("button", undefined, { type: "button", class: "name" });
      button.append(...head.childNodes);
      button.addEventListener("click", () => {
        choose(row);
        element("one").scrollIntoView({ block: "nearest" });
      });
      head.append(button);
    }),
  );
}

for (const id of ["controls", "help", "map"]) element(id).hidden = false;
controls();
theme();
keyboard();
zoom.pointer(box);
tables();
showPanel(view.panel);

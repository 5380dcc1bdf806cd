// Zoom: which columns are seen, by the wheel, by dragging and by the keyboard. All charts show the same.
import { data } from "./data.js";
import * as map from "./map.js";
import * as one from "./one.js";
import { AFTER, BEFORE, view } from "./view.js";

const last = data.columns - 1;
// One less than the columns that are seen at the closest.
const closest = Math.min(3, last);

// Shows these columns, or as near as can be.
export function see([from, to]) {
  const wide = Math.round(Math.min(Math.max(to - from, closest), last));
  const start = Math.round(Math.min(Math.max(from, 0), last - wide));
  const [begin, end] = view.columns;
  if (start === begin && start + wide === end) return;
  view.columns = [start, start + wide];
  map.zoom();
  one.zoom();
}

// By a factor, around a column: the keyboard's if it is seen, else the middle.
export function by(factor, around = view.cursor?.column) {
  const [from, to] = view.columns;
  const at = around >= from && around <= to ? around : (from + to) / 2;
  const wide = (to - from) * factor;
  // A column more or less at least.
  const whole = factor > 1 ? Math.max(wide, to - from + 1) : Math.min(wide, to - from - 1);
  const before = ((at - from) / Math.max(to - from, 1)) * whole;
  see([at - before, at - before + whole]);
}

export function pointer(box) {
  const wide = () => box.clientWidth - BEFORE - AFTER;
  const columnAt = (x) => {
    const [from, to] = view.columns;
    return from + ((x - box.getBoundingClientRect().left - BEFORE) / wide()) * (to - from + 1) - 0.5;
  };
  // At most once a frame, however fast the wheel turns.
  let turned = 0;
  box.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey) return;
      event.preventDefault();
      if (turned === 0) {
        requestAnimationFrame(() => {
          by(1.0015 ** turned, columnAt(event.clientX));
          turned = 0;
        });
      }
      turned += Math.max(Math.min(event.deltaY * (event.deltaMode === 1 ? 30 : 1), 400), -400) || 0.01;
    },
    { passive: false },
  );

  let drag = null;
  box.addEventListener("pointerdown", ({ button, clientX }) => {
    if (button === 0) drag = { x: clientX, columns: view.columns, hasMoved: false };
  });
  addEventListener("pointermove", ({ clientX }) => {
    if (!drag) return;
    const columns = (drag.x - clientX) / (wide() / (drag.columns[1] - drag.columns[0] + 1));
    drag.hasMoved ||= Math.abs(clientX - drag.x) > 4;
    if (drag.hasMoved) see(drag.columns.map((column) => column + columns));
  });
  addEventListener("pointerup", () => {
    // The click that ends a drag chooses nothing.
    if (drag?.hasMoved) box.addEventListener("click", (event) => event.stopImmediatePropagation(), { capture: true, once: true });
    drag = null;
  });
}

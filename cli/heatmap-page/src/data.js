// The data that the page carries, unpacked.

export const data = JSON.parse(document.getElementById("data").textContent);

// Cells are packed as in heatmap/page.rs.
const NUMBERS = 7;
for (const panel of data.panels) {
  panel.rows.forEach((row) => {
    row.byColumn = new Map();
    let column = 0;
    for (let at = 0; at < row.cells.length; at += NUMBERS) {
      const [gap, count, peak, permille, warnings, throttles, partitions] = row.cells.slice(at, at + NUMBERS);
      column += gap;
      row.byColumn.set(column, { count, peak, permille, warnings, throttles, partitions });
    }
    row.keptOut = row.kept_out !== undefined;
    for (const at of row.kept_out ?? []) row.byColumn.get(at).keptOut = true;
    delete row.cells;
  });
}

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

export const amount = (n) => grouped.format(n / data.halves);

export function percent(permille) {
  if (permille === 0) return "0 %";
  // Only what reaches 100 % is shown as that.
  const isExact = permille < 100 || (permille >= 990 && permille < 1000);
  return isExact ? `${(permille / 10).toFixed(1)} %` : `${grouped.format(Math.round(permille / 10))} %`;
}

// Goes before a number that is the most that it may be.
export const most = ({ keptOut }) => (keptOut ? "≤ " : "");

const two = (n) => String(n).padStart(2, "0");

// The time of day, or since the log's begin, of a second.
export function time(second) {
  const since = Math.max(second - data.origin, 0);
  const hour = Math.floor(since / 3600);
  return `${data.clock === "UTC" ? two(hour % 24) : hour}:${two(Math.floor(since / 60) % 60)}:${two(Math.floor(since % 60))}`;
}

export const second = (column) => data.from + column * data.width;

export const span = (column) => `${time(second(column))} to ${time(second(column + 1))}`;

const counted = (n, noun) => `${grouped.format(n)} ${noun}${n === 1 ? "" : "s"}`;

export const name = (row) => (row.band ? `${row.name} (${counted(row.band, "partition")})` : row.name);

export const classOf = (permille) => data.classes.findLastIndex((from) => from <= permille);

// Returns the text of a cell, line by line.
export function lines(panel, row, column) {
  const cell = row.byColumn.get(column);
  const head = [name(row), `${span(column)} ${data.clock === "UTC" ? "UTC" : ""}`.trim()];
  if (!cell) return [...head, "nothing"];
  const told = [
    ...head,
    `${most(cell)}${percent(cell.permille)} of ${panel.whole}`,
    `count ${most(cell)}${amount(cell.count)} ${data.unit}`,
    `fullest second ${most(cell)}${amount(cell.peak)}`,
  ];
  if (cell.keptOut) told.push(`at most: memory had no room to count ${row.band ? "some of these" : "it"} exactly`);
  if (row.band) told.push(`${counted(cell.partitions, "partition")} here; shares are of the hottest`);
  if (cell.warnings) told.push(counted(cell.warnings, "warning"));
  if (cell.throttles) told.push(`throttled ${counted(cell.throttles, "time")}`);
  return told;
}

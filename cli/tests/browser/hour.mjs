// Writes a synthetic hour as CSV, the same each time: 10,000 keys at a steady pace, one whose writes ramp up past DynamoDB's limit,
// one burst, and reads of a table of its own. The argument is the file.
import { createWriteStream } from "node:fs";

const BEGIN = Date.UTC(2026, 2, 14, 21) / 1000;
const KEYS = 10_000;

// xorshift32.
let state = 0x9e3779b9;
const random = () => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
};

const out = createWriteStream(process.argv[2]);
out.write("time_ms,operation,table,pk,amount\n");
const write = (second, operation, table, pk, amount) =>
  amount >= 1 && out.write(`${(BEGIN + second) * 1000},${operation},${table},${pk},${Math.round(amount)}\n`);

for (let second = 0; second < 3600; second++) {
  // Each key every other minute or so; the first ones take more, as popular things do.
  for (let i = 0; i < 80; i++) {
    const key = Math.floor(random() * KEYS);
    write(second, "write", "orders", `CUSTOMER#${key}`, 1 + (random() * 3000) / (key + 10));
  }
  // Live from 21:18 on, hot at 21:40, too hot at 21:47, and then throttled down by its owners.
  const live = (second - 1080) / 1500;
  const ramp = live < 0 ? 4 : live < 1.25 ? 1000 * live ** 2 : 150;
  write(second, "write", "orders", "EVENT#launch-2026-03-14", ramp * (0.7 + random() * 0.3));
  // A job that runs at 21:10 for 40 seconds.
  if (second >= 600 && second < 640) write(second, "write", "orders", "JOB#nightly-reprice", 1250 * (0.9 + random() * 0.2));
  for (let i = 0; i < 20; i++) write(second, "read", "orders", `CUSTOMER#${Math.floor(random() ** 3 * 500)}`, 1 + random() * 20);
  const wave = 1 + Math.sin(second / 190);
  for (let i = 0; i < 12; i++) write(second, "read", "settings", `TENANT#${i}`, (1400 * wave * random()) / (i + 1));
}
out.end();

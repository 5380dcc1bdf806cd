// recordWrite beside bare koffi calls of empty functions, in one run: nanoseconds, medians.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HotPartitionDetector } from 'hotpart';
import koffi from 'koffi';

const ROUNDS = 41;
const CALLS = 100_000;
const directory = mkdtempSync(join(tmpdir(), 'hotpart-'));
const library = join(directory, 'libempty.so');
const source = fileURLToPath(new URL('empty.c', import.meta.url));
execFileSync(process.env.CC ?? 'cc', ['-O2', '-shared', '-fPIC', source, '-o', library]);
const empty = koffi.load(library);
const ofTableAndKey = empty.func('int64_t of_table_and_key(const char *table, const char *pk)');
const ofHandleAndKey = empty.func('int64_t of_handle_and_key(uintptr_t table, const char *pk)');
rmSync(directory, { recursive: true });

const detector = new HotPartitionDetector({ writesThreshold: 2 ** 50, readsThreshold: 2 ** 50, windowSeconds: 60 });
const handle = koffi.address(Buffer.alloc(8));
const KEY = 'EVENTS';

// Each has a loop of its own, so that each is compiled for what it calls.
const loops = {
  recordWrite: (n) => {
    for (let i = 0; i < n; i++) detector.recordWrite('events', KEY);
  },
  'bare call, table and key': (n) => {
    for (let i = 0; i < n; i++) ofTableAndKey('events', KEY);
  },
  'bare call, handle and key': (n) => {
    for (let i = 0; i < n; i++) ofHandleAndKey(handle, KEY);
  },
};
const times = Object.fromEntries(Object.keys(loops).map((name) => [name, []]));
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, loop] of Object.entries(loops)) {
    const start = process.hrtime.bigint();
    loop(CALLS);
    times[name].push(Number(process.hrtime.bigint() - start) / CALLS);
  }
}
const median = (list) => list.sort((a, b) => a - b)[list.length >> 1];
const ours = median(times.recordWrite);
console.log(`Node ${process.version}, koffi ${koffi.version ?? ''}; medians of ${ROUNDS} rounds`);
console.log(`recordWrite                 ${ours.toFixed(1)} ns`);
for (const name of Object.keys(loops).slice(1)) {
  const bare = median(times[name]);
  console.log(
    `${name.padEnd(27)} ${bare.toFixed(1)} ns  ${(ours / bare).toFixed(2)} x  <= 1.5 x  ${ours / bare <= 1.5 ? 'yes' : 'NO'}`,
  );
}

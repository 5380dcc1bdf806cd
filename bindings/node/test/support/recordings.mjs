// Recordings as tests read them.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A directory that is gone when the test is over. */
export function directory(t) {
  const folder = mkdtempSync(join(tmpdir(), 'hotpart-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A file's lines, each of which must be whole; none if it is not there. */
export function linesOf(path) {
  if (!existsSync(path)) return [];
  const text = readFileSync(path, 'utf8');
  if (text !== '' && !text.endsWith('\n')) throw new Error(`${path} ends within a line`);
  return text.split('\n').filter(Boolean).map(JSON.parse);
}

/** Returns a function's result, once there is one. */
export async function until(make) {
  for (let tries = 0; tries < 6_000; tries++) {
    const made = await make();
    if (made !== undefined) return made;
    await sleep(10);
  }
  throw new Error('it did not come to that');
}

/** A file's lines, once there are so many: they are written aside. */
export const lines = (path, n) =>
  until(() => {
    const all = linesOf(path);
    return all.length >= n ? all : undefined;
  });

// A project of a user's, where the package is installed and no SDK is within its reach.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Makes one with the package and what it needs; it is gone when the test is over. Returns its
 * folder.
 */
export function project(t) {
  const folder = mkdtempSync(join(tmpdir(), 'hotpart-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'hotpart'), { recursive: true });
  for (const part of ['dist', 'native', 'package.json']) {
    cpSync(join(here, part), join(modules, 'hotpart', part), { recursive: true });
  }
  for (const name of ['koffi', '@koromix']) link(folder, name);
  return folder;
}

/** Gives it another of our modules, under this name or another one. */
export function link(folder, name, as = name) {
  const to = join(folder, 'node_modules', as);
  mkdirSync(join(to, '..'), { recursive: true });
  symlinkSync(join(here, 'node_modules', name), to, 'junction');
}

// Builds the package: TypeScript to CommonJS, a module of ECMAScript over that, and the library for this platform.

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const run = (command, options, cwd = here) =>
  execFileSync(command, options, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });

rmSync(join(here, 'dist'), { recursive: true, force: true });
run(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc')]);
copyFileSync(join(here, 'src', 'index.mjs'), join(here, 'dist', 'index.mjs'));
copyFileSync(join(here, 'src', 'index.d.mts'), join(here, 'dist', 'index.d.mts'));

// In an unpacked package there is no source of the library; it has been built.
if (existsSync(join(root, 'Cargo.toml'))) {
  const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
  run('cargo', ['rustc', '--quiet', '--release', '--locked', '--lib', '--crate-type', 'cdylib,staticlib'], root);
  const name = { darwin: 'libhotpart.dylib', win32: 'hotpart.dll' }[process.platform] ?? 'libhotpart.so';
  const native = join(here, 'native', `${process.platform}-${process.arch}`);
  mkdirSync(native, { recursive: true });
  copyFileSync(join(target, 'release', name), join(native, name));
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) cpSync(join(root, licence), join(here, licence));
}

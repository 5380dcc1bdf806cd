// Builds the package: TypeScript to CommonJS, a module of ECMAScript over that, and the library for this platform.

import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..', '..');
const run = (command, options, { cwd = here, env = process.env } = {}) =>
  execFileSync(command, options, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });

rmSync(join(here, 'dist'), { recursive: true, force: true });
run(process.execPath, [join(here, 'node_modules', 'typescript', 'bin', 'tsc')]);
for (const name of ['index', 'cloudwatch', 'otel']) {
  for (const kind of ['mjs', 'd.mts']) {
    copyFileSync(join(here, 'src', `${name}.${kind}`), join(here, 'dist', `${name}.${kind}`));
  }
}

// In an unpacked package there is no source of the library; it has been built.
if (existsSync(join(root, 'Cargo.toml'))) {
  // As `make distribution` builds it, and there: without symbols that nobody links to, and without this machine's paths in it.
  const target = join(root, 'build', 'distribution');
  const { CARGO_HOME, RUSTUP_HOME, RUSTFLAGS = '', CARGO_ENCODED_RUSTFLAGS } = process.env;
  const registry = join(CARGO_HOME || join(homedir(), '.cargo'), 'registry', 'src');
  const paths = { rustup: RUSTUP_HOME || join(homedir(), '.rustup'), crates: registry, hotpart: root };
  const remap = Object.entries(paths).map(([name, path]) => `--remap-path-prefix=${path}=${name}`);
  // Of all ways to give rustc flags cargo heeds one, this before all others; and it lets paths have spaces.
  const given = CARGO_ENCODED_RUSTFLAGS?.split('\x1f') ?? RUSTFLAGS.split(/\s+/);
  const env = { ...process.env, CARGO_ENCODED_RUSTFLAGS: [...given, ...remap].filter(Boolean).join('\x1f') };
  const options = ['--quiet', '--release', '--locked', '--lib', '--crate-type', 'cdylib,staticlib', '--target-dir'];
  const config = ['--config', 'profile.release.strip="symbols"'];
  run('cargo', ['rustc', ...options, target, ...config], { cwd: root, env });
  const name = { darwin: 'libhotpart.dylib', win32: 'hotpart.dll' }[process.platform] ?? 'libhotpart.so';
  const native = join(here, 'native', `${process.platform}-${process.arch}`);
  mkdirSync(native, { recursive: true });
  copyFileSync(join(target, 'release', name), join(native, name));
  for (const licence of ['LICENSE-APACHE', 'LICENSE-MIT']) cpSync(join(root, licence), join(here, licence));
}

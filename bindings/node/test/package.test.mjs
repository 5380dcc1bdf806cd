// As a user installs it: the packed package, without install scripts, in an empty project; and what is said where it can't be loaded.

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('..', import.meta.url));
const npm = (options, cwd) =>
  // On Windows npm is a batch file, which only a shell runs.
  execFileSync('npm', options, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });

const USE = `
const detector = new HotPartitionDetector({ writesThreshold: 2, readsThreshold: 9, windowSeconds: 60, logger: console });
console.warn = console.log;
detector.recordWrite('events', 'EVENTS');
detector.recordWrite('events', 'EVENTS');
`;
const LINE = 'Hot partition detected - table="events" pk="EVENTS" had 2 writes in 60s\n';

test('the packed package installs into an empty project and runs', (t) => {
  const project = mkdtempSync(join(tmpdir(), 'hotpart-'));
  t.after(() => rmSync(project, { recursive: true }));
  npm(['pack', '--ignore-scripts', '--pack-destination', project], here);
  const [packed] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  npm(['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', `./${packed}`], project);
  writeFileSync(join(project, 'use.mjs'), `import { HotPartitionDetector } from 'hotpart';${USE}`);
  writeFileSync(join(project, 'use.cjs'), `const { HotPartitionDetector } = require('hotpart');${USE}`);
  for (const program of ['use.mjs', 'use.cjs']) {
    assert.equal(execFileSync(process.execPath, [program], { cwd: project, encoding: 'utf8' }), LINE);
  }
  const both = `import { MinuteLines } from 'hotpart/cloudwatch';
    import { createRequire } from 'node:module';
    console.log(MinuteLines === createRequire(import.meta.url)('hotpart/cloudwatch').MinuteLines);`;
  writeFileSync(join(project, 'lines.mjs'), both);
  assert.equal(execFileSync(process.execPath, ['lines.mjs'], { cwd: project, encoding: 'utf8' }), 'true\n');
  assert.deepEqual(readdirSync(join(project, 'node_modules', 'hotpart')).sort(), [
    'LICENSE-APACHE',
    'LICENSE-MIT',
    'README.md',
    'dist',
    'native',
    'package.json',
  ]);
});

test('Yarn, which plugs packages in as archives, has this one as files', (t) => {
  const project = mkdtempSync(join(tmpdir(), 'hotpart-'));
  t.after(() => rmSync(project, { recursive: true }));
  npm(['pack', '--ignore-scripts', '--pack-destination', project], here);
  const [packed] = readdirSync(project).filter((name) => name.endsWith('.tgz'));
  const registry = npm(['config', 'get', 'registry'], project).trim().replace(/\/$/, '');
  const yarn = (...options) =>
    execFileSync(process.execPath, [join(here, 'node_modules', '@yarnpkg', 'cli-dist', 'bin', 'yarn.js'), ...options], {
      cwd: project,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  writeFileSync(join(project, 'package.json'), '{ "private": true }');
  writeFileSync(join(project, 'yarn.lock'), '');
  const settings = { nodeLinker: 'pnp', npmRegistryServer: registry, enableTelemetry: false, enableScripts: false };
  writeFileSync(join(project, '.yarnrc.yml'), JSON.stringify(settings));
  yarn('add', `./${packed}`);
  writeFileSync(join(project, 'use.cjs'), `const { HotPartitionDetector } = require('hotpart');${USE}`);
  assert.equal(yarn('node', 'use.cjs'), LINE);
});

test('a library that is missing, or is none, says what to do', () => {
  const load = (path) =>
    spawnSync(process.execPath, ['-e', "require('hotpart')"], {
      cwd: here,
      encoding: 'utf8',
      env: { ...process.env, HOTPART_LIBRARY: path },
    }).stderr;
  assert.match(load('/nowhere/libhotpart.so'), /LibraryError: there is no libhotpart at \S*nowhere.*HOTPART_LIBRARY/);
  assert.match(load(join(here, 'package.json')), /LibraryError: libhotpart at .* can't be loaded.*HOTPART_LIBRARY/);
});

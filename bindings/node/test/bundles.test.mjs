// Programs that are bundled, as those for Lambda are, and tests that Jest runs: there the package
// finds no SDK from its own place.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { build } from 'esbuild';
import webpack from 'webpack';
import { here, link, project } from './support/project.mjs';

const SDKS = { 3.6: 'sdk-3.600', 3.844: 'sdk-3.844', newest: '@aws-sdk/client-dynamodb' };
const entry = join(here, 'test', 'support', 'app.mjs');

function run(program, cwd) {
  // The tester's own choice is not the user's.
  const { HOTPART_LIBRARY: _, ...env } = process.env;
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** A project with the program and an SDK. */
function programmed(t, sdk = SDKS.newest) {
  const folder = project(t);
  link(folder, sdk, '@aws-sdk/client-dynamodb');
  cpSync(entry, join(folder, 'app.mjs'));
  return folder;
}

/** Bundles the program, and takes the SDK away. */
async function byEsbuild(folder, options) {
  const outfile = join(folder, 'out', options.format === 'esm' ? 'app.mjs' : 'app.cjs');
  const common = { bundle: true, platform: 'node', minify: true, logLevel: 'silent', absWorkingDir: folder };
  await build({ entryPoints: [join(folder, 'app.mjs')], outfile, ...common, ...options });
  rmSync(join(folder, 'node_modules', '@aws-sdk'), { recursive: true });
  return run(outfile, folder);
}

async function byWebpack(folder, options) {
  const output = { path: join(folder, 'out'), filename: 'app.cjs' };
  const entry = join(folder, 'app.mjs');
  const given = { mode: 'production', target: 'node', context: folder, entry, output, ...options };
  const stats = await new Promise((resolve, reject) =>
    webpack(given, (error, stats) => (error ? reject(error) : resolve(stats))),
  );
  assert.deepEqual(stats.toJson({ all: false, errors: true }).errors, []);
  rmSync(join(folder, 'node_modules', '@aws-sdk'), { recursive: true });
  return run(join(output.path, output.filename), folder);
}

const COUNTED = { status: 0, stdout: 'counted 2\n' };
const ran = ({ status, stdout }) => ({ status, stdout });

describe('esbuild', () => {
  for (const [version, sdk] of Object.entries(SDKS)) {
    test(`SDK ${version} in the bundle, the package beside it`, async (t) => {
      const told = await byEsbuild(programmed(t, sdk), { external: ['hotpart'] });
      assert.deepEqual(ran(told), COUNTED, told.stderr);
    });
  }

  test('the same as a module of ECMAScript', async (t) => {
    const options = { external: ['hotpart'], format: 'esm', mainFields: ['module', 'main'] };
    const told = await byEsbuild(programmed(t), options);
    assert.deepEqual(ran(told), COUNTED, told.stderr);
  });

  test('the package in the bundle says what to do', async (t) => {
    for (const external of [[], ['koffi']]) {
      const { status, stderr } = await byEsbuild(programmed(t), { external, minify: false });
      assert.notEqual(status, 0);
      assert.match(
        stderr,
        /^\S*LibraryError: .*esbuild --external:hotpart, webpack externals: \{ hotpart: 'commonjs hotpart' \}/m,
      );
    }
  });
});

describe('webpack', () => {
  test('the SDK in the bundle, the package beside it', async (t) => {
    const told = await byWebpack(programmed(t), { externals: { hotpart: 'commonjs hotpart' } });
    assert.deepEqual(ran(told), COUNTED, told.stderr);
  });

  test('the package in the bundle says what to do', async (t) => {
    const { status, stderr } = await byWebpack(programmed(t), { optimization: { minimize: false } });
    assert.notEqual(status, 0);
    assert.match(
      stderr,
      /^\S*LibraryError: .*esbuild --external:hotpart, webpack externals: \{ hotpart: 'commonjs hotpart' \}/m,
    );
  });
});

test('Jest, as it is by default', (t) => {
  const folder = project(t);
  const calls = Object.entries(SDKS).map(([version, sdk]) => {
    link(folder, sdk, `sdk-${version}`);
    return `
test('SDK ${version}', async () => {
  const { DynamoDBClient, PutItemCommand } = require('sdk-${version}');
  const client = new DynamoDBClient(given());
  const detector = new HotPartitionDetector({ writesThreshold: 2 ** 40, readsThreshold: 2 ** 40, windowSeconds: 60, logger });
  instrument(client, detector);
  for (let n = 0; n < 2; n++) await client.send(new PutItemCommand({ TableName: 'events', Item: { id: { S: 'k' } } }));
  expect(lines).toEqual([]);
  expect(detector.getWriteCount('events', 'k')).toBe(2);
  expect(detector.stats().failures).toBe(0);
  client.destroy();
  detector.close();
});`;
  });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  mkdirSync(join(folder, 'test'));
  writeFileSync(
    join(folder, 'test', 'watch.test.js'),
    `
const { createServer } = require('node:http');
const { HotPartitionDetector, instrument } = require('hotpart');
const lines = [];
const logger = { warn: (line) => lines.push(line) };
const Table = { TableName: 'events', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] };
const server = createServer((request, response) => {
  request.resume();
  const described = request.headers['x-amz-target'].endsWith('.DescribeTable');
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(described ? { Table } : {}));
});
const given = () => ({
  endpoint: 'http://127.0.0.1:' + server.address().port,
  region: 'us-east-1',
  credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
});
beforeAll(() => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => new Promise((resolve) => server.close(resolve)));
${calls.join('\n')}
`,
  );
  const jest = join(here, 'node_modules', 'jest', 'bin', 'jest.js');
  const { status, stderr } = spawnSync(process.execPath, [jest, '--runInBand', '--rootDir', folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
});

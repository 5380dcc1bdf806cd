// The README's examples, to the letter.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { HotPartitionDetector, instrument, uninstrument } from 'hotpart';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Returns the first block of JavaScript behind these words. */
const block = (after) => /```js\n(.*?)```/s.exec(README.slice(README.indexOf(after)))[1];

/** Runs that block, and returns what it makes of those names. */
async function made(after, names, given) {
  const lines = block(after);
  const imported = {};
  for (const [, of, module] of lines.matchAll(/^import \{ (.*) \} from '(.*)';$/gm)) {
    const all = await import(module);
    for (const name of of.split(', ')) {
      assert.ok(name in all, `${module} has no ${name}`);
      imported[name] = all[name];
    }
  }
  const code = lines.replace(/^import .*$/gm, '').replace(/^export /gm, '');
  const known = { ...imported, ...given };
  return new Function(...Object.keys(known), `${code}\nreturn { ${names} };`)(...Object.values(known));
}

test('OpenTelemetry', async (t) => {
  const detector = new HotPartitionDetector({ writesThreshold: 1e6, readsThreshold: 1e6, windowSeconds: 60 });
  const { reader, provider, resource } = await made('For OpenTelemetry', 'reader, provider, resource', { detector });
  t.after(() => provider.shutdown().catch(() => {}));
  detector.recordWrite('events', 'hot', { amount: 240 });
  detector.recordWrite('events', 'cold', { amount: 239 });
  const { resourceMetrics } = await reader.collect();
  const [demand] = resourceMetrics.scopeMetrics[0].metrics;
  assert.deepEqual(
    demand.dataPoints.map(({ attributes, value }) => [attributes['hotpart.partition.key'], value]),
    [['hot', 240]],
  );
  assert.equal(resourceMetrics.resource.attributes['service.instance.id'].length, 36);
  assert.equal(resourceMetrics.resource, resource);
});

test('lines for CloudWatch', async () => {
  const { lines, handler } = await made('is found through CloudWatch Logs', 'lines, handler', {
    HotPartitionDetector,
    GetItemCommand: Object,
    client: { send: async (command) => command },
  });
  assert.deepEqual(await handler({ id: 1 }, {}), { id: 1 });
  assert.equal(lines.flush(), 0);
});

test('the first lines, and those to the limits, to a count and to schemas that are given', async (t) => {
  const { detector, client } = await made('# hotpart for Node', 'detector, client', {});
  t.after(() => detector.close());
  const { count } = await made('To count by yourself', 'count', { detector });
  assert.equal(count, 1);
  const limits = await made('To warn by those', 'detector', { HotPartitionDetector });
  assert.equal(limits.detector.capacity, true);
  limits.detector.close();
  await made('schemas yourself', '', { instrument, client, detector });
});

test('a recording, and workers that share a detector', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'hotpart-'));
  const before = process.cwd();
  process.chdir(directory);
  t.after(() => {
    process.chdir(before);
    rmSync(directory, { recursive: true });
  });
  const { detector, client } = await made('# hotpart for Node', 'detector, client', {});
  t.after(() => detector.close());
  await made('## Recording', '', { instrument, client, detector });
  assert.ok(existsSync('recording.jsonl'));
  uninstrument(client);
  // What the main thread does, and what the worker does.
  const [main, worker] = block('## Worker threads').split('// in the worker\n');
  class Worker {
    constructor(_, { workerData }) {
      this.workerData = workerData;
    }
  }
  const { workerData } = new Function('Worker', 'detector', `return ${main}`)(Worker, detector);
  const names = ['HotPartitionDetector', 'workerData', 'onWarning'];
  const attached = new Function(...names, `${worker}\nreturn detector;`)(HotPartitionDetector, workerData, () => {});
  attached.recordWrite('events', 'EVENTS');
  assert.equal(detector.getWriteCount('events', 'EVENTS'), 1);
  attached.close();
});

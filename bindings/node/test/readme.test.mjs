// The README's examples, to the letter.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { HotPartitionDetector, instrument } from 'hotpart';

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** Runs the first block of JavaScript behind these words, and returns what it makes of those names. */
async function made(after, names, given) {
  const block = /```js\n(.*?)```/s.exec(README.slice(README.indexOf(after)))[1];
  const imported = {};
  for (const [, of, module] of block.matchAll(/^import \{ (.*) \} from '(.*)';$/gm)) {
    const all = await import(module);
    for (const name of of.split(', ')) {
      assert.ok(name in all, `${module} has no ${name}`);
      imported[name] = all[name];
    }
  }
  const code = block.replace(/^import .*$/gm, '').replace(/^export /gm, '');
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

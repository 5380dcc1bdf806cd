// Other middleware on a client's stack, and stacks that are copied: each attempt is counted once,
// and others see what they always saw.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { instrument, uninstrument } from 'hotpart';
import { client, description, fake, log, never } from './support/clients.mjs';
import { project } from './support/project.mjs';

const tables = { events: 'id' };
const put = (more = {}) => new PutItemCommand({ TableName: 'events', Item: { id: { S: 'k' } }, ...more });
const ours = ({ middlewareStack }) => middlewareStack.identify().filter((name) => name.includes('hotpart'));

async function setting(t, capacity = false, options = { tables }) {
  const [server, logger] = [await fake(t), log()];
  const detector = never(capacity, t, { logger });
  const watched = instrument(client(server.endpoint), detector, options);
  t.after(() => watched.destroy());
  server.handler = (operation, { TableName }) =>
    operation === 'DescribeTable' ? description(TableName) : [200, server.answer ?? {}];
  return { server, logger, detector, watched, writes: () => detector.getWriteCount('events', 'k') };
}

/** Another client with a clone of that one's stack. */
function cloned(t, server, watched) {
  const other = client(server.endpoint);
  t.after(() => other.destroy());
  other.middlewareStack = watched.middlewareStack.clone();
  return other;
}

test('two copies of the package watch one client', async (t) => {
  for (const capacity of [false, true]) {
    const { server, detector, watched } = await setting(t, capacity);
    const copy = createRequire(join(project(t), 'index.js'))('hotpart');
    assert.notEqual(copy.instrument, instrument);
    const options = { writesThreshold: 2 ** 40, readsThreshold: 2 ** 40, windowSeconds: 60, capacity };
    const other = new copy.HotPartitionDetector(options);
    t.after(() => other.close());
    copy.instrument(watched, other, { tables });
    server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 3 } };
    const answer = await watched.send(put());
    assert.deepEqual(
      [detector, other].map((each) => each.getWriteCount('events', 'k')),
      capacity ? [3, 3] : [1, 1],
    );
    assert.equal('ConsumedCapacity' in answer, !capacity);
    copy.uninstrument(watched);
    await watched.send(put());
    assert.equal(other.getWriteCount('events', 'k'), capacity ? 3 : 1);
    assert.equal(detector.getWriteCount('events', 'k'), capacity ? 6 : 2, 'it undoes its own alone');
  }
});

test('a clone of a stack that is instrumented again is counted once', async (t) => {
  for (const capacity of [false, true]) {
    const { server, detector, watched, writes } = await setting(t, capacity);
    const other = cloned(t, server, watched);
    await other.send(put());
    assert.equal(writes(), 1);
    instrument(other, detector, { tables });
    await other.send(put());
    assert.equal(writes(), 2);
    await watched.send(put());
    assert.equal(writes(), 3);
    assert.equal(ours(other).length, capacity ? 3 : 1);
  }
});

test('a clone goes on when the other is watched no more, and ends by itself', async (t) => {
  const { server, detector, watched, writes } = await setting(t, true);
  const [one, two] = [cloned(t, server, watched), cloned(t, server, watched)];
  uninstrument(watched);
  await watched.send(put());
  assert.equal(writes(), 0);
  await one.send(put());
  assert.equal(writes(), 1);
  uninstrument(one);
  uninstrument(two, detector);
  assert.deepEqual([ours(one), ours(two)], [[], []]);
  for (const each of [one, two]) await each.send(put());
  assert.equal(writes(), 1);
});

test('stacks that are put together are counted once', async (t) => {
  const { server, watched, writes } = await setting(t, true);
  const other = client(server.endpoint);
  t.after(() => other.destroy());
  other.middlewareStack = watched.middlewareStack.concat(cloned(t, server, watched).middlewareStack);
  await other.send(put());
  assert.equal(writes(), 1);
});

test('what traces calls sees neither the question for capacity nor its answer', async (t) => {
  const { server, watched, writes } = await setting(t, true);
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 3 } };
  const seen = [];
  // As X-Ray's does.
  const trace = (next) => async (args) => {
    const result = await next(args);
    seen.push(String(args.request.body), JSON.stringify(result.output));
    return result;
  };
  watched.middlewareStack.add(trace, { step: 'build', name: 'trace' });
  watched.middlewareStack.add(trace, { step: 'serialize', priority: 'low', name: 'inside' });
  await watched.send(put());
  assert.equal(writes(), 3);
  assert.equal(server.asked[0][1].ReturnConsumedCapacity, 'INDEXES');
  assert.equal(seen.length, 4);
  for (const text of seen) assert.doesNotMatch(text, /Capacity/);
});

test('an abort ends the wait for a description, and leaves nothing uncounted', async (t) => {
  const { server, logger, watched, writes } = await setting(t, false, {});
  let describe;
  const described = new Promise((resolve) => (describe = resolve));
  server.later = async (operation) => {
    if (operation === 'DescribeTable') await described;
  };
  const abort = new AbortController();
  // The second that it would wait is half a minute here, for busy machines.
  const real = globalThis.setTimeout;
  const slower = (call, ms, ...more) => real(call, ms === 1_000 ? 30_000 : ms, ...more);
  t.mock.method(globalThis, 'setTimeout', slower);
  real(() => abort.abort(), 50);
  const began = performance.now();
  const answer = await watched.send(put(), { abortSignal: abort.signal });
  const took = performance.now() - began;
  assert.equal(answer.$metadata.httpStatusCode, 200, 'it was answered before');
  assert.ok(took < 20_000, `${took} ms`);
  assert.equal(writes(), 0);
  await watched.send(put());
  describe();
  while (writes() < 2) await sleep(5);
  assert.equal(writes(), 2);
  assert.equal(server.asked.filter(([operation]) => operation === 'DescribeTable').length, 1);
  assert.deepEqual(logger.lines, []);
});

test('each kind of failure is logged once, whatever client it came from', async (t) => {
  const { server, logger, detector, watched } = await setting(t);
  const other = instrument(client(server.endpoint), detector, { tables });
  t.after(() => other.destroy());
  const problems = ["broken at 'x' 12", "broken at 'y' 7", 'lost'];
  let n = 0;
  t.mock.method(detector, 'observed', () => {
    const problem = problems[n++ % problems.length];
    throw problem === 'lost' ? new TypeError(problem) : new Error(problem);
  });
  for (let i = 0; i < 3; i++) for (const each of [watched, other]) await each.send(put());
  assert.equal(server.asked.length, 6);
  assert.equal(detector.stats().failures, 6);
  assert.deepEqual(
    logger.lines.map((line) => line.split('\n')[0]),
    [
      "hotpart: a request to DynamoDB could not be observed: broken at 'x' 12: Error: broken at 'x' 12",
      'hotpart: a request to DynamoDB could not be observed: lost: TypeError: lost',
    ],
  );
});

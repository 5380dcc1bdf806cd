// Warnings: of which records, and where they go.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HotPartitionDetector, MissingSchemaError } from 'hotpart';
import { log } from './support/clients.mjs';

const LINE = 'Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s';
const hot = (more) =>
  new HotPartitionDetector({
    writesThreshold: 1,
    readsThreshold: 1,
    windowSeconds: 60,
    manualClock: true,
    logger: null,
    ...more,
  });

test('a warning has what is known, and its line goes to the logger', () => {
  const [logger, seen] = [log(), []];
  const detector = hot({ writesThreshold: 3, logger, onWarning: (warning) => seen.push(warning) });
  for (let n = 0; n < 9; n++) detector.recordWrite('events', 'EVENTS');
  assert.deepEqual(logger.lines, [LINE]);
  assert.deepEqual(seen, [
    {
      table: 'events',
      pk: 'EVENTS',
      operation: 'write',
      count: 3,
      threshold: 3,
      windowSeconds: 60,
      suppressed: 0,
      peak: 3,
      rule: 'window',
      utilisation: 0,
      carried: 0,
      line: LINE,
    },
  ]);
});

test('the console is the logger, and null is none', (t) => {
  const warn = t.mock.method(console, 'warn', () => {});
  hot({ logger: undefined }).recordWrite('events', 'k');
  hot({ logger: null }).recordWrite('events', 'k');
  assert.deepEqual(
    warn.mock.calls.map(({ arguments: [line] }) => line),
    ['Hot partition detected - table="events" pk="k" had 1 writes in 60s'],
  );
});

test('a key that is not UTF-8 comes as its bytes', () => {
  const seen = [];
  hot({ onWarning: (warning) => seen.push(warning) }).recordWrite('t', Buffer.from([0xff, 0]));
  assert.deepEqual(seen[0].pk, Buffer.from([0xff, 0]));
  assert.equal(seen[0].line, 'Hot partition detected - table="t" pk="\\xFF\\x00" had 1 writes in 60s');
});

test('what fails in onWarning is logged, and the record counts', () => {
  const logger = log();
  const detector = hot({
    logger,
    onWarning: () => {
      throw new Error('mine');
    },
  });
  assert.equal(detector.recordWrite('t', 'k'), 1);
  assert.match(logger.lines[1], /^hotpart: onWarning failed: Error: mine/);
});

test('what an async onWarning rejects with is logged', async () => {
  const logger = log();
  const detector = hot({ logger, onWarning: () => Promise.reject(new Error('mine')) });
  assert.equal(detector.recordWrite('t', 'k'), 1);
  await new Promise(setImmediate);
  assert.match(logger.lines[1], /^hotpart: onWarning failed: Error: mine/);
});

test('a logger that fails keeps no callback from its warning', (t) => {
  const told = t.mock.method(console, 'error', () => {});
  const seen = [];
  const logger = {
    warn() {
      throw new Error('disk full');
    },
  };
  assert.equal(hot({ logger, onWarning: ({ pk }) => seen.push(pk) }).recordWrite('t', 'k'), 1);
  assert.deepEqual(seen, ['k']);
  assert.equal(told.mock.callCount(), 1);
});

test('what onWarning records is warned of after it', () => {
  const seen = [];
  const detector = hot({
    warnOfThrottles: true,
    onWarning: ({ pk, rule }) => {
      detector.recordWrite('t', 'other');
      detector.recordWrite('t', 'more', { amount: 2 });
      detector.recordThrottle('t', 'other');
      seen.push(`${pk} ${rule}`);
    },
  });
  detector.recordWrite('t', 'k');
  assert.deepEqual(seen, ['k window', 'other window', 'more window', 'other throttle']);
});

test('with an interval of 0 it counts, and warns no more', () => {
  const seen = [];
  const detector = hot({
    warningIntervalSeconds: 0,
    onWarning: ({ pk, count }) => {
      seen.push([pk, count]);
      detector.recordWrite('t', pk);
      detector.recordWrite('t', 'other');
    },
  });
  detector.recordWrite('t', 'k');
  detector.recordWrite('t', 'k');
  assert.deepEqual(seen, [
    ['k', 1],
    ['k', 3],
  ]);
  assert.equal(detector.getWriteCount('t', 'other'), 2);
});

test('onWarning may close the detector, and use another', () => {
  const seen = [];
  const other = hot({ onWarning: ({ table }) => seen.push(table) });
  const detector = hot({
    onWarning: () => {
      detector.close();
      other.recordWrite('u', 'k');
    },
  });
  assert.equal(detector.recordWrite('t', 'k'), 1);
  assert.deepEqual([seen, detector.closed], [['u'], true]);
});

test('one request warns of each of its keys', () => {
  const seen = [];
  const detector = hot({ onWarning: ({ pk }) => seen.push(pk) });
  detector.setKeySchema('t', 'id');
  const Keys = Array.from({ length: 100 }, (_, n) => ({ id: { S: `k${n}` } }));
  const request = JSON.stringify({ RequestItems: { t: { Keys } } });
  assert.equal(detector.observe({ operation: 'BatchGetItem', request }), 100);
  assert.deepEqual(seen.sort(), Keys.map(({ id }) => id.S).sort());
});

const put = (table, pk) => ({
  operation: 'PutItem',
  request: JSON.stringify({ TableName: table, Item: { id: { S: pk } } }),
});

test('what waited for a key warns whoever makes that known', () => {
  const seen = [];
  const detector = hot({ onWarning: ({ table, pk }) => seen.push(`${table} ${pk}`) });
  const Table = { TableName: 'u', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] };
  for (const table of ['t', 'u']) assert.throws(() => detector.observe(put(table, 'k')), MissingSchemaError);
  assert.deepEqual(seen, []);
  detector.setKeySchema('t', 'id');
  assert.deepEqual(seen, ['t k']);
  const response = JSON.stringify({ Table });
  detector.observe({ operation: 'DescribeTable', request: '{"TableName":"u"}', response });
  assert.deepEqual(seen, ['t k', 'u k']);
});

test('a request that names missing tables warns too, and whoever is told may observe', () => {
  const seen = [];
  const detector = hot({
    onWarning: ({ table }) => {
      seen.push(table);
      if (table === 'known') assert.throws(() => detector.observe(put('other', 'k')), { tables: ['other'] });
    },
  });
  detector.setKeySchema('known', 'id');
  const Item = { id: { S: 'k' } };
  const TransactItems = ['known', 'unknown'].map((TableName) => ({ Put: { TableName, Item } }));
  const attempt = { operation: 'TransactWriteItems', request: JSON.stringify({ TransactItems }) };
  assert.throws(() => detector.observe(attempt), { tables: ['unknown'] });
  assert.deepEqual(seen, ['known']);
});

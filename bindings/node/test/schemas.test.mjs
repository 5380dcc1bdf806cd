// The key schemas that are needed: a table is described once, and what waits for that is counted.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PutItemCommand, QueryCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { instrument } from 'hotpart';
import { client, description, fake, log, never, problem, throttled } from './support/clients.mjs';
import { Item, asks, put, setting } from './support/watched.mjs';

test('a table is described when it is needed, and once', async (t) => {
  const { server, detector, watched } = await setting(t);
  for (let n = 0; n < 3; n++) await watched.send(put());
  assert.deepEqual(
    server.asked.map(([operation]) => operation),
    ['PutItem', 'DescribeTable', 'PutItem', 'PutItem'],
  );
  assert.equal(detector.getWriteCount('events', 'k'), 3);
});

test('what comes while a table is described is counted too', async (t) => {
  const { server, detector, watched } = await setting(t);
  await Promise.all(Array.from({ length: 200 }, () => watched.send(put())));
  assert.equal(asks(server, 'DescribeTable'), 1);
  assert.equal(detector.getWriteCount('events', 'k'), 200);
});

test('one attempt that is wrong keeps no other from being counted', async (t) => {
  const { logger, detector, watched } = await setting(t);
  const wrong = put({ Item: { id: { N: '1e999' } } });
  await Promise.all([put(), wrong, put(), wrong, put()].map((command) => watched.send(command)));
  assert.equal(detector.getWriteCount('events', 'k'), 3);
  assert.equal(logger.lines.length, 1);
});

test('a table that traffic has shown, or that is declared, is not described', async (t) => {
  const { server, detector, watched } = await setting(t, false, {
    tables: { events: 'id', 'events/index/by_ab': ['a', 'b'] },
  });
  await watched.send(put());
  await watched.send(
    new QueryCommand({
      TableName: 'events',
      IndexName: 'by_ab',
      KeyConditionExpression: 'a = :a AND b = :b',
      ExpressionAttributeValues: { ':a': { S: 'x' }, ':b': { N: '1.0' } },
    }),
  );
  assert.equal(asks(server, 'DescribeTable'), 0);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
  assert.equal(detector.getReadCount('events/index/by_ab', '["x","1"]'), 1);
});

test('where describing is denied it is asked for once, and said once', async (t) => {
  const { server, logger, detector, watched } = await setting(t);
  server.handler = (operation) => (operation === 'DescribeTable' ? problem('AccessDeniedException') : [200, {}]);
  for (let n = 0; n < 3; n++) await watched.send(put());
  assert.equal(asks(server, 'DescribeTable'), 1);
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0], /^hotpart: .*DescribeTable failed \(AccessDeniedException\).*tables: \{ 'events'/);
  assert.equal(detector.getWriteCount('events', 'k'), 0);
  assert.deepEqual([detector.getUnattributedCount('events', 'unread', 'write'), detector.stats().failures], [3, 1]);
});

test('describe: false describes nothing', async (t) => {
  const { server, logger, detector, watched } = await setting(t, false, { describe: false });
  for (const TableName of ['events', 'other', 'events']) await watched.send(put({ TableName }));
  assert.equal(asks(server, 'DescribeTable'), 0);
  assert.deepEqual(
    logger.lines.map((line) => line.replace(/: MissingSchemaError[^]*/, '')),
    ['events', 'other'].map(
      (table) =>
        `hotpart: the key schema of table '${table}' is needed and the table is not to be described: its requests wait ` +
        `until it is known, or are not counted; pass tables: { '${table}': its partition key } to instrument`,
    ),
  );
  assert.equal(detector.stats().failures, 2);
  detector.setKeySchema('events', 'id');
  assert.equal(detector.getWriteCount('events', 'k'), 2, 'they have waited');
});

test('an index that was made since is learnt within a minute', async (t) => {
  const { server, logger, detector, watched } = await setting(t);
  const query = () =>
    watched.send(
      new QueryCommand({
        TableName: 'events',
        IndexName: 'by_b',
        KeyConditionExpression: 'a = :a AND b = :b',
        ExpressionAttributeValues: { ':a': { S: 'x' }, ':b': { S: 'y' } },
      }),
    );
  await watched.send(put());
  await query();
  await query();
  assert.equal(asks(server, 'DescribeTable'), 2, 'of the index nobody has asked before');
  assert.equal(detector.getUnattributedCount('events', 'unread', 'read'), 1, 'there was none');
  detector.setTime(60);
  server.handler = (operation) =>
    operation === 'DescribeTable'
      ? [
          200,
          {
            Table: {
              ...description('events')[1].Table,
              GlobalSecondaryIndexes: [{ IndexName: 'by_b', KeySchema: [{ AttributeName: 'b', KeyType: 'HASH' }] }],
            },
          },
        ]
      : [200, {}];
  await query();
  assert.equal(asks(server, 'DescribeTable'), 3);
  assert.equal(detector.getReadCount('events/index/by_b', 'y'), 2, 'that which has waited too');
  assert.deepEqual(logger.lines, []);
});

test('a request on several unknown tables describes them all', async (t) => {
  const { server, detector, watched } = await setting(t);
  const TransactItems = ['aaa', 'bbb', 'ccc'].map((TableName) => ({ Put: { TableName, Item } }));
  await watched.send(new TransactWriteItemsCommand({ TransactItems }));
  assert.equal(asks(server, 'DescribeTable'), 3);
  assert.deepEqual(
    ['aaa', 'bbb', 'ccc'].map((table) => detector.getWriteCount(table, 'k')),
    [1, 1, 1],
  );
});

test("a table is described by a request whose command is the caller's own", async (t) => {
  const { server, detector, watched } = await setting(t);
  class PutThing extends PutItemCommand {
    constructor({ named }) {
      super({ TableName: 'events', Item: { id: { S: named.toLowerCase() } } });
    }
    resolveMiddleware(...given) {
      return super.resolveMiddleware(...given);
    }
  }
  await watched.send(new PutThing({ named: 'K' }));
  assert.equal(asks(server, 'DescribeTable'), 1);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
});

test('a table of another account is described by its ARN', async (t) => {
  const { server, detector, watched } = await setting(t);
  const arn = 'arn:aws:dynamodb:us-east-1:999999999999:table/events';
  server.handler = (operation) => (operation === 'DescribeTable' ? description('events') : [200, {}]);
  await watched.send(put({ TableName: arn }));
  assert.deepEqual(server.asked[1], ['DescribeTable', { TableName: arn }]);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
});

test('a table that is not described for long keeps no request for long', async (t) => {
  const { server, detector, watched } = await setting(t);
  server.handler = (operation) => (operation === 'DescribeTable' ? 'never' : [200, {}]);
  await watched.send(put());
  assert.equal(asks(server, 'DescribeTable'), 1);
  assert.equal(detector.getWriteCount('events', 'k'), 0);
});

test('another description is made a minute after one that does not end', async (t) => {
  let late = 0;
  const real = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => real() + late);
  const { server, detector, watched } = await setting(t, false, { tables: { other: 'id' } });
  const describing = server.handler;
  server.handler = (operation) => (operation === 'DescribeTable' ? 'never' : [200, {}]);
  await watched.send(put());
  server.handler = describing;
  await watched.send(put());
  assert.equal(asks(server, 'DescribeTable'), 1, 'that may end yet');
  late = 60_000;
  await watched.send(put({ TableName: 'other' }));
  assert.equal(asks(server, 'DescribeTable'), 2);
  assert.equal(detector.getWriteCount('events', 'k'), 2);
});

test('a table that is gone for good is given up', async (t) => {
  let late = 0;
  const real = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => real() + late);
  const { server, detector, watched } = await setting(t, false, { tables: { other: 'id' } });
  const describing = server.handler;
  server.handler = (operation) => (operation === 'DescribeTable' ? problem('ResourceNotFoundException') : [200, {}]);
  await watched.send(put());
  const most = 60 + 60;
  for (; late < 3 * most * 1_000; late += 10_000) {
    await watched.send(put({ TableName: 'other' }));
    await sleep(10);
  }
  const asked = asks(server, 'DescribeTable');
  assert.ok(asked > 3 && asked < 9, `${asked}`);
  // What comes on it after that has the library ask again.
  server.handler = describing;
  detector.setTime(61);
  await watched.send(put());
  assert.equal(asks(server, 'DescribeTable'), asked + 1);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
});

test('a description that fails is asked for again by the next request, on whatever table, in a while', async (t) => {
  let late = 0;
  const real = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => real() + late);
  const { server, logger, detector, watched } = await setting(t, false, {
    tables: { other: 'id' },
    windowSeconds: 3_600,
  });
  const describing = server.handler;
  server.handler = (operation) => (operation === 'DescribeTable' ? problem('InternalServerError') : [200, {}]);
  await watched.send(put());
  for (let n = 0; n < 3; n++) await watched.send(put({ TableName: 'other' }));
  assert.equal(asks(server, 'DescribeTable'), 1, 'not at once');
  const tries = async (seconds, expected) => {
    late += seconds * 1_000;
    const before = asks(server, 'DescribeTable');
    await watched.send(put({ TableName: 'other' }));
    // One that is asked for may take a while to come, and then to be answered.
    for (let n = 0; n < 200 && asks(server, 'DescribeTable') - before < expected; n++) await sleep(50);
    await sleep(100);
    return asks(server, 'DescribeTable') - before;
  };
  assert.deepEqual([await tries(1.1, 1), await tries(1.1, 0), await tries(1.1, 1)], [1, 0, 1]);
  for (let n = 0; n < 9; n++) await tries(61, 1);
  assert.deepEqual([await tries(50, 0), await tries(11, 1)], [0, 1], 'once a minute in the end');
  assert.equal(detector.getWriteCount('events', 'k'), 0);
  server.handler = describing;
  assert.equal(await tries(61), 1);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
  assert.equal(await tries(61), 0);
  assert.equal(logger.lines.length, 1, 'it is said once');
  assert.match(logger.lines[0], /DescribeTable failed \(InternalServerError\): its requests wait/);
  assert.equal(detector.stats().failures, 13);
});

test('nobody waits for a description that has failed before', async (t) => {
  let late = 0;
  const real = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => real() + late);
  const { server, detector, watched } = await setting(t);
  const describing = server.handler;
  server.handler = (operation) => (operation === 'DescribeTable' ? problem('InternalServerError') : [200, {}]);
  await watched.send(put());
  // The second that it would wait is half a minute here, for busy machines.
  const timer = globalThis.setTimeout;
  t.mock.method(globalThis, 'setTimeout', (call, ms, ...more) => timer(call, ms === 1_000 ? 30_000 : ms, ...more));
  let describe;
  const described = new Promise((resolve) => (describe = resolve));
  server.handler = describing;
  server.later = async (operation) => {
    if (operation === 'DescribeTable') await described;
  };
  late += 2_000;
  const began = real();
  await watched.send(put());
  assert.ok(real() - began < 20_000);
  while (asks(server, 'DescribeTable') < 2) await sleep(5);
  assert.equal(detector.getWriteCount('events', 'k'), 0, 'it is under way');
  describe();
  while (detector.getWriteCount('events', 'k') < 2) await sleep(5);
});

test('a table is described after a refusal, not after a fault', async (t) => {
  for (const [answer, now] of [
    [problem('ConditionalCheckFailedException'), 1],
    [throttled(), 1],
    [[500, {}], 0],
    ['drop', 0],
  ]) {
    const { server, detector, watched } = await setting(t);
    const handler = server.handler;
    server.handler = (operation, body) => (operation === 'DescribeTable' ? handler(operation, body) : answer);
    await assert.rejects(watched.send(put()));
    assert.equal(asks(server, 'DescribeTable'), now);
    server.handler = handler;
    await watched.send(put());
    assert.equal(asks(server, 'DescribeTable'), 1);
    const throttles = detector.getThrottleCount('events', 'k', 'write', 'unknown');
    assert.equal(detector.getWriteCount('events', 'k') + throttles, 2);
  }
});

test('another client of the detector describes what one could not', async (t) => {
  let late = 0;
  const real = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => real() + late);
  const { server, detector, watched } = await setting(t);
  const describing = server.handler;
  server.handler = (operation) => (operation === 'DescribeTable' ? 'drop' : [200, {}]);
  await watched.send(put());
  watched.destroy();
  server.handler = describing;
  late += 2_000;
  const other = instrument(client(server.endpoint), detector, { tables: { other: 'id' } });
  await other.send(put({ TableName: 'other' }));
  while (detector.getWriteCount('events', 'k') < 1) await sleep(5);
});

test('another client of the detector describes what one is not to', async (t) => {
  const { server, detector, watched } = await setting(t, false, { describe: false });
  await watched.send(put());
  const other = instrument(client(server.endpoint), detector, { tables: { other: 'id' } });
  await other.send(put({ TableName: 'other' }));
  assert.equal(asks(server, 'DescribeTable'), 1);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
});

test('tables that can not be described leave room for a failure of another kind', async (t) => {
  const { server, logger, detector, watched } = await setting(t, false, { describe: false });
  for (let n = 0; n < 150; n++) await watched.send(put({ TableName: `table${n}` }));
  assert.equal(logger.lines.length, 100);
  server.answer = 'no JSON';
  await assert.rejects(watched.send(put()));
  assert.match(logger.lines[100], /^hotpart: a request to DynamoDB could not be observed: not the JSON/);
  assert.equal(detector.stats().failures, 151);
});

test('what waited warns when the table is described, and when it is declared', async (t) => {
  const [server, seen] = [await fake(t), []];
  server.handler = (operation, { TableName }) => (operation === 'DescribeTable' ? description(TableName) : [200, {}]);
  const onWarning = ({ table, pk }) => seen.push(`${table} ${pk}`);
  const detector = never(false, t, { writesThreshold: 1, logger: log(), onWarning });
  const watched = instrument(client(server.endpoint), detector);
  await watched.send(put());
  assert.deepEqual(seen, ['events k']);
  instrument(watched, detector, { describe: false });
  await watched.send(put({ TableName: 'other' }));
  assert.equal(seen.length, 1);
  instrument(watched, detector, { tables: { other: 'id' } });
  assert.deepEqual(seen, ['events k', 'other k']);
});

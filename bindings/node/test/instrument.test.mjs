// Watching a client: nothing changes for its callers, whatever happens in here.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { GetItemCommand, PutItemCommand, QueryCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { ClosedError, HotPartitionDetector, instrument, uninstrument } from 'hotpart';
import { client, description, fake, log, never, problem } from './support/clients.mjs';

const Item = { id: { S: 'k' } };
const put = (more = {}) => new PutItemCommand({ TableName: 'events', Item, ...more });
const asks = (server, operation) => server.asked.filter(([asked]) => asked === operation).length;

async function setting(t, capacity = false, options = {}) {
  const [server, logger] = [await fake(t), log()];
  const detector = never(capacity, t, { logger });
  const { client: own, ...watching } = options;
  const watched = instrument(client(server.endpoint, 1, own), detector, watching);
  server.handler = (operation, body) =>
    operation === 'DescribeTable' ? description(body.TableName) : [200, server.answer ?? {}];
  return { server, logger, detector, watched };
}

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
});

test('describe: false describes nothing', async (t) => {
  const { server, logger, watched } = await setting(t, false, { describe: false });
  for (const TableName of ['events', 'other', 'events']) await watched.send(put({ TableName }));
  assert.equal(asks(server, 'DescribeTable'), 0);
  assert.deepEqual(
    logger.lines.map((line) => line.replace(/: MissingSchemaError[^]*/, '')),
    ['events', 'other'].map(
      (table) =>
        `hotpart: a request to DynamoDB could not be observed: the key schema of table '${table}' is not known`,
    ),
  );
});

test('an index that was made since is learnt within a minute', async (t) => {
  const { server, logger, detector, watched } = await setting(t);
  let minutes = 0;
  const real = performance.now.bind(performance);
  t.mock.method(performance, 'now', () => real() + minutes * 61_000);
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
  assert.match(logger.lines[0], /the key schema of index 'by_b' of table 'events' is not known/);
  minutes++;
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
  assert.equal(asks(server, 'DescribeTable'), 2);
  assert.equal(detector.getReadCount('events/index/by_b', 'y'), 1);
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

test('a table of another account is described by its ARN', async (t) => {
  const { server, detector, watched } = await setting(t);
  const arn = 'arn:aws:dynamodb:us-east-1:999999999999:table/events';
  server.handler = (operation) => (operation === 'DescribeTable' ? description('events') : [200, {}]);
  await watched.send(put({ TableName: arn }));
  assert.deepEqual(server.asked[1], ['DescribeTable', { TableName: arn }]);
  assert.equal(detector.getWriteCount('events', 'k'), 1);
});

test('what is asked for in capacity mode is taken out again', async (t) => {
  const { server, detector, watched } = await setting(t, true, { tables: { events: 'id' } });
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 7.5 } };
  const asked = () => server.asked.at(-1)[1].ReturnConsumedCapacity;
  assert.equal('ConsumedCapacity' in (await watched.send(put())), false);
  assert.equal(asked(), 'INDEXES');
  assert.equal(detector.getWriteCount('events', 'k'), 7.5);
  for (const own of ['TOTAL', 'INDEXES']) {
    const answer = await watched.send(put({ ReturnConsumedCapacity: own }));
    assert.deepEqual([asked(), answer.ConsumedCapacity.CapacityUnits], [own, 7.5]);
  }
  assert.equal('ConsumedCapacity' in (await watched.send(put({ ReturnConsumedCapacity: 'NONE' }))), false);
  assert.equal(asked(), 'INDEXES');
  // An attribute of that name is none of ours.
  const odd = { ...Item, ReturnConsumedCapacity: { S: 'TOTAL' }, x: { S: '"ReturnConsumedCapacity": "TOTAL"' } };
  await watched.send(put({ Item: odd }));
  assert.deepEqual([server.asked.at(-1)[1].Item, asked()], [odd, 'INDEXES']);
});

test('operations without a client of its own mode are left as they are', async (t) => {
  const { server, watched } = await setting(t, false, { tables: { events: 'id' } });
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 1 } };
  const answer = await watched.send(put({ ReturnConsumedCapacity: 'TOTAL' }));
  assert.equal(answer.ConsumedCapacity.CapacityUnits, 1);
  await watched.send(put());
  assert.equal('ReturnConsumedCapacity' in server.asked.at(-1)[1], false);
});

test('several detectors watch one client, each by its own options', async (t) => {
  const { server, detector, watched } = await setting(t, true, { tables: { events: 'id' } });
  const [second, third] = [never(true, t), never(false, t)];
  instrument(watched, second, { tables: { events: 'id' } });
  instrument(watched, third, { tables: { events: 'id' }, model: 'Event' });
  third.setModelThresholds('Event', { writes: 1 });
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 3 } };
  assert.equal('ConsumedCapacity' in (await watched.send(put())), false);
  assert.deepEqual(
    [detector, second, third].map((each) => each.getWriteCount('events', 'k')),
    [3, 3, 1],
  );
  assert.equal(third.stats().warnings, 1);
});

test('to instrument again changes the options, and uninstrument undoes it', async (t) => {
  const { detector, watched } = await setting(t, true, { tables: { events: 'id' } });
  detector.setModelThresholds('Event', { writes: 0.5 });
  assert.equal(instrument(watched, detector, { model: 'Event' }), watched);
  await watched.send(put());
  assert.equal(detector.getWriteCount('events', 'k'), 1);
  assert.equal(detector.stats().warnings, 1);
  assert.equal(uninstrument(watched), watched);
  await watched.send(put());
  assert.equal(detector.getWriteCount('events', 'k'), 1);
  assert.deepEqual(
    watched.middlewareStack.identify().filter((name) => name.includes('hotpart')),
    [],
  );
});

test('a document client and the client beneath it are one', async (t) => {
  const { detector, watched } = await setting(t, false, { tables: { events: 'id' } });
  const documents = instrument(DynamoDBDocumentClient.from(watched), detector);
  await documents.send(new PutCommand({ TableName: 'events', Item: { id: 'k' } }));
  assert.equal(detector.getWriteCount('events', 'k'), 1);
});

test('a client forgets a detector that was closed', async (t) => {
  const { watched } = await setting(t, false, { tables: { events: 'id' } });
  const closed = never(true, null);
  instrument(watched, closed, { tables: { events: 'id' } });
  closed.close();
  await watched.send(put());
  assert.equal(watched.middlewareStack.identify().filter((name) => name.includes('hotpart')).length, 1);
});

test('an error in here is logged once and reaches nobody', async (t) => {
  const { logger, detector, watched } = await setting(t, false, { tables: { events: 'id' } });
  t.mock.method(detector, 'observed', () => {
    throw new Error('broken');
  });
  for (let n = 0; n < 3; n++) assert.equal((await watched.send(put())).$metadata.httpStatusCode, 200);
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0], /^hotpart: a request to DynamoDB could not be observed: broken/);
});

test('answers of any size come through as they are', async (t) => {
  const { server, watched } = await setting(t, true, { tables: { events: 'id' } });
  server.answer = { Item: { id: { S: 'k' }, x: { S: 'é'.repeat(150_000) }, b: { B: 'AP8=' } } };
  const { Item: got } = await watched.send(new GetItemCommand({ TableName: 'events', Key: Item }));
  assert.equal(got.x.S.length, 150_000);
  assert.deepEqual([...got.b.B], [0, 255]);
});

test('answers that a handler makes of other stuff come through', async (t) => {
  const json = '{"Item":{"id":{"S":"k"}}}';
  const bodies = {
    'a stream of text': () => Readable.from([json.slice(0, 9), json.slice(9)]),
    'a stream of bytes': () => Readable.from([Buffer.from(json)]),
    'a blob': () => new Blob([json]),
    bytes: () => new Uint8Array(Buffer.from(json)),
  };
  for (const [what, body] of Object.entries(bodies)) {
    const requestHandler = {
      handle: async () => ({ response: new HttpResponse({ statusCode: 200, headers: {}, body: body() }) }),
      metadata: { handlerProtocol: 'http/1.1' },
    };
    const detector = never(false, t);
    const watched = instrument(client('http://127.0.0.1:1', 1, { requestHandler }), detector, {
      tables: { events: 'id' },
    });
    const plain = client('http://127.0.0.1:1', 1, { requestHandler });
    const get = new GetItemCommand({ TableName: 'events', Key: Item });
    assert.deepEqual(await watched.send(get), await plain.send(get), what);
    assert.equal(detector.getReadCount('events', 'k'), 1, what);
  }
});

test('a client that keeps its middleware is watched no more', async (t) => {
  const { server, detector, watched } = await setting(t, true, {
    tables: { events: 'id' },
    client: { cacheMiddleware: true },
  });
  await watched.send(put());
  uninstrument(watched);
  await watched.send(put());
  assert.equal(detector.getWriteCount('events', 'k'), 1);
  assert.equal('ReturnConsumedCapacity' in server.asked.at(-1)[1], false);
});

test('a table that is not described for long keeps no request for long', async (t) => {
  const { server, detector, watched } = await setting(t);
  server.handler = (operation) => (operation === 'DescribeTable' ? 'never' : [200, {}]);
  await watched.send(put());
  assert.equal(asks(server, 'DescribeTable'), 1);
  assert.equal(detector.getWriteCount('events', 'k'), 0);
});

test('a request that is aborted fails as it did', async (t) => {
  const { server, detector, watched } = await setting(t, false, { tables: { events: 'id' } });
  const abort = new AbortController();
  server.handler = () => {
    abort.abort();
    return [200, {}];
  };
  await assert.rejects(watched.send(put(), { abortSignal: abort.signal }), { name: 'AbortError' });
  assert.equal(detector.getWriteCount('events', 'k'), 1, 'it may have run');
});

test('what is wrong with an argument is said by its name', (t) => {
  const one = client('http://127.0.0.1:1');
  const detector = never(false, t);
  for (const wrong of ['dynamodb', null, {}, { config: { serviceId: 'S3' }, middlewareStack: {} }]) {
    assert.throws(() => instrument(wrong, detector), /^TypeError: client must be/);
  }
  assert.throws(() => instrument(one, {}), /^TypeError: detector must be/);
  assert.throws(() => instrument(one, detector, { tables: { events: 3 } }), /^TypeError: attributes/);
  assert.throws(() => instrument(one, detector, { tables: 3 }), /^TypeError: tables/);
  assert.throws(() => instrument(one, detector, { tables: { 'events/index/': 'x' } }), /^RangeError: tables/);
  assert.throws(() => instrument(one, detector, { describe: 'no' }), /^TypeError: describe/);
  assert.throws(() => instrument(one, detector, { model: '' }), /^RangeError: model/);
  assert.throws(() => instrument(one, detector, { model: Buffer.from('m') }), /^TypeError: model/);
  assert.throws(() => instrument(one, detector, { table: {} }), /^TypeError: options must not have 'table'/);
  assert.throws(() => instrument(one, detector, null), /^TypeError: options/);
  assert.throws(() => uninstrument(one, {}), /^TypeError: detector/);
  const closed = new HotPartitionDetector({ writesThreshold: 1, readsThreshold: 1, windowSeconds: 60 });
  closed.close();
  assert.throws(() => instrument(one, closed), ClosedError);
});

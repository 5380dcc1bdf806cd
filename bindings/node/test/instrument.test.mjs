// Watching a client: nothing changes for its callers, whatever happens in here.

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { GetItemCommand, PutItemCommand, QueryCommand, TransactWriteItemsCommand } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { ClosedError, HotPartitionDetector, instrument, uninstrument } from 'hotpart';
import { client, description, fake, log, never, problem } from './support/clients.mjs';
import { Item, asks, put, setting } from './support/watched.mjs';

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

// Recording: what is written of a client's requests, where to, and that it disturbs nobody.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { instrument, uninstrument } from 'hotpart';
import { client, problem } from './support/clients.mjs';
import { directory, lines, linesOf, until } from './support/recordings.mjs';
import { Item, put, setting } from './support/watched.mjs';

/** A stream that keeps what it gets, each chunk a line. */
function kept() {
  const chunks = [];
  const stream = new Writable({
    write(chunk, _, done) {
      chunks.push(chunk.toString());
      done();
    },
  });
  return { stream, chunks };
}

test('each attempt is a line, the description of a table too', async (t) => {
  const path = join(directory(t), 'recording.jsonl');
  const { server, watched } = await setting(t, false, { recordTo: path, model: 'Event' });
  await watched.send(put());
  server.handler = () => problem('ConditionalCheckFailedException');
  await assert.rejects(watched.send(put()));
  server.handler = () => 'drop';
  await assert.rejects(watched.send(put()));
  uninstrument(watched);
  await watched.send(put()).catch(() => {});
  const written = await lines(path, 4);
  assert.deepEqual(
    written.map(({ operation, http_status }) => [operation, http_status]),
    [
      ['PutItem', 200],
      ['DescribeTable', 200],
      ['PutItem', 400],
      ['PutItem', 0],
    ],
  );
  const [first, , , last] = written;
  assert.deepEqual(Object.keys(first), ['time_ms', 'operation', 'request', 'response', 'http_status', 'model']);
  assert.deepEqual(first.request, { TableName: 'events', Item });
  assert.deepEqual([first.response, first.model, last.response], [{}, 'Event', null]);
  assert.ok(Math.abs(first.time_ms - Date.now()) < 60_000);
});

/** Whether this process has a file open, where the system tells. */
function isOpen(path) {
  const open = '/proc/self/fd';
  const links = existsSync(open) ? readdirSync(open) : [];
  return links.some((fd) => {
    try {
      return readlinkSync(join(open, fd)) === path;
    } catch {
      return false;
    }
  });
}

test('the last client that watches no more closes the file', async (t) => {
  const path = join(directory(t), 'recording.jsonl');
  const { server, detector, watched } = await setting(t, false, { recordTo: path, tables: { events: 'id' } });
  const other = instrument(client(server.endpoint), detector, { recordTo: path });
  t.after(() => other.destroy());
  uninstrument(other);
  await watched.send(put());
  await lines(path, 1);
  assert.equal(isOpen(path), existsSync('/proc/self/fd'));
  instrument(watched, detector, {});
  await watched.send(put());
  await until(() => !isOpen(path) || undefined);
  assert.equal((await lines(path, 1)).length, 1);
});

test('the request is recorded as it was sent, in capacity mode too', async (t) => {
  const { stream, chunks } = kept();
  const { server, watched } = await setting(t, true, { recordTo: stream, tables: { events: 'id' } });
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 3 } };
  const answer = await watched.send(put());
  assert.equal('ConsumedCapacity' in answer, false);
  const { request, response } = JSON.parse(chunks[0]);
  assert.equal(request.ReturnConsumedCapacity, 'INDEXES');
  assert.deepEqual(response, server.answer);
});

test('bodies stand in a line as they came, and what is no object as a text', async (t) => {
  const { stream, chunks } = kept();
  const { server, watched } = await setting(t, false, { recordTo: stream, tables: { events: 'id' } });
  const odd = '{ "x" : 1.50, "big": 12345678901234567890, "__proto__": {"S": "\\u00e9"} }';
  for (const answer of [odd, '{"a":\r\n1}', '<html>\n', '', '[1]', '{"a":']) {
    server.handler = () => [500, answer];
    await assert.rejects(watched.send(put()));
  }
  const responses = chunks.map((line) => /"response":(.*),"http_status":500}\n$/.exec(line)[1]);
  assert.deepEqual(responses, [odd, '{"a":  1}', '"<html>\\n"', 'null', '"[1]"', '"{\\"a\\":"']);
});

test('two clients share a file, of the mode 0600, and lines are added to what is there', async (t) => {
  const path = join(directory(t), 'recording.jsonl');
  writeFileSync(path, '{"time_ms":1}\n', { mode: 0o600 });
  const { server, detector, watched } = await setting(t, false, { recordTo: path, tables: { events: 'id' } });
  const other = instrument(client(server.endpoint), detector, { recordTo: { path } });
  t.after(() => other.destroy());
  await Promise.all([watched, other, watched, other].map((each) => each.send(put())));
  uninstrument(watched);
  await other.send(put());
  uninstrument(other);
  assert.equal((await lines(path, 6)).length, 6);
  const another = join(path, '..', 'another');
  instrument(watched, detector, { recordTo: another });
  assert.equal(statSync(another).mode & 0o777, 0o600);
});

test('a file begins anew before it gets too long, of whole lines, and the oldest goes', async (t) => {
  const path = join(directory(t), 'recording.jsonl');
  const recordTo = { path, maxBytes: 1_000, files: 3 };
  const { watched } = await setting(t, false, { recordTo, tables: { events: 'id' } });
  for (let n = 0; n < 30; n++) await watched.send(put({ Item: { id: { S: `k${n}` } } }));
  uninstrument(watched);
  const known = await until(() => {
    const all = [2, 1, ''].flatMap((n) => linesOf(n === '' ? path : `${path}.${n}`));
    return all.at(-1)?.request.Item.id.S === 'k29' ? all : undefined;
  });
  const numbers = known.map(({ request }) => Number(request.Item.id.S.slice(1)));
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => 30 - numbers.length + i),
    'those last written, in their order',
  );
  assert.ok(numbers.length > 12 && numbers.length < 30, `${numbers.length}`);
  for (const name of [path, `${path}.1`, `${path}.2`]) {
    assert.ok(statSync(name).size <= 1_000);
    assert.equal(statSync(name).mode & 0o777, 0o600);
  }
  assert.equal(existsSync(`${path}.3`), false);
});

test('a burst is written whole, over several files', async (t) => {
  const path = join(directory(t), 'recording.jsonl');
  const { server, detector, watched } = await setting(t, false, { recordTo: { path, maxBytes: 5_000, files: 1_000 } });
  await Promise.all(Array.from({ length: 500 }, (_, n) => watched.send(put({ Item: { id: { S: `k${n}` } } }))));
  uninstrument(watched);
  const keys = await until(() => {
    const all = Array.from({ length: 1_000 }, (_, n) => (n === 0 ? path : `${path}.${n}`)).flatMap(linesOf);
    const puts = all.filter(({ operation }) => operation === 'PutItem');
    return puts.length === 500 ? new Set(puts.map(({ request }) => request.Item.id.S)) : undefined;
  });
  assert.equal(keys.size, 500);
  assert.equal(detector.stats().failures, 0);
  assert.ok(server.asked.length >= 500);
});

test('a single file is begun anew in its place', async (t) => {
  const path = join(directory(t), 'recording.jsonl');
  const recordTo = { path, maxBytes: 200, files: 1 };
  const { watched } = await setting(t, false, { recordTo, tables: { events: 'id' } });
  for (let n = 0; n < 5; n++) await watched.send(put({ Item: { id: { S: `k${n}` } } }));
  uninstrument(watched);
  const last = await until(() => linesOf(path).find(({ request }) => request.Item.id.S === 'k4'));
  assert.ok(last);
  assert.equal(linesOf(path).length, 1);
  assert.equal(existsSync(`${path}.1`), false);
});

test('a path in no directory, and what else is wrong, is refused at once', async (t) => {
  const { watched, detector, server } = await setting(t, false, { tables: { events: 'id' } });
  const one = client(server.endpoint);
  const folder = directory(t);
  assert.throws(() => instrument(one, detector, { recordTo: join(folder, 'no', 'x') }), { code: 'ENOENT' });
  assert.throws(() => instrument(one, detector, { recordTo: folder }), { code: 'EISDIR' });
  assert.deepEqual(
    one.middlewareStack.identify().filter((name) => name.includes('hotpart')),
    [],
  );
  const path = join(folder, 'x');
  assert.throws(() => instrument(one, detector, { recordTo: 3 }), /^TypeError: recordTo must be/);
  assert.throws(() => instrument(one, detector, { recordTo: null }), /^TypeError: recordTo must be/);
  assert.throws(() => instrument(one, detector, { recordTo: { write: 3 } }), /^TypeError: recordTo must be/);
  assert.throws(() => instrument(one, detector, { recordTo: { path: 3 } }), /^TypeError: path/);
  assert.throws(() => instrument(one, detector, { recordTo: '' }), /^RangeError: path/);
  assert.throws(() => instrument(one, detector, { recordTo: { path, maxBytes: 0 } }), /^RangeError: maxBytes/);
  assert.throws(() => instrument(one, detector, { recordTo: { path, files: 1.5 } }), /^RangeError: files/);
  assert.throws(() => instrument(one, detector, { recordTo: { path, size: 1 } }), /^TypeError: recordTo must not/);
  await watched.send(put());
  assert.equal(existsSync(path), false);
});

test('a stream that fails, ends, or throws disturbs nobody, and is said once a kind', async (t) => {
  const failing = new Writable({ write: (_, __, done) => done(new Error('no room 7')) });
  const ended = new Writable({ write: (_, __, done) => done() }).end();
  const throwing = Object.assign(new Writable(), {
    write: () => {
      throw new Error('it throws');
    },
  });
  for (const [stream, said] of [
    [failing, /^hotpart: a request to DynamoDB could not be recorded: no room 7/],
    [ended, /could not be recorded: the stream that is recorded to has ended/],
    [throwing, /could not be recorded: it throws/],
  ]) {
    const { logger, detector, watched } = await setting(t, false, { recordTo: stream, tables: { events: 'id' } });
    for (let n = 0; n < 3; n++) assert.equal((await watched.send(put())).$metadata.httpStatusCode, 200);
    assert.match(logger.lines[0], said);
    assert.equal(logger.lines.filter((line) => said.test(line)).length, 1);
    assert.equal(detector.stats().failures, 3);
    assert.equal(detector.getWriteCount('events', 'k'), 3);
  }
});

test('a stream is left open, and no one listens to it any more', async (t) => {
  const { stream, chunks } = kept();
  const { watched } = await setting(t, false, { recordTo: stream, tables: { events: 'id' } });
  await watched.send(put());
  assert.equal(stream.listenerCount('error'), 1);
  uninstrument(watched);
  await watched.send(put());
  await sleep(10);
  assert.deepEqual([chunks.length, stream.writable, stream.listenerCount('error')], [1, true, 0]);
});

test('a file that can not be turned, or has gone, is tried again', async (t) => {
  const folder = join(directory(t), 'logs');
  mkdirSync(folder);
  const path = join(folder, 'recording.jsonl');
  const recordTo = { path, maxBytes: 200, files: 2 };
  const { logger, detector, watched } = await setting(t, false, { recordTo, tables: { events: 'id' } });
  await watched.send(put());
  await lines(path, 1);
  rmSync(folder, { recursive: true });
  for (let n = 0; n < 2; n++) await watched.send(put());
  await until(() => detector.stats().failures > 0 || undefined);
  assert.match(logger.lines[0], /could not be recorded: ENOENT/);
  mkdirSync(folder);
  await watched.send(put({ Item: { id: { S: 'late' } } }));
  assert.equal((await lines(path, 1))[0].request.Item.id.S, 'late');
  assert.equal(logger.lines.length, 1);
});

test('a full disk costs the lines of that time', { skip: !existsSync('/dev/full') }, async (t) => {
  const { logger, detector, watched } = await setting(t, false, { recordTo: '/dev/full', tables: { events: 'id' } });
  for (let n = 0; n < 3; n++) await watched.send(put());
  await until(() => detector.stats().failures === 3 || undefined);
  // Lines of one moment are written as one.
  await Promise.all([watched.send(put()), watched.send(put()), watched.send(put())]);
  await until(() => detector.stats().failures === 6 || undefined);
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0], /could not be recorded: ENOSPC/);
});

test('what waits is bounded, and what is dropped is counted', async (t) => {
  const chunks = [];
  const slow = new Writable({ write: (chunk, _, done) => chunks.push([chunk, done]), highWaterMark: 1 });
  const { logger, detector, watched } = await setting(t, false, { recordTo: slow, tables: { events: 'id' } });
  const big = put({ Item: { id: { S: 'k' }, x: { S: 'x'.repeat(3 * 2 ** 20) } } });
  for (let n = 0; n < 7; n++) await watched.send(big);
  assert.equal(detector.stats().failures, 2, 'five are within 16 MiB');
  assert.equal(logger.lines.length, 1);
  assert.match(logger.lines[0], /more than 16 MiB wait to be written, and lines are dropped/);
  for (let n = 0; n < 5; n++) {
    while (chunks.length === 0) await sleep(1);
    chunks.shift()[1]();
  }
  await watched.send(put());
  await until(() => chunks.length === 1 || undefined);
  assert.equal(detector.stats().failures, 2);
});

const LINES = 200;

/** A program that records so many lines, and then ends as it is told to. */
function program(path, end) {
  const code = `
    import { createServer } from 'node:http';
    import { HttpResponse } from '@smithy/core/protocols';
    import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
    import { HotPartitionDetector, instrument, uninstrument } from 'hotpart';
    const detector = new HotPartitionDetector({ writesThreshold: 1e9, readsThreshold: 1e9, windowSeconds: 60 });
    const requestHandler = {
      metadata: { handlerProtocol: 'http/1.1' },
      handle: async () => ({ response: new HttpResponse({ statusCode: 200, headers: {}, body: Buffer.from('{}') }) }),
    };
    const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
    const client = new DynamoDBClient({ requestHandler, region: 'us-east-1', endpoint: 'http://127.0.0.1:1', credentials });
    instrument(client, detector, { recordTo: ${JSON.stringify(path)}, tables: { events: 'id' } });
    // So much waits when the last one is answered.
    const x = { S: 'x'.repeat(50_000) };
    const put = (n) => client.send(new PutItemCommand({ TableName: 'events', Item: { id: { S: 'k' + n }, x } }));
    await Promise.all(Array.from({ length: ${LINES} }, (_, n) => put(n)));
    ${end}`;
  const env = { ...process.env, NODE_NO_WARNINGS: '1' };
  const program = fileURLToPath(new URL('./support/', import.meta.url));
  const told = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    cwd: program,
    env,
    encoding: 'utf8',
  });
  assert.equal(told.stderr, '');
  return told;
}

for (const [how, end] of [
  ['by itself', ''],
  ['once it watches no more', 'uninstrument(client);'],
  ['by process.exit()', 'process.exit(0);'],
]) {
  test(`a recording keeps no process alive, and is whole when it ends ${how}`, (t) => {
    const path = join(directory(t), 'recording.jsonl');
    assert.equal(program(path, end).status, 0);
    assert.equal(new Set(linesOf(path).map(({ request }) => request.Item.id.S)).size, LINES);
  });
}

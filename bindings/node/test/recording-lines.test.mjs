// A recording's lines: those that all languages share, and that a redacted one tells the same and nothing else.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { instrument, uninstrument } from 'hotpart';
import { client, description, fake, log, never, throttled } from './support/clients.mjs';
import { directory, lines } from './support/recordings.mjs';

const VECTORS = new URL('../../recording/vectors.json', import.meta.url);
const SECRET = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');

/** Lines of a recording that is made of these exchanges. */
async function recorded(t, exchanges, redact) {
  const written = [];
  const recordTo = new Writable({
    write(line, _, done) {
      written.push(line.toString());
      done();
    },
  });
  let exchange;
  const requestHandler = {
    metadata: { handlerProtocol: 'http/1.1' },
    handle: async (request) => {
      // So it may have run, were there no answer.
      void request.body;
      if (exchange.response === null) throw Object.assign(new Error('lost'), { code: 'ECONNRESET' });
      const body = Buffer.from(exchange.response);
      return { response: new HttpResponse({ statusCode: exchange.http_status, headers: {}, body }) };
    },
  };
  const detector = never(false, t, { redact, logger: log() });
  for (exchange of exchanges) {
    const watched = client('http://127.0.0.1:1', 1, { requestHandler });
    const model = exchange.model ?? undefined;
    instrument(watched, detector, { recordTo, describe: false, model });
    // In place of what the SDK writes.
    const { request: body, operation } = exchange;
    watched.middlewareStack.add(
      (next) => (args) => {
        Object.assign(args.request, { body });
        args.request.headers['x-amz-target'] = operation;
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low', name: 'theirs' },
    );
    await watched.send(new sdk.ListTablesCommand({})).catch(() => {});
    uninstrument(watched);
  }
  return written.map((line) => {
    assert.match(line, /^\{"time_ms":[0-9]+,"operation":[^\r\n]*\}\n$/);
    const { time_ms, ...rest } = JSON.parse(line);
    return rest;
  });
}

const parsed = (line) => (typeof line === 'string' ? JSON.parse(line) : line);

for (const { name, exchange, redact_key, line, redacted } of JSON.parse(readFileSync(VECTORS, 'utf8'))) {
  test(`the shared line: ${name}`, async (t) => {
    assert.deepEqual(await recorded(t, [exchange], undefined), [parsed(line)]);
    assert.deepEqual(await recorded(t, [exchange], Buffer.from(redact_key, 'hex')), [parsed(redacted)]);
  });
}

const Item = (id, more = {}) => ({ id: { S: id }, ...more });
const TRAFFIC = [
  new sdk.PutItemCommand({ TableName: 'events', Item: Item('k', { g: { S: 'x' } }) }),
  new sdk.PutItemCommand({ TableName: 'events', Item: Item('k') }),
  new sdk.GetItemCommand({ TableName: 'events', Key: Item('k') }),
  new sdk.QueryCommand({
    TableName: 'events',
    KeyConditionExpression: 'id = :id',
    ExpressionAttributeValues: { ':id': { S: 'q' } },
  }),
  new sdk.BatchWriteItemCommand({
    RequestItems: {
      events: ['k', 'l'].map((id) => ({ PutRequest: { Item: Item(id) } })),
      other: [{ DeleteRequest: { Key: { id: { N: '1.0' } } } }],
    },
  }),
  new sdk.TransactWriteItemsCommand({
    TransactItems: [
      { Put: { TableName: 'events', Item: Item('k') } },
      { Update: { TableName: 'other', Key: { id: { N: '1' } }, UpdateExpression: 'REMOVE a' } },
    ],
  }),
  new sdk.ExecuteStatementCommand({ Statement: `SELECT * FROM "events" WHERE id = 'it''s'` }),
  new sdk.ExecuteStatementCommand({ Statement: `INSERT INTO "other" VALUE {'id': -1.50, 'a': 'b'}` }),
  new sdk.ScanCommand({ TableName: 'events' }),
];

/** Traffic of a client that is recorded; what its detector counted of each operation, and the file. */
async function roundTrip(t, redact) {
  const server = await fake(t);
  let throttles = 2;
  server.handler = (operation, body) => {
    if (operation === 'DescribeTable') return description(body.TableName);
    if (operation !== 'PutItem' || throttles-- <= 0) return [200, {}];
    return throttled(['TableWriteKeyRangeThroughputExceeded', 'arn:aws:dynamodb:us-east-1:1:table/events']);
  };
  const path = join(directory(t), 'recording.jsonl');
  const detector = never(false, t, { redact });
  const watched = instrument(client(server.endpoint, 3), detector, { recordTo: path });
  for (const command of TRAFFIC) await watched.send(command);
  uninstrument(watched);
  const known = await lines(path, server.asked.length);
  assert.equal(known.length, server.asked.length);
  assert.equal(detector.stats().failures, 0);
  return { path, known, detector };
}

const OPERATIONS = ['write', 'read'];
const totalOf = (of, detector) =>
  Object.fromEntries(
    OPERATIONS.flatMap((operation) =>
      detector
        .hottest(100, operation)
        .map((partition) => [
          `${operation} ${partition.table} ${of(partition)}`,
          [partition.count, partition.throttles],
        ]),
    ),
  );
// An index's partition is called as its table's partitions are: a body does not say which index a value is of.
const hash =
  (detector) =>
  ({ table, pk }) =>
    detector.redacted(table.split('/index/')[0], pk);

for (const redact of [undefined, SECRET]) {
  const how = redact === undefined ? 'a recording' : 'a redacted recording';

  test(`${how} tells another detector all that was counted`, async (t) => {
    const { known, detector } = await roundTrip(t, redact);
    const again = never(false, t);
    for (const { operation, request, response, http_status } of known) {
      const attempt = { operation, request: JSON.stringify(request), status: http_status };
      try {
        again.observe({ ...attempt, response: response === null ? undefined : JSON.stringify(response) });
      } catch (error) {
        assert.equal(error.name, 'MissingSchemaError');
      }
    }
    const counted = totalOf(redact === undefined ? ({ pk }) => pk : hash(detector), detector);
    assert.ok(Object.keys(counted).length >= 8, JSON.stringify(counted));
    assert.deepEqual(
      totalOf(({ pk }) => pk, again),
      counted,
    );
    assert.deepEqual(again.stats().unattributed, detector.stats().unattributed);
  });

  const command = process.env.HOTPART_COMMAND;
  const skip = command ? false : 'skipped: HOTPART_COMMAND does not say where the command is';
  test(`the command reports of ${how} what was counted`, { skip }, async (t) => {
    const { path, detector } = await roundTrip(t, redact);
    const told = spawnSync(command, ['report', '--json', '--top', '100', path], { encoding: 'utf8' });
    assert.equal(told.status, 0, told.stderr);
    const reported = JSON.parse(told.stdout).operations.flatMap(({ operation, hottest }) =>
      hottest.map(({ table, index, pk, count, throttles }) => [
        `${operation} ${index ? `${table}/index/${index}` : table} ${pk}`,
        [count, throttles],
      ]),
    );
    const counted = totalOf(redact === undefined ? ({ pk }) => pk : hash(detector), detector);
    assert.deepEqual(Object.fromEntries(reported), counted);
  });
}

test('what a redacted recording was made of is nowhere in it', async (t) => {
  const { path } = await roundTrip(t, SECRET);
  const text = readFileSync(path, 'utf8');
  const values = [`"k"`, `"l"`, `'k'`, `"q"`, `"x"`, `it''s`, '1.50', `'b'`];
  assert.deepEqual(
    values.filter((value) => text.includes(value)),
    [],
  );
});

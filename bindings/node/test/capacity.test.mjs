// Capacity is asked for: each caller gets the answer that he would have had without that.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as newest from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { instrument, uninstrument } from 'hotpart';
import * as oldest from 'sdk-3.600';
import * as middle from 'sdk-3.844';
import { client, fake, never } from './support/clients.mjs';
import { Item, put, setting } from './support/watched.mjs';

const tables = { events: 'id', 'events/index/by_g': 'g' };
const With = { id: { S: 'k' }, g: { S: 'x' } };
const TOTAL = { TableName: 'events', CapacityUnits: 5, WriteCapacityUnits: 5 };
const INDEXES = {
  ...TOTAL,
  Table: { CapacityUnits: 3 },
  LocalSecondaryIndexes: { by_l: { CapacityUnits: 1 } },
  GlobalSecondaryIndexes: { by_g: { CapacityUnits: 1 } },
};
const LISTS = ['BatchWriteItem', 'BatchGetItem', 'TransactWriteItems', 'TransactGetItems', 'BatchExecuteStatement'];
const Get = { TableName: 'events', Key: Item };
const CALLS = {
  PutItem: { TableName: 'events', Item: With },
  GetItem: Get,
  UpdateItem: Get,
  DeleteItem: Get,
  Query: {
    TableName: 'events',
    KeyConditionExpression: 'id = :k',
    ExpressionAttributeValues: { ':k': { S: 'k' } },
  },
  Scan: { TableName: 'events' },
  BatchWriteItem: { RequestItems: { events: [{ PutRequest: { Item: With } }] } },
  BatchGetItem: { RequestItems: { events: { Keys: [Item] } } },
  TransactWriteItems: { TransactItems: [{ Put: { TableName: 'events', Item: With } }] },
  TransactGetItems: { TransactItems: [{ Get }] },
  ExecuteStatement: { Statement: `INSERT INTO events VALUE {'id': 'k', 'g': 'x'}` },
  BatchExecuteStatement: { Statements: [{ Statement: `INSERT INTO events VALUE {'id': 'k', 'g': 'x'}` }] },
};

/** DynamoDB's answer to a caller that asks so, without an `extra`. */
function answer(operation, { ReturnConsumedCapacity: asked }) {
  const told = { TOTAL, INDEXES }[asked];
  return told === undefined ? {} : { ConsumedCapacity: LISTS.includes(operation) ? [told, { ...told }] : told };
}

for (const [version, sdk] of Object.entries({ 3.6: oldest, 3.844: middle, newest })) {
  describe(`SDK ${version}`, () => {
    for (const [operation, input] of Object.entries(CALLS)) {
      test(`${operation} gives back what its caller asked for`, async (t) => {
        const server = await fake(t);
        server.handler = (asked, body) => [200, answer(asked, body)];
        const plain = client(server.endpoint, 1, {}, sdk.DynamoDBClient);
        const watched = client(server.endpoint, 1, {}, sdk.DynamoDBClient);
        t.after(() => [plain, watched].forEach((each) => each.destroy()));
        const seen = [];
        instrument(watched, never(true, t), { tables });
        // What others have added since sees the caller's answer, but for the step next to the wire.
        for (const step of ['initialize', 'serialize', 'build', 'finalizeRequest']) {
          watched.middlewareStack.add(
            (next) => async (args) => {
              const result = await next(args);
              seen.push(structuredClone(result.output.ConsumedCapacity));
              return result;
            },
            { step },
          );
        }
        for (const own of [undefined, 'NONE', 'TOTAL', 'INDEXES']) {
          const asking = { ...input, ...(own && { ReturnConsumedCapacity: own }) };
          const [bare, got] = [
            await plain.send(new sdk[`${operation}Command`](asking)),
            await watched.send(new sdk[`${operation}Command`](asking)),
          ];
          assert.equal(server.asked.at(-1)[1].ReturnConsumedCapacity, 'INDEXES');
          for (const each of [bare, got]) delete each.$metadata;
          assert.deepEqual(got, bare);
          assert.equal('ConsumedCapacity' in got, own === 'TOTAL' || own === 'INDEXES');
          assert.deepEqual(seen.splice(0), Array(4).fill(bare.ConsumedCapacity));
        }
      });
    }

    test("who asks for the total has its indexes' partitions counted", async (t) => {
      const server = await fake(t);
      server.handler = (asked, body) => [200, answer(asked, body)];
      const detector = never(true, t);
      const watched = instrument(client(server.endpoint, 1, {}, sdk.DynamoDBClient), detector, { tables });
      t.after(() => watched.destroy());
      await watched.send(new sdk.PutItemCommand({ ...CALLS.PutItem, ReturnConsumedCapacity: 'TOTAL' }));
      assert.equal(detector.getWriteCount('events', 'k'), 4);
      assert.equal(detector.getWriteCount('events/index/by_g', 'x'), 1);
    });
  });
}

test('what is asked for in capacity mode is taken out again', async (t) => {
  const { server, detector, watched } = await setting(t, true, { tables: { events: 'id' } });
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 7.5 } };
  const asked = () => server.asked.at(-1)[1].ReturnConsumedCapacity;
  assert.equal('ConsumedCapacity' in (await watched.send(put())), false);
  assert.equal(asked(), 'INDEXES');
  assert.equal(detector.getWriteCount('events', 'k'), 7.5);
  for (const own of ['TOTAL', 'INDEXES']) {
    const answer = await watched.send(put({ ReturnConsumedCapacity: own }));
    assert.deepEqual([asked(), answer.ConsumedCapacity.CapacityUnits], ['INDEXES', 7.5]);
  }
  assert.equal('ConsumedCapacity' in (await watched.send(put({ ReturnConsumedCapacity: 'NONE' }))), false);
  assert.equal(asked(), 'INDEXES');
  // An attribute of that name is none of ours.
  const odd = {
    ...Item,
    é: { S: 'é' },
    ReturnConsumedCapacity: { S: 'TOTAL' },
    x: { S: '"ReturnConsumedCapacity": "TOTAL"' },
  };
  for (const own of [{}, { ReturnConsumedCapacity: 'TOTAL' }]) {
    await watched.send(put({ Item: odd, ...own }));
    assert.deepEqual([server.asked.at(-1)[1].Item, asked()], [odd, 'INDEXES']);
  }
});

test('a transaction with a token of its caller is sent as it is', async (t) => {
  const { server, watched } = await setting(t, true, { tables });
  const asked = () => server.asked.at(-1)[1].ReturnConsumedCapacity;
  const write = { TransactItems: [{ Put: CALLS.PutItem }] };
  const statement = { TransactStatements: [{ Statement: CALLS.ExecuteStatement.Statement }] };
  for (const own of [undefined, 'NONE', 'TOTAL', 'INDEXES']) {
    for (const token of [undefined, 'mine']) {
      const more = { ...(own && { ReturnConsumedCapacity: own }), ...(token && { ClientRequestToken: token }) };
      const documents = DynamoDBDocumentClient.from(watched);
      for (const send of [
        () => watched.send(new newest.TransactWriteItemsCommand({ ...write, ...more })),
        () => watched.send(new newest.ExecuteTransactionCommand({ ...statement, ...more })),
        () =>
          documents.send(
            new TransactWriteCommand({ TransactItems: [{ Put: { TableName: 'events', Item: { id: 'k' } } }], ...more }),
          ),
      ]) {
        await send();
        assert.equal(asked(), token ? own : 'INDEXES');
        assert.equal(typeof server.asked.at(-1)[1].ClientRequestToken, 'string');
      }
    }
  }
});

test('an answer is given back although the client is watched no more, or another middleware makes a call of its own', async (t) => {
  for (const own of [undefined, 'TOTAL']) {
    const { server, watched } = await setting(t, true, { tables });
    server.handler = (operation, body) => {
      uninstrument(watched);
      return [200, answer(operation, body)];
    };
    // It hands on nothing but what it must.
    const narrow =
      (next) =>
      ({ input, request }) =>
        next({ input, request });
    watched.middlewareStack.add(narrow, { step: 'finalizeRequest' });
    const got = await watched.send(put(own && { ReturnConsumedCapacity: own }));
    assert.equal(server.asked.at(-1)[1].ReturnConsumedCapacity, 'INDEXES');
    assert.deepEqual(got.ConsumedCapacity, own && TOTAL);
  }
});

test('operations without a client of its own mode are left as they are', async (t) => {
  const { server, watched } = await setting(t, false, { tables: { events: 'id' } });
  server.answer = { ConsumedCapacity: { TableName: 'events', CapacityUnits: 1 } };
  const answer = await watched.send(put({ ReturnConsumedCapacity: 'TOTAL' }));
  assert.equal(answer.ConsumedCapacity.CapacityUnits, 1);
  await watched.send(put());
  assert.equal('ReturnConsumedCapacity' in server.asked.at(-1)[1], false);
});

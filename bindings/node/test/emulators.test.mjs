// Every operation by the real SDK against emulators: what is counted is what was sent, and results are what any client's are.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as sdk from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  DynamoDBDocumentClient,
  GetCommand,
  paginateQuery as paginateDocuments,
  PutCommand,
  TransactWriteCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { instrument } from 'hotpart';
import { client, never } from './support/clients.mjs';
import { absent, start } from './support/emulators.mjs';

const hash = (name) => ({ AttributeName: name, KeyType: 'HASH' });
const range = (name) => ({ AttributeName: name, KeyType: 'RANGE' });
const key = (id, n = 1) => ({ id: { S: id }, n: { N: String(n) } });
let tables = 0;

/** A client of an emulator with a table of its own, and what it should have counted. */
class Session {
  expected = new Map();
  units = 0;
  described = 0;

  static async of(endpoint, capacity, name, t) {
    const session = new Session();
    // moto's capacity is a stub: it does not add up, and calls a global index local.
    Object.assign(session, { stub: name === 'moto', capacity, detector: never(capacity, t), plain: client(endpoint) });
    session.client = instrument(client(endpoint), session.detector);
    session.client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName === 'DescribeTableCommand') session.described++;
        return next(args);
      },
      { step: 'initialize' },
    );
    session.table = `table${++tables}`;
    await session.create();
    t.after(() => [session.client, session.plain].forEach((each) => each.destroy()));
    return session;
  }

  async create() {
    const types = { id: 'S', n: 'N', l: 'S', g: 'S' };
    const Projection = { ProjectionType: 'ALL' };
    await this.client.send(
      new sdk.CreateTableCommand({
        TableName: this.table,
        AttributeDefinitions: Object.entries(types).map(([AttributeName, AttributeType]) => ({
          AttributeName,
          AttributeType,
        })),
        KeySchema: [hash('id'), range('n')],
        BillingMode: 'PAY_PER_REQUEST',
        LocalSecondaryIndexes: [{ IndexName: 'by_l', KeySchema: [hash('id'), range('l')], Projection }],
        GlobalSecondaryIndexes: [{ IndexName: 'by_g', KeySchema: [hash('g')], Projection }],
      }),
    );
    await sdk.waitUntilTableExists({ client: this.plain, maxWaitTime: 20, minDelay: 1 }, { TableName: this.table });
  }

  wrote(pk, n = 1) {
    this.#expect('write', this.table, pk, n);
  }

  read(pk, n = 1, index) {
    this.#expect('read', this.table + (index ? `/index/${index}` : ''), pk, n);
  }

  #expect(...what) {
    const n = what.pop();
    const of = JSON.stringify(what);
    this.expected.set(of, (this.expected.get(of) ?? 0) + n);
  }

  async call(Command, parameters) {
    const answer = await this.client.send(new Command({ ReturnConsumedCapacity: 'INDEXES', ...parameters }));
    for (const { CapacityUnits } of [answer.ConsumedCapacity ?? []].flat()) this.units += CapacityUnits;
    return answer;
  }

  /** Operations one by one; units by their sum, which the answers tell. */
  check() {
    const count = (operation, table, pk) =>
      operation === 'write' ? this.detector.getWriteCount(table, pk) : this.detector.getReadCount(table, pk);
    const counted = new Map([...this.expected.keys()].map((of) => [of, count(...JSON.parse(of))]));
    if (!this.capacity) {
      assert.deepEqual(counted, this.expected);
      return;
    }
    if (this.stub || this.untold) return;
    const { unattributed, estimatedUnits } = this.detector.stats();
    const index = `${this.table}/index/by_g`;
    const queried = counted.get(JSON.stringify(['read', index, 'x'])) ?? 0;
    const ofIndex = count('read', index, 'x') + count('write', index, 'x') - queried;
    const stray = unattributed.index_units + unattributed.scan_units;
    const sum = [...counted.values()].reduce((a, b) => a + b, 0);
    assert.equal(sum + ofIndex + stray - estimatedUnits, this.units);
  }
}

const tests = {
  async items(s) {
    const TableName = s.table;
    await s.call(sdk.PutItemCommand, { TableName, Item: { ...key('a'), g: { S: 'x' }, l: { S: 'y' } } });
    s.wrote('a');
    await s.call(sdk.GetItemCommand, { TableName, Key: key('a') });
    await s.call(sdk.GetItemCommand, { TableName, Key: key('a'), ConsistentRead: true });
    s.read('a', 2);
    await s.call(sdk.GetItemCommand, { TableName, Key: key('missing') });
    s.read('missing');
    await s.call(sdk.UpdateItemCommand, {
      TableName,
      Key: key('b'),
      UpdateExpression: 'SET v = :v',
      ExpressionAttributeValues: { ':v': { S: '1' } },
    });
    s.wrote('b');
    await s.call(sdk.DeleteItemCommand, { TableName, Key: key('a') });
    s.wrote('a');
  },

  async batches(s) {
    const puts = [key('a', 1), key('a', 2), key('b', 1)].map((Item) => ({ PutRequest: { Item } }));
    await s.call(sdk.BatchWriteItemCommand, { RequestItems: { [s.table]: puts } });
    s.wrote('a', 2);
    s.wrote('b');
    const Keys = [key('a', 1), key('a', 2), key('b'), key('c')];
    await s.call(sdk.BatchGetItemCommand, { RequestItems: { [s.table]: { Keys } } });
    s.read('a', 2);
    s.read('b');
    s.read('c');
    const gone = [{ DeleteRequest: { Key: key('a', 1) } }];
    await s.call(sdk.BatchWriteItemCommand, { RequestItems: { [s.table]: gone } });
    s.wrote('a');
  },

  async 'queries and scans'(s) {
    const TableName = s.table;
    const query = (KeyConditionExpression, values, more = {}) =>
      s.call(sdk.QueryCommand, { TableName, KeyConditionExpression, ExpressionAttributeValues: values, ...more });
    for (let n = 0; n < 5; n++) {
      await s.call(sdk.PutItemCommand, { TableName, Item: { ...key('a', n), g: { S: 'x' }, l: { S: 'y' } } });
    }
    s.wrote('a', 5);
    await query('id = :v', { ':v': { S: 'a' } });
    await query(
      '(#i = :v) AND (n BETWEEN :w AND :x)',
      { ':v': { S: 'a' }, ':w': { N: '0' }, ':x': { N: '9' } },
      { ExpressionAttributeNames: { '#i': 'id' } },
    );
    await query('id = :v AND l = :y', { ':v': { S: 'a' }, ':y': { S: 'y' } }, { IndexName: 'by_l' });
    s.read('a', 3);
    assert.equal((await query('g = :v', { ':v': { S: 'x' } }, { IndexName: 'by_g' })).Count, 5);
    s.read('x', 1, 'by_g');
    await query('id = :v', { ':v': { S: 'no' } });
    s.read('no');
    await s.call(sdk.ScanCommand, { TableName });
    assert.equal(s.detector.getUnattributedCount(TableName, 'scans', 'read'), 1);
  },

  async refusals(s) {
    const TableName = s.table;
    await s.call(sdk.PutItemCommand, { TableName, Item: key('a') });
    s.wrote('a');
    const taken = { TableName, Item: key('a'), ConditionExpression: 'attribute_not_exists(id)' };
    await assert.rejects(s.call(sdk.PutItemCommand, taken), { name: 'ConditionalCheckFailedException' });
    s.wrote('a');
    await assert.rejects(s.call(sdk.PutItemCommand, { TableName, Item: { id: { S: 'bad' } } }));
    await assert.rejects(s.call(sdk.GetItemCommand, { TableName: 'nobody', Key: key('a') }), {
      name: 'ResourceNotFoundException',
    });
  },

  async transactions(s) {
    const TableName = s.table;
    const exists = (id) => ({ TableName, Key: key(id), ConditionExpression: 'attribute_exists(id)' });
    const update = {
      TableName,
      Key: key('a', 2),
      UpdateExpression: 'SET v = :v',
      ExpressionAttributeValues: { ':v': { S: '1' } },
    };
    await s.call(sdk.PutItemCommand, { TableName, Item: key('c') });
    s.wrote('c');
    await s.call(sdk.TransactWriteItemsCommand, {
      TransactItems: [
        { Put: { TableName, Item: key('a') } },
        { Update: update },
        { Delete: { TableName, Key: key('b') } },
        { ConditionCheck: exists('c') },
      ],
    });
    s.wrote('a', 2);
    s.wrote('b');
    s.wrote('c');
    await s.call(sdk.TransactGetItemsCommand, {
      TransactItems: ['a', 'b'].map((id) => ({ Get: { TableName, Key: key(id) } })),
    });
    s.read('a');
    s.read('b');
    const TransactItems = [{ Put: { TableName, Item: key('d') } }, { ConditionCheck: exists('e') }];
    await assert.rejects(s.call(sdk.TransactWriteItemsCommand, { TransactItems }), {
      name: 'TransactionCanceledException',
    });
    s.wrote('d');
    s.wrote('e');
  },

  async PartiQL(s) {
    const run = (Statement, ...Parameters) =>
      s.call(sdk.ExecuteStatementCommand, { Statement, ...(Parameters.length && { Parameters }) });
    await run(`INSERT INTO "${s.table}" VALUE {'id': 'a', 'n': 1, 'g': 'x'}`);
    await run(`UPDATE "${s.table}" SET v = ? WHERE id = ? AND n = ?`, { S: 'no' }, { S: 'a' }, { N: '1' });
    s.wrote('a', 2);
    assert.equal((await run(`SELECT * FROM "${s.table}" WHERE id = ?`, { S: 'a' })).Items.length, 1);
    s.read('a');
    await run(`SELECT * FROM "${s.table}"`);
    assert.equal(s.detector.getUnattributedCount(s.table, 'scans', 'read'), 1);
    const Statement = `SELECT * FROM ${s.table} WHERE id = ? AND n = ?`;
    await s.call(sdk.BatchExecuteStatementCommand, {
      Statements: ['a', 'b'].map((id) => ({ Statement, Parameters: [{ S: id }, { N: '1' }] })),
    });
    s.read('a');
    s.read('b');
    // moto answers a transaction of statements that write with 500.
    if (!s.stub) {
      await s.call(sdk.ExecuteTransactionCommand, {
        TransactStatements: [
          { Statement: `DELETE FROM "${s.table}" WHERE id = ? AND n = ?`, Parameters: [{ S: 'a' }, { N: '1' }] },
          { Statement: `INSERT INTO "${s.table}" VALUE {'id': 'c', 'n': 1}` },
        ],
      });
      s.wrote('a');
      s.wrote('c');
    }
  },

  async 'a table that is not known is described once'(s) {
    const unaware = never(s.capacity, null);
    instrument(s.client, unaware);
    s.described = 0;
    for (let n = 0; n < 3; n++) {
      await s.call(sdk.PutItemCommand, { TableName: s.table, Item: key('a', n) });
      s.wrote('a');
    }
    assert.equal(s.described, 1);
    assert.equal(unaware.getWriteCount(s.table, 'a'), s.detector.getWriteCount(s.table, 'a'));
    unaware.close();
  },

  async 'results are what any client gets'(s) {
    const TableName = s.table;
    const bare = ({ $metadata, ...answer }) => answer;
    const puts = Array.from({ length: 20 }, (_, n) => ({
      PutRequest: { Item: { ...key('p', n), b: { B: new Uint8Array([n, 255]) }, s: { SS: ['a', String(n)] } } },
    }));
    await s.client.send(new sdk.BatchWriteItemCommand({ RequestItems: { [TableName]: puts } }));
    s.wrote('p', 20);
    const commands = [
      new sdk.GetItemCommand({ TableName, Key: key('p', 3) }),
      new sdk.GetItemCommand({ TableName, Key: key('p', 3), ReturnConsumedCapacity: 'NONE' }),
      new sdk.GetItemCommand({ TableName, Key: key('p', 3), ReturnConsumedCapacity: 'TOTAL' }),
      new sdk.BatchGetItemCommand({ RequestItems: { [TableName]: { Keys: [key('p', 3)] } } }),
    ];
    for (const command of commands) {
      const before = JSON.stringify(command.input);
      const [plain, watched] = [await s.plain.send(command), await s.client.send(command)].map(bare);
      // moto tells the capacity unasked, now and then, once it was asked for it.
      if (s.stub) [plain, watched].forEach((answer) => delete answer.ConsumedCapacity);
      assert.deepEqual(watched, plain);
      assert.equal(JSON.stringify(command.input), before);
    }
    s.read('p', 4);
    const input = {
      TableName,
      KeyConditionExpression: 'id = :v',
      ExpressionAttributeValues: { ':v': { S: 'p' } },
      Limit: 7,
    };
    const pages = [[], []];
    for await (const page of sdk.paginateQuery({ client: s.plain }, { ...input })) pages[0].push(bare(page));
    for await (const page of sdk.paginateQuery({ client: s.client }, { ...input })) pages[1].push(bare(page));
    assert.deepEqual(pages[1], pages[0]);
    s.read('p', pages[1].length);
    // Those of the watched client's answers that tell it were taken out.
    s.untold = true;
  },

  async 'a document client'(s) {
    const TableName = s.table;
    const documents = DynamoDBDocumentClient.from(s.client);
    instrument(documents, s.detector);
    await documents.send(new PutCommand({ TableName, Item: { id: 'a', n: 1, b: new Uint8Array([0, 255]) } }));
    const got = await documents.send(new GetCommand({ TableName, Key: { id: 'a', n: 1 } }));
    assert.deepEqual([got.Item.n, [...got.Item.b]], [1, [0, 255]]);
    const change = { UpdateExpression: 'SET v = :v', ExpressionAttributeValues: { ':v': 7 } };
    await documents.send(new UpdateCommand({ TableName, Key: { id: 'a', n: 1 }, ...change }));
    const Keys = [
      { id: 'a', n: 1 },
      { id: 'b', n: 1 },
    ];
    await documents.send(new BatchGetCommand({ RequestItems: { [TableName]: { Keys } } }));
    const asked = { KeyConditionExpression: 'id = :v', ExpressionAttributeValues: { ':v': 'a' } };
    for await (const page of paginateDocuments({ client: documents }, { TableName, ...asked })) {
      assert.equal(page.Items[0].v, 7);
      assert.equal(page.ConsumedCapacity, undefined);
    }
    s.wrote('a', 2);
    s.read('a', 3);
    s.read('b');
    if (s.newer) {
      await documents.send(
        new TransactWriteCommand({ TransactItems: [{ Put: { TableName, Item: { id: 'c', n: 1 } } }] }),
      );
      s.wrote('c');
    }
    s.untold = true;
    assert.ok(s.detector.getWriteCount(TableName, 'a') > 0);
  },
};
const OLD = Object.keys(tests).filter((name) => !['transactions', 'PartiQL'].includes(name));

for (const emulator of ['dynalite', 'dynoxide', 'moto']) {
  // dynalite knows neither transactions nor PartiQL.
  const newer = emulator !== 'dynalite';
  describe(emulator, { skip: absent(emulator) }, () => {
    test('every operation', async (t) => {
      const endpoint = await start(emulator, t);
      for (const capacity of [false, true]) {
        for (const name of newer ? Object.keys(tests) : OLD) {
          await t.test(`${name}, ${capacity ? 'capacity' : 'operations'}`, async (t) => {
            const session = Object.assign(await Session.of(endpoint, capacity, emulator, t), { newer });
            await tests[name](session);
            session.check();
          });
        }
      }
      if (emulator === 'dynalite') await t.test('units are exact', (t) => exact(endpoint, t));
    });
  });
}

async function exact(endpoint, t) {
  const s = await Session.of(endpoint, true, 'dynalite', t);
  const TableName = s.table;
  const Item = { ...key('a'), x: { S: 'x'.repeat(100_000) } };
  const put = await s.client.send(new sdk.PutItemCommand({ TableName, Item }));
  assert.equal('ConsumedCapacity' in put, false);
  assert.equal(s.detector.getWriteCount(TableName, 'a'), 98);
  await s.client.send(new sdk.GetItemCommand({ TableName, Key: key('a'), ConsistentRead: true }));
  assert.equal(s.detector.getReadCount(TableName, 'a'), 25);
  const got = await s.client.send(
    new sdk.GetItemCommand({ TableName, Key: key('a'), ReturnConsumedCapacity: 'TOTAL' }),
  );
  assert.deepEqual(got.Item, Item);
  assert.equal(got.ConsumedCapacity.CapacityUnits, 12.5);
  assert.equal(s.detector.getReadCount(TableName, 'a'), 37.5);
  assert.equal(s.detector.stats().estimatedUnits, 0);
}

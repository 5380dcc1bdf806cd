// A table is described by the caller's own client, whatever version its SDK is of.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as newest from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocument, DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { instrument } from 'hotpart';
import * as oldest from 'sdk-3.600';
import * as middle from 'sdk-3.844';
import { client, description, fake, log, never, problem, throttled } from './support/clients.mjs';

const SDKS = { 3.6: oldest, 3.844: middle, newest };
const Item = { id: { S: 'k' } };
const put = { TableName: 'events', Item };

async function setting(t, sdk, capacity = false, attempts = 3, more = {}) {
  const [server, logger] = [await fake(t), log()];
  const detector = never(capacity, t, { logger });
  const watched = instrument(client(server.endpoint, attempts, more, sdk.DynamoDB), detector);
  t.after(() => watched.destroy());
  server.handler = (operation, { TableName }) => (operation === 'DescribeTable' ? description(TableName) : [200, {}]);
  return { server, logger, detector, watched };
}

for (const [version, sdk] of Object.entries(SDKS)) {
  describe(`SDK ${version}`, () => {
    const requests = {
      PutItem: [sdk.PutItemCommand, put],
      UpdateItem: [sdk.UpdateItemCommand, { TableName: 'events', Key: { ...Item, n: { N: '1' } } }],
      BatchWriteItem: [sdk.BatchWriteItemCommand, { RequestItems: { events: [{ PutRequest: { Item } }] } }],
      TransactWriteItems: [sdk.TransactWriteItemsCommand, { TransactItems: [{ Put: put }] }],
      ExecuteStatement: [sdk.ExecuteStatementCommand, { Statement: `INSERT INTO events VALUE {'id': 'k'}` }],
    };
    for (const [name, [Command, input]] of Object.entries(requests)) {
      for (const capacity of [false, true]) {
        test(`${name} has its table described${capacity ? ', in capacity mode too' : ''}`, async (t) => {
          const { server, logger, detector, watched } = await setting(t, sdk, capacity);
          await watched.send(new Command(input));
          assert.deepEqual(logger.lines, []);
          assert.deepEqual(
            server.asked.map(([operation]) => operation),
            [name, 'DescribeTable'],
          );
          assert.deepEqual(server.asked[1][1], { TableName: 'events' });
          assert.match(server.headers[1].authorization, /^AWS4-HMAC-SHA256 .*x-amz-target/);
          assert.ok(detector.getWriteCount('events', 'k') > 0);
        });
      }
    }

    test('it is retried as any request of the client', async (t) => {
      const { server, detector, watched } = await setting(t, sdk);
      let refuse = 2;
      server.handler = (operation) =>
        operation !== 'DescribeTable'
          ? [200, {}]
          : refuse-- > 0
            ? problem('ThrottlingException')
            : description('events');
      await watched.putItem(put);
      assert.equal(server.asked.length, 4);
      assert.equal(detector.getWriteCount('events', 'k'), 1);
    });

    test('where it is denied that is understood', async (t) => {
      const { server, logger, watched } = await setting(t, sdk);
      server.handler = (operation) => (operation === 'DescribeTable' ? problem('AccessDeniedException') : [200, {}]);
      for (let n = 0; n < 3; n++) await watched.putItem(put);
      assert.equal(server.asked.length, 4);
      assert.match(logger.lines.join(), /^hotpart: .*DescribeTable failed \(AccessDeniedException\)/);
    });

    test('what follows calls sees it under its own name', async (t) => {
      const [lines, more] = [[], { logger: { ...log(), debug() {}, info: (line) => lines.push(line) } }];
      const { watched } = await setting(t, sdk, true, 3, more);
      await watched.putItem(put);
      assert.deepEqual(
        lines.map(({ commandName, input }) => [commandName, input]),
        [
          ['DescribeTableCommand', { TableName: 'events' }],
          ['PutItemCommand', put],
        ],
      );
    });
  });
}

test('a document client has its tables described', async (t) => {
  for (const Documents of [DynamoDBDocumentClient, DynamoDBDocument]) {
    const { logger, detector, watched } = await setting(t, newest);
    const documents = Documents.from(watched, { marshallOptions: { removeUndefinedValues: true } });
    await documents.send(new PutCommand({ TableName: 'events', Item: { id: 'k' } }));
    const RequestItems = { more: [{ PutRequest: { Item: { id: 'k' } } }] };
    await documents.send(new BatchWriteCommand({ RequestItems }));
    assert.deepEqual(logger.lines, []);
    assert.deepEqual([detector.getWriteCount('events', 'k'), detector.getWriteCount('more', 'k')], [1, 1]);
  }
});

for (const [version, sdk] of Object.entries({ 3.844: middle, newest })) {
  test(`retries by the rules of 2026, SDK ${version}: three throttles and a success are that`, async (t) => {
    const server = await fake(t);
    const detector = never(false, t);
    // With the SDK's own strategy of retrying; the newest retries by these rules whether
    // AWS_NEW_RETRIES_2026 is set or not.
    const watched = client(server.endpoint, 4, { retryStrategy: undefined }, sdk.DynamoDBClient);
    t.after(() => watched.destroy());
    instrument(watched, detector, { tables: { events: 'id' } });
    server.answers.push(throttled(), throttled(), throttled(), [200, {}]);
    await watched.send(new sdk.PutItemCommand(put));
    assert.equal(server.asked.length, 4);
    assert.equal(detector.getThrottleCount('events', 'k', 'write', 'unknown'), 3);
    assert.equal(detector.getWriteCount('events', 'k'), 1);
  });
}

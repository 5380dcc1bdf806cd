// Through the real SDK: throttles, cancelled transactions, ARNs, faults and lost answers.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BatchExecuteStatementCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { instrument } from 'hotpart';
import { client, description, fake, log, never, problem, throttled } from './support/clients.mjs';

const ARN = 'arn:aws:dynamodb:us-east-1:123456789012:table/events';
const REASONS = {
  KeyRangeThroughputExceeded: 'key_range',
  ProvisionedThroughputExceeded: 'provisioned',
  AccountLimitExceeded: 'account_limit',
  MaxOnDemandThroughputExceeded: 'max_on_demand',
};
const Item = { id: { S: 'k' }, g: { S: 'x' } };
const Key = { id: { S: 'k' } };
const put = (more = {}) => new PutItemCommand({ TableName: 'events', Item, ...more });

/** A client that gives up after its third attempt. */
async function watched(capacity, t) {
  const server = await fake(t);
  const logger = log();
  const detector = never(capacity, t, { logger });
  const client_ = instrument(client(server.endpoint, 3), detector, { describe: false });
  server.answers.push(description('events'));
  await client_.send(new DescribeTableCommand({ TableName: 'events' }));
  t.after(() =>
    assert.deepEqual([server.answers, logger.lines], [[], []], 'every answer was asked for, and nothing logged'),
  );
  return { server, detector, send: (command) => client_.send(command) };
}

for (const capacity of [false, true]) {
  const each = (name, body) => test(name, async (t) => body(await watched(capacity, t)));

  describe(capacity ? 'capacity' : 'operations', () => {
    for (const [kind, reason] of Object.entries(REASONS)) {
      for (const operation of ['Write', 'Read']) {
        for (const resource of ['Table', 'Index']) {
          each(
            `each attempt that is throttled for ${resource}${operation}${kind}`,
            async ({ server, detector, send }) => {
              const index = resource === 'Index';
              const answer = throttled([`${resource}${operation}${kind}`, index ? `${ARN}/index/by_g` : ARN]);
              server.answers.push(answer, answer, answer);
              const reads = index
                ? new QueryCommand({
                    TableName: 'events',
                    IndexName: 'by_g',
                    KeyConditionExpression: 'g = :v',
                    ExpressionAttributeValues: { ':v': { S: 'x' } },
                  })
                : new GetItemCommand({ TableName: 'events', Key });
              await assert.rejects(send(operation === 'Write' ? put() : reads), {
                name: 'ProvisionedThroughputExceededException',
              });
              const where = index ? ['events/index/by_g', 'x'] : ['events', 'k'];
              assert.equal(detector.getThrottleCount(...where, operation.toLowerCase(), reason), 3);
              assert.equal(
                Object.values(detector.stats().throttles).reduce((a, b) => a + b),
                3,
              );
              assert.equal(detector.stats().partitions, 0);
            },
          );
        }
      }
    }

    each('a retry that succeeds is one operation', async ({ server, detector, send }) => {
      server.answers.push(throttled(), throttled(['TableWriteKeyRangeThroughputExceeded', ARN]), [200, {}]);
      await send(put());
      assert.equal(detector.getThrottleCount('events', 'k', 'write', 'unknown'), 1);
      assert.equal(detector.getThrottleCount('events', 'k', 'write', 'key_range'), 1);
      assert.equal(detector.getWriteCount('events', 'k'), 1);
    });

    each('faults and lost answers may have run', async ({ server, detector, send }) => {
      server.answers.push([500, { __type: 'InternalServerError' }], 'half', 'drop');
      await assert.rejects(send(put()));
      assert.equal(detector.getWriteCount('events', 'k'), 3);
    });

    each('a cancelled transaction', async ({ server, detector, send }) => {
      const CancellationReasons = [{ Code: 'ThrottlingError', Message: 'x' }, { Code: 'ConditionalCheckFailed' }];
      server.answers.push(problem('TransactionCanceledException', { CancellationReasons }));
      const check = { TableName: 'events', Key: { id: { S: 'l' } }, ConditionExpression: 'a = b' };
      await assert.rejects(
        send(
          new TransactWriteItemsCommand({
            TransactItems: [{ Put: { TableName: 'events', Item } }, { ConditionCheck: check }],
          }),
        ),
      );
      assert.equal(detector.getThrottleCount('events', 'k', 'write', 'unknown'), 1);
      assert.equal(detector.getWriteCount('events', 'l'), capacity ? 2 : 1);
      assert.equal(detector.getWriteCount('events', 'k'), 0);
    });

    each('a replayed transaction reads', async ({ server, detector, send }) => {
      const ConsumedCapacity = [{ TableName: 'events', CapacityUnits: 2, ReadCapacityUnits: 2 }];
      server.answers.push([200, { ConsumedCapacity }]);
      await send(
        new TransactWriteItemsCommand({
          TransactItems: [{ Put: { TableName: 'events', Item } }],
          ClientRequestToken: 't',
          ReturnConsumedCapacity: 'TOTAL',
        }),
      );
      assert.equal(detector.getReadCount('events', 'k'), capacity ? 2 : 1);
      assert.equal(detector.getWriteCount('events', 'k'), 0);
    });

    each('ARNs are reduced to their tables', async ({ server, detector, send }) => {
      server.answers.push([200, { ConsumedCapacity: { TableName: ARN, CapacityUnits: 5 } }]);
      const answer = await send(put({ TableName: ARN, ReturnConsumedCapacity: 'TOTAL' }));
      assert.equal(answer.ConsumedCapacity.CapacityUnits, 5);
      // Of a total the item's index takes what the item is estimated at.
      assert.equal(detector.getWriteCount('events', 'k'), capacity ? 4 : 1);
      assert.equal(detector.getWriteCount('events/index/by_g', 'x'), 1);
    });

    each('throttles hide in answers of batches', async ({ server, detector, send }) => {
      server.answers.push([200, { Responses: [{ Error: { Code: 'ThrottlingError', Message: 'x' } }, {}] }]);
      const Statements = ['k', 'l'].map((id) => ({ Statement: `SELECT * FROM events WHERE id = '${id}'` }));
      await send(new BatchExecuteStatementCommand({ Statements }));
      assert.equal(detector.getThrottleCount('events', 'k', 'read', 'unknown'), 1);
      assert.equal(detector.getReadCount('events', 'k'), 0);
      assert.equal(detector.getReadCount('events', 'l'), capacity ? 0.5 : 1);
    });

    each('unprocessed items are tallied', async ({ server, detector, send }) => {
      const events = [{ PutRequest: { Item } }, { DeleteRequest: { Key: { id: { S: 'l' } } } }];
      server.answers.push([200, { UnprocessedItems: { events: events.slice(0, 1) } }]);
      await send(new BatchWriteItemCommand({ RequestItems: { events } }));
      assert.equal(detector.getUnattributedCount('events', 'unprocessed', 'write'), 1);
      assert.equal(detector.getWriteCount('events', 'k'), 0);
      assert.equal(detector.getWriteCount('events', 'l'), 1);
    });

    each('a failed condition costs by the item that is there', async ({ server, detector, send }) => {
      const there = { id: { S: 'k' }, x: { S: 'x'.repeat(3_000) } };
      server.answers.push(problem('ConditionalCheckFailedException', { Item: there }));
      await assert.rejects(send(put({ ConditionExpression: 'attribute_not_exists(id)' })), (error) => {
        assert.equal(error.name, 'ConditionalCheckFailedException');
        assert.deepEqual(error.Item, there);
        return true;
      });
      assert.equal(detector.getWriteCount('events', 'k'), capacity ? 3 : 1);
    });

    each("an index's throttle without its key is the index's", async ({ server, detector, send }) => {
      const answer = throttled(['IndexWriteKeyRangeThroughputExceeded', `${ARN}/index/by_g`]);
      server.answers.push(answer, answer, answer);
      await assert.rejects(send(new DeleteItemCommand({ TableName: 'events', Key })));
      assert.equal(detector.getUnattributedCount('events/index/by_g', 'throttles', 'write'), 3);
    });
  });
}

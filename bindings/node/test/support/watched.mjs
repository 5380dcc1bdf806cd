// A client that is watched, of a server that describes each table and answers as it is told to.

import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { instrument } from 'hotpart';
import { client, description, fake, log, never } from './clients.mjs';

export const Item = { id: { S: 'k' } };
export const put = (more = {}) => new PutItemCommand({ TableName: 'events', Item, ...more });
export const asks = (server, operation) => server.asked.filter(([asked]) => asked === operation).length;

export async function setting(t, capacity = false, options = {}) {
  const [server, logger] = [await fake(t), log()];
  const { client: own, windowSeconds = 60, ...watching } = options;
  const detector = never(capacity, t, { logger, windowSeconds });
  const watched = instrument(client(server.endpoint, 1, own), detector, watching);
  server.handler = (operation, body) =>
    operation === 'DescribeTable' ? description(body.TableName) : [200, server.answer ?? {}];
  return { server, logger, detector, watched };
}

import { createServer } from 'node:http';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { HotPartitionDetector } from 'hotpart';

export function client(endpoint, maxAttempts = 1, more = {}, Client = DynamoDBClient) {
  return new Client({
    endpoint,
    maxAttempts,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    retryStrategy: maxAttempts > 1 ? impatient(maxAttempts) : undefined,
    ...more,
  });
}

/** Tries again at once. */
function impatient(maxAttempts) {
  return {
    mode: 'standard',
    acquireInitialRetryToken: async () => ({ getRetryCount: () => 0, getRetryDelay: () => 0 }),
    refreshRetryTokenForRetry: async (token, { errorType }) => {
      const count = token.getRetryCount() + 1;
      if (count >= maxAttempts || errorType === 'CLIENT_ERROR') throw new Error('no more attempts');
      return { getRetryCount: () => count, getRetryDelay: () => 0 };
    },
    recordSuccess: () => {},
  };
}

/** A detector that never warns, and whose clock stands still. */
export function never(capacity, t, more = {}) {
  const detector = new HotPartitionDetector({
    writesThreshold: 2 ** 50,
    readsThreshold: 2 ** 50,
    windowSeconds: 60,
    manualClock: true,
    capacity,
    ...more,
  });
  t?.after(() => detector.close());
  return detector;
}

/** Lines that are logged. */
export function log() {
  const lines = [];
  return { lines, warn: (line) => lines.push(line), error: (line) => lines.push(line) };
}

/**
 * A DynamoDB that answers what it is told to, in turn: [status, body], 'drop' or 'half', which ends in the middle; or by `handler`,
 * a function of the operation and the request.
 */
export async function fake(t) {
  const server = { answers: [], asked: [], headers: [], handler: undefined };
  const http = createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', async () => {
      const operation = request.headers['x-amz-target'].split('.')[1];
      const body = JSON.parse(Buffer.concat(chunks).toString());
      server.asked.push([operation, body]);
      server.headers.push(request.headers);
      await server.later?.(operation);
      const answer = server.handler?.(operation, body) ?? server.answers.shift();
      if (answer === 'never') return;
      if (answer === 'drop') return request.socket.destroy();
      if (answer === 'half') {
        response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0', 'content-length': '1000' });
        response.write('{"Item":');
        return setTimeout(() => request.socket.destroy(), 20);
      }
      const [status, told] = answer ?? [500, {}];
      const bytes = Buffer.from(typeof told === 'string' ? told : JSON.stringify(told));
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'content-length': bytes.length });
      response.end(bytes);
    });
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.closeAllConnections());
  t.after(() => http.close());
  server.endpoint = `http://127.0.0.1:${http.address().port}`;
  return server;
}

export const problem = (name, members = {}) => [
  400,
  { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'as told', ...members },
];

export const throttled = (...reasons) =>
  problem(
    'ProvisionedThroughputExceededException',
    reasons.length ? { ThrottlingReasons: reasons.map(([reason, resource]) => ({ reason, resource })) } : {},
  );

export const description = (table) => [
  200,
  {
    Table: {
      TableName: table,
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [{ IndexName: 'by_g', KeySchema: [{ AttributeName: 'g', KeyType: 'HASH' }] }],
    },
  },
];

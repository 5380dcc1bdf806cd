// A program as users write it, in little: it is bundled and run. It prints what was counted of two
// puts.

import { createServer } from 'node:http';
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { HotPartitionDetector, instrument } from 'hotpart';

const Table = { TableName: 'events', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }] };
const server = createServer((request, response) => {
  request.resume();
  const described = request.headers['x-amz-target'].endsWith('.DescribeTable');
  response.writeHead(200, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify(described ? { Table } : {}));
});
server.listen(0, '127.0.0.1', async () => {
  const client = new DynamoDBClient({
    endpoint: `http://127.0.0.1:${server.address().port}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
  });
  const detector = new HotPartitionDetector({ writesThreshold: 9, readsThreshold: 9, windowSeconds: 60 });
  instrument(client, detector);
  for (let n = 0; n < 2; n++) {
    await client.send(new PutItemCommand({ TableName: 'events', Item: { id: { S: 'k' } } }));
  }
  console.log(`counted ${detector.getWriteCount('events', 'k')}`);
  client.destroy();
  server.close();
});

// Attempts that got no answer: what can't have left this machine is not counted, what may have run
// is.

import assert from 'node:assert/strict';
import { Agent, createServer as createHttp } from 'node:http';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import * as newest from '@aws-sdk/client-dynamodb';
import { FetchHttpHandler } from '@smithy/fetch-http-handler';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { instrument } from 'hotpart';
import * as oldest from 'sdk-3.600';
import { client, fake, log, never } from './support/clients.mjs';

const SDKS = { newest, oldest };
/**
 * A server that takes connections and never says anything: its port, and when it has got something.
 */
async function silent(t) {
  const sockets = [];
  const server = createServer();
  const received = new Promise((resolve) => {
    server.on('connection', (socket) => {
      sockets.push(socket.on('error', () => {}).once('data', resolve));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  t.after(() => sockets.forEach((socket) => socket.destroy()));
  return { port: server.address().port, received };
}

async function refused() {
  const server = createHttp();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Sends a put that fails; returns how many writes are counted, after that many attempts. */
async function counted(t, sdk, endpoint, { attempts = 1, send = {}, abort, ...more } = {}) {
  const [detector, logger] = [never(false, t, { logger: log() }), log()];
  const { DynamoDBClient, PutItemCommand } = SDKS[sdk];
  const watched = client(endpoint, attempts, { logger, ...more }, DynamoDBClient);
  t.after(() => watched.destroy());
  instrument(watched, detector, { tables: { events: 'id' } });
  let tries = 0;
  watched.middlewareStack.add(
    (next) => (args) => {
      tries++;
      return next(args);
    },
    { step: 'deserialize' },
  );
  const controller = new AbortController();
  abort?.then(() => controller.abort());
  const command = new PutItemCommand({ TableName: 'events', Item: { id: { S: 'k' } } });
  const options = abort === undefined ? send : { abortSignal: controller.signal, ...send };
  await assert.rejects(watched.send(command, options));
  assert.equal(tries, attempts);
  assert.equal(detector.stats().failures, 0);
  return detector.getWriteCount('events', 'k');
}

for (const sdk of Object.keys(SDKS)) {
  describe(`the ${sdk} SDK`, () => {
    test('refused connections are not counted', async (t) => {
      const port = await refused();
      assert.equal(await counted(t, sdk, `http://127.0.0.1:${port}`, { attempts: 3 }), 0);
      assert.equal(await counted(t, sdk, `http://localhost:${port}`, { attempts: 3 }), 0, 'by several addresses');
    });

    test('a name that is not resolved is not counted', async (t) => {
      assert.equal(await counted(t, sdk, 'http://nobody.invalid'), 0);
    });

    test('what was aborted before it was sent is not counted', async (t) => {
      const { endpoint } = await fake(t);
      assert.equal(await counted(t, sdk, endpoint, { send: { abortSignal: AbortSignal.abort() } }), 0);
    });

    test('what was aborted while its connection was made is not counted', async (t) => {
      const httpAgent = new Agent({ lookup: () => {} });
      const requestHandler = new NodeHttpHandler({ httpAgent });
      assert.equal(await counted(t, sdk, 'http://slow.invalid', { requestHandler, abort: sleep(50) }), 0, 'a name');
      assert.equal(
        await counted(t, sdk, `https://127.0.0.1:${(await silent(t)).port}`, { abort: sleep(50) }),
        0,
        'TLS',
      );
    });

    test('a connection that was not made in time is not counted', async (t) => {
      const httpAgent = new Agent({ lookup: () => {} });
      const requestHandler = new NodeHttpHandler({ httpAgent, connectionTimeout: 20 });
      assert.equal(await counted(t, sdk, 'http://slow.invalid', { requestHandler }), 0);
    });

    test('what was aborted before there was a socket for it is not counted', async (t) => {
      const { port, received } = await silent(t);
      const httpAgent = new Agent({ keepAlive: true, maxSockets: 1 });
      const requestHandler = new NodeHttpHandler({ httpAgent });
      const endpoint = `http://127.0.0.1:${port}`;
      let over;
      const abort = new Promise((resolve) => (over = resolve));
      const first = counted(t, sdk, endpoint, { requestHandler, abort });
      await received;
      assert.equal(await counted(t, sdk, endpoint, { requestHandler, abort: sleep(50) }), 0);
      over();
      assert.equal(await first, 1);
    });

    test('what waited for its answer when it was aborted, or timed out, is counted', async (t) => {
      const { port, received } = await silent(t);
      assert.equal(await counted(t, sdk, `http://127.0.0.1:${port}`, { abort: received }), 1);
      const requestHandler = new NodeHttpHandler({ requestTimeout: 2_000, throwOnRequestTimeout: true });
      assert.equal(await counted(t, sdk, `http://127.0.0.1:${port}`, { requestHandler }), 1);
    });

    test('what goes by fetch is told apart as well', async (t) => {
      const requestHandler = new FetchHttpHandler();
      assert.equal(await counted(t, sdk, `http://127.0.0.1:${await refused()}`, { requestHandler }), 0);
      const server = await fake(t);
      const aborted = { requestHandler, send: { abortSignal: AbortSignal.abort() } };
      assert.equal(await counted(t, sdk, server.endpoint, aborted), 0);
      server.answers.push('drop');
      assert.equal(await counted(t, sdk, server.endpoint, { requestHandler }), 1);
    });

    test('a connection that was kept and is gone may have taken the request', async (t) => {
      const server = await fake(t);
      server.answers.push('drop', 'half');
      assert.equal(await counted(t, sdk, server.endpoint, { attempts: 2 }), 2);
    });
  });
}

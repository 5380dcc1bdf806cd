// A recording's lines: those that all languages share, and that a redacted one tells the same and nothing else.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import * as sdk from '@aws-sdk/client-dynamodb';
import { HttpResponse } from '@smithy/core/protocols';
import { instrument, uninstrument } from 'hotpart';
import { client, description, fake, log, never, problem, throttled } from './support/clients.mjs';
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

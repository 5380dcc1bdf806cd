// Hands requests and their answers to the library.

import { bytesOf, kindOf, modelOf, nameBytes, nearest, objectOf } from './check';
import { MissingSchemaError } from './errors';
import {
  DUE,
  ERR_MEMORY,
  ERR_SCHEMA,
  Exchange,
  hpd,
  type Integer,
  KeyAttributes,
  outOf,
  type Pointer,
  textOf,
} from './library';
import { checked } from './status';
import type { Alerts } from './warning';

// Room for the names of the tables that one request may need.
const TABLES_MAX = 2 ** 17;
const INT32_MAX = 2 ** 31 - 1;
const NUL = Buffer.alloc(1);

/** One attempt at a request to DynamoDB, and its answer. */
export interface Attempt {
  /** "PutItem", or the header X-Amz-Target. */
  readonly operation: string;
  /** The JSON body that was sent. */
  readonly request: string | Uint8Array;
  /** The answer's body, if there was one. */
  readonly response?: string | Uint8Array | undefined;
  /** The answer's HTTP status, 100 to 999, 200 by default; 0: no answer came. */
  readonly status?: number | undefined;
  /** The model that the records are made for. */
  readonly model?: string | undefined;
}

/** Checks what a caller hands in as an attempt. */
export function attemptOf(attempt: Attempt): Attempt {
  const given = objectOf('attempt', attempt, ['operation', 'request', 'response', 'status', 'model']);
  const { operation, request, response, status = 200, model } = given;
  if (typeof operation !== 'string') {
    throw new TypeError(`operation must be a string, not ${kindOf(operation)}`);
  }
  for (const [name, body] of Object.entries({ request, response })) {
    if (bytesOf(body) === undefined && (name === 'request' || body !== undefined)) {
      throw new TypeError(`${name} must be a string or a Uint8Array, not ${kindOf(body)}`);
    }
  }
  const known = nearest('status', status, -1, INT32_MAX);
  modelOf(model);
  return { operation, request, response, status: known, model };
}

/**
 * Records what an attempt did, and tells of the warnings that are due. Returns how many actions
 * were recorded, or wait.
 */
export function observe(detector: Pointer, alerts: Alerts, attempt: Attempt): number {
  const { operation, status = 200, model } = attempt;
  const request = ended(attempt.request);
  const response = attempt.response === undefined ? null : (ended(attempt.response) ?? false);
  // JSON holds no NUL.
  if (request === null || response === false || model?.includes('\0') || operation.includes('\0')) {
    return observeInFull(detector, alerts, attempt);
  }
  const actions: Integer = hpd.observeDue(detector, operation, request, response, status, model ?? null);
  if (typeof actions === 'bigint') {
    alerts.take(detector);
    return Number(actions - DUE);
  }
  if (actions === ERR_SCHEMA) {
    // Before the warnings: whoever is told of them may observe, too.
    const missing = missingTables();
    alerts.take(detector);
    throw new MissingSchemaError(missing);
  }
  if (actions === ERR_MEMORY) {
    // A part may have been recorded.
    alerts.take(detector);
  }
  return checked(actions);
}

/** The tables that this thread's last call asked for. */
function missingTables(): string[] {
  const [taken, names] = outOf((out) => hpd.takeMissingTables(out));
  return taken === 1 ? namesIn(textOf(names)) : [];
}

/** Names that each end in NUL; of what is behind the last NUL only a part is there. */
function namesIn(text: string): string[] {
  return text.split('\0').slice(0, -1);
}

/** A text's bytes, and a NUL that ends them; nothing if it holds one. */
function ended(text: string | Uint8Array): Buffer | null {
  const bytes = bytesOf(text) as Buffer;
  return bytes.includes(0) ? null : Buffer.concat([bytes, NUL]);
}

/** The same for texts that may hold NUL, as a model's name. */
function observeInFull(detector: Pointer, alerts: Alerts, attempt: Attempt): number {
  const room = Buffer.alloc(TABLES_MAX);
  const exchange = Exchange.make().set('http_status', attempt.status ?? 200);
  for (const name of ['operation', 'request', 'response', 'model'] as const) {
    const text = attempt[name];
    exchange.setText(name, bytesOf(text) ?? null);
  }
  exchange.set('table', room).set('table_capacity', room.length);
  const [actions, warnings] = outOf((out) => hpd.observeFull(detector, exchange.bytes, out));
  exchange.release();
  alerts.tellAll(detector, warnings);
  if (actions === ERR_SCHEMA) {
    throw new MissingSchemaError(namesIn(room.toString('utf8', 0, exchange.get('table_len'))));
  }
  return checked(actions);
}

/** A declaration of the attribute that is a table's partition key or, with `index`, of those of an index: its arguments. */
export function keySchema(table: string, attributes: string | readonly string[], index: string | undefined): unknown[] {
  const names = typeof attributes === 'string' ? [attributes] : attributes;
  if (!Array.isArray(names)) {
    throw new TypeError(`attributes must be a string or an array of strings, not ${kindOf(attributes)}`);
  }
  // More than four are refused unread.
  const given = KeyAttributes.make();
  [...names.slice(0, 4)].forEach((name, i) => {
    const bytes = nameBytes('attributes', name);
    given.set('names', bytes, i).set('lens', bytes.length, i);
  });
  const [name, of] = [nameBytes('table', table), index === undefined ? null : nameBytes('index', index)];
  const lens = given.bytes.subarray(given.bytes.length / 2);
  // koffi has NULL for no bytes, and an index that is NULL is none.
  return [name, name.length, of?.length === 0 ? NUL : of, of?.length ?? 0, given.bytes, lens, names.length, given];
}

// Hands requests and their answers to the library.

import { bytesOf, kindOf, nameBytes } from './check';
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
} from './library';
import { checked } from './status';
import type { Alerts } from './warning';

const TABLE_MAX = 1_024;
const NUL = Buffer.alloc(1);

/** One attempt at a request. */
export interface Attempt {
  /** "PutItem", or the header X-Amz-Target. */
  readonly operation: string;
  /** The JSON body that was sent. */
  readonly request: string | Uint8Array;
  /** The answer's body, if there was one. */
  readonly response?: string | Uint8Array | undefined;
  /** The answer's status, 200 by default; 0: no answer came. */
  readonly status?: number | undefined;
  /** The model that the records are made for. */
  readonly model?: string | undefined;
}

/** Records what an attempt did, and tells of the warnings that are due. Returns how many actions were recorded. */
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
    return observeInFull(detector, alerts, attempt);
  }
  if (actions === ERR_MEMORY) {
    // A part may have been recorded.
    alerts.take(detector);
  }
  return checked(actions);
}

/** A text's bytes, and a NUL that ends them; nothing if it holds one. */
function ended(text: string | Uint8Array): Buffer | null {
  const bytes = bytesOf(text) as Buffer;
  return bytes.includes(0) ? null : Buffer.concat([bytes, NUL]);
}

/** The same for any texts; it can say which table's key schema is missing. */
function observeInFull(detector: Pointer, alerts: Alerts, attempt: Attempt): number {
  const room = Buffer.alloc(TABLE_MAX);
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
    throw new MissingSchemaError(room.toString('utf8', 0, exchange.get('table_len')));
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

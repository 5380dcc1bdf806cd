// Hands requests and their answers to the library.

import { MissingSchemaError } from './errors';
import { addressOf, DUE, ERR_MEMORY, ERR_SCHEMA, hpd, type Integer, type Pointer, SIZES } from './library';
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
  const response = attempt.response === undefined ? null : ended(attempt.response);
  // JSON holds no NUL.
  if (request === null || model?.includes('\0') || operation.includes('\0')) {
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

/** The bytes of a text; of bytes whatever class they are of. */
export function bytesOf(text: string | Uint8Array): Buffer {
  return typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.length);
}

/** A text's bytes, and a NUL that ends them; nothing if it holds one. */
function ended(text: string | Uint8Array): Buffer | null {
  const bytes = bytesOf(text);
  return bytes.includes(0) ? null : Buffer.concat([bytes, NUL]);
}

/** The same for any texts; it can say which table's key schema is missing. */
function observeInFull(detector: Pointer, alerts: Alerts, attempt: Attempt): number {
  const { status = 200 } = attempt;
  const [operation, request, response, model] = [attempt.operation, attempt.request, attempt.response, attempt.model].map(
    (text) => (text === undefined ? null : bytesOf(text)),
  );
  const room = Buffer.alloc(TABLE_MAX);
  const exchange = {
    struct_size: SIZES.exchange,
    operation,
    operation_len: operation!.length,
    request,
    request_len: request!.length,
    response,
    response_len: response?.length ?? 0,
    model,
    model_len: model?.length ?? 0,
    http_status: status,
    reserved: 0,
    table: addressOf(room),
    table_capacity: room.length,
    table_len: 0,
  };
  const warnings: [Pointer | null] = [null];
  const actions: Integer = hpd.observeFull(detector, exchange, warnings);
  alerts.tellAll(detector, warnings[0]);
  if (actions === ERR_SCHEMA) {
    throw new MissingSchemaError(room.toString('utf8', 0, exchange.table_len));
  }
  return checked(actions);
}

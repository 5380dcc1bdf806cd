// Lines of a recording: one attempt each, as JSON that the command `hotpart` reads.

import { isUtf8 } from 'node:buffer';
import { bytesOf } from './check';
import type { Attempt } from './exchange';

const SERVICE = 'DynamoDB_20120810.';
const LINE_END = Buffer.from('}\n');
const [CR, LF, SPACE] = [13, 10, 32];

/** Bodies of an attempt as a line has them: JSON, without ends of lines. */
export interface Bodies {
  readonly request: string | Buffer;
  readonly response: string | Buffer;
}

/** Makes the line of an attempt at a time in milliseconds, with its end. */
export function lineOf(time: number, { operation, status = 200, model }: Attempt, bodies: Bodies): Buffer {
  const name = operation.startsWith(SERVICE) ? operation.slice(SERVICE.length) : operation;
  const of = model === undefined ? '' : `,"model":${JSON.stringify(model)}`;
  return Buffer.concat([
    Buffer.from(`{"time_ms":${time},"operation":${JSON.stringify(name)},"request":`),
    bytes(bodies.request),
    Buffer.from(',"response":'),
    bytes(bodies.response),
    Buffer.from(`,"http_status":${status}${of}`),
    LINE_END,
  ]);
}

/** Bodies as they were sent and as they came. */
export function plain({ request, response }: Attempt): Bodies {
  return { request: asItIs(request), response: asItIs(response) };
}

/** Reads a body that is a JSON object; nothing of any other. */
export function objectIn(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = isUtf8(body) ? JSON.parse(body.toString()) : undefined;
    const is = typeof value === 'object' && value !== null && !Array.isArray(value);
    return is ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** A body as JSON: itself if it is an object, else its text. */
function asItIs(body: string | Uint8Array | undefined): string | Buffer {
  const given = bytesOf(body);
  if (given === undefined || given.length === 0) {
    return 'null';
  }
  // To read it takes the most of a line's time, and one line that is none would cost a reader more.
  return objectIn(given) === undefined ? JSON.stringify(given.toString()) : onOneLine(given);
}

/** JSON without ends of lines, which it has between its parts only: in a text they are escaped. */
function onOneLine(json: Buffer): Buffer {
  if (json.includes(LF) || json.includes(CR)) {
    return json.map((byte) => (byte === LF || byte === CR ? SPACE : byte)) as Buffer;
  }
  return json;
}

function bytes(json: string | Buffer): Buffer {
  return typeof json === 'string' ? Buffer.from(json) : json;
}

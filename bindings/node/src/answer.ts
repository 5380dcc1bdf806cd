// Bodies of requests and answers, as the SDK and its handlers have them.

import { Readable } from 'node:stream';
import { bytesOf } from './check';

export interface Request {
  headers: Record<string, string>;
  body?: unknown;
}

export interface Response {
  statusCode: number;
  body?: unknown;
}

/**
 * Reads an answer's body and puts it back, and with it the error that it broke off with. Null: it
 * broke off; nothing: it is of a kind that is not known, or there is none.
 */
export async function read(response: Response | undefined): Promise<Uint8Array | null | undefined> {
  const body = response?.body;
  if (response === undefined || body === undefined || body === null || isText(body)) {
    return isText(body) ? bytesOf(body) : undefined;
  }
  if (body instanceof Blob) {
    return new Uint8Array(await body.arrayBuffer());
  }
  if (typeof (body as AsyncIterable<unknown>)[Symbol.asyncIterator] !== 'function') {
    return undefined;
  }
  const chunks: unknown[] = [];
  try {
    for await (const chunk of body as AsyncIterable<unknown>) {
      chunks.push(chunk);
    }
  } catch (error) {
    response.body = Readable.from(
      (async function* () {
        yield* chunks;
        throw error;
      })(),
    );
    return null;
  }
  const parts = chunks.map(bytesOf);
  if (parts.some((part) => part === undefined)) {
    response.body = Readable.from(chunks);
    return undefined;
  }
  const whole = Buffer.concat(parts as Buffer[]);
  response.body = new Uint8Array(whole);
  return whole;
}

/**
 * A request like this one with another body; this one stays as it is, for those who look at it yet.
 */
export function withBody<R extends Request>(request: R, body: Uint8Array, headers: Record<string, string> = {}): R {
  const lengths = Object.keys(request.headers).filter((name) => name.toLowerCase() === 'content-length');
  const length = Object.fromEntries(lengths.map((name) => [name, String(body.length)]));
  const like: R = Object.assign(Object.create(Object.getPrototypeOf(request) as object), request);
  return Object.assign(like, { body, headers: { ...request.headers, ...headers, ...length } });
}

export function isText(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

export function textOf(body: string | Uint8Array): string {
  return String(bytesOf(body));
}

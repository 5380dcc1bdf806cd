// Watches the AWS SDK's clients: every attempt at a request goes to the detector as it was sent and answered.
//
// Our middleware is the last one before the wire, within the SDK's retries, so it sees each attempt; what it has read of an answer
// it puts back. In capacity mode the request's bytes ask for the capacity besides, before they are signed, and what they asked
// for is taken out of the answer that callers get.

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOf, flag, kindOf, modelOf, objectOf } from './check';
import { HotPartitionDetector } from './detector';
import { ClosedError, MissingSchemaError } from './errors';
import type { Attempt } from './exchange';
import { hpd, outOf, textBytes } from './library';
import { report } from './warning';

/** A client of `@aws-sdk/client-dynamodb` or a document client of `@aws-sdk/lib-dynamodb`. */
export interface DynamoDBLike {
  readonly config: object;
  readonly middlewareStack: { add(middleware: never, options: never): void; remove(middleware: never): boolean };
  send(command: never): Promise<unknown>;
}

export interface InstrumentOptions {
  /**
   * Whether a table whose key schema is needed, and was not seen in traffic, is described (the default): one DescribeTable a table,
   * never again where that was denied.
   */
  describe?: boolean;
  /**
   * Key schemas that are known: a table's partition key, `{ events: 'pk' }`, and those of its indexes, `{ 'events/index/by_user':
   * 'user' }`, of several attributes as an array.
   */
  tables?: Readonly<Record<string, string | readonly string[]>>;
  /** The model that the client's records are made for. */
  model?: string;
}

interface Request {
  headers: Record<string, string>;
  body?: unknown;
}
interface Response {
  statusCode: number;
  body?: unknown;
}
type Next = (args: { request: Request }) => Promise<{ response: Response; output?: Record<string, unknown> }>;

// Milliseconds that a request waits at most for a table to be described.
const PATIENCE = 1_000;
// Lines that a client may log.
const TOLD_MAX = 100;

const watchers = new WeakMap<object, Map<HotPartitionDetector, Watcher>>();
let watched = 0;

/**
 * Makes a client tell `detector` of every request to DynamoDB; of a document client it is the client beneath that does, and the other
 * way round. No request's result changes, and no error in here reaches the caller: it is logged, once. To instrument a client again
 * with the same detector changes the options. Returns `client` itself.
 */
export function instrument<C extends DynamoDBLike>(
  client: C,
  detector: HotPartitionDetector,
  options: InstrumentOptions = {},
): C {
  checkClient(client);
  if (!(detector instanceof HotPartitionDetector)) {
    throw new TypeError(`detector must be a HotPartitionDetector, not ${kindOf(detector)}`);
  }
  if (detector.closed) {
    throw new ClosedError();
  }
  const { describe, tables = {}, model } = objectOf('options', options, ['describe', 'tables', 'model']);
  if (typeof tables !== 'object' || tables === null) {
    throw new TypeError(`tables must be an object, not ${kindOf(tables)}`);
  }
  modelOf(model);
  if (model !== undefined) {
    // Refuses what can be no model's name, before each request would.
    detector.getModelThresholds(model);
  }
  const watcher = new Watcher(client, detector, describe === undefined || flag('describe', describe), model);
  for (const [table, attributes] of Object.entries(tables)) {
    const [name, index] = table.split('/index/', 2) as [string, string?];
    if (index === '') {
      throw new RangeError(`tables must have names of indexes that are not empty, not '${table}'`);
    }
    detector.setKeySchema(name, attributes, index);
  }
  uninstrument(client, detector);
  watcher.add();
  const known = watchers.get(client.middlewareStack) ?? new Map<HotPartitionDetector, Watcher>();
  watchers.set(client.middlewareStack, known.set(detector, watcher));
  return client;
}

/** Undoes `instrument`, for one detector or for all. Returns `client`. */
export function uninstrument<C extends DynamoDBLike>(client: C, detector?: HotPartitionDetector): C {
  checkClient(client);
  if (detector !== undefined && !(detector instanceof HotPartitionDetector)) {
    throw new TypeError(`detector must be a HotPartitionDetector, not ${kindOf(detector)}`);
  }
  const known = watchers.get(client.middlewareStack);
  for (const [of, watcher] of known ?? []) {
    if (detector === undefined || of === detector) {
      watcher.remove();
      known?.delete(of);
    }
  }
  return client;
}

function checkClient(client: unknown): void {
  const { config, middlewareStack } = (client ?? {}) as { config?: { serviceId?: unknown }; middlewareStack?: unknown };
  if (config?.serviceId !== 'DynamoDB' || typeof middlewareStack !== 'object') {
    throw new TypeError(`client must be a DynamoDBClient or a DynamoDBDocumentClient, not ${kindOf(client)}`);
  }
}

/** What watches one client for one detector. */
class Watcher {
  readonly #name = `hotpart-${++watched}`;
  readonly #told = new Set<string>();
  #removed = false;

  constructor(
    private readonly client: DynamoDBLike,
    private readonly detector: HotPartitionDetector,
    private readonly describes: boolean,
    private readonly model: string | undefined,
  ) {}

  add(): void {
    const stack = this.client.middlewareStack as unknown as {
      add(middleware: (next: Next) => Next, options: object): void;
    };
    stack.add((next) => (args) => this.#attempt(next, args), {
      name: this.#name,
      step: 'deserialize',
      priority: 'low',
    });
    if (this.detector.capacity) {
      stack.add((next) => (args) => this.#ask(next, args), {
        name: `${this.#name}-capacity`,
        step: 'serialize',
        priority: 'low',
      });
    }
  }

  remove(): void {
    // A client may have kept the middleware that it had (`cacheMiddleware`).
    this.#removed = true;
    const stack = this.client.middlewareStack as unknown as { remove(name: string): boolean };
    stack.remove(this.#name);
    stack.remove(`${this.#name}-capacity`);
  }

  /** Asks for the capacity in the request's bytes, and keeps the answer to itself. */
  async #ask(next: Next, args: { request: Request }): ReturnType<Next> {
    const body = this.#removed || this.detector.closed ? undefined : asking(args.request);
    if (body === undefined) {
      return next(args);
    }
    args.request.body = body;
    const result = await next(args);
    delete result.output?.['ConsumedCapacity'];
    return result;
  }

  async #attempt(next: Next, args: { request: Request }): ReturnType<Next> {
    let result: Awaited<ReturnType<Next>>;
    try {
      result = await next(args);
    } catch (error) {
      await this.#seen(args.request, 0, undefined);
      throw error;
    }
    if (!this.#removed) {
      const { response } = result;
      const body = await read(response);
      // An answer that broke off is none.
      await this.#seen(args.request, body === null ? 0 : (response?.statusCode ?? 0), body ?? undefined);
    }
    return result;
  }

  /** Tells the detector of an attempt, and sees to the key schemas that it needs first. Never fails. */
  async #seen(request: Request, status: number, response: Uint8Array | undefined): Promise<void> {
    try {
      if (this.#removed) {
        return;
      }
      if (this.detector.closed) {
        uninstrument(this.client, this.detector);
        return;
      }
      const operation = request.headers['x-amz-target'];
      if (operation === undefined || !isText(request.body)) {
        this.#failed(new TypeError('the client speaks a protocol other than JSON'));
        return;
      }
      const attempt = { operation, request: request.body, response, status, model: this.model };
      const missing = this.#tell(attempt);
      if (missing !== undefined) {
        // It goes on without the caller, if DynamoDB is slow to describe the table.
        await Promise.race([this.#learn(missing, attempt), sleep(PATIENCE, undefined, { ref: false })]);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Tells the detector; returns the table whose key schema it needs first, if so. */
  #tell(attempt: Attempt): string | undefined {
    try {
      this.detector.observed(attempt);
      return undefined;
    } catch (error) {
      if (error instanceof MissingSchemaError) {
        return error.table;
      }
      throw error;
    }
  }

  /**
   * Has the table described, if nobody else does, and tells again of what has waited for that; which may need another table next.
   * Never fails.
   */
  async #learn(missing: string, attempt: Attempt): Promise<void> {
    const { schemas } = this.detector;
    const todo: [string, Attempt][] = [[missing, attempt]];
    for (let next = todo.pop(); next !== undefined && !this.detector.closed; next = todo.pop()) {
      const [table, one] = next;
      let needs: string | undefined;
      try {
        // It may have been described meanwhile.
        needs = schemas.known(table) ? this.#tell(one) : table;
      } catch (error) {
        // The others are told all the same.
        this.#failed(error);
      }
      if (needs === undefined) {
        continue;
      }
      if (needs !== table) {
        todo.push([needs, one]);
      } else if (!this.describes) {
        this.#failed(new MissingSchemaError(table));
      } else if (schemas.wants(table, one, one.status === 200, () => this.#full(table))) {
        try {
          // Its own attempts are observed too: so the detector learns.
          await this.#describe(named(table, one.request));
          todo.push(...schemas.described(table).map((waited): [string, Attempt] => [table, waited]));
        } catch (error) {
          this.#log(
            `the key schema of table '${table}' is needed and DescribeTable failed (${schemas.refused(table, error)}): its requests ` +
              `are not counted; pass tables: { '${table}': its partition key } to instrument`,
            error,
          );
        }
      } else if (schemas.settled(table)) {
        // An index that has been made since, or there is none.
        this.#failed(new MissingSchemaError(table, /"IndexName"\s*:\s*"([^"\\]+)"/.exec(textOf(one.request))?.[1]));
      }
    }
  }

  async #describe(TableName: string): Promise<void> {
    const { DescribeTableCommand } = await import('@aws-sdk/client-dynamodb');
    await this.client.send(new DescribeTableCommand({ TableName }) as never);
  }

  #full(table: string): void {
    this.#log(`too many requests wait for the key schema of table '${table}': some are not counted`, undefined);
  }

  /** Logs the first error, and the first of each table without a schema; the others would say the same. */
  #failed(error: unknown): void {
    const what = error instanceof MissingSchemaError ? error.message : '';
    if (!this.#told.has(what) && this.#told.size < TOLD_MAX) {
      this.#told.add(what);
      this.#log(
        `a request to DynamoDB could not be observed: ${error instanceof Error ? error.message : error}`,
        error,
      );
    }
  }

  #log(message: string, error: unknown): void {
    const { logger } = this.detector.listener;
    if (logger !== null) {
      report(logger, `hotpart: ${message}`, error);
    }
  }
}

/** The request's bytes with the capacity asked for; nothing if the caller asks for it, or the operation does not tell it. */
function asking({ headers, body }: Request): Buffer | undefined {
  const operation = headers['x-amz-target'];
  if (operation === undefined || !isText(body)) {
    return undefined;
  }
  const [name, bytes] = [Buffer.from(operation), bytesOf(body) as Buffer];
  const [asks, text] = outOf((out) => hpd.askCapacity(name, name.length, bytes, bytes.length, out));
  return asks === 1 ? textBytes(text) : undefined;
}

/**
 * Reads an answer's body and puts it back, and with it the error that it broke off with. Null: it broke off; nothing: it is of a kind
 * that is not known, or there is none.
 */
async function read(response: Response | undefined): Promise<Uint8Array | null | undefined> {
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

/** What the request calls the table: one of another account has no other name than its ARN. */
function named(table: string, request: string | Uint8Array): string {
  const arns = textOf(request).match(/"arn:[^"\\]*:table\/[^"\\/]+["/]/g) ?? [];
  return arns.map((arn) => arn.slice(1, -1)).find((arn) => arn.endsWith(`:table/${table}`)) ?? table;
}

function isText(body: unknown): body is string | Uint8Array {
  return typeof body === 'string' || body instanceof Uint8Array;
}

function textOf(body: string | Uint8Array): string {
  return String(bytesOf(body));
}

// Watches one client: every attempt at a request goes to the detector as it was sent and answered.
//
// Our middleware is the last one before the wire, within the SDK's retries, so it sees each
// attempt; what it has read of an answer it puts back. In capacity mode the request's bytes ask for
// the capacity besides, before they are signed, and what they asked for is taken out of the answer
// that callers get.

import { randomBytes } from 'node:crypto';
import { isText, type Request, type Response, read, textOf, withBody } from './answer';
import { bytesOf } from './check';
import { Departure } from './departure';
import { type Context, describeTable } from './description';
import type { HotPartitionDetector } from './detector';
import { MissingSchemaError } from './errors';
import type { Attempt } from './exchange';
import { Failures } from './failures';
import { hpd, outOf, textBytes } from './library';

type Next = (args: { request: Request }) => Promise<{ response: Response; output?: Record<string, unknown> }>;
type Middleware = (next: Next, context: Context) => Next;

interface Stack {
  add(middleware: Middleware, options: object): void;
  addRelativeTo(middleware: Middleware, options: object): void;
  remove(name: string): boolean;
  removeByTag(tag: string): boolean;
}

interface Client {
  readonly config: { readonly requestHandler?: object };
  readonly middlewareStack: object;
}

// Milliseconds that a request waits at most for a table to be described.
const PATIENCE = 1_000;

// Another copy of this package, or one in another realm, may watch the same client.
const TAG = `hotpart-${randomBytes(6).toString('hex')}`;
const names = new WeakMap<HotPartitionDetector, string>();
const watchers = new WeakMap<object, Map<HotPartitionDetector, Watcher>>();
let numbered = 0;

/**
 * Names a detector's middleware, alike on every stack, so that it is found again on a clone of one.
 */
function nameOf(detector: HotPartitionDetector): string {
  const name = names.get(detector) ?? `${TAG}-${++numbered}`;
  names.set(detector, name);
  return name;
}

/** Takes what watches a client for a detector, or for all of them, off its stack. */
export function unwatch({ middlewareStack }: Client, detector?: HotPartitionDetector): void {
  const known = watchers.get(middlewareStack);
  for (const [of, watcher] of known ?? []) {
    if (detector === undefined || of === detector) {
      watcher.stop();
      known?.delete(of);
    }
  }
  // The stack may be a clone of one that we know.
  const stack = middlewareStack as Stack;
  if (detector === undefined) {
    stack.removeByTag(TAG);
  } else {
    stack.remove(nameOf(detector));
    stack.remove(`${nameOf(detector)}-capacity`);
  }
}

/** Watches one client for one detector. */
export class Watcher {
  /**
   * How often it was stopped: a client may keep middleware that it had before that
   * (`cacheMiddleware`), a clone has its own.
   */
  #stopped = 0;

  constructor(
    private readonly client: Client,
    private readonly detector: HotPartitionDetector,
    private readonly describes: boolean,
    private readonly model: string | undefined,
  ) {}

  /** Starts to watch, in place of what watched this client for this detector. */
  start(): void {
    unwatch(this.client, this.detector);
    const stack = this.client.middlewareStack as Stack;
    const name = nameOf(this.detector);
    const common = { tags: [TAG], override: true };
    const add: Middleware = (next, context) => this.#unlessStopped(next, (args) => this.#attempt(next, args, context));
    stack.add(add, { ...common, name, step: 'deserialize', priority: 'low' });
    if (this.detector.capacity) {
      // Inside what traces calls at the step "build", which is to see neither the question nor the
      // answer.
      const place = { relation: 'before', toMiddleware: 'retryMiddleware' };
      const ask: Middleware = (next) => this.#unlessStopped(next, (args) => this.#ask(next, args));
      stack.addRelativeTo(ask, { ...common, ...place, name: `${name}-capacity` });
    }
    const known = watchers.get(stack) ?? new Map<HotPartitionDetector, Watcher>();
    watchers.set(stack, known.set(this.detector, this));
  }

  stop(): void {
    this.#stopped++;
  }

  #unlessStopped(next: Next, own: Next): Next {
    const stopped = this.#stopped;
    return (args) => (stopped === this.#stopped ? own(args) : next(args));
  }

  /** Asks for the capacity in the request's bytes, and keeps the answer to itself. */
  async #ask(next: Next, args: { request: Request }): ReturnType<Next> {
    const body = this.detector.closed ? undefined : asking(args.request);
    if (body === undefined) {
      return next(args);
    }
    const result = await next({ ...args, request: withBody(args.request, body) });
    delete result.output?.['ConsumedCapacity'];
    return result;
  }

  async #attempt(next: Next, args: { request: Request }, context: Context): ReturnType<Next> {
    const stopped = this.#stopped;
    const departure = new Departure(args.request, this.client.config.requestHandler);
    let result: Awaited<ReturnType<Next>>;
    try {
      result = await next(args);
    } catch (error) {
      departure.over();
      if (stopped === this.#stopped && departure.mayHaveRun(error)) {
        await this.#seen(args.request, 0, undefined, context);
      }
      throw error;
    }
    departure.over();
    if (stopped === this.#stopped) {
      const { response } = result;
      const body = await read(response);
      // An answer that broke off is none.
      await this.#seen(args.request, body === null ? 0 : (response?.statusCode ?? 0), body ?? undefined, context);
    }
    return result;
  }

  /**
   * Tells the detector of an attempt, and sees to the key schemas that it needs first. Never fails.
   */
  async #seen(request: Request, status: number, response: Uint8Array | undefined, context: Context): Promise<void> {
    try {
      if (this.detector.closed) {
        unwatch(this.client, this.detector);
        return;
      }
      const operation = request.headers['x-amz-target'];
      if (operation === undefined || !isText(request.body)) {
        throw new TypeError('the client speaks a protocol other than JSON');
      }
      const attempt = { operation, request: request.body, response, status, model: this.model };
      const missing = this.#tell(attempt);
      if (missing !== undefined) {
        // It goes on without the caller, if DynamoDB is slow to describe the table.
        await patiently(this.#learn(missing, attempt, context), context.__smithy_context?.abortSignal);
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
   * Has the table described, if nobody else does, and tells again of what has waited for that;
   * which may need another table next. Never fails.
   */
  async #learn(missing: string, attempt: Attempt, context: Context): Promise<void> {
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
          await describeTable(this.client, context, named(table, one.request));
          todo.push(...schemas.described(table).map((waited): [string, Attempt] => [table, waited]));
        } catch (error) {
          Failures.of(this.detector).log(
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

  #full(table: string): void {
    const message = `too many requests wait for the key schema of table '${table}': some are not counted`;
    Failures.of(this.detector).log(message, undefined);
  }

  #failed(error: unknown): void {
    Failures.of(this.detector).add(error);
  }
}

/** Waits for what never fails; not for long, nor once the caller has aborted the request. */
async function patiently(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  let enough = () => {};
  const waited = new Promise<void>((resolve) => (enough = resolve));
  const timer = setTimeout(enough, PATIENCE).unref();
  if (signal?.aborted) {
    enough();
  }
  // A signal need not be Node's own.
  signal?.addEventListener?.('abort', enough);
  await Promise.race([work, waited]);
  signal?.removeEventListener?.('abort', enough);
  clearTimeout(timer);
}

/**
 * The request's bytes with the capacity asked for; nothing if the caller asks for it, or the
 * operation does not tell it.
 */
function asking({ headers, body }: Request): Buffer | undefined {
  const operation = headers['x-amz-target'];
  if (operation === undefined || !isText(body)) {
    return undefined;
  }
  const [name, bytes] = [Buffer.from(operation), bytesOf(body) as Buffer];
  const [asks, text] = outOf((out) => hpd.askCapacity(name, name.length, bytes, bytes.length, out));
  return asks === 1 ? textBytes(text) : undefined;
}

/** Finds what the request calls the table: one of another account has no name but its ARN. */
function named(table: string, request: string | Uint8Array): string {
  const arns = textOf(request).match(/"arn:[^"\\]*:table\/[^"\\/]+["/]/g) ?? [];
  return arns.map((arn) => arn.slice(1, -1)).find((arn) => arn.endsWith(`:table/${table}`)) ?? table;
}

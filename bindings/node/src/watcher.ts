// Watches one client: every attempt at a request goes to the detector as it was sent and answered.
//
// Our middleware is the last one before the wire, within the SDK's retries, so it sees each
// attempt; what it has read of an answer it puts back. In capacity mode the request's bytes ask for
// the capacity besides, before they are signed, and the answer is given back as it would have been
// without that.

import { randomBytes } from 'node:crypto';
import { isText, type Request, type Response, read, textOf } from './answer';
import { type Args, asking, giveBack } from './capacity';
import { Departure } from './departure';
import { type Context, describeTable } from './description';
import type { HotPartitionDetector } from './detector';
import { MissingSchemaError } from './errors';
import type { Attempt } from './exchange';
import { Failures } from './failures';
import type { Recorder } from './recorder';
import type { Want } from './wanted';

type Next = (args: Args) => Promise<{ response: Response; output?: Record<string, unknown> }>;
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
const DENIED = new Set(['AccessDeniedException', 'AccessDenied', 'UnauthorizedOperation']);

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
    stack.remove(`${nameOf(detector)}-given-back`);
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
    private readonly recorder: Recorder | undefined,
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
      // Inside what traces calls at the step "build", which is not to see the question.
      const before = { ...common, relation: 'before' };
      const ask: Middleware = (next) => this.#unlessStopped(next, (args) => this.#ask(next, args));
      stack.addRelativeTo(ask, { ...before, name: `${name}-capacity`, toMiddleware: 'retryMiddleware' });
      // Whatever is between the two sees the answer that the caller gets.
      const own = { ...before, name: `${name}-given-back`, toMiddleware: 'deserializerMiddleware' };
      stack.addRelativeTo(givingBack, own);
    }
    const known = watchers.get(stack) ?? new Map<HotPartitionDetector, Watcher>();
    watchers.set(stack, known.set(this.detector, this));
  }

  stop(): void {
    this.#stopped++;
    this.recorder?.release();
  }

  #unlessStopped(next: Next, own: Next): Next {
    const stopped = this.#stopped;
    return (args) => (stopped === this.#stopped ? own(args) : next(args));
  }

  /** Asks for the capacity in the request's bytes. */
  async #ask(next: Next, args: Args): ReturnType<Next> {
    const all = this.detector.closed ? undefined : asking(args);
    // Here too: what is in between may have made a call of its own of this one.
    return all === undefined ? next(args) : givingBack(next)(all);
  }

  async #attempt(next: Next, args: Args, context: Context): ReturnType<Next> {
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
   * Tells the detector of an attempt, and sees to the key schemas that are needed. Never fails.
   */
  async #seen(request: Request, status: number, response: Uint8Array | undefined, context: Context): Promise<void> {
    try {
      if (this.detector.closed) {
        unwatch(this.client, this.detector);
        return;
      }
      const operation = request.headers['x-amz-target'];
      if (operation === undefined || !isText(request.body)) {
        throw new TypeError("it has no header X-Amz-Target or no text, so it is not in DynamoDB's JSON");
      }
      this.#tell({ operation, request: request.body, response, status, model: this.model });
      // Where DynamoDB has not answered, or by a fault, it has other troubles.
      const wanted = this.describes && status >= 200 && status < 500 ? this.detector.wanted.take() : [];
      if (wanted.length > 0) {
        await this.#describe(wanted, context);
      }
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Tells the detector. Notes the tables whose key schemas it needs. */
  #tell(attempt: Attempt): void {
    this.recorder?.write(attempt);
    try {
      this.detector.observed(attempt);
    } catch (error) {
      if (!(error instanceof MissingSchemaError)) {
        throw error;
      }
      // Another client of the detector may describe it, and is not asked for a minute.
      error.tables.forEach((table) => this.detector.wanted.add(table, named(table, attempt.request)));
      if (!this.describes) {
        error.tables.forEach((table) => this.#unknown(table, 'the table is not to be described', error));
      }
    }
  }

  /**
   * Has tables described. Their own attempts are observed too: so the detector learns, and records
   * what has waited. Never fails, and goes on without the caller if DynamoDB is slow.
   */
  async #describe(tables: readonly Want[], context: Context): Promise<void> {
    const { wanted } = this.detector;
    const describing = tables.map(async (want) => {
      await describeTable(this.client, context, want.name)
        .then(() => wanted.met(want))
        .catch((error) => this.#undescribed(want, error))
        .catch((error) => this.#failed(error));
    });
    // Nobody waits for what has failed before.
    const first = describing.filter((_, i) => tables[i]?.failures === 0);
    await patiently(Promise.all(first), context.__smithy_context?.abortSignal);
  }

  #undescribed(want: Want, error: unknown): void {
    const { table } = want;
    const { wanted, closed } = this.detector;
    const why = (error as { name?: string } | null)?.name || String(error);
    const denied = DENIED.has(why);
    this.#unknown(table, `DescribeTable failed (${why})`, error, denied);
    if (!denied) {
      wanted.failed(want);
    } else {
      wanted.met(want);
      if (!closed) {
        this.detector.forgetTable(table);
      }
    }
  }

  #unknown(table: string, what: string, error: unknown, denied = false): void {
    const so = denied ? 'are not counted' : 'wait until it is known, or are not counted';
    const message =
      `the key schema of table '${table}' is needed and ${what}: its requests ${so}; ` +
      `pass tables: { '${table}': its partition key } to instrument`;
    Failures.of(this.detector).add(error, message);
  }

  #failed(error: unknown): void {
    Failures.of(this.detector).add(error);
  }
}

/** Waits for what never fails; not for long, nor once the caller has aborted the request. */
async function patiently(work: Promise<unknown>, signal: AbortSignal | undefined): Promise<void> {
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

/** Gives back what the caller asked for. */
function givingBack(next: Next): Next {
  return async (args) => {
    const result = await next(args);
    giveBack(args, result.output);
    return result;
  };
}

/** Finds what the request calls the table: one of another account has no name but its ARN. */
function named(table: string, request: string | Uint8Array): string {
  const arns = textOf(request).match(/"arn:[^"\\]*:table\/[^"\\/]+["/]/g) ?? [];
  return arns.map((arn) => arn.slice(1, -1)).find((arn) => arn.endsWith(`:table/${table}`)) ?? table;
}

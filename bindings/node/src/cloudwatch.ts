// Lines of closed minutes, for CloudWatch Logs: what a fleet of Lambda functions has instead of a scrape.

import { kindOf, type Name, objectOf, whole } from './check';
import { HotPartitionDetector } from './detector';
import { ClosedError, HotpartError } from './errors';
import type { ClosedMinute } from './hottest';
import { OPERATIONS } from './library';
import { Totals } from './totals';
import { report } from './warning';

const MINUTE = 60;
// The clock here may be a second off the library's, which judges by whole ones.
const DOUBT = 3;

export interface MinuteLinesOptions {
  /** How many partitions of each operation have a line; 10 by default. Those left out are in the line of all others. */
  hottest?: number;
  /** The demand in a minute from which a partition has a line: operations or, in capacity mode, units; 1 by default. */
  least?: number;
  /** How long after its end a minute is written, 0 to 60, so that calls of its last moment have returned; 2 by default. */
  graceSeconds?: number;
  /** Called with each line, which has no end of line. Standard output by default. */
  write?: (line: string) => void;
  /** The CloudWatch namespace of the totals, in the Embedded Metric Format; 'hotpart' by default. Null: no totals. */
  namespace?: string | null;
  /** The totals' dimensions, 30 at most. Each set of values makes metrics of its own, which cost. */
  dimensions?: Readonly<Record<string, string>>;
}

/**
 * Writes the closed minutes of a detector, each once. Make one for a detector, in one thread, when the detector is made.
 *
 *     const detector = HotPartitionDetector.forDynamoDB({ windowSeconds: 900 });
 *     const lines = new MinuteLines(detector);
 *     export const handler = lines.wrap(async (event) => { ... });
 *
 * A minute is written once it is over: a line for each of its hottest partitions, and one of what all others had together. No
 * operation is in two lines. So the sum of lines, such as a rule of Contributor Insights makes, is what was recorded.
 */
export class MinuteLines {
  readonly #detector: HotPartitionDetector;
  readonly #hottest: number;
  readonly #least: number;
  readonly #grace: number;
  readonly #write: (line: string) => void;
  readonly #totals: Totals | undefined;
  /** The next minute to write. */
  #next: number;
  /** How many were lost of which no line has told. */
  #lost = 0;

  /**
   * @param detector Its window must be 120 seconds or more: a minute can be written until it leaves the window. It must be without
   * `memory`. With `maxPartitions`, partitions that were replaced are missing.
   */
  constructor(detector: HotPartitionDetector, options: MinuteLinesOptions = {}) {
    const names = ['hottest', 'least', 'graceSeconds', 'write', 'namespace', 'dimensions'];
    const given = objectOf('options', options, names);
    this.#detector = suitable(detector);
    this.#hottest = whole('hottest', given.hottest ?? 10, 0, 2 ** 31);
    this.#least = number('least', given.least ?? 1, Infinity);
    this.#grace = number('graceSeconds', given.graceSeconds ?? 2, MINUTE);
    if (given.write !== undefined && typeof given.write !== 'function') {
      throw new TypeError(`write must be a function, not ${kindOf(given.write)}`);
    }
    this.#write = given.write ?? print;
    const { namespace = 'hotpart', dimensions = {} } = given;
    this.#totals = namespace === null ? undefined : new Totals(namespace, dimensions, detector.stats());
    this.#next = this.#gone(detector.now);
  }

  /**
   * Writes all minutes that are over and have not been written. Returns how many those are. What was recorded since is written by
   * a later call, once its minute is over.
   */
  flush(): number {
    const now = this.#detector.now;
    const gone = this.#gone(now);
    if (gone > this.#next) {
      [this.#lost, this.#next] = [this.#lost + gone - this.#next, gone];
    }
    let written = 0;
    while ((this.#next + 1) * MINUTE + this.#grace <= now) {
      const minute = this.#next;
      const closed = this.#closed(minute);
      if (closed === undefined) {
        if (now - minute * MINUTE < this.#detector.windowSeconds - DOUBT) {
          // It is not over by the library's clock.
          break;
        }
        this.#next++;
        this.#lost++;
        continue;
      }
      // Lost until it is written whole: what fails then is not written again.
      this.#next++;
      this.#lost++;
      written++;
      this.#writeMinute(minute, closed, now);
      this.#lost--;
    }
    this.#writeRest(written);
    return written;
  }

  /**
   * Returns a function that does what a Lambda handler does and flushes at its end: when its promise is settled, when it calls
   * back, or when it returns. Lambda freezes the process after that, so what is not written then waits for the next call. What
   * fails in writing is logged, and the handler's result is what it was.
   */
  wrap<Handler extends (...given: any[]) => any>(handler: Handler): Handler {
    if (typeof handler !== 'function') {
      throw new TypeError(`handler must be a function, not ${kindOf(handler)}`);
    }
    const flush = () => this.#tryFlush();
    const wrapped = function (this: unknown, ...given: unknown[]): unknown {
      const callback = given.at(-1);
      const calls = given.length > 2 && typeof callback === 'function';
      if (calls) {
        given[given.length - 1] = (...told: unknown[]) => {
          flush();
          return callback(...told);
        };
      }
      let result: unknown;
      try {
        result = handler.apply(this, given);
      } catch (error) {
        flush();
        throw error;
      }
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') {
        return settled(result as PromiseLike<unknown>, flush);
      }
      if (!calls || handler.length < given.length) {
        flush();
      }
      return result;
    };
    // Lambda judges by it whether the handler calls back.
    Object.defineProperty(wrapped, 'length', { value: handler.length, configurable: true });
    Object.defineProperty(wrapped, 'name', { value: handler.name, configurable: true });
    return wrapped as Handler;
  }

  #tryFlush(): void {
    try {
      this.flush();
    } catch (error) {
      if (!(error instanceof ClosedError)) {
        const { logger } = this.#detector.closed ? { logger: console } : this.#detector.listener;
        report(logger ?? console, 'hotpart: closed minutes could not be written', error);
      }
    }
  }

  /** The first minute that may be in the window still. */
  #gone(now: number): number {
    return Math.max(0, Math.ceil((now - this.#detector.windowSeconds - DOUBT) / MINUTE));
  }

  /** The counts of a minute for each operation; nothing if they can't be had. */
  #closed(minute: number): ClosedMinute[] | undefined {
    try {
      return OPERATIONS.map((operation) => this.#detector.hottestClosed(operation, minute, this.#hottest));
    } catch (error) {
      if (error instanceof RangeError) {
        return undefined;
      }
      throw error;
    }
  }

  #writeMinute(minute: number, closed: ClosedMinute[], now: number): void {
    const at = { time: wallMs(now - minute * MINUTE), minute };
    for (const [i, operation] of OPERATIONS.entries()) {
      let { partitions, rest } = closed[i] as ClosedMinute;
      for (const { table, pk, count, throttles, demand, peak } of partitions) {
        if (demand < this.#least) {
          rest += count;
          continue;
        }
        const key = this.#detector.redacted(table, pk) ?? text(pk);
        const of = { hotpart: 'partition', ...at, table: text(table), pk: key, operation };
        this.#write(JSON.stringify({ ...of, count, throttles, demand, peak }));
      }
      // None is 0: to add nothing costs a line.
      if (rest > 0) {
        this.#write(JSON.stringify({ hotpart: 'rest', ...at, operation, count: rest }));
      }
    }
  }

  /** Writes how many minutes were lost, and the totals, if there is a reason to. */
  #writeRest(written: number): void {
    const lost = this.#lost;
    if (lost > 0) {
      this.#write(JSON.stringify({ hotpart: 'lost', time: wallMs(0), lost_minutes: lost }));
      this.#lost = 0;
    }
    if (lost + written > 0) {
      const line = this.#totals?.line(this.#detector.stats(), lost, wallMs(0));
      if (line !== undefined) {
        this.#write(line);
      }
    }
  }
}

function suitable(detector: HotPartitionDetector): HotPartitionDetector {
  if (!(detector instanceof HotPartitionDetector)) {
    throw new TypeError(`detector must be a HotPartitionDetector, not ${kindOf(detector)}`);
  }
  if (detector.windowSeconds < 2 * MINUTE) {
    throw new RangeError(`the detector's windowSeconds must be 120 or more, not ${detector.windowSeconds}`);
  }
  try {
    detector.hottestClosed('write', Number.MAX_SAFE_INTEGER, 0);
  } catch (error) {
    // So late a minute never is: that is all that is wrong.
    if (!(error instanceof RangeError)) {
      const isOpen = error instanceof HotpartError && !(error instanceof ClosedError);
      throw isOpen ? new RangeError('the detector must be without memory, by which counts are not exact') : error;
    }
  }
  return detector;
}

function number(argument: string, value: unknown, most: number): number {
  if (typeof value !== 'number') {
    throw new TypeError(`${argument} must be a number, not ${kindOf(value)}`);
  }
  if (!(value >= 0 && value <= most)) {
    throw new RangeError(`${argument} must be 0 to ${most}, not ${value}`);
  }
  return value;
}

/** Resolves as a promise does, after a flush. */
async function settled(result: PromiseLike<unknown>, flush: () => void): Promise<unknown> {
  try {
    return await result;
  } finally {
    flush();
  }
}

function print(line: string): void {
  // Not by `console`, before whose lines Lambda puts words that make them no JSON.
  process.stdout.write(`${line}\n`);
}

function wallMs(ago: number): number {
  return Math.round(Date.now() - ago * 1_000);
}

/** A name as text: bytes that are not UTF-8, and `\`, are `\xNN`, so that no two look the same. */
function text(name: Name): string {
  if (typeof name === 'string') {
    return name.replaceAll('\\', '\\x5C');
  }
  const bytes = Buffer.from(name);
  let shown = '';
  for (let i = 0; i < bytes.length;) {
    const width = [1, 2, 3, 4].find((width) => isText(bytes.subarray(i, i + width))) ?? 0;
    const piece = bytes.subarray(i, i + width);
    shown += width === 0 || piece[0] === 0x5c ? escaped(bytes[i] as number) : piece.toString();
    i += width || 1;
  }
  return shown;
}

const isText = (bytes: Buffer) => Buffer.from(bytes.toString()).equals(bytes);
const escaped = (byte: number) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`;

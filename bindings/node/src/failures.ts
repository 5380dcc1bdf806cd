// Failures in watching clients, or in reading metrics: each kind is said once, and all are counted.

import type { HotPartitionDetector } from './detector';
import { report } from './warning';

// Kinds that are told apart, and so lines that a detector may log: so many of tables without a schema,
// whose names strangers may choose, and as many of all the rest.
const KINDS_MAX = 100;

const known = new WeakMap<HotPartitionDetector, Failures>();

/** The failures of one detector in this thread, whatever clients it watches. */
export class Failures {
  count = 0;
  readonly #tables = new Set<string>();
  readonly #others = new Set<string>();

  private constructor(private readonly detector: HotPartitionDetector) {}

  static of(detector: HotPartitionDetector): Failures {
    const failures = known.get(detector) ?? new Failures(detector);
    known.set(detector, failures);
    return failures;
  }

  /**
   * Counts what went wrong, and says it, what `failed` and why, if nothing of its kind was said before. A `message`
   * is of a table without a schema.
   */
  add(error: unknown, message?: string, failed = 'a request to DynamoDB could not be observed'): void {
    this.count++;
    const kinds = message === undefined ? this.#others : this.#tables;
    const kind = message ?? kindOf(error);
    if (!kinds.has(kind) && kinds.size < KINDS_MAX) {
      kinds.add(kind);
      const why = error instanceof Error ? error.message : String(error);
      this.#log(message ?? `${failed}: ${why}`, error);
    }
  }

  #log(message: string, error: unknown): void {
    const { logger } = this.detector.listener;
    if (logger !== null) {
      report(logger, `hotpart: ${message}`, error);
    }
  }
}

/** Names a failure's kind. Another value or number in the message makes none. */
function kindOf(error: unknown): string {
  const { name = '', code = '', message = String(error) } = (error ?? {}) as Record<string, unknown>;
  const what = String(message).replace(/'[^']*'|"[^"]*"|[0-9.]+/g, '');
  return `${String(name)} ${String(code)} ${what}`;
}

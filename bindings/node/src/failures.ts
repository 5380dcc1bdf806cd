// Failures in watching clients: each kind is said once, and all are counted.

import type { HotPartitionDetector } from './detector';
import { MissingSchemaError } from './errors';
import { report } from './warning';

// Kinds that are told apart, and so lines that a detector may log.
const KINDS_MAX = 100;

const known = new WeakMap<HotPartitionDetector, Failures>();

/** The failures of one detector in this thread, whatever clients it watches. */
export class Failures {
  count = 0;
  readonly #kinds = new Set<string>();

  private constructor(private readonly detector: HotPartitionDetector) {}

  static of(detector: HotPartitionDetector): Failures {
    const failures = known.get(detector) ?? new Failures(detector);
    known.set(detector, failures);
    return failures;
  }

  /** Counts what went wrong, and says it if nothing of its kind was said before. */
  add(error: unknown, message?: string): void {
    this.count++;
    const kind = message ?? kindOf(error);
    if (!this.#kinds.has(kind) && this.#kinds.size < KINDS_MAX) {
      this.#kinds.add(kind);
      const why = error instanceof Error ? error.message : String(error);
      this.#log(message ?? `a request to DynamoDB could not be observed: ${why}`, error);
    }
  }

  #log(message: string, error: unknown): void {
    const { logger } = this.detector.listener;
    if (logger !== null) {
      report(logger, `hotpart: ${message}`, error);
    }
  }
}

/**
 * Names a failure's kind. A table's missing key is a kind of its own; another value or number in
 * the message makes none.
 */
function kindOf(error: unknown): string {
  const { name = '', code = '', message = String(error) } = (error ?? {}) as Record<string, unknown>;
  const what = error instanceof MissingSchemaError ? message : String(message).replace(/'[^']*'|"[^"]*"|[0-9.]+/g, '');
  return `${String(name)} ${String(code)} ${String(what)}`;
}

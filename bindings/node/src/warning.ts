// A warning, and what becomes of it: a line in the log, and the caller's own function.

import { readable } from './check';
import type { Handle } from './handle';
import {
  bytesAt,
  hpd,
  OPERATIONS,
  type Operation,
  outOf,
  type Pointer,
  RULES,
  type Rule,
  textOf,
  Warning,
} from './library';
import { checked } from './status';

/** A partition is hot: its count has reached its threshold. */
export interface HotPartitionWarning {
  /** The table, or `TABLE/index/INDEX`: its bytes (a Buffer) if it is not UTF-8. */
  readonly table: string | Uint8Array;
  /** The partition key, whether keys are redacted or not: its bytes (a Buffer) if it is not UTF-8. */
  readonly pk: string | Uint8Array;
  readonly operation: Operation;
  /**
   * The count that reached the threshold: operations or, in capacity mode, units. By the rule "throttle" it, `peak` and `carried`
   * are throttled attempts in the window.
   */
  readonly count: number;
  /** The threshold that `count` reached; 1 by the rule "throttle". */
  readonly threshold: number;
  /** The seconds that `count` is of: 1 by the rule "second", 5 by "sustained", else the window. */
  readonly windowSeconds: number;
  /** Hot records that gave no warning since the partition's last warning for this operation. */
  readonly suppressed: number;
  /** The largest count of any one second in the window. */
  readonly peak: number;
  /** Which rule is met: "window", "second" (the current one), "sustained" (five seconds), or "throttle". */
  readonly rule: Rule;
  /**
   * `count` divided by its seconds, as a share of DynamoDB's limit a second for a partition: 1 is the limit. Of several `processes`
   * each has an even share of the limit. By the rule "throttle" it is 1.
   */
  readonly utilisation: number;
  /**
   * The largest part of `count` that may belong to other partitions, or be older than the window; 0 if `count` is exact, which it
   * always is without `memory`.
   */
  readonly carried: number;
  /** The line that is logged; with `redact` the key is hashed in it. */
  readonly line: string;
}

/** Where lines go: `console` is one. */
export interface Logger {
  /** Called with each warning's line, and with the notice that `memory` is too small. */
  warn(line: string): void;
  /** Called with what fails in `onWarning` and in watching a client; if it is missing, `warn` is. */
  error?(message: string): void;
}

export interface Listener {
  onWarning?: ((warning: HotPartitionWarning) => void) | undefined;
  logger: Logger | null;
}

/** A warning as the library writes it; its texts live as long as what gave them. */
type NativeWarning = ReturnType<typeof Warning.make>;

/** Tells of one detector's warnings: one after another, when the call that gave them is over. */
export class Alerts {
  readonly #due: HotPartitionWarning[] = [];
  #telling = false;

  constructor(
    readonly listener: Listener,
    readonly handle: Handle,
  ) {}

  /** Tells of what this thread's calls have kept for it. */
  take(detector: Pointer): void {
    const [status, warnings] = outOf((out) => hpd.takeWarnings(detector, out));
    checked(status);
    this.tellAll(detector, warnings);
  }

  /** Tells of warnings that a call gave, and frees them. */
  tellAll(detector: Pointer, warnings: Pointer): void {
    if (warnings === 0n) {
      return;
    }
    try {
      const n = Number(hpd.warningsLen(warnings));
      for (let i = 0; i < n; i++) {
        const native = Warning.make();
        checked(hpd.warningsGet(warnings, i, native.bytes));
        this.#add(detector, native);
      }
    } finally {
      hpd.warningsFree(warnings);
    }
    this.#tell();
  }

  #add(detector: Pointer, native: NativeWarning): void {
    const { capacity, always } = this.handle.shared;
    if (this.#telling && always) {
      // A record by `onWarning` would have it called for ever.
      return;
    }
    const [status, line] = outOf((out) => hpd.logLine(detector, native.bytes, out));
    checked(status);
    this.#due.push(warningOf(native, textOf(line), capacity));
  }

  /** Tells of what is due, and of what comes meanwhile by records that `onWarning` makes. */
  #tell(): void {
    if (this.#telling) {
      return;
    }
    this.#telling = true;
    try {
      for (let warning = this.#due.shift(); warning !== undefined; warning = this.#due.shift()) {
        const { logger, onWarning } = this.listener;
        const { line } = warning;
        attempt(() => logger?.warn(line), 'the warning could not be logged', console);
        attempt(() => onWarning?.(warning as HotPartitionWarning), 'onWarning failed', logger ?? console);
        this.notice();
      }
    } finally {
      this.#telling = false;
    }
  }

  /** Logs that the memory is too small, if it is, and that was not said within an interval. */
  notice(): void {
    attempt(() => this.#logNotice(), 'the notice could not be logged', console);
  }

  #logNotice(): unknown {
    const { logger } = this.listener;
    // Only who logs it takes it: it is given once an interval. And who was told of the warning may have closed the detector.
    if (logger === null || !this.handle.shared.bounded || this.handle.closed) {
      return undefined;
    }
    const [taken, line] = outOf((out) => hpd.noticeTake(this.handle.shared.address, out));
    return checked(taken) === 1 ? logger.warn(textOf(line)) : undefined;
  }
}

function attempt(tell: () => unknown, what: string, logger: Logger): void {
  const failed = (error: unknown) => report(logger, `hotpart: ${what}`, error);
  try {
    const told = tell() as PromiseLike<unknown> | undefined;
    if (typeof told?.then === 'function') {
      told.then(undefined, failed);
    }
  } catch (error) {
    failed(error);
  }
}

/** Logs what went wrong, if that can be logged. */
export function report(logger: Logger, message: string, error: unknown): void {
  const cause = error === undefined ? '' : `: ${error instanceof Error ? error.stack : String(error)}`;
  try {
    if (typeof logger.error === 'function') {
      logger.error(message + cause);
    } else {
      logger.warn(message + cause);
    }
  } catch {
    // There is nobody left to tell.
  }
}

function warningOf(native: NativeWarning, line: string, capacity: boolean): HotPartitionWarning {
  const rule = RULES[native.get('rule')] as Rule;
  // Throttles are attempts, which have no units.
  const units = capacity && rule !== 'throttle' ? 2 : 1;
  return Object.freeze({
    table: readable(bytesAt(native.pointer('table'), native.get('table_len'))),
    pk: readable(bytesAt(native.pointer('pk'), native.get('pk_len'))),
    operation: OPERATIONS[native.get('operation')] as Operation,
    count: native.get('count') / units,
    threshold: native.get('threshold') / units,
    windowSeconds: native.get('window_seconds'),
    suppressed: native.get('suppressed'),
    peak: native.get('peak') / units,
    rule,
    utilisation: native.get('utilisation_permille') / 1_000,
    carried: native.get('carried') / units,
    line,
  });
}

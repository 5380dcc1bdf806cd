// The time on a detector's clock, as far as it can be told without the library.

/** The system's monotonic clock, in seconds. All threads have the same. */
const monotonic = () => Number(process.hrtime.bigint()) / 1e9;

/**
 * Runs beside the library's clock, which starts at the whole second in which a detector is made; within a second of it. A manual
 * one stands at what this thread last set it to.
 */
export class Clock {
  #set = 0;

  /** @param start What `starting` gave; null: it is manual. */
  constructor(readonly start: number | null) {}

  /** Where the clock of a detector that is made now starts. */
  static starting(): number {
    return Math.floor(monotonic());
  }

  /** The seconds since its start. */
  seconds(): number {
    return this.start === null ? this.#set : monotonic() - this.start;
  }

  /** Moves a manual clock forward; an earlier time changes nothing. */
  set(seconds: number): void {
    this.#set = Math.max(this.#set, seconds);
  }
}

// Recording: each attempt that a detector is told of becomes a line.

import type { HotPartitionDetector } from './detector';
import type { Attempt } from './exchange';
import { Failures } from './failures';
import { lineOf, plain } from './line';
import { redacted } from './redaction';
import type { Failed, Sink } from './sink';

/** Records what one client tells one detector of. */
export class Recorder {
  readonly #redacts: boolean;
  readonly #sink: Sink;
  #released = false;

  constructor(
    private readonly detector: HotPartitionDetector,
    begin: (failed: Failed) => Sink,
  ) {
    this.#redacts = detector.redacted('?', '') !== null;
    this.#sink = begin((error) => this.#failed(error));
  }

  /** Writes an attempt's line, without its values where the detector redacts keys. Never fails. */
  write(attempt: Attempt): void {
    if (this.#released) {
      // A clone of the client's middleware may have outlived it.
      return;
    }
    try {
      const bodies = this.#redacts ? redacted(this.detector, attempt) : plain(attempt);
      this.#sink.write(lineOf(Date.now(), attempt, bodies));
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Ends the recording. What waits is written yet. */
  release(): void {
    this.#released = true;
    this.#sink.release();
  }

  #failed(error: unknown): void {
    Failures.of(this.detector).add(error, undefined, 'a request to DynamoDB could not be recorded');
  }
}

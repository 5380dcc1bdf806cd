// Which tables were asked for their key schema, because traffic has not shown it: each once, whoever needs it first.

import type { Attempt } from './exchange';

// What may wait for a table's description, in attempts and in bytes; what comes beyond is not counted.
const WAITING_MAX = 10_000;
const BYTES_MAX = 32 * 2 ** 20;
// Milliseconds before a table is asked for again, because that failed or because it may have changed since: a minute, so that
// neither doubles the traffic.
const AGAIN = 60_000;
const DENIED = new Set(['AccessDeniedException', 'AccessDenied', 'UnauthorizedOperation']);

interface Asked {
  /** When it may be asked for (again). */
  after: number;
  /** Whether somebody is asking, and so attempts wait. */
  pending: boolean;
  /** Whether it was described. */
  done: boolean;
  waiting: Attempt[];
  bytes: number;
  /** Whether there was no room for an attempt. */
  full: boolean;
}

/** The tables of one detector, in this thread. */
export class Schemas {
  readonly #asked = new Map<string, Asked>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether the table was described: then what needed its schema may be told again. */
  known(table: string): boolean {
    return this.#asked.get(table)?.done ?? false;
  }

  /** Whether the table was described, and will not be again soon. */
  settled(table: string): boolean {
    const asked = this.#of(table);
    return asked.done && !asked.pending && this.now() < asked.after;
  }

  /**
   * Whether the caller is to describe the table now. If not, the attempt waits, if it may be of use. `answered`: whether DynamoDB
   * has answered that attempt as it should; else it has other troubles. `full` is called, once, if there is no room for it.
   */
  wants(table: string, attempt: Attempt, answered: boolean, full: () => void): boolean {
    const asked = this.#of(table);
    const due = this.now() >= asked.after;
    if (asked.pending || due) {
      wait(asked, attempt, full);
    }
    if (!due || !answered) {
      return false;
    }
    // Whoever comes within a minute relies on this one; after that something has gone wrong with it.
    asked.after = this.now() + AGAIN;
    asked.pending = true;
    return true;
  }

  /** The table was described: takes out what has waited for that. */
  described(table: string): Attempt[] {
    const asked = this.#of(table);
    asked.done = true;
    return emptied(asked);
  }

  /** The table was not described. Where that is denied it is never asked for again. Returns why. */
  refused(table: string, error: unknown): string {
    const asked = this.#of(table);
    const name = (error as { name?: string }).name ?? '';
    asked.after = DENIED.has(name) ? Infinity : this.now() + AGAIN;
    emptied(asked);
    return name || String(error);
  }

  #of(table: string): Asked {
    let asked = this.#asked.get(table);
    if (asked === undefined) {
      asked = { after: -Infinity, pending: false, done: false, waiting: [], bytes: 0, full: false };
      this.#asked.set(table, asked);
    }
    return asked;
  }
}

function wait(asked: Asked, attempt: Attempt, full: () => void): void {
  const size = attempt.request.length + (attempt.response?.length ?? 0);
  if (asked.waiting.length < WAITING_MAX && asked.bytes + size <= BYTES_MAX) {
    asked.waiting.push(attempt);
    asked.bytes += size;
  } else if (!asked.full) {
    asked.full = true;
    full();
  }
}

function emptied(asked: Asked): Attempt[] {
  asked.pending = false;
  asked.bytes = 0;
  return asked.waiting.splice(0);
}

// Which tables' key schemas are wanted of DynamoDB: those that the library asks for, until they are
// described. It asks for a table once a minute at most, so what fails is tried again from here.

// Tables that are kept. For others the library asks again.
const TABLES_MAX = 1_000;
// Milliseconds before a table is asked for again after the first failure. Each further one doubles
// them, up to a minute.
const AGAIN = 1_000;
const AGAIN_MAX = 60_000;
// Milliseconds that a description may take: an SDK may have no limit of its own. Then another is
// made.
const LIMIT = 60_000;
// Milliseconds in which the library asks once for a table.
const ASKS = 60_000;

/** A table that is wanted. */
export interface Want {
  readonly table: string;
  /** The name or ARN to ask for it by. */
  readonly name: string;
  /** How often that has failed. */
  readonly failures: number;
}

interface State extends Want {
  failures: number;
  /** When it may be asked for. */
  after: number;
  /** Until when it is of use: then what waits for it is too old to be counted. */
  until: number;
}

/** The tables of one detector, of this window in seconds, in this thread. */
export class Wanted {
  readonly #tables = new Map<string, State>();
  readonly #use: number;

  constructor(
    windowSeconds: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#use = windowSeconds * 1_000 + ASKS;
  }

  /** The library asks for a table. */
  add(table: string, name: string): void {
    const until = this.now() + this.#use;
    const state = this.#tables.get(table);
    if (state !== undefined) {
      state.until = until;
    } else if (this.#tables.size < TABLES_MAX) {
      this.#tables.set(table, { table, name, failures: 0, after: -Infinity, until });
    }
  }

  /** Takes those that the caller is to ask for now, each of which then is `met` or has `failed`. */
  take(): Want[] {
    if (this.#tables.size === 0) {
      return [];
    }
    const now = this.now();
    const all = [...this.#tables.values()];
    all.filter(({ until }) => now >= until).forEach((state) => this.met(state));
    const due = all.filter(({ after, until }) => now >= after && now < until);
    due.forEach((state) => (state.after = now + LIMIT));
    return due;
  }

  /** The table was described, or it won't be. */
  met({ table }: Want): void {
    this.#tables.delete(table);
  }

  /** The table was not described: later it is to be asked for again. */
  failed({ table }: Want): void {
    const state = this.#tables.get(table);
    if (state !== undefined) {
      state.after = this.now() + Math.min(AGAIN * 2 ** state.failures++, AGAIN_MAX);
    }
  }
}

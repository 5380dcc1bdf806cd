// Which tables' key schemas are wanted of DynamoDB: those that the library asks for, until they are
// described. It asks for a table once a minute at most, so what fails is tried again from here.

// Names that are kept of tables whose description has failed. Beyond them the library asks again.
const FAILED_MAX = 1_000;
// Milliseconds before a table is asked for again after the first failure. Each further one doubles
// them, up to a minute.
const AGAIN = 1_000;
const AGAIN_MAX = 60_000;

/** A table that is wanted. */
export interface Want {
  readonly table: string;
  /** What to ask for it by: its name or ARN. */
  readonly name: string;
  /** How often that has failed. */
  readonly failures: number;
}

interface State extends Want {
  failures: number;
  /** Whether somebody is asking. */
  pending: boolean;
  /** When it may be asked for. */
  after: number;
}

/** The tables of one detector, in this thread. */
export class Wanted {
  readonly #tables = new Map<string, State>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** The library asks for a table. */
  add(table: string, name: string): void {
    if (!this.#tables.has(table)) {
      this.#tables.set(table, { table, name, failures: 0, pending: false, after: -Infinity });
    }
  }

  /** Takes those that the caller is to ask for now, each of which then is `met` or has `failed`. */
  take(): Want[] {
    if (this.#tables.size === 0) {
      return [];
    }
    const now = this.now();
    const due = [...this.#tables.values()].filter(({ pending, after }) => !pending && now >= after);
    due.forEach((state) => (state.pending = true));
    return due;
  }

  /** The table was described, or it won't be. */
  met({ table }: Want): void {
    this.#tables.delete(table);
  }

  /** The table was not described: later it is to be asked for again. */
  failed({ table }: Want): void {
    const state = this.#tables.get(table);
    if (state === undefined) {
      return;
    }
    if (this.#tables.size > FAILED_MAX) {
      this.#tables.delete(table);
    }
    state.pending = false;
    state.after = this.now() + Math.min(AGAIN * 2 ** state.failures++, AGAIN_MAX);
  }
}

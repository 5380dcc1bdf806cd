/** The library refused a call for another reason than its arguments, such as a time for a clock that runs. */
export class HotpartError extends Error {
  override name = 'HotpartError';
}

/** `libhotpart` is missing, can't be loaded, or is of another version. */
export class LibraryError extends HotpartError {
  override name = 'LibraryError';
}

/** The detector has been closed. */
export class ClosedError extends HotpartError {
  override name = 'ClosedError';

  constructor() {
    super('the detector is closed');
  }
}

/**
 * The names of the partition keys of some tables are needed, and unknown. What the request did there
 * waits in the detector, and all else was recorded: don't observe it again.
 */
export class MissingSchemaError extends HotpartError {
  override name = 'MissingSchemaError';

  constructor(
    /** The tables to describe. Each is asked for once a minute at most. */
    readonly tables: readonly string[],
  ) {
    const names = tables.map((name) => `'${name}'`).join(', ');
    super(
      tables.length === 1
        ? `the key schema of table ${names} is not known`
        : `the key schemas of tables ${names} are not known`,
    );
  }

  /** The first of them. */
  get table(): string {
    return this.tables[0] ?? '';
  }
}

/** The library refused a call for a reason that is not its arguments'. */
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

/** The partition key's name of a table is needed to observe a request, and unknown. */
export class MissingSchemaError extends HotpartError {
  override name = 'MissingSchemaError';

  constructor(
    readonly table: string,
    index?: string,
  ) {
    super(`the key schema of ${index === undefined ? '' : `index '${index}' of `}table '${table}' is not known`);
  }
}

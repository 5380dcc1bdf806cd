import { ClosedError, HotpartError } from './errors';
import { ERR_INVALID, ERR_JSON, ERR_NULL, hpd, type Integer } from './library';

/** What a call returned, if it is no error. */
export function checked(status: Integer): number {
  if (status >= 0) {
    return Number(status);
  }
  const message = hpd.statusMessage(Number(status));
  if (status === ERR_NULL) {
    // No other pointer is one.
    throw new ClosedError();
  }
  throw status === ERR_INVALID || status === ERR_JSON ? new RangeError(message) : new HotpartError(message);
}

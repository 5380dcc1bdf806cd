import { ClosedError, HotpartError } from './errors';
import { ERR_INVALID, ERR_JSON, ERR_NULL, hpd, type Integer } from './library';

/** What a call returned, if it is no error. */
export function checked(status: Integer): number {
  if (status >= 0) {
    return Number(status);
  }
  const argument: string = hpd.errorArgument();
  const message = argument === '' ? hpd.statusMessage(Number(status)) : `${spelt(argument)} ${hpd.errorRange()}`;
  if (status === ERR_NULL) {
    // No other pointer is one.
    throw new ClosedError();
  }
  throw status === ERR_INVALID || status === ERR_JSON ? new RangeError(message) : new HotpartError(message);
}

/** An argument that the library has refused, as it is called here. */
function spelt(argument: string): string {
  return argument === 'http_status' ? 'status' : argument.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

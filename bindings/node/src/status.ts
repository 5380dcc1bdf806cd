import { ClosedError, HotpartError } from './errors';
import { ERR_INVALID, ERR_JSON, ERR_NULL, hpd, type Integer } from './library';

/** Returns a call's result, if it is no error. An error names the argument that the library refused, and its value among `given`. */
export function checked(status: Integer, given: object = {}): number {
  if (status >= 0) {
    return Number(status);
  }
  const argument = spelt(hpd.errorArgument());
  const value = (given as Record<string, unknown>)[argument];
  const message =
    argument === ''
      ? hpd.statusMessage(Number(status))
      : `${argument} ${hpd.errorRange()}${value === undefined ? '' : `, not ${value}`}`;
  if (status === ERR_NULL) {
    // No other pointer is one.
    throw new ClosedError();
  }
  throw status === ERR_INVALID || status === ERR_JSON ? new RangeError(message) : new HotpartError(message);
}

const NAMES: Readonly<Record<string, string>> = {
  http_status: 'status',
  filter_bytes: 'memory',
  promote_permille: 'promoteShare',
};

/** An argument that the library has refused, as it is called here. */
function spelt(argument: string): string {
  return NAMES[argument] ?? argument.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}

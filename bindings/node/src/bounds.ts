// Bounds of a count.

import { counted } from './check';
import { hpd, Out, type Pointer } from './library';
import { checked } from './status';

/** Bounds of a partition's count: operations or, in capacity mode, units. */
export interface Bounds {
  /** The part that is known to be the partition's own, and in the window; it may be 0. */
  readonly least: number;
  /** The most that the count can be, which is the count that other methods return. */
  readonly most: number;
}

export function boundsOf(
  detector: Pointer,
  table: Uint8Array,
  pk: Uint8Array,
  operation: number,
  capacity: boolean,
): Bounds {
  const [least, most] = [Out.make(), Out.make()];
  checked(hpd.getBounds(detector, table, table.length, pk, pk.length, operation, least.bytes, most.bytes));
  return { least: counted(least.get('value'), capacity), most: counted(most.get('value'), capacity) };
}

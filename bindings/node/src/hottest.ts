// Snapshots of the hottest partitions.

import { counted, readable } from './check';
import { bytesAt, HotPartition as Native, hpd, OPERATIONS, type Operation, outOf, type Pointer } from './library';
import { checked } from './status';

/** What a partition had of one operation in the window. */
export interface HotPartition {
  readonly table: string | Uint8Array;
  /** The partition key: its bytes (a Buffer) if it is not UTF-8. */
  readonly pk: string | Uint8Array;
  readonly operation: Operation;
  /** Operations or, in capacity mode, units; so are `demand` and `peak`. */
  readonly count: number;
  /** Throttles for its key range. */
  readonly throttles: number;
  /** The count and, for each throttle, one operation or unit more. */
  readonly demand: number;
  /** The fullest second. */
  readonly peak: number;
  /** Its fullest second as a share of DynamoDB's limit for a partition; 1 at least if it was throttled. */
  readonly utilisation: number;
  /** The most of `demand` that may be other partitions', or older than the window, and no more of `count`; 0: both are exact. */
  readonly carried: number;
}

export function hottestOf(detector: Pointer, operation: number, n: number, capacity: boolean): HotPartition[] {
  const [status, snapshot] = outOf((out) => hpd.hottestTake(detector, operation, n, out));
  checked(status);
  try {
    const len = checked(hpd.hottestLen(snapshot));
    return Array.from({ length: len }, (_, i) => entry(snapshot, i, capacity));
  } finally {
    hpd.hottestFree(snapshot);
  }
}

function entry(snapshot: Pointer, i: number, capacity: boolean): HotPartition {
  const native = Native.make();
  checked(hpd.hottestGet(snapshot, i, native.bytes));
  return {
    table: readable(bytesAt(native.pointer('table'), native.get('table_len'))),
    pk: readable(bytesAt(native.pointer('pk'), native.get('pk_len'))),
    operation: OPERATIONS[native.get('operation')] as Operation,
    count: counted(native.get('count'), capacity),
    throttles: native.get('throttles'),
    demand: counted(native.get('demand'), capacity),
    peak: counted(native.get('peak'), capacity),
    utilisation: native.get('utilisation_permille') / 1_000,
    carried: counted(native.get('carried'), capacity),
  };
}

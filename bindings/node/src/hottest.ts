// Snapshots of the hottest partitions.

import { choice, counted, readable, whole } from './check';
import { bytesAt, HotPartition as Native, hpd, OPERATIONS, type Operation, outOf, type Pointer } from './library';
import { checked } from './status';

/** Numbers of one partition for one operation: in the window or, of a `ClosedMinute`, in its minute. */
export interface HotPartition {
  /** The table, or `TABLE/index/INDEX`: its bytes (a Buffer) if it is not UTF-8. */
  readonly table: string | Uint8Array;
  /** The partition key: its bytes (a Buffer) if it is not UTF-8. */
  readonly pk: string | Uint8Array;
  readonly operation: Operation;
  /** Operations or, in capacity mode, units, as `demand`, `peak` and `carried` are. */
  readonly count: number;
  /** Throttled attempts for its key range. */
  readonly throttles: number;
  /** The count, plus one operation (in capacity mode one unit) for each throttle. */
  readonly demand: number;
  /** The largest count of any one second. */
  readonly peak: number;
  /**
   * Its fullest second as a share of DynamoDB's limit for a partition: 1 is the limit. At least 1 if DynamoDB throttled it for its
   * key range.
   */
  readonly utilisation: number;
  /**
   * The largest part of `demand`, and of `count`, that may belong to other partitions, or be older than the window; 0 if both are
   * exact, which they always are without `memory`.
   */
  readonly carried: number;
}

/** Counts of partitions for one operation in one minute of the detector's clock that is over. */
export interface ClosedMinute {
  /** Those with the most demand in the minute, the most first. All their numbers are of that minute alone. */
  readonly partitions: HotPartition[];
  /** The sum of the counts of all others: operations or, in capacity mode, units. */
  readonly rest: number;
}

const UINT32_MAX = 2 ** 32 - 1;

/** The hottest of one operation, or of both by their utilisation. */
export function hottestOf(detector: Pointer, operation: unknown, n: number, capacity: boolean): HotPartition[] {
  whole('n', n, 0, UINT32_MAX);
  const kinds = operation === undefined ? OPERATIONS.keys() : [choice('operation', operation, OPERATIONS)];
  const found = [...kinds].flatMap((kind) => {
    const taken = outOf((out) => hpd.hottestTake(detector, kind, n, out));
    return read(taken, (snapshot) => entries(snapshot, capacity));
  });
  if (operation === undefined) {
    found.sort((a, b) => b.utilisation - a.utilisation || b.demand - a.demand);
  }
  return found.slice(0, n);
}

/** The hottest of a minute that is over, and the rest. */
export function closedOf(
  detector: Pointer,
  operation: unknown,
  minute: number,
  n: number,
  capacity: boolean,
): ClosedMinute {
  const kind = choice('operation', operation, OPERATIONS);
  whole('minute', minute, 0, Number.MAX_SAFE_INTEGER);
  whole('n', n, 0, UINT32_MAX);
  const taken = outOf((out) => hpd.hottestClosedTake(detector, kind, minute, n, out));
  return read(taken, (snapshot) => {
    const rest = counted(checked(hpd.hottestRest(snapshot)), capacity);
    return { partitions: entries(snapshot, capacity), rest };
  });
}

function read<T>([status, snapshot]: ReturnType<typeof outOf>, of: (snapshot: Pointer) => T): T {
  checked(status);
  try {
    return of(snapshot);
  } finally {
    hpd.hottestFree(snapshot);
  }
}

function entries(snapshot: Pointer, capacity: boolean): HotPartition[] {
  return Array.from({ length: checked(hpd.hottestLen(snapshot)) }, (_, i) => entry(snapshot, i, capacity));
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

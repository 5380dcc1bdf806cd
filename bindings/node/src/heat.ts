// Snapshots: the hottest partitions, and a detector's statistics.

import { counted, readable } from './check';
import {
  bytesAt,
  hpd,
  METRICS_OPEN_METRICS,
  OPERATIONS,
  type Operation,
  type Pointer,
  REASONS,
  type Reason,
  SIZES,
  textOf,
  UNATTRIBUTED,
  type Unattributed,
} from './library';
import { checked } from './status';

/** What a partition had of one operation in the window. */
export interface HotPartition {
  readonly table: string | Buffer;
  /** The partition key: a Buffer if it is not UTF-8. */
  readonly pk: string | Buffer;
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
}

/** Numbers about a detector since it was made; `clear` does not reset them. */
export interface Statistics {
  readonly records: number;
  /** Partitions tracked now. */
  readonly partitions: number;
  /** Bytes that the library holds now. */
  readonly bytes: number;
  /** Idle partitions whose memory was given back. */
  readonly reclaimed: number;
  /** Partitions that lost their counts to a new one at `maxPartitions`. */
  readonly replaced: number;
  /** Partitions that `clear` forgot. */
  readonly cleared: number;
  readonly warnings: number;
  /** Hot records that gave no warning. */
  readonly suppressed: number;
  /** By reason: "key_range" is the one that means a hot partition. */
  readonly throttles: Readonly<Record<Reason, number>>;
  /** What no partition could be charged with, by kind; kinds that end in "_units" are in units. */
  readonly unattributed: Readonly<Record<Unattributed, number>>;
  /** Capacity that was estimated because no answer told it, in units. */
  readonly estimatedUnits: number;
  /** Observed requests of operations that are not known. */
  readonly unknownOperations: number;
}

export function hottestOf(detector: Pointer, operation: number, n: number, capacity: boolean): HotPartition[] {
  const out: [Pointer | null] = [null];
  checked(hpd.hottestTake(detector, operation, n, out));
  const snapshot = out[0] as Pointer;
  try {
    const len = checked(hpd.hottestLen(snapshot));
    return Array.from({ length: len }, (_, i) => entry(snapshot, i, capacity));
  } finally {
    hpd.hottestFree(snapshot);
  }
}

function entry(snapshot: Pointer, i: number, capacity: boolean): HotPartition {
  const native = {
    struct_size: SIZES.hotPartition,
    table: 0n,
    table_len: 0,
    pk: 0n,
    pk_len: 0,
    operation: 0,
    utilisation_permille: 0,
    count: 0,
    throttles: 0,
    demand: 0,
    peak: 0,
  };
  checked(hpd.hottestGet(snapshot, i, native));
  return {
    table: readable(bytesAt(native.table, native.table_len)),
    pk: readable(bytesAt(native.pk, native.pk_len)),
    operation: OPERATIONS[native.operation] as Operation,
    count: counted(native.count, capacity),
    throttles: Number(native.throttles),
    demand: counted(native.demand, capacity),
    peak: counted(native.peak, capacity),
    utilisation: native.utilisation_permille / 1_000,
  };
}

const COUNTS = [
  'records',
  'partitions',
  'bytes',
  'reclaimed',
  'replaced',
  'cleared',
  'warnings',
  'suppressed',
] as const;

export function statisticsOf(detector: Pointer): Statistics {
  const zeros = [...COUNTS, 'estimated_half_units', 'unknown_operations'].map((name) => [name, 0]);
  const native = {
    struct_size: SIZES.statistics,
    ...Object.fromEntries(zeros),
    throttles: REASONS.map(() => 0),
    unattributed: UNATTRIBUTED.map(() => 0),
  };
  checked(hpd.getStatistics(detector, native));
  const unattributed = UNATTRIBUTED.map((kind, i) => [kind, counted(native.unattributed[i]!, kind.endsWith('_units'))]);
  return {
    ...(Object.fromEntries(COUNTS.map((name) => [name, Number(native[name])])) as Record<(typeof COUNTS)[number], number>),
    throttles: Object.fromEntries(REASONS.map((reason, i) => [reason, Number(native.throttles[i])])) as Record<Reason, number>,
    unattributed: Object.fromEntries(unattributed) as Record<Unattributed, number>,
    estimatedUnits: Number(native['estimated_half_units']) / 2,
    unknownOperations: Number(native['unknown_operations']),
  };
}

export function metricsOf(detector: Pointer, hottest: number, openMetrics: boolean): string {
  const flags = openMetrics ? METRICS_OPEN_METRICS : 0;
  const out: [Pointer | null] = [null];
  checked(hpd.metricsTake(detector, { struct_size: SIZES.metricsOptions, hottest, flags, reserved: 0 }, out));
  return textOf(out[0] as Pointer);
}

// Snapshots: the hottest partitions, and a detector's statistics.

import { counted, readable } from './check';
import {
  bytesAt,
  HotPartition as Native,
  hpd,
  METRICS_OPEN_METRICS,
  MetricsOptions,
  OPERATIONS,
  type Operation,
  outOf,
  type Pointer,
  REASONS,
  type Reason,
  Statistics as NativeStatistics,
  textOf,
  UNATTRIBUTED,
  type Unattributed,
} from './library';
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
  const native = NativeStatistics.make();
  checked(hpd.getStatistics(detector, native.bytes));
  const named = <Word extends string>(words: readonly Word[], number: (word: Word, i: number) => number) =>
    Object.fromEntries(words.map((word, i) => [word, number(word, i)])) as Record<Word, number>;
  return {
    ...named(COUNTS, (name) => native.get(name)),
    throttles: named(REASONS, (_, i) => native.get('throttles', i)),
    unattributed: named(UNATTRIBUTED, (kind, i) => counted(native.get('unattributed', i), kind.endsWith('_units'))),
    estimatedUnits: native.get('estimated_half_units') / 2,
    unknownOperations: native.get('unknown_operations'),
  };
}

export function metricsOf(detector: Pointer, hottest: number, openMetrics: boolean): string {
  const options = MetricsOptions.make()
    .set('hottest', hottest)
    .set('flags', openMetrics ? METRICS_OPEN_METRICS : 0);
  const [status, text] = outOf((out) => hpd.metricsTake(detector, options.bytes, out));
  checked(status);
  return textOf(text);
}

// A detector's statistics.

import { counted } from './check';
import {
  hpd,
  type Pointer,
  REASONS,
  type Reason,
  Statistics as Native,
  UNATTRIBUTED,
  type Unattributed,
} from './library';
import { checked } from './status';

/**
 * Numbers about a detector. `partitions`, `bytes` and `filterLoad` are of now. The others count from when it was made, and `clear`
 * does not reset them.
 */
export interface Statistics {
  /** Records made. */
  readonly records: number;
  /** Partitions tracked now; with `memory`, those that are counted exactly. */
  readonly partitions: number;
  /** Bytes that the library holds now for the detector. Key schemas, and requests that wait for one, are not counted. */
  readonly bytes: number;
  /** Idle partitions whose memory was given back. */
  readonly reclaimed: number;
  /** Partitions that were not idle and lost their counts to a new one at `maxPartitions`. */
  readonly replaced: number;
  /** Partitions that `clear` forgot. */
  readonly cleared: number;
  /** Warnings given. */
  readonly warnings: number;
  /** Hot records that gave no warning. */
  readonly suppressed: number;
  /** Throttles by reason: "key_range" is the one that means a hot partition. */
  readonly throttles: Readonly<Record<Reason, number>>;
  /** Amounts charged to no partition, by kind; kinds that end in "_units" are in units. "unread" is `unread` below. */
  readonly unattributed: Readonly<Record<Exclude<Unattributed, 'unread'>, number>>;
  /** Capacity that was estimated because no answer told it, in units. */
  readonly estimatedUnits: number;
  /** Observed requests of operations that this version does not know. */
  readonly unknownOperations: number;
  /**
   * How often, in this thread, it failed to observe or record a request, to describe a table, or to
   * collect metrics. Each kind was logged once.
   */
  readonly failures: number;
  /** Statements, and parts of observed requests, that could not be read. */
  readonly unread: number;
  /** Partitions that came to be counted exactly. This and the next three are of `memory`, and 0 without it. */
  readonly promoted: number;
  /** Partitions that ceased to be counted exactly, as they had become quiet. */
  readonly demoted: number;
  /** Records of partitions that were due to be counted exactly and were not, for want of room. */
  readonly keptOut: number;
  /**
   * How full the filter is: the mean of its cells as a share of the lowest count from which any
   * partition is counted exactly. Over 0.4 `memory` is too small: keys that are not hot warn.
   */
  readonly filterLoad: number;
}

// All kinds but "unread", which has a number of its own.
const KINDS = UNATTRIBUTED.filter((kind) => kind !== 'unread');

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

export function statisticsOf(detector: Pointer, failures: number): Statistics {
  const native = Native.make();
  checked(hpd.getStatistics(detector, native.bytes));
  const named = <Word extends string>(words: readonly Word[], number: (word: Word, i: number) => number) =>
    Object.fromEntries(words.map((word, i) => [word, number(word, i)])) as Record<Word, number>;
  return {
    ...named(COUNTS, (name) => native.get(name)),
    throttles: named(REASONS, (_, i) => native.get('throttles', i)),
    unattributed: named(KINDS, (kind, i) => counted(native.get('unattributed', i), kind.endsWith('_units'))),
    estimatedUnits: native.get('estimated_half_units') / 2,
    unknownOperations: native.get('unknown_operations'),
    failures,
    unread: native.get('unread'),
    promoted: native.get('promoted'),
    demoted: native.get('demoted'),
    keptOut: native.get('kept_out'),
    filterLoad: native.get('filter_load_permille') / 1_000,
  };
}

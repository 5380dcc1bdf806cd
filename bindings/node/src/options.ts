// The options that a detector is made with.

import { amountOf, flag, kindOf, memoryOf, type Name, nearest, objectOf, permille, whole } from './check';
import {
  CLOCK_MANUAL,
  FLAG_CAPACITY,
  FLAG_HASH_SEED,
  FLAG_REDACT_KEYS,
  FLAG_WARN_THROTTLES,
  hpd,
  INTERVAL_WINDOW,
  Options,
} from './library';
import { checked } from './status';
import type { HotPartitionWarning, Listener, Logger } from './warning';

const UINT32_MAX = 2 ** 32 - 1;

/** Options for the warnings that are due to this thread's records. */
export interface ListenerOptions {
  /**
   * Called with each warning, beside the log line, by the thread that recorded, after the record. It may use the detector. What it
   * throws is logged.
   */
  onWarning?: (warning: HotPartitionWarning) => void;
  /** Where the log line goes: `console` by default; null: no line is logged. */
  logger?: Logger | null;
}

/** Options that every way to make a detector takes. */
export interface CommonOptions extends ListenerOptions {
  /**
   * The least time between two warnings for one partition and operation, in seconds; the window by default. With 0 every hot
   * record warns, save those that `onWarning` makes.
   */
  warningIntervalSeconds?: number;
  /**
   * The most partitions that are tracked; by default there is no bound. At the bound a new partition takes the place of an idle one
   * or, if none of a few is idle, of the quietest of those, which loses its counts.
   */
  maxPartitions?: number;
  /**
   * Bounded counting: the memory, in bytes or as "8MiB", of 64 KiB to 1 TiB; not bounded by default. Partitions are counted
   * together in a filter of that size. One that nears its threshold is counted exactly. No hot key is missed, and a warning says in
   * `carried` by how much its count may be too high. Not allowed with `maxPartitions`.
   */
  memory?: number | string;
  /**
   * With `memory`: the share of a partition's lowest threshold from which it is counted exactly, 0.01 to 0.5; 0.25 by default.
   */
  promoteShare?: number;
  /**
   * Whether logs, metrics and recordings have a hash in place of each key. True takes a random secret; 16 secret bytes, not all
   * zero, make the hashes the same in all processes.
   */
  redact?: boolean | Uint8Array;
  /** Whether a partition's first throttle for its key range warns, and later the first after each warning interval. */
  warnOfThrottles?: boolean;
  /** Whether the clock starts at 0 and stands still until `setTime` moves it, for tests. */
  manualClock?: boolean;
  /**
   * The seeds of the hash, each 0 to 2**64 - 1, so that equal calls have equal effects, for tests; random ones by default. Don't
   * set it where strangers choose the keys.
   */
  hashSeed?: readonly [bigint, bigint];
}

/** Options of a detector with thresholds of one's own. */
export interface DetectorOptions extends CommonOptions {
  /** The count of writes in the window from which a partition is hot; more than 0. */
  writesThreshold: number;
  /** The same for reads. */
  readsThreshold: number;
  /** The sliding window, in seconds: 1 to 3,600. */
  windowSeconds: number;
  /** Counts capacity and not operations: amounts, thresholds and counts are in DynamoDB's units, in steps of 0.5. */
  capacity?: boolean;
  /** Write threshold for a single second, independent of the window's; by default there is no such rule. */
  writesPerSecond?: number;
  /** The same for reads. */
  readsPerSecond?: number;
  /**
   * Write threshold for five seconds, the current one and the four before it; by default there is no such rule. It needs a window
   * of 5 seconds or more.
   */
  writesSustained?: number;
  /** The same for reads. */
  readsSustained?: number;
  /**
   * How many processes share the tables' traffic, about evenly; 1 by default. Utilisation is judged by an even share of DynamoDB's
   * limits. Thresholds are not divided.
   */
  processes?: number;
}

/** Options of a detector that warns by DynamoDB's own limits. */
export interface DynamoDBOptions extends CommonOptions {
  /** The share of DynamoDB's limit at which it warns over five seconds: 0.001 to 1; 0.8 by default. */
  share?: number;
  /** How many processes share the traffic evenly, this one included; 1 by default. Each has an even part of the limits. */
  processes?: number;
  /**
   * The window of counts and lists, in seconds: 5 to 3,600; 60 by default. 5 are enough to warn, and take the least `memory`;
   * `hottestClosed` needs 120.
   */
  windowSeconds?: number;
}

/** Options of a record. */
export interface RecordOptions {
  /** How many operations or, in capacity mode, units it adds, more than 0. One if not given. */
  amount?: number;
  /** The kind of the item; its thresholds, if it has any, win over the table's. */
  model?: Name;
}

/** Options as the library takes them. */
export type NativeOptions = ReturnType<typeof Options.make>;

const COMMON = [
  'onWarning',
  'logger',
  'warningIntervalSeconds',
  'maxPartitions',
  'memory',
  'promoteShare',
  'redact',
  'warnOfThrottles',
  'manualClock',
  'hashSeed',
] as const;
const RATES = {
  writesPerSecond: 'writes_per_second',
  readsPerSecond: 'reads_per_second',
  writesSustained: 'writes_sustained',
  readsSustained: 'reads_sustained',
} as const;
const OWN = ['writesThreshold', 'readsThreshold', 'windowSeconds', 'capacity', ...Object.keys(RATES), 'processes'];

export function withThresholds(given: DetectorOptions): NativeOptions {
  objectOf('options', given, [...OWN, ...COMMON]);
  const native = Options.make();
  hpd.optionsInit(native.bytes, Options.size);
  const capacity = flag('capacity', given.capacity);
  native.set('writes_threshold', amountOf('writesThreshold', given.writesThreshold, capacity));
  native.set('reads_threshold', amountOf('readsThreshold', given.readsThreshold, capacity));
  native.set('window_seconds', nearest('windowSeconds', given.windowSeconds, 0, UINT32_MAX));
  native.set('flags', capacity ? FLAG_CAPACITY : 0);
  for (const [name, member] of Object.entries(RATES)) {
    const rate = given[name as keyof typeof RATES];
    if (rate !== undefined) {
      native.set(member, amountOf(name, rate, capacity));
    }
  }
  native.set('processes', whole('processes', given.processes ?? 1, 1, UINT32_MAX));
  return common(native, given);
}

export function forDynamoDB(given: DynamoDBOptions): NativeOptions {
  objectOf('options', given, ['share', 'processes', 'windowSeconds', ...COMMON]);
  const share = permille('share', given.share ?? 0.8, 0.001, 1);
  const processes = whole('processes', given.processes ?? 1, 0, UINT32_MAX);
  const native = Options.make();
  checked(hpd.optionsForDynamodb(native.bytes, Options.size, share, processes), given);
  if (given.windowSeconds !== undefined) {
    native.set('window_seconds', nearest('windowSeconds', given.windowSeconds, 0, UINT32_MAX));
  }
  return common(native, given);
}

/** Checks who is told of warnings. */
export function listenerOf(given: ListenerOptions): Listener {
  const { onWarning, logger } = given;
  if (onWarning !== undefined && typeof onWarning !== 'function') {
    throw new TypeError(`onWarning must be a function, not ${kindOf(onWarning)}`);
  }
  if (logger !== undefined && logger !== null && typeof logger.warn !== 'function') {
    throw new TypeError('logger must have a method warn, or be null');
  }
  return { onWarning, logger: logger === undefined ? console : logger };
}

function common(native: NativeOptions, given: CommonOptions): NativeOptions {
  listenerOf(given);
  if (given.warningIntervalSeconds !== undefined) {
    const interval = whole('warningIntervalSeconds', given.warningIntervalSeconds, 0, INTERVAL_WINDOW - 1);
    native.set('warning_interval_seconds', interval);
  }
  if (given.maxPartitions !== undefined) {
    native.set('max_partitions', whole('maxPartitions', given.maxPartitions, 1, Number.MAX_SAFE_INTEGER));
  }
  if (given.memory !== undefined) {
    native.set('filter_bytes', memoryOf(given.memory));
    if (given.maxPartitions !== undefined) {
      throw new RangeError('memory must not be given with maxPartitions');
    }
  }
  if (given.promoteShare !== undefined) {
    native.set('promote_permille', permille('promoteShare', given.promoteShare, 0.01, 0.5));
  }
  if (flag('warnOfThrottles', given.warnOfThrottles)) {
    native.set('flags', native.get('flags') | FLAG_WARN_THROTTLES);
  }
  if (flag('manualClock', given.manualClock)) {
    native.set('clock', CLOCK_MANUAL);
  }
  if (given.hashSeed !== undefined) {
    native.set('flags', native.get('flags') | FLAG_HASH_SEED);
    seedOf(given.hashSeed).forEach((half, i) => native.set('hash_seed', half, i));
  }
  if (given.redact !== undefined && given.redact !== false) {
    native.set('flags', native.get('flags') | FLAG_REDACT_KEYS);
    redactKey(given.redact).forEach((half, i) => native.set('redact_key', half, i));
  }
  return native;
}

function seedOf(seed: unknown): bigint[] {
  if (!Array.isArray(seed) || seed.length !== 2 || seed.some((half) => typeof half !== 'bigint')) {
    throw new TypeError('hashSeed must be an array of two bigint');
  }
  if (seed.some((half: bigint) => half !== BigInt.asUintN(64, half))) {
    throw new RangeError('hashSeed must be of 0 to 2**64 - 1');
  }
  return seed as bigint[];
}

function redactKey(redact: unknown): bigint[] {
  if (redact === true) {
    return [0n, 0n];
  }
  if (!(redact instanceof Uint8Array)) {
    throw new TypeError(`redact must be a boolean or a Uint8Array, not ${kindOf(redact)}`);
  }
  if (redact.length !== 16 || redact.every((byte) => byte === 0)) {
    throw new RangeError('redact must be 16 secret bytes, not all zero');
  }
  const bytes = Buffer.from(redact);
  return [bytes.readBigUInt64LE(0), bytes.readBigUInt64LE(8)];
}

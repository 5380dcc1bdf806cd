// The detector: what a program counts with.

import { type Bounds, boundsOf } from './bounds';
import {
  amountOf,
  choice,
  counted,
  type Key,
  keyBytes,
  millisecondsOf,
  type Name,
  nameBytes,
  objectOf,
  whole,
} from './check';
import { ClosedError } from './errors';
import { type Attempt, attemptOf, keySchema, observe } from './exchange';
import { Failures } from './failures';
import { dropped, Handle, type SharedDetector } from './handle';
import { type ClosedMinute, closedOf, type HotPartition, hottestOf } from './hottest';
import {
  DUE,
  hpd,
  type Integer,
  OPERATIONS,
  type Operation,
  outOf,
  type Pointer,
  READ,
  REASONS,
  type Reason,
  Record,
  UNATTRIBUTED,
  type Unattributed,
  WRITE,
} from './library';
import { Made } from './made';
import { type MetricsOptions, metricsOf, metricsOptions } from './metrics';
import type { DetectorOptions, DynamoDBOptions, ListenerOptions, RecordOptions } from './options';
import { type Statistics, statisticsOf } from './statistics';
import { checked } from './status';
import { getThresholds, ownThresholds, type Thresholds, thresholdsOf } from './thresholds';
import { Wanted } from './wanted';
import { Alerts, type Listener } from './warning';

// How many tables are prepared at most. No program has so many; a name that a stranger chose may be any.
const TABLES_MAX = 1_000;
const UINT32_MAX = 2 ** 32 - 1;

// Functions that are called most often: as locals they are found sooner.
let { tableRecordWriteDue, tableRecordReadDue } = {} as typeof hpd;

/**
 * Counts reads and writes per partition key of DynamoDB, and warns before a key is throttled.
 *
 * A partition is *hot* when its count in the last `windowSeconds` reaches a threshold: the record's model's, else its table's,
 * else the detector's own. Then a line is logged, at most once an interval (by default the window):
 *
 *     Hot partition detected - table="events" pk="EVENTS" had 500 writes in 60s
 *
 * With `memory` a count that is returned is the most that it can be (see `bounds`), and lists have only partitions that are counted
 * exactly. Worker threads share a detector by `share` and `attach`. A wrong argument is a `TypeError` or a `RangeError` that names
 * it; after `close` every method but `close` throws a `ClosedError`.
 */
export class HotPartitionDetector {
  readonly #capacity: boolean;
  readonly #alerts: Alerts;
  #handle: Handle | null;
  #tables: Map<string, Pointer>;
  /** The table that was recorded on last, nearly always the next one's too: to look it up takes a tenth of a record. */
  #last: string | undefined;
  #lastPrepared: Pointer = 0n;
  /** @internal */
  readonly wanted: Wanted;

  constructor(options: DetectorOptions) {
    ({ tableRecordWriteDue, tableRecordReadDue } = hpd);
    const { handle, listener } = options instanceof Made ? options : Made.of(options);
    const { capacity, windowSeconds } = handle.shared;
    this.wanted = new Wanted(windowSeconds);
    this.#capacity = capacity;
    this.#alerts = new Alerts(listener, handle);
    this.#handle = handle;
    this.#tables = handle.tables;
    dropped.register(this, handle, this);
  }

  /**
   * Makes a detector that warns by DynamoDB's limits for a partition: 1,000 write and 3,000 read units a second. It counts capacity.
   * It warns at the limit in one second, and at `share` of it over five. Counts and lists are of the window, which has no threshold.
   */
  static forDynamoDB(options: DynamoDBOptions = {}): HotPartitionDetector {
    return new this(Made.forDynamoDB(options) as never);
  }

  /**
   * Attaches to a detector that another thread of this process has shared. It counts in the same partitions. The warnings that are
   * due to this thread's records are told here. The detector is freed when all that hold it have closed.
   */
  static attach(shared: SharedDetector, options: ListenerOptions = {}): HotPartitionDetector {
    return new this(Made.attached(shared, options) as never);
  }

  /** Returns the handle by which a worker attaches: post it there. The detector must stay open until the worker has attached. */
  share(): SharedDetector {
    return this.#open().shared;
  }

  /** The sliding window, in seconds. */
  get windowSeconds(): number {
    return this.#open().shared.windowSeconds;
  }

  /** Whether capacity is counted, in units, and not operations. */
  get capacity(): boolean {
    return this.#capacity;
  }

  /** The detector's own thresholds of the window. */
  get thresholds(): { writes: number; reads: number } {
    return ownThresholds(this.#opened(), this.#capacity);
  }

  // Recording.

  /**
   * Records a write, and warns if the partition is hot. Returns its count of writes, this one included.
   *
   * @param table A table's name, or `TABLE/index/INDEX` for an index. An ARN counts apart from the table's name.
   * @param pk The partition key's value. A number and its plain decimal text are one key.
   */
  recordWrite(table: Name, pk: Key, options?: RecordOptions): number {
    if (options === undefined && typeof pk === 'string' && !pk.includes('\0')) {
      const prepared = table === this.#last ? this.#lastPrepared : this.#prepared(table as string);
      if (prepared !== undefined) {
        const count = tableRecordWriteDue(prepared, pk);
        if (count > 0) {
          return typeof count === 'number' && !this.#capacity ? count : this.#recorded(count);
        }
      }
    }
    return this.#record(WRITE, table, pk, options);
  }

  /** Records a read, and returns the count of reads; otherwise as `recordWrite`. */
  recordRead(table: Name, pk: Key, options?: RecordOptions): number {
    if (options === undefined && typeof pk === 'string' && !pk.includes('\0')) {
      const prepared = table === this.#last ? this.#lastPrepared : this.#prepared(table as string);
      if (prepared !== undefined) {
        const count = tableRecordReadDue(prepared, pk);
        if (count > 0) {
          return typeof count === 'number' && !this.#capacity ? count : this.#recorded(count);
        }
      }
    }
    return this.#record(READ, table, pk, options);
  }

  #prepared(table: string): Pointer | undefined {
    const prepared = this.#tables.get(table);
    if (prepared !== undefined) {
      [this.#last, this.#lastPrepared] = [table, prepared];
    }
    return prepared;
  }

  #recorded(count: Integer): number {
    return counted(this.#told(count), this.#capacity);
  }

  /** Tells of the warning that comes with a count, if one does; returns the count alone. */
  #told(count: Integer): Integer {
    if (typeof count === 'number') {
      return checked(count);
    }
    this.#alerts.take(this.#opened());
    return count - DUE;
  }

  /** The way of what is seldom, or refused: it is checked here, and the table is prepared. */
  #record(operation: number, table: Name, pk: Key, options: RecordOptions = {}): number {
    this.#open();
    const name = nameBytes('table', table);
    const key = keyBytes(pk);
    const given = objectOf('options', options, ['amount', 'model']);
    const model = given.model === undefined ? null : nameBytes('model', given.model);
    const { amount: counts = 1 } = given;
    const amount = amountOf('amount', counts, this.#capacity);
    // Last: what a caller hands in may have getters, which may close.
    const detector = this.#opened();
    const record = Record.make().setText('table', name).setText('pk', key).setText('model', model);
    record.set('amount', amount).set('operation', operation);
    const count: Integer = hpd.recordDue(detector, record.bytes, Record.size);
    record.release();
    if (typeof table === 'string' && count > 0 && !this.#tables.has(table) && this.#tables.size < TABLES_MAX) {
      const [status, prepared] = outOf((out) => hpd.tableOpen(detector, name, name.length, out));
      checked(status);
      this.#tables.set(table, prepared);
    }
    return this.#recorded(count);
  }

  /**
   * Records that DynamoDB throttled one attempt. Returns the partition's throttles of that kind in the window; they are no part of
   * its count. Only those for the key range are evidence of a hot partition, and they warn with `warnOfThrottles`.
   */
  recordThrottle(table: Name, pk: Key, operation: Operation = 'write', reason: Reason = 'key_range'): number {
    const [name, key] = [nameBytes('table', table), keyBytes(pk)];
    const what = [choice('operation', operation, OPERATIONS), choice('reason', reason, REASONS)];
    const detector = this.#opened();
    const count: Integer = hpd.recordThrottleDue(detector, name, name.length, key, key.length, what[0], what[1]);
    return Number(this.#told(count));
  }

  /**
   * Records what a request to DynamoDB did, as far as its attempt and its answer tell; `instrument`
   * does so for the AWS SDK's clients. Call it for every attempt. Returns how many item-level
   * actions were recorded, or wait for a table's partition key.
   *
   * Throws a `MissingSchemaError` once a minute for a table whose key is needed: observe the answer of a DescribeTable or call
   * `setKeySchema`; else call `forgetTable`. Don't observe this again: what it did there waits, and will count as of now. Throws a
   * `RangeError` if it is no JSON object of that operation; nothing was recorded then.
   */
  observe(attempt: Attempt): number {
    return this.observed(attemptOf(attempt));
  }

  /**
   * Declares the attribute that is a table's partition key or, with `index`, the one to four of an index's. `table` may be an ARN.
   * What waited for the key is recorded, as of when it was observed.
   */
  setKeySchema(table: string, attributes: string | readonly string[], index?: string): void {
    const [...given] = keySchema(table, attributes, index);
    const pointed = given.pop() as { release(): void };
    const status: Integer = hpd.setKeySchemaDue(this.#opened(), ...given);
    pointed.release();
    this.#told(status);
  }

  /**
   * Says that a table's key will not be known, because DescribeTable is denied, for example. What waits for it is tallied as
   * "unread", and so is what comes until its key is known after all.
   */
  forgetTable(table: string): void {
    const name = nameBytes('table', table);
    checked(hpd.forgetTable(this.#opened(), name, name.length));
  }

  /** Returns the partition's count of writes in the window. Asking does not start to track it. */
  getWriteCount(table: Name, pk: Key): number {
    const [name, key] = [nameBytes('table', table), keyBytes(pk)];
    return counted(checked(hpd.getWriteCount(this.#opened(), name, name.length, key, key.length)), this.#capacity);
  }

  /** Returns the partition's count of reads in the window. */
  getReadCount(table: Name, pk: Key): number {
    const [name, key] = [nameBytes('table', table), keyBytes(pk)];
    return counted(checked(hpd.getReadCount(this.#opened(), name, name.length, key, key.length)), this.#capacity);
  }

  /** Returns bounds of the partition's count of an operation; without `memory` both are the count. */
  bounds(table: Name, pk: Key, operation: Operation): Bounds {
    const [name, key, kind] = [nameBytes('table', table), keyBytes(pk), choice('operation', operation, OPERATIONS)];
    return boundsOf(this.#opened(), name, key, kind, this.#capacity);
  }

  /** Returns the partition's throttles in the window, for one operation and reason. */
  getThrottleCount(table: Name, pk: Key, operation: Operation = 'write', reason: Reason = 'key_range'): number {
    const [name, key] = [nameBytes('table', table), keyBytes(pk)];
    const what = [choice('operation', operation, OPERATIONS), choice('reason', reason, REASONS)];
    return checked(hpd.getThrottleCount(this.#opened(), name, name.length, key, key.length, what[0], what[1]));
  }

  /** Returns what a table, or `TABLE/index/INDEX`, had in the window that no partition could be charged with; "_units" in units. */
  getUnattributedCount(table: Name, kind: Unattributed, operation: Operation): number {
    const name = nameBytes('table', table);
    const what = [choice('operation', operation, OPERATIONS), choice('kind', kind, UNATTRIBUTED)];
    const count = checked(hpd.getUnattributedCount(this.#opened(), name, name.length, what[0], what[1]));
    return counted(count, kind.endsWith('_units'));
  }

  /** Returns the `n` partitions with the most demand for an operation in the window, the most first; without one, by utilisation. */
  hottest(n = 10, operation?: Operation): HotPartition[] {
    return hottestOf(this.#opened(), operation, n, this.#capacity);
  }

  /**
   * Returns the `n` partitions with the most demand in one minute of the detector's clock, and the others' sum. Minute 0 has the
   * first 60 seconds. Ask some seconds after a minute's end; what waits for a key until later is in no answer. Throws a `RangeError`
   * if it is not over, or out of the window, and a `HotpartError` with a window under 120 seconds, or `memory`.
   */
  hottestClosed(operation: Operation, minute: number, n = 10): ClosedMinute {
    return closedOf(this.#opened(), operation, minute, n, this.#capacity);
  }

  /** Returns numbers about the detector itself. Logs, once an interval, that `memory` is too small, if it is. */
  stats(): Statistics {
    const statistics = statisticsOf(this.#opened(), Failures.of(this).count);
    this.#alerts.notice();
    return statistics;
  }

  /** Returns the statistics and the hottest partitions as text for Prometheus. Logs as `stats` does. */
  metrics(options: MetricsOptions = {}): string {
    const text = metricsOf(metricsOptions(options, this.#capacity), this.#opened());
    this.#alerts.notice();
    return text;
  }

  /** Returns the hash that stands for a key in logs and metrics; `null` if keys are not redacted. */
  redacted(table: Name, pk: Key): string | null {
    const [name, key, digits] = [nameBytes('table', table), keyBytes(pk), Buffer.alloc(32)];
    return checked(hpd.redact(this.#opened(), name, name.length, key, key.length, digits)) ? digits.toString() : null;
  }

  // Thresholds.

  /** Sets a table's own thresholds of the window. They cover neither the table's indexes nor its ARN. One left out is `null`. */
  setTableThresholds(table: Name, thresholds: Partial<Thresholds>): void {
    const [name, [writes, reads]] = [nameBytes('table', table), thresholdsOf(thresholds, this.#capacity)];
    checked(hpd.setTableThresholds(this.#opened(), name, name.length, writes, reads));
  }

  /** Returns a table's own thresholds; `null` for what is not set. */
  getTableThresholds(table: Name): Thresholds {
    return getThresholds(hpd.getTableThresholds, this.#opened(), nameBytes('table', table), this.#capacity);
  }

  /** Sets a model's thresholds of the window, for records that name it. They win over the table's. One left out is `null`. */
  setModelThresholds(model: Name, thresholds: Partial<Thresholds>): void {
    const [name, [writes, reads]] = [nameBytes('model', model), thresholdsOf(thresholds, this.#capacity)];
    checked(hpd.setModelThresholds(this.#opened(), name, name.length, writes, reads));
  }

  /** Returns a model's thresholds; `null` for what is not set. */
  getModelThresholds(model: Name): Thresholds {
    return getThresholds(hpd.getModelThresholds, this.#opened(), nameBytes('model', model), this.#capacity);
  }

  // Its life.

  /**
   * Forgets all counts, warning states, thresholds of tables and models, and what waits for a table's key. With `memory` it may
   * block for up to a quarter of a second, for calls under way in other threads. Throws a `HotpartError` if there is no memory for
   * it, and then forgets nothing.
   */
  clear(): void {
    checked(hpd.clear(this.#opened()));
  }

  /** Moves a manual clock forward to `seconds`; an earlier time changes nothing. Throws a `HotpartError` if the clock runs. */
  setTime(seconds: number): void {
    checked(hpd.setTimeMs(this.#opened(), millisecondsOf(seconds)));
    this.#open().clock.set(seconds);
  }

  /** Gives its memory back, unless other threads hold it still. A second call does nothing. */
  close(): void {
    const handle = this.#handle;
    if (handle !== null) {
      this.#handle = null;
      this.#tables = new Map();
      [this.#last, this.#lastPrepared] = [undefined, 0n];
      dropped.unregister(this);
      handle.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Whether it has been closed. */
  get closed(): boolean {
    return this.#handle === null;
  }

  /** @internal What its clock shows, within a second. */
  get now(): number {
    return this.#open().clock.seconds();
  }

  /** @internal Who is told. */
  get listener(): Listener {
    return this.#alerts.listener;
  }

  /** @internal Observes without checking; for `instrument`. */
  observed(attempt: Attempt): number {
    return observe(this.#opened(), this.#alerts, attempt);
  }

  #open(): Handle {
    if (this.#handle === null) {
      throw new ClosedError();
    }
    return this.#handle;
  }

  #opened(): Pointer {
    return this.#open().shared.address;
  }
}

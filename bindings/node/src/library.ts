// Finds and loads `libhotpart`, and declares what it has, as include/hotpart.h does.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as koffi from 'koffi';
import { LibraryError } from './errors';
import { Struct } from './struct';

export const ABI_VERSION = 1;
export const ERR_NULL = -1;
export const ERR_INVALID = -2;
export const ERR_MEMORY = -4;
export const ERR_SCHEMA = -6;
export const ERR_JSON = -7;
export const WRITE = 0;
export const READ = 1;
export const INHERIT = -1n;
export const INTERVAL_WINDOW = 0xffffffff;
export const CLOCK_MANUAL = 1;
export const FLAG_HASH_SEED = 1;
export const FLAG_CAPACITY = 2;
export const FLAG_WARN_THROTTLES = 4;
export const FLAG_REDACT_KEYS = 8;
export const METRICS_OPEN_METRICS = 1;
/** What is added to a count when a warning is kept; such a number is no longer a safe integer, and comes as a bigint. */
export const DUE = 1n << 62n;

// Words for the library's numbers, each at its number's place.
export const OPERATIONS = ['write', 'read'] as const;
export const RULES = ['window', 'second', 'sustained', 'throttle'] as const;
export const REASONS = ['unknown', 'key_range', 'provisioned', 'account_limit', 'max_on_demand'] as const;
export const UNATTRIBUTED = ['scans', 'scan_units', 'unprocessed', 'index_units', 'throttles'] as const;
export type Operation = (typeof OPERATIONS)[number];
export type Rule = (typeof RULES)[number];
export type Reason = (typeof REASONS)[number];
export type Unattributed = (typeof UNATTRIBUTED)[number];

/** A number of the library's: a bigint where it is no safe integer. */
export type Integer = number | bigint;
/** A function of the library's. */
export type Native = (...given: any[]) => any;
/** An address; 0n is NULL. */
export type Pointer = bigint;

/** Where a function writes one value. */
export const Out = new Struct({ value: 'u64' });

/** The names of the attributes of a key, and their lengths. */
export const KeyAttributes = new Struct({ names: ['pointer', 4], lens: ['size', 4] });

export const Warning = new Struct({
  struct_size: 'size',
  table: 'pointer',
  table_len: 'size',
  pk: 'pointer',
  pk_len: 'size',
  operation: 'i32',
  window_seconds: 'u32',
  count: 'u64',
  threshold: 'u64',
  suppressed: 'u64',
  peak: 'u64',
  rule: 'i32',
  utilisation_permille: 'u32',
});

export const Options = new Struct({
  struct_size: 'size',
  writes_threshold: 'u64',
  reads_threshold: 'u64',
  window_seconds: 'u32',
  warning_interval_seconds: 'u32',
  callback: 'pointer',
  user_data: 'pointer',
  max_partitions: 'u64',
  clock: 'i32',
  flags: 'u32',
  hash_seed: ['u64', 2],
  writes_per_second: 'u64',
  reads_per_second: 'u64',
  writes_sustained: 'u64',
  reads_sustained: 'u64',
  processes: 'u32',
  reserved: 'u32',
  redact_key: ['u64', 2],
});

export const Record = new Struct({
  table: 'pointer',
  table_len: 'size',
  pk: 'pointer',
  pk_len: 'size',
  model: 'pointer',
  model_len: 'size',
  amount: 'u64',
  operation: 'i32',
  reserved: 'u32',
});

export const HotPartition = new Struct({
  struct_size: 'size',
  table: 'pointer',
  table_len: 'size',
  pk: 'pointer',
  pk_len: 'size',
  operation: 'i32',
  utilisation_permille: 'u32',
  count: 'u64',
  throttles: 'u64',
  demand: 'u64',
  peak: 'u64',
});

export const Statistics = new Struct({
  struct_size: 'size',
  records: 'u64',
  partitions: 'u64',
  bytes: 'u64',
  reclaimed: 'u64',
  replaced: 'u64',
  cleared: 'u64',
  warnings: 'u64',
  suppressed: 'u64',
  throttles: ['u64', REASONS.length],
  unattributed: ['u64', UNATTRIBUTED.length],
  estimated_half_units: 'u64',
  unknown_operations: 'u64',
});

export const MetricsOptions = new Struct({ struct_size: 'size', hottest: 'u64', flags: 'u32', reserved: 'u32' });

export const Exchange = new Struct({
  struct_size: 'size',
  operation: 'pointer',
  operation_len: 'size',
  request: 'pointer',
  request_len: 'size',
  response: 'pointer',
  response_len: 'size',
  model: 'pointer',
  model_len: 'size',
  http_status: 'i32',
  reserved: 'u32',
  table: 'pointer',
  table_capacity: 'size',
  table_len: 'size',
});

function path(): string {
  const chosen = process.env['HOTPART_LIBRARY'];
  if (chosen) {
    // Without a folder the loader would look elsewhere.
    return resolve(chosen);
  }
  const name = { darwin: 'libhotpart.dylib', win32: 'hotpart.dll' }[process.platform as string] ?? 'libhotpart.so';
  return join(__dirname, '..', 'native', `${process.platform}-${process.arch}`, name);
}

function load(): koffi.LibraryHandle {
  const at = path();
  const advice =
    'install the package anew, or set HOTPART_LIBRARY to the path of a build for this platform, ' +
    "which `make build` in libhotpart's repository leaves in target/release";
  if (!existsSync(at)) {
    throw new LibraryError(`there is no libhotpart at ${at}: ${advice}`);
  }
  let library: koffi.LibraryHandle;
  let version: number;
  try {
    library = koffi.load(at);
    version = library.func('uint32_t hpd_abi_version(void)')();
  } catch (error) {
    throw new LibraryError(`libhotpart at ${at} can't be loaded (${(error as Error).message}): ${advice}`);
  }
  if (version !== ABI_VERSION) {
    throw new LibraryError(`libhotpart at ${at} has ABI ${version}, and ${ABI_VERSION} is needed: ${advice}`);
  }
  try {
    // The newest.
    library.func('int32_t hpd_ask_capacity(const void *, size_t, const void *, size_t, void *)');
  } catch (error) {
    throw new LibraryError(`libhotpart at ${at} is too old (${(error as Error).message}): ${advice}`);
  }
  return library;
}

const library = load();
const libc = koffi.load(process.platform === 'win32' ? 'ucrtbase.dll' : null);
const memcpy: Native = libc.func('void *memcpy(void *to, uintptr_t from, size_t n)');
const strlen: Native = libc.func('size_t strlen(uintptr_t text)');
const KEY = 'const void *table, size_t table_len, const void *pk, size_t pk_len';

function declared(declaration: string): Native {
  return library.func(declaration);
}

export const hpd = {
  optionsInit: declared('void hpd_options_init(void *options, size_t size)'),
  optionsForDynamodb: declared(
    'int32_t hpd_options_for_dynamodb(void *options, size_t size, uint32_t share, uint32_t processes)',
  ),
  newWithOptions: declared('int32_t hpd_new_with_options(const void *options, void *out)'),
  free: declared('void hpd_free(void *detector)'),
  // Called most often: an address as an integer is not looked at any further.
  tableRecordWriteDue: declared('int64_t hpd_table_record_write_due(uintptr_t table, const char *pk)'),
  tableRecordReadDue: declared('int64_t hpd_table_record_read_due(uintptr_t table, const char *pk)'),
  observeDue: declared(
    'int64_t hpd_observe_due(uintptr_t detector, const char *operation, const void *request, const void *response, ' +
      'int32_t status, const char *model)',
  ),
  recordDue: declared('int64_t hpd_record_due(void *detector, const void *record, size_t size)'),
  recordThrottleDue: declared(
    `int64_t hpd_record_throttle_due(void *detector, ${KEY}, int32_t operation, int32_t reason)`,
  ),
  observeFull: declared('int64_t hpd_observe_full(void *detector, void *exchange, void *warnings)'),
  takeWarnings: declared('int32_t hpd_take_warnings(void *detector, void *out)'),
  warningsLen: declared('size_t hpd_warnings_len(void *warnings)'),
  warningsGet: declared('int32_t hpd_warnings_get(void *warnings, size_t i, void *out)'),
  warningsFree: declared('void hpd_warnings_free(void *warnings)'),
  logLine: declared('int32_t hpd_log_line(void *detector, const void *warning, void *out)'),
  getWriteCount: declared(`int64_t hpd_get_write_count(void *detector, ${KEY})`),
  getReadCount: declared(`int64_t hpd_get_read_count(void *detector, ${KEY})`),
  getThrottleCount: declared(
    `int64_t hpd_get_throttle_count(void *detector, ${KEY}, int32_t operation, int32_t reason)`,
  ),
  getUnattributedCount: declared(
    'int64_t hpd_get_unattributed_count(void *detector, const void *table, size_t table_len, int32_t operation, int32_t kind)',
  ),
  tableOpen: declared('int32_t hpd_table_open(void *detector, const void *table, size_t table_len, void *out)'),
  tableClose: declared('void hpd_table_close(void *table)'),
  setTableThresholds: thresholds('set_table', 'int64_t writes, int64_t reads'),
  setModelThresholds: thresholds('set_model', 'int64_t writes, int64_t reads'),
  getTableThresholds: thresholds('get_table', 'void *writes, void *reads'),
  getModelThresholds: thresholds('get_model', 'void *writes, void *reads'),
  getThresholds: declared('int32_t hpd_get_thresholds(void *detector, void *writes, void *reads)'),
  clear: declared('int32_t hpd_clear(void *detector)'),
  setTimeMs: declared('int32_t hpd_set_time_ms(void *detector, uint64_t ms)'),
  hottestTake: declared('int32_t hpd_hottest_take(void *detector, int32_t operation, size_t n, void *out)'),
  hottestLen: declared('int64_t hpd_hottest_len(void *hottest)'),
  hottestGet: declared('int32_t hpd_hottest_get(void *hottest, size_t i, void *out)'),
  hottestFree: declared('void hpd_hottest_free(void *hottest)'),
  getStatistics: declared('int32_t hpd_get_statistics(void *detector, void *out)'),
  metricsTake: declared('int32_t hpd_metrics_take(void *detector, const void *options, void *out)'),
  textData: declared('void *hpd_text_data(void *text)'),
  textLen: declared('size_t hpd_text_len(void *text)'),
  textFree: declared('void hpd_text_free(void *text)'),
  redact: declared(`int32_t hpd_redact(void *detector, ${KEY}, void *digits)`),
  setKeySchema: declared(
    'int32_t hpd_set_key_schema(void *detector, const void *table, size_t table_len, const void *index, size_t index_len, ' +
      'const void *attributes, const void *lens, size_t n)',
  ),
  askCapacity: declared(
    'int32_t hpd_ask_capacity(const void *operation, size_t operation_len, const void *request, size_t request_len, void *out)',
  ),
  statusMessage: declared('const char *hpd_status_message(int32_t status)'),
  errorArgument: declared('uintptr_t hpd_error_argument(void)'),
  errorRange: declared('uintptr_t hpd_error_range(void)'),
  version: declared('const char *hpd_version(void)'),
};

function thresholds(what: string, values: string): Native {
  return library.func(`int32_t hpd_${what}_thresholds(void *detector, const void *name, size_t name_len, ${values})`);
}

/**
 * A copy of the library's bytes; its texts are read by pointer and length, for they may hold NUL. Not by koffi's own means: in a
 * worker that is being terminated those end the process.
 */
export function bytesAt(pointer: Pointer, len: number): Buffer {
  const bytes = Buffer.alloc(len);
  if (len > 0) {
    memcpy(bytes, pointer, len);
  }
  return bytes;
}

/** The library's static text. */
export function staticText(pointer: Pointer): string {
  return bytesAt(pointer, Number(strlen(pointer))).toString();
}

/** The text of an `hpd_text`, which is freed. */
export function textOf(text: Pointer): string {
  return textBytes(text).toString();
}

/** The bytes of an `hpd_text`, which is freed. */
export function textBytes(text: Pointer): Buffer {
  try {
    return bytesAt(hpd.textData(text), Number(hpd.textLen(text)));
  } finally {
    hpd.textFree(text);
  }
}

/** Has a function write a pointer; returns what it returned, and the pointer. */
export function outOf(call: (out: Buffer) => Integer): [status: Integer, pointer: Pointer] {
  const out = Out.make();
  return [call(out.bytes), out.pointer('value')];
}

/** The version of the `libhotpart` that is in use, such as "0.1.0". */
export function libraryVersion(): string {
  return hpd.version();
}

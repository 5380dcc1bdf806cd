// Finds and loads `libhotpart`, and declares what it has, as include/hotpart.h does.

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as koffi from 'koffi';
import { LibraryError } from './errors';

export const ABI_VERSION = 1;
export const ERR_NULL = -1;
export const ERR_INVALID = -2;
export const ERR_MEMORY = -4;
export const ERR_SCHEMA = -6;
export const ERR_JSON = -7;
export const WRITE = 0;
export const READ = 1;
export const INHERIT = -1;
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
/** An address; 0n is NULL. */
export type Pointer = bigint;

const TEXT = 'const uint8_t *';

const Warning = koffi.struct('hpd_warning', {
  struct_size: 'size_t',
  table: 'void *',
  table_len: 'size_t',
  pk: 'void *',
  pk_len: 'size_t',
  operation: 'int32_t',
  window_seconds: 'uint32_t',
  count: 'uint64_t',
  threshold: 'uint64_t',
  suppressed: 'uint64_t',
  peak: 'uint64_t',
  rule: 'int32_t',
  utilisation_permille: 'uint32_t',
});

const Options = koffi.struct('hpd_options', {
  struct_size: 'size_t',
  writes_threshold: 'uint64_t',
  reads_threshold: 'uint64_t',
  window_seconds: 'uint32_t',
  warning_interval_seconds: 'uint32_t',
  callback: 'void *',
  user_data: 'void *',
  max_partitions: 'uint64_t',
  clock: 'int32_t',
  flags: 'uint32_t',
  hash_seed: koffi.array('uint64_t', 2, 'Array'),
  writes_per_second: 'uint64_t',
  reads_per_second: 'uint64_t',
  writes_sustained: 'uint64_t',
  reads_sustained: 'uint64_t',
  processes: 'uint32_t',
  reserved: 'uint32_t',
  redact_key: koffi.array('uint64_t', 2, 'Array'),
});

const Record = koffi.struct('hpd_record', {
  table: TEXT,
  table_len: 'size_t',
  pk: TEXT,
  pk_len: 'size_t',
  model: TEXT,
  model_len: 'size_t',
  amount: 'uint64_t',
  operation: 'int32_t',
  reserved: 'uint32_t',
});

const HotPartition = koffi.struct('hpd_hot_partition', {
  struct_size: 'size_t',
  table: 'void *',
  table_len: 'size_t',
  pk: 'void *',
  pk_len: 'size_t',
  operation: 'int32_t',
  utilisation_permille: 'uint32_t',
  count: 'uint64_t',
  throttles: 'uint64_t',
  demand: 'uint64_t',
  peak: 'uint64_t',
});

const Statistics = koffi.struct('hpd_statistics', {
  struct_size: 'size_t',
  records: 'uint64_t',
  partitions: 'uint64_t',
  bytes: 'uint64_t',
  reclaimed: 'uint64_t',
  replaced: 'uint64_t',
  cleared: 'uint64_t',
  warnings: 'uint64_t',
  suppressed: 'uint64_t',
  throttles: koffi.array('uint64_t', REASONS.length, 'Array'),
  unattributed: koffi.array('uint64_t', UNATTRIBUTED.length, 'Array'),
  estimated_half_units: 'uint64_t',
  unknown_operations: 'uint64_t',
});

const MetricsOptions = koffi.struct('hpd_metrics_options', {
  struct_size: 'size_t',
  hottest: 'uint64_t',
  flags: 'uint32_t',
  reserved: 'uint32_t',
});

const Exchange = koffi.struct('hpd_exchange', {
  struct_size: 'size_t',
  operation: TEXT,
  operation_len: 'size_t',
  request: TEXT,
  request_len: 'size_t',
  response: TEXT,
  response_len: 'size_t',
  model: TEXT,
  model_len: 'size_t',
  http_status: 'int32_t',
  reserved: 'uint32_t',
  table: 'void *',
  table_capacity: 'size_t',
  table_len: 'size_t',
});

/** The sizes of the structs whose first member says so. */
export const SIZES = {
  warning: koffi.sizeof(Warning),
  options: koffi.sizeof(Options),
  record: koffi.sizeof(Record),
  hotPartition: koffi.sizeof(HotPartition),
  statistics: koffi.sizeof(Statistics),
  metricsOptions: koffi.sizeof(MetricsOptions),
  exchange: koffi.sizeof(Exchange),
};

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
    library.func('int64_t hpd_observe_due(void *, const char *, const char *, const char *, int32_t, const char *)');
  } catch (error) {
    throw new LibraryError(`libhotpart at ${at} is too old (${(error as Error).message}): ${advice}`);
  }
  return library;
}

const library = load();
const KEY = `const uint8_t *table, size_t table_len, const uint8_t *pk, size_t pk_len`;

export const hpd = {
  optionsInit: library.func('void hpd_options_init(_Out_ hpd_options *options, size_t size)'),
  optionsForDynamodb: library.func(
    'int32_t hpd_options_for_dynamodb(_Out_ hpd_options *options, size_t size, uint32_t share, uint32_t processes)',
  ),
  newWithOptions: library.func('int32_t hpd_new_with_options(const hpd_options *options, _Out_ void **out)'),
  free: library.func('void hpd_free(void *detector)'),
  // Called most often: an address as an integer is not looked at any further.
  tableRecordWriteDue: library.func('int64_t hpd_table_record_write_due(uintptr_t table, const char *pk)'),
  tableRecordReadDue: library.func('int64_t hpd_table_record_read_due(uintptr_t table, const char *pk)'),
  observeDue: library.func(
    'int64_t hpd_observe_due(uintptr_t detector, const char *operation, const uint8_t *request, const uint8_t *response, ' +
      'int32_t status, const char *model)',
  ),
  recordDue: library.func('int64_t hpd_record_due(void *detector, const hpd_record *record, size_t size)'),
  recordThrottleDue: library.func(
    `int64_t hpd_record_throttle_due(void *detector, ${KEY}, int32_t operation, int32_t reason)`,
  ),
  observeFull: library.func(
    'int64_t hpd_observe_full(void *detector, _Inout_ hpd_exchange *exchange, _Out_ void **warnings)',
  ),
  takeWarnings: library.func('int32_t hpd_take_warnings(void *detector, _Out_ void **out)'),
  warningsLen: library.func('size_t hpd_warnings_len(void *warnings)'),
  warningsGet: library.func('int32_t hpd_warnings_get(void *warnings, size_t i, _Inout_ hpd_warning *out)'),
  warningsFree: library.func('void hpd_warnings_free(void *warnings)'),
  logLine: library.func('int32_t hpd_log_line(void *detector, const hpd_warning *warning, _Out_ void **out)'),
  getWriteCount: library.func(`int64_t hpd_get_write_count(void *detector, ${KEY})`),
  getReadCount: library.func(`int64_t hpd_get_read_count(void *detector, ${KEY})`),
  getThrottleCount: library.func(
    `int64_t hpd_get_throttle_count(void *detector, ${KEY}, int32_t operation, int32_t reason)`,
  ),
  getUnattributedCount: library.func(
    'int64_t hpd_get_unattributed_count(void *detector, const uint8_t *table, size_t table_len, int32_t operation, int32_t kind)',
  ),
  tableOpen: library.func(
    'int32_t hpd_table_open(void *detector, const uint8_t *table, size_t table_len, _Out_ void **out)',
  ),
  tableClose: library.func('void hpd_table_close(void *table)'),
  setTableThresholds: thresholds('set_table', 'int64_t writes, int64_t reads'),
  setModelThresholds: thresholds('set_model', 'int64_t writes, int64_t reads'),
  getTableThresholds: thresholds('get_table', '_Out_ int64_t *writes, _Out_ int64_t *reads'),
  getModelThresholds: thresholds('get_model', '_Out_ int64_t *writes, _Out_ int64_t *reads'),
  getThresholds: library.func(
    'int32_t hpd_get_thresholds(void *detector, _Out_ int64_t *writes, _Out_ int64_t *reads)',
  ),
  clear: library.func('int32_t hpd_clear(void *detector)'),
  setTimeMs: library.func('int32_t hpd_set_time_ms(void *detector, uint64_t ms)'),
  hottestTake: library.func('int32_t hpd_hottest_take(void *detector, int32_t operation, size_t n, _Out_ void **out)'),
  hottestLen: library.func('int64_t hpd_hottest_len(void *hottest)'),
  hottestGet: library.func('int32_t hpd_hottest_get(void *hottest, size_t i, _Inout_ hpd_hot_partition *out)'),
  hottestFree: library.func('void hpd_hottest_free(void *hottest)'),
  getStatistics: library.func('int32_t hpd_get_statistics(void *detector, _Inout_ hpd_statistics *out)'),
  metricsTake: library.func(
    'int32_t hpd_metrics_take(void *detector, const hpd_metrics_options *options, _Out_ void **out)',
  ),
  textData: library.func('void *hpd_text_data(void *text)'),
  textLen: library.func('size_t hpd_text_len(void *text)'),
  textFree: library.func('void hpd_text_free(void *text)'),
  redact: library.func(`int32_t hpd_redact(void *detector, ${KEY}, _Out_ uint8_t *digits)`),
  setKeySchema: library.func(
    'int32_t hpd_set_key_schema(void *detector, const uint8_t *table, size_t table_len, const uint8_t *index, size_t index_len, ' +
      'const uint8_t **attributes, const size_t *lens, size_t n)',
  ),
  statusMessage: library.func('const char *hpd_status_message(int32_t status)'),
  version: library.func('const char *hpd_version(void)'),
};

function thresholds(what: string, values: string): koffi.KoffiFunc<(...given: unknown[]) => number> {
  return library.func(
    `int32_t hpd_${what}_thresholds(void *detector, const uint8_t *name, size_t name_len, ${values})`,
  ) as koffi.KoffiFunc<(...given: unknown[]) => number>;
}

/** A copy of the library's bytes; its texts are read by pointer and length, for they may hold NUL. */
export function bytesAt(pointer: Pointer, len: Integer): Buffer {
  return len == 0 ? Buffer.alloc(0) : Buffer.from(Buffer.from(koffi.view(pointer, Number(len))));
}

/** The text of an `hpd_text`, which is freed. */
export function textOf(text: Pointer): string {
  try {
    return bytesAt(hpd.textData(text), hpd.textLen(text)).toString();
  } finally {
    hpd.textFree(text);
  }
}

/** The address of a buffer, while the buffer lives. */
export function addressOf(buffer: Uint8Array): Pointer {
  return koffi.address(buffer);
}

/** The version of the `libhotpart` that is in use, such as "0.1.0". */
export function libraryVersion(): string {
  return hpd.version();
}

/* The C ABI of hotpart 0.1.0, version 1 of it, frozen once that is released.
 *
 * It guards programs that are already built against a header that changes: a C11 compiler on a 64-bit
 * platform proves that include/hotpart.h still has all of this. tests/abi.rs writes it, and only if the
 * version is another one. What bindings and tests/c/layout.c have of the header follows it instead. */
#include "../include/hotpart.h"

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define AT(type, field, offset, ...) \
  _Static_assert(offsetof(type, field) == (offset), #type "." #field); \
  _Static_assert(_Generic(&((type *)0)->field, __VA_ARGS__: 1, default: 0), #type "." #field)
#define VALUE(name, value) _Static_assert((name) == (value), #name)
#define FUNCTION(name, ...) _Static_assert(_Generic(&(name), __VA_ARGS__: 1, default: 0), #name)
#define CALLBACK(name, ...) _Static_assert(_Generic((name)0, __VA_ARGS__: 1, default: 0), #name)

SIZE(hpd_warning, 96);
AT(hpd_warning, struct_size, 0, size_t *);
AT(hpd_warning, table, 8, const char **);
AT(hpd_warning, table_len, 16, size_t *);
AT(hpd_warning, pk, 24, const char **);
AT(hpd_warning, pk_len, 32, size_t *);
AT(hpd_warning, operation, 40, int32_t *);
AT(hpd_warning, window_seconds, 44, uint32_t *);
AT(hpd_warning, count, 48, uint64_t *);
AT(hpd_warning, threshold, 56, uint64_t *);
AT(hpd_warning, suppressed, 64, uint64_t *);
AT(hpd_warning, peak, 72, uint64_t *);
AT(hpd_warning, rule, 80, int32_t *);
AT(hpd_warning, utilisation_permille, 84, uint32_t *);
AT(hpd_warning, carried, 88, uint64_t *);

SIZE(hpd_options, 152);
AT(hpd_options, struct_size, 0, size_t *);
AT(hpd_options, writes_threshold, 8, uint64_t *);
AT(hpd_options, reads_threshold, 16, uint64_t *);
AT(hpd_options, window_seconds, 24, uint32_t *);
AT(hpd_options, warning_interval_seconds, 28, uint32_t *);
AT(hpd_options, callback, 32, hpd_warning_callback *);
AT(hpd_options, user_data, 40, void **);
AT(hpd_options, max_partitions, 48, uint64_t *);
AT(hpd_options, clock, 56, int32_t *);
AT(hpd_options, flags, 60, uint32_t *);
AT(hpd_options, hash_seed, 64, uint64_t (*)[2]);
AT(hpd_options, writes_per_second, 80, uint64_t *);
AT(hpd_options, reads_per_second, 88, uint64_t *);
AT(hpd_options, writes_sustained, 96, uint64_t *);
AT(hpd_options, reads_sustained, 104, uint64_t *);
AT(hpd_options, processes, 112, uint32_t *);
AT(hpd_options, reserved, 116, uint32_t *);
AT(hpd_options, redact_key, 120, uint64_t (*)[2]);
AT(hpd_options, filter_bytes, 136, uint64_t *);
AT(hpd_options, promote_permille, 144, uint32_t *);
AT(hpd_options, reserved2, 148, uint32_t *);

SIZE(hpd_record, 64);
AT(hpd_record, table, 0, const char **);
AT(hpd_record, table_len, 8, size_t *);
AT(hpd_record, pk, 16, const char **);
AT(hpd_record, pk_len, 24, size_t *);
AT(hpd_record, model, 32, const char **);
AT(hpd_record, model_len, 40, size_t *);
AT(hpd_record, amount, 48, uint64_t *);
AT(hpd_record, operation, 56, int32_t *);
AT(hpd_record, reserved, 60, uint32_t *);

SIZE(hpd_hot_partition, 88);
AT(hpd_hot_partition, struct_size, 0, size_t *);
AT(hpd_hot_partition, table, 8, const char **);
AT(hpd_hot_partition, table_len, 16, size_t *);
AT(hpd_hot_partition, pk, 24, const char **);
AT(hpd_hot_partition, pk_len, 32, size_t *);
AT(hpd_hot_partition, operation, 40, int32_t *);
AT(hpd_hot_partition, utilisation_permille, 44, uint32_t *);
AT(hpd_hot_partition, count, 48, uint64_t *);
AT(hpd_hot_partition, throttles, 56, uint64_t *);
AT(hpd_hot_partition, demand, 64, uint64_t *);
AT(hpd_hot_partition, peak, 72, uint64_t *);
AT(hpd_hot_partition, carried, 80, uint64_t *);

SIZE(hpd_statistics, 208);
AT(hpd_statistics, struct_size, 0, size_t *);
AT(hpd_statistics, records, 8, uint64_t *);
AT(hpd_statistics, partitions, 16, uint64_t *);
AT(hpd_statistics, bytes, 24, uint64_t *);
AT(hpd_statistics, reclaimed, 32, uint64_t *);
AT(hpd_statistics, replaced, 40, uint64_t *);
AT(hpd_statistics, cleared, 48, uint64_t *);
AT(hpd_statistics, warnings, 56, uint64_t *);
AT(hpd_statistics, suppressed, 64, uint64_t *);
AT(hpd_statistics, throttles, 72, uint64_t (*)[5]);
AT(hpd_statistics, unattributed, 112, uint64_t (*)[5]);
AT(hpd_statistics, estimated_half_units, 152, uint64_t *);
AT(hpd_statistics, unknown_operations, 160, uint64_t *);
AT(hpd_statistics, promoted, 168, uint64_t *);
AT(hpd_statistics, demoted, 176, uint64_t *);
AT(hpd_statistics, kept_out, 184, uint64_t *);
AT(hpd_statistics, filter_load_permille, 192, uint64_t *);
AT(hpd_statistics, unread, 200, uint64_t *);

SIZE(hpd_metrics_options, 32);
AT(hpd_metrics_options, struct_size, 0, size_t *);
AT(hpd_metrics_options, hottest, 8, uint64_t *);
AT(hpd_metrics_options, flags, 16, uint32_t *);
AT(hpd_metrics_options, reserved, 20, uint32_t *);
AT(hpd_metrics_options, least, 24, uint64_t *);

SIZE(hpd_exchange, 104);
AT(hpd_exchange, struct_size, 0, size_t *);
AT(hpd_exchange, operation, 8, const char **);
AT(hpd_exchange, operation_len, 16, size_t *);
AT(hpd_exchange, request, 24, const char **);
AT(hpd_exchange, request_len, 32, size_t *);
AT(hpd_exchange, response, 40, const char **);
AT(hpd_exchange, response_len, 48, size_t *);
AT(hpd_exchange, model, 56, const char **);
AT(hpd_exchange, model_len, 64, size_t *);
AT(hpd_exchange, http_status, 72, int32_t *);
AT(hpd_exchange, reserved, 76, uint32_t *);
AT(hpd_exchange, table, 80, char **);
AT(hpd_exchange, table_capacity, 88, size_t *);
AT(hpd_exchange, table_len, 96, size_t *);

VALUE(HPD_ABI_VERSION, 1);
VALUE(HPD_CLOCK_MANUAL, 1);
VALUE(HPD_CLOCK_MONOTONIC, 0);
VALUE(HPD_DUE, 4611686018427387904);
VALUE(HPD_ERR_INTERNAL, (-5));
VALUE(HPD_ERR_INVALID, (-2));
VALUE(HPD_ERR_JSON, (-7));
VALUE(HPD_ERR_MEMORY, (-4));
VALUE(HPD_ERR_NULL, (-1));
VALUE(HPD_ERR_SCHEMA, (-6));
VALUE(HPD_ERR_UNSUPPORTED, (-3));
VALUE(HPD_FLAG_CAPACITY, 2u);
VALUE(HPD_FLAG_HASH_SEED, 1u);
VALUE(HPD_FLAG_REDACT_KEYS, 8u);
VALUE(HPD_FLAG_WARN_THROTTLES, 4u);
VALUE(HPD_INHERIT, (-1));
VALUE(HPD_INTERVAL_WINDOW, 0xFFFFFFFFu);
VALUE(HPD_METRICS_DEMAND_ONLY, 2u);
VALUE(HPD_METRICS_OPEN_METRICS, 1u);
VALUE(HPD_NUMBER_KEY_MAX, 170);
VALUE(HPD_OK, 0);
VALUE(HPD_READ, 1);
VALUE(HPD_RULE_SECOND, 1);
VALUE(HPD_RULE_SUSTAINED, 2);
VALUE(HPD_RULE_THROTTLE, 3);
VALUE(HPD_RULE_WINDOW, 0);
VALUE(HPD_THROTTLE_ACCOUNT_LIMIT, 3);
VALUE(HPD_THROTTLE_KEY_RANGE, 1);
VALUE(HPD_THROTTLE_MAX_ON_DEMAND, 4);
VALUE(HPD_THROTTLE_PROVISIONED, 2);
VALUE(HPD_THROTTLE_UNKNOWN, 0);
VALUE(HPD_UNATTRIBUTED_INDEX_UNITS, 3);
VALUE(HPD_UNATTRIBUTED_SCANS, 0);
VALUE(HPD_UNATTRIBUTED_SCAN_UNITS, 1);
VALUE(HPD_UNATTRIBUTED_THROTTLES, 4);
VALUE(HPD_UNATTRIBUTED_UNPROCESSED, 2);
VALUE(HPD_UNATTRIBUTED_UNREAD, 5);
VALUE(HPD_WRITE, 0);

FUNCTION(hpd_abi_version, uint32_t (*)(void));
FUNCTION(hpd_ask_capacity, int32_t (*)(const char *operation, size_t operation_len, const char *request, size_t request_len, hpd_text **out));
FUNCTION(hpd_clear, int32_t (*)(const hpd_detector *detector));
FUNCTION(hpd_error_argument, const char *(*)(void));
FUNCTION(hpd_error_range, const char *(*)(void));
FUNCTION(hpd_forget_table, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len));
FUNCTION(hpd_free, void (*)(hpd_detector *detector));
FUNCTION(hpd_get_bounds, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, int32_t operation_code, uint64_t *least, uint64_t *most));
FUNCTION(hpd_get_model_thresholds, int32_t (*)(const hpd_detector *detector, const char *model, size_t model_len, int64_t *writes, int64_t *reads));
FUNCTION(hpd_get_read_count, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len));
FUNCTION(hpd_get_statistics, int32_t (*)(const hpd_detector *detector, hpd_statistics *out));
FUNCTION(hpd_get_table_thresholds, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, int64_t *writes, int64_t *reads));
FUNCTION(hpd_get_thresholds, int32_t (*)(const hpd_detector *detector, int64_t *writes, int64_t *reads));
FUNCTION(hpd_get_throttle_count, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, int32_t operation_code, int32_t reason_code));
FUNCTION(hpd_get_unattributed_count, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, int32_t operation_code, int32_t what));
FUNCTION(hpd_get_write_count, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len));
FUNCTION(hpd_hottest_closed_take, int32_t (*)(const hpd_detector *detector, int32_t operation_code, uint64_t minute, size_t n, hpd_hottest **out));
FUNCTION(hpd_hottest_free, void (*)(hpd_hottest *hottest));
FUNCTION(hpd_hottest_get, int32_t (*)(const hpd_hottest *hottest, size_t i, hpd_hot_partition *out));
FUNCTION(hpd_hottest_len, int64_t (*)(const hpd_hottest *hottest));
FUNCTION(hpd_hottest_rest, int64_t (*)(const hpd_hottest *hottest));
FUNCTION(hpd_hottest_take, int32_t (*)(const hpd_detector *detector, int32_t operation_code, size_t n, hpd_hottest **out));
FUNCTION(hpd_log_line, int32_t (*)(const hpd_detector *detector, const hpd_warning *warning, hpd_text **out));
FUNCTION(hpd_metrics_take, int32_t (*)(const hpd_detector *detector, const hpd_metrics_options *options, hpd_text **out));
FUNCTION(hpd_new, int32_t (*)(uint64_t writes_threshold, uint64_t reads_threshold, uint32_t window_seconds, hpd_warning_callback callback, void *user_data, hpd_detector **out));
FUNCTION(hpd_new_with_options, int32_t (*)(const hpd_options *options, hpd_detector **out));
FUNCTION(hpd_notice_take, int32_t (*)(const hpd_detector *detector, hpd_text **out));
FUNCTION(hpd_number_key, int32_t (*)(const char *number, size_t number_len, char *out));
FUNCTION(hpd_observe, int64_t (*)(const hpd_detector *detector, hpd_exchange *exchange));
FUNCTION(hpd_observe_due, int64_t (*)(const hpd_detector *detector, const char *operation, const char *request, const char *response, int32_t http_status, const char *model));
FUNCTION(hpd_observe_full, int64_t (*)(const hpd_detector *detector, hpd_exchange *exchange, hpd_warnings **out));
FUNCTION(hpd_options_for_dynamodb, int32_t (*)(hpd_options *options, size_t struct_size, uint32_t share_permille, uint32_t processes));
FUNCTION(hpd_options_init, void (*)(hpd_options *options, size_t struct_size));
FUNCTION(hpd_record_batch, int64_t (*)(const hpd_detector *detector, const hpd_record *records, size_t record_size, size_t n));
FUNCTION(hpd_record_due, int64_t (*)(const hpd_detector *detector, const hpd_record *record, size_t record_size));
FUNCTION(hpd_record_full, int64_t (*)(const hpd_detector *detector, const hpd_record *record, size_t record_size, hpd_warning *warning));
FUNCTION(hpd_record_read, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len));
FUNCTION(hpd_record_throttle, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, int32_t operation_code, int32_t reason_code));
FUNCTION(hpd_record_throttle_due, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, int32_t operation_code, int32_t reason_code));
FUNCTION(hpd_record_throttle_full, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, int32_t operation_code, int32_t reason_code, hpd_warning *warning));
FUNCTION(hpd_record_write, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len));
FUNCTION(hpd_redact, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, char *out));
FUNCTION(hpd_set_key_schema, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *index, size_t index_len, const char *const *attributes, const size_t *attribute_lens, size_t n));
FUNCTION(hpd_set_key_schema_due, int64_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *index, size_t index_len, const char *const *attributes, const size_t *attribute_lens, size_t n));
FUNCTION(hpd_set_key_schema_full, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, const char *index, size_t index_len, const char *const *attributes, const size_t *attribute_lens, size_t n, hpd_warnings **out));
FUNCTION(hpd_set_model_thresholds, int32_t (*)(const hpd_detector *detector, const char *model, size_t model_len, int64_t writes, int64_t reads));
FUNCTION(hpd_set_table_thresholds, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, int64_t writes, int64_t reads));
FUNCTION(hpd_set_time_ms, int32_t (*)(const hpd_detector *detector, uint64_t now_ms));
FUNCTION(hpd_status_message, const char *(*)(int32_t status));
FUNCTION(hpd_table_close, void (*)(hpd_table *table));
FUNCTION(hpd_table_open, int32_t (*)(const hpd_detector *detector, const char *table, size_t table_len, hpd_table **out));
FUNCTION(hpd_table_record_read, int64_t (*)(const hpd_table *table, const char *pk, size_t pk_len));
FUNCTION(hpd_table_record_read_due, int64_t (*)(const hpd_table *table, const char *pk));
FUNCTION(hpd_table_record_read_z, int64_t (*)(const hpd_table *table, const char *pk));
FUNCTION(hpd_table_record_write, int64_t (*)(const hpd_table *table, const char *pk, size_t pk_len));
FUNCTION(hpd_table_record_write_due, int64_t (*)(const hpd_table *table, const char *pk));
FUNCTION(hpd_table_record_write_z, int64_t (*)(const hpd_table *table, const char *pk));
FUNCTION(hpd_take_missing_tables, int32_t (*)(hpd_text **out));
FUNCTION(hpd_take_warnings, int32_t (*)(const hpd_detector *detector, hpd_warnings **out));
FUNCTION(hpd_text_data, const char *(*)(const hpd_text *text));
FUNCTION(hpd_text_free, void (*)(hpd_text *text));
FUNCTION(hpd_text_len, size_t (*)(const hpd_text *text));
FUNCTION(hpd_version, const char *(*)(void));
CALLBACK(hpd_warning_callback, void (*)(void *user_data, const hpd_warning *warning));
FUNCTION(hpd_warnings_free, void (*)(hpd_warnings *warnings));
FUNCTION(hpd_warnings_get, int32_t (*)(const hpd_warnings *warnings, size_t i, hpd_warning *out));
FUNCTION(hpd_warnings_len, size_t (*)(const hpd_warnings *warnings));

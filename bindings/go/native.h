/* The library's calls in flat arguments, so that Go passes no struct that points to Go memory; what comes back is numbers. */
#ifndef HOTPART_GO_NATIVE_H
#define HOTPART_GO_NATIVE_H

#include <hotpart.h>

/* What a call returned and, if it has failed, which argument it refused, and what that must be. All in one call of Go's: the
 * library tells the thread, and a goroutine may be on another one by its next call. */
typedef struct hotpart_result {
  int64_t value;
  const char *argument, *must;
} hotpart_result;

static inline hotpart_result hotpart_told(int64_t value) {
  hotpart_result result = {value, NULL, NULL};
  if (value < 0) {
    result.argument = hpd_error_argument();
    result.must = hpd_error_range();
  }
  return result;
}

/* hotpart_NAME: does what hpd_NAME does, and tells. */
#define TOLD(name, parameters, arguments) \
  static inline hotpart_result hotpart_##name parameters { return hotpart_told(hpd_##name arguments); }
#define TEXT(name) const char *name, size_t name##_len

TOLD(new_with_options, (const hpd_options *options, hpd_detector **out), (options, out))
TOLD(options_for_dynamodb, (hpd_options *options, uint32_t permille, uint32_t processes),
     (options, sizeof *options, permille, processes))
TOLD(get_write_count, (const hpd_detector *d, TEXT(table), TEXT(pk)), (d, table, table_len, pk, pk_len))
TOLD(get_read_count, (const hpd_detector *d, TEXT(table), TEXT(pk)), (d, table, table_len, pk, pk_len))
TOLD(get_throttle_count, (const hpd_detector *d, TEXT(table), TEXT(pk), int32_t operation, int32_t reason),
     (d, table, table_len, pk, pk_len, operation, reason))
TOLD(get_unattributed_count, (const hpd_detector *d, TEXT(table), int32_t operation, int32_t kind),
     (d, table, table_len, operation, kind))
TOLD(get_thresholds, (const hpd_detector *d, int64_t *writes, int64_t *reads), (d, writes, reads))
TOLD(get_table_thresholds, (const hpd_detector *d, TEXT(table), int64_t *writes, int64_t *reads),
     (d, table, table_len, writes, reads))
TOLD(get_model_thresholds, (const hpd_detector *d, TEXT(model), int64_t *writes, int64_t *reads),
     (d, model, model_len, writes, reads))
TOLD(set_table_thresholds, (const hpd_detector *d, TEXT(table), int64_t writes, int64_t reads),
     (d, table, table_len, writes, reads))
TOLD(set_model_thresholds, (const hpd_detector *d, TEXT(model), int64_t writes, int64_t reads),
     (d, model, model_len, writes, reads))
TOLD(set_time_ms, (const hpd_detector *d, uint64_t now_ms), (d, now_ms))
TOLD(hottest_take, (const hpd_detector *d, int32_t operation, size_t n, hpd_hottest **out), (d, operation, n, out))
TOLD(metrics_take, (const hpd_detector *d, const hpd_metrics_options *options, hpd_text **out), (d, options, out))
TOLD(redact, (const hpd_detector *d, TEXT(table), TEXT(pk), char *out), (d, table, table_len, pk, pk_len, out))
TOLD(number_key, (TEXT(number), char *out), (number, number_len, out))
/* An index without a name is none that is NULL, as Go's empty text may be. */
TOLD(set_key_schema,
     (const hpd_detector *d, TEXT(table), int of_index, TEXT(index), const char *const *names, const size_t *lens, size_t n),
     (d, table, table_len, of_index && !index ? "" : index, index_len, names, lens, n))

/* A warning without its texts; a count of 0: none is due. */
typedef struct hotpart_due {
  uint64_t count, threshold, suppressed, peak;
  int32_t operation, rule;
  uint32_t window_seconds, utilisation_permille;
} hotpart_due;

static inline void hotpart_copy_due(hotpart_due *due, const hpd_warning *warning) {
  due->count = warning->count;
  due->threshold = warning->threshold;
  due->suppressed = warning->suppressed;
  due->peak = warning->peak;
  due->operation = warning->operation;
  due->rule = warning->rule;
  due->window_seconds = warning->window_seconds;
  due->utilisation_permille = warning->utilisation_permille;
}

static inline hotpart_result hotpart_record(const hpd_detector *detector, const char *table, size_t table_len, const char *pk,
                                     size_t pk_len, const char *model, size_t model_len, uint64_t amount, int32_t operation,
                                     hotpart_due *due) {
  /* An empty model is none, and Go's empty text may point somewhere. */
  const hpd_record record = {table, table_len, pk, pk_len, model_len ? model : NULL, model_len, amount, operation, 0};
  hpd_warning warning;
  int64_t count;
  warning.struct_size = sizeof warning;
  warning.count = 0;
  count = hpd_record_full(detector, &record, sizeof record, &warning);
  if (warning.count) hotpart_copy_due(due, &warning);
  return hotpart_told(count);
}

static inline hotpart_result hotpart_record_throttle(const hpd_detector *detector, const char *table, size_t table_len,
                                              const char *pk, size_t pk_len, int32_t operation, int32_t reason,
                                              hotpart_due *due) {
  hpd_warning warning;
  int64_t count;
  warning.struct_size = sizeof warning;
  warning.count = 0;
  count = hpd_record_throttle_full(detector, table, table_len, pk, pk_len, operation, reason, &warning);
  if (warning.count) hotpart_copy_due(due, &warning);
  return hotpart_told(count);
}

/* What is observed besides the count: warnings, to be freed, and the table whose key schema is missing. */
typedef struct hotpart_observed {
  hpd_warnings *warnings;
  size_t table_len;
  char table[1024];
} hotpart_observed;

static inline hotpart_result hotpart_observe(const hpd_detector *detector, const char *operation, size_t operation_len,
                                      const char *request, size_t request_len, const char *response, size_t response_len,
                                      const char *model, size_t model_len, int32_t http_status, hotpart_observed *observed) {
  hpd_exchange exchange = {sizeof exchange, operation,   operation_len, request, request_len, response, response_len,
                           NULL,            model_len,   http_status,   0,       NULL,        0,        0};
  int64_t actions;
  exchange.model = model_len ? model : NULL;
  exchange.table = observed->table;
  exchange.table_capacity = sizeof observed->table;
  actions = hpd_observe_full(detector, &exchange, &observed->warnings);
  observed->table_len = exchange.table_len;
  return hotpart_told(actions);
}

static inline hpd_text *hotpart_log_line(const hpd_detector *detector, const char *table, size_t table_len, const char *pk,
                                         size_t pk_len, const hotpart_due *due) {
  const hpd_warning warning = {sizeof warning, table,      table_len,          pk,
                               pk_len,         due->operation, due->window_seconds, due->count,
                               due->threshold, due->suppressed, due->peak,      due->rule,
                               due->utilisation_permille};
  hpd_text *line = NULL;
  hpd_log_line(detector, &warning, &line);
  return line;
}

#endif

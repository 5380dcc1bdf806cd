/* The library's calls in flat arguments, so that Go passes no struct that points to Go memory; what comes back is numbers. */
#ifndef HOTPART_GO_NATIVE_H
#define HOTPART_GO_NATIVE_H

#include <hotpart.h>
#include <stdlib.h>
#include <string.h>

/* A call's outcome: the value and, if it has failed, which argument it refused, and what that must
 * be. All in one call of Go's: the library keeps the latter for the thread, and a goroutine may be
 * on another one by its next call. */
typedef struct hotpart_result {
  int64_t value;
  const char *argument, *must;
} hotpart_result;

static inline hotpart_result hotpart_outcome(int64_t value) {
  hotpart_result result = {value, NULL, NULL};
  if (value < 0) {
    result.argument = hpd_error_argument();
    result.must = hpd_error_range();
  }
  return result;
}

/* hotpart_NAME: does what hpd_NAME does, and says why it failed. */
#define CALL_OF(name, of, parameters, arguments) \
  static inline hotpart_result hotpart_##name parameters { return hotpart_outcome(hpd_##of arguments); }
#define CALL(name, parameters, arguments) CALL_OF(name, name, parameters, arguments)
#define TEXT(name) const char *name, size_t name##_len

CALL(new_with_options, (const hpd_options *options, hpd_detector **out), (options, out))
CALL(options_for_dynamodb, (hpd_options *options, uint32_t permille, uint32_t processes),
     (options, sizeof *options, permille, processes))
CALL(get_write_count, (const hpd_detector *d, TEXT(table), TEXT(pk)), (d, table, table_len, pk, pk_len))
CALL(get_read_count, (const hpd_detector *d, TEXT(table), TEXT(pk)), (d, table, table_len, pk, pk_len))
CALL(get_bounds, (const hpd_detector *d, TEXT(table), TEXT(pk), int32_t operation, uint64_t *least, uint64_t *most),
     (d, table, table_len, pk, pk_len, operation, least, most))
CALL(get_throttle_count, (const hpd_detector *d, TEXT(table), TEXT(pk), int32_t operation, int32_t reason),
     (d, table, table_len, pk, pk_len, operation, reason))
CALL(get_unattributed_count, (const hpd_detector *d, TEXT(table), int32_t operation, int32_t kind),
     (d, table, table_len, operation, kind))
CALL(get_thresholds, (const hpd_detector *d, int64_t *writes, int64_t *reads), (d, writes, reads))
CALL(get_table_thresholds, (const hpd_detector *d, TEXT(table), int64_t *writes, int64_t *reads),
     (d, table, table_len, writes, reads))
CALL(get_model_thresholds, (const hpd_detector *d, TEXT(model), int64_t *writes, int64_t *reads),
     (d, model, model_len, writes, reads))
CALL(set_table_thresholds, (const hpd_detector *d, TEXT(table), int64_t writes, int64_t reads),
     (d, table, table_len, writes, reads))
CALL(set_model_thresholds, (const hpd_detector *d, TEXT(model), int64_t writes, int64_t reads),
     (d, model, model_len, writes, reads))
CALL(set_time_ms, (const hpd_detector *d, uint64_t now_ms), (d, now_ms))
CALL(hottest_take, (const hpd_detector *d, int32_t operation, size_t n, hpd_hottest **out), (d, operation, n, out))
CALL(hottest_closed_take,
     (const hpd_detector *d, int32_t operation, uint64_t minute, size_t n, hpd_hottest **out), (d, operation, minute, n, out))
CALL(metrics_take, (const hpd_detector *d, const hpd_metrics_options *options, hpd_text **out), (d, options, out))
CALL(redact, (const hpd_detector *d, TEXT(table), TEXT(pk), char *out), (d, table, table_len, pk, pk_len, out))
CALL(number_key, (TEXT(number), char *out), (number, number_len, out))
CALL(forget_table, (const hpd_detector *d, TEXT(table)), (d, table, table_len))
/* An index without a name is none that is NULL, as Go's empty text may be. */
CALL_OF(set_key_schema, set_key_schema_full,
     (const hpd_detector *d, TEXT(table), int of_index, TEXT(index), const char *const *names, const size_t *lens, size_t n,
      hpd_warnings **out),
     (d, table, table_len, of_index && !index ? "" : index, index_len, names, lens, n, out))

/* A warning without its texts; a count of 0: none is due. */
typedef struct hotpart_due {
  uint64_t count, threshold, suppressed, peak, carried;
  int32_t operation, rule;
  uint32_t window_seconds, utilisation_permille;
} hotpart_due;

static inline void hotpart_copy_due(hotpart_due *due, const hpd_warning *warning) {
  due->count = warning->count;
  due->threshold = warning->threshold;
  due->suppressed = warning->suppressed;
  due->peak = warning->peak;
  due->carried = warning->carried;
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
  return hotpart_outcome(count);
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
  return hotpart_outcome(count);
}

/* The rest of an observation, to be freed: warnings, and the names of the tables that are asked for,
 * each ended by a NUL. Of either NULL: none. */
typedef struct hotpart_observed {
  hpd_warnings *warnings;
  char *tables;
  size_t tables_len;
} hotpart_observed;

/* Room for the names of as many tables as a request can have: 100, of 255 bytes. */
#define TABLES_MAX (100 * 256)

static inline hotpart_result hotpart_observe(const hpd_detector *detector, const char *operation, size_t operation_len,
                                      const char *request, size_t request_len, const char *response, size_t response_len,
                                      const char *model, size_t model_len, int32_t http_status, hotpart_observed *observed) {
  char tables[TABLES_MAX];
  hpd_exchange exchange = {sizeof exchange, operation,   operation_len, request, request_len, response, response_len,
                           NULL,            model_len,   http_status,   0,       tables,      sizeof tables, 0};
  int64_t actions;
  exchange.model = model_len ? model : NULL;
  actions = hpd_observe_full(detector, &exchange, &observed->warnings);
  if (actions == HPD_ERR_SCHEMA) {
    size_t len = exchange.table_len < sizeof tables ? exchange.table_len : sizeof tables;
    /* The last may have been cut off. Without memory they are asked for in a minute again. */
    while (len && tables[len - 1]) len--;
    observed->tables = malloc(len ? len : 1);
    observed->tables_len = observed->tables ? len : 0;
    if (len && observed->tables) memcpy(observed->tables, tables, len);
  }
  return hotpart_outcome(actions);
}

static inline hpd_text *hotpart_log_line(const hpd_detector *detector, const char *table, size_t table_len, const char *pk,
                                         size_t pk_len, const hotpart_due *due) {
  const hpd_warning warning = {sizeof warning, table,      table_len,          pk,
                               pk_len,         due->operation, due->window_seconds, due->count,
                               due->threshold, due->suppressed, due->peak,      due->rule,
                               due->utilisation_permille, due->carried};
  hpd_text *line = NULL;
  hpd_log_line(detector, &warning, &line);
  return line;
}

#endif

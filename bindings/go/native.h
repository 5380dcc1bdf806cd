/* The library's calls in flat arguments, so that Go passes no struct that points to Go memory; what comes back is numbers. */
#ifndef HOTPART_GO_NATIVE_H
#define HOTPART_GO_NATIVE_H

#include <hotpart.h>

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

static inline int64_t hotpart_record(const hpd_detector *detector, const char *table, size_t table_len, const char *pk,
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
  return count;
}

static inline int64_t hotpart_record_throttle(const hpd_detector *detector, const char *table, size_t table_len,
                                              const char *pk, size_t pk_len, int32_t operation, int32_t reason,
                                              hotpart_due *due) {
  hpd_warning warning;
  int64_t count;
  warning.struct_size = sizeof warning;
  warning.count = 0;
  count = hpd_record_throttle_full(detector, table, table_len, pk, pk_len, operation, reason, &warning);
  if (warning.count) hotpart_copy_due(due, &warning);
  return count;
}

/* What is observed besides the count: warnings, to be freed, and the table whose key schema is missing. */
typedef struct hotpart_observed {
  hpd_warnings *warnings;
  size_t table_len;
  char table[1024];
} hotpart_observed;

static inline int64_t hotpart_observe(const hpd_detector *detector, const char *operation, size_t operation_len,
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
  return actions;
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

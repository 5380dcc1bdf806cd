/* A C program's calls of libhotpart, in loops for the benchmark to time: `pks` holds n keys of pk_len
 * bytes, one after the other. Each loop returns the sum of what the calls returned. */

#include "hotpart.h"
#include <stdlib.h>

typedef struct caller {
  hpd_detector *detector;
  hpd_table *handle;
  const char *table;
  size_t table_len;
} caller;

void caller_free(caller *c) {
  if (c == NULL) return;
  hpd_table_close(c->handle);
  hpd_free(c->detector);
  free(c);
}

/* NULL if something failed. `table` must outlive the caller. A manual clock stands at 0 until it is
 * set. filter_bytes is the memory for bounded counting; 0: off. */
caller *caller_new(const char *table, size_t table_len, int manual_clock, uint64_t filter_bytes) {
  hpd_options options;
  caller *c = calloc(1, sizeof *c);
  if (c == NULL) return NULL;
  c->table = table;
  c->table_len = table_len;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = options.reads_threshold = INT64_MAX;
  options.window_seconds = 60;
  options.clock = manual_clock ? HPD_CLOCK_MANUAL : HPD_CLOCK_MONOTONIC;
  options.filter_bytes = filter_bytes;
  /* With random seeds one filter in forty has a key, of 1,024, that shares both its cells with
   * others and so is promoted. */
  options.flags = HPD_FLAG_HASH_SEED;
  if (hpd_new_with_options(&options, &c->detector) != HPD_OK ||
      hpd_table_open(c->detector, table, table_len, &c->handle) != HPD_OK) {
    caller_free(c);
    return NULL;
  }
  return c;
}

int32_t caller_set_time_ms(const caller *c, uint64_t now_ms) { return hpd_set_time_ms(c->detector, now_ms); }

/* How many partitions came to be counted exactly; negative if it can't be told. */
int64_t caller_promoted(const caller *c) {
  hpd_statistics statistics = {0};
  statistics.struct_size = sizeof statistics;
  return hpd_get_statistics(c->detector, &statistics) == HPD_OK ? (int64_t)statistics.promoted : -1;
}

/* Any number of threads may do so with one caller. */
int64_t caller_record(const caller *c, const char *pks, size_t pk_len, size_t n) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += hpd_record_write(c->detector, c->table, c->table_len, pks + i * pk_len, pk_len);
  }
  return sum;
}

int64_t caller_record_by_handle(const caller *c, const char *pks, size_t pk_len, size_t n) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; i++) {
    sum += hpd_table_record_write(c->handle, pks + i * pk_len, pk_len);
  }
  return sum;
}

int64_t caller_record_batches(const caller *c, const hpd_record *records, size_t n, size_t batch) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; i += batch) {
    size_t len = n - i < batch ? n - i : batch;
    sum += hpd_record_batch(c->detector, records + i, sizeof *records, len);
  }
  return sum;
}

/* The records that caller_record_batches takes; to be freed. NULL if there is no memory. */
hpd_record *records_new(const char *table, size_t table_len, const char *pks, size_t pk_len, size_t n) {
  hpd_record *records = calloc(n, sizeof *records);
  for (size_t i = 0; records != NULL && i < n; i++) {
    records[i].table = table;
    records[i].table_len = table_len;
    records[i].pk = pks + i * pk_len;
    records[i].pk_len = pk_len;
    records[i].amount = 1;
    records[i].operation = HPD_WRITE;
  }
  return records;
}

void records_free(hpd_record *records) { free(records); }

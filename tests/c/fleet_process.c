/* One process of a fleet: fleet_process NUMBER [bounded] serves its metrics on 127.0.0.1, on a port
 * that it prints, until it is killed. Asked for /plant it first records more of the key that all
 * processes share. tests/prometheus/process.py is the same in Python. */
#include "check.h"
#include "hotpart.h"
#include "serve.h"

#include <string.h>

/* A quarter of a fifth of 48,000: hotpart::fleet_least(48_000, 5, 4). */
enum { LEAST = 2400 };

static void record(hpd_detector *detector, const char *table, const char *pk, int32_t operation, uint64_t amount) {
  hpd_record record;
  memset(&record, 0, sizeof record);
  record.table = table;
  record.table_len = strlen(table);
  record.pk = pk;
  record.pk_len = strlen(pk);
  record.amount = amount;
  record.operation = operation;
  CHECK(hpd_record_full(detector, &record, sizeof record, NULL) >= (int64_t)amount);
}

static void plant(hpd_detector *detector, const char *request) {
  if (strncmp(request, "GET /plant ", 11) != 0) return;
  record(detector, "orders", "shared", HPD_WRITE, 1000);
  CHECK(hpd_record_throttle(detector, "orders", 6, "shared", 6, HPD_WRITE, HPD_THROTTLE_KEY_RANGE) >= 0);
}

/* Twelve keys of its own, which fill its top ten; those that all share, and small ones. */
static void record_all(hpd_detector *detector, const char *number) {
  char pk[64];
  int i;
  for (i = 0; i < 12; ++i) {
    snprintf(pk, sizeof pk, "tenant-%s-%d", number, i);
    record(detector, "orders", pk, HPD_WRITE, 12000);
  }
  record(detector, "orders", "shared", HPD_WRITE, 9000);
  record(detector, "catalogue", "front page", HPD_READ, 20000);
  for (i = 0; i < 40; ++i) {
    snprintf(pk, sizeof pk, "small-%s-%d", number, i);
    record(detector, "orders", pk, HPD_WRITE, 200);
  }
}

int main(int argc, char **argv) {
  hpd_detector *detector;
  hpd_options options;
  hpd_metrics_options metrics;
  int bounded = argc > 2 && strcmp(argv[2], "bounded") == 0;
  CHECK(argc > 1);
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = 48000;
  options.reads_threshold = 144000;
  options.window_seconds = 60;
  options.clock = HPD_CLOCK_MANUAL; /* so nothing leaves the window */
  memset(&metrics, 0, sizeof metrics);
  metrics.struct_size = sizeof metrics;
  metrics.least = LEAST;
  if (bounded) {
    options.filter_bytes = 1 << 20;
    /* LEAST must be over the count that is exact: 48,000 * 10 / 1,000, and 1,440 reads. */
    options.promote_permille = 10;
  } else {
    metrics.flags = HPD_METRICS_DEMAND_ONLY;
  }
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  record_all(detector, argv[1]);
  serve(detector, &metrics, plant);
}

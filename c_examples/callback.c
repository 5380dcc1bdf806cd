/* Warnings: by a callback with user data, and without one by hpd_record_full. The clock is moved by
 * hand, so that what happens in minutes takes none. */
#include "check.h"
#include "hotpart.h"

/* The data that the callback is handed. A program of many threads would lock it, or make its fields atomic. */
typedef struct warnings {
  unsigned seen;
  int32_t operation;
  uint64_t count, threshold, suppressed, peak;
} warnings;

/* A key that strangers choose is escaped before it is logged, as hpd_log_line does. These are our own. */
static void on_warning(void *user_data, const hpd_warning *warning) {
  warnings *log = (warnings *)user_data;
  log->seen++;
  log->operation = warning->operation;
  log->count = warning->count;
  log->threshold = warning->threshold;
  log->suppressed = warning->suppressed;
  log->peak = warning->peak;
  printf("Hot partition detected - table=\"%.*s\" pk=\"%.*s\" had %" PRIu64 " %s in %" PRIu32 "s\n",
         (int)warning->table_len, warning->table, (int)warning->pk_len, warning->pk, warning->count,
         warning->operation == HPD_WRITE ? "writes" : "reads", warning->window_seconds);
}

static void write_times(const hpd_detector *detector, int times) {
  while (times-- > 0)
    CHECK(hpd_record_write(detector, "events", 6, "EVENTS", 6) > 0);
}

/* At most one warning an interval, which is the window unless told otherwise. */
static void one_warning_an_interval(const hpd_detector *detector, const warnings *log) {
  write_times(detector, 2);
  CHECK_EQUAL(log->seen, 0);
  write_times(detector, 1);
  CHECK_EQUAL(log->seen, 1);
  CHECK_EQUAL(log->operation, HPD_WRITE);
  CHECK_EQUAL(log->count, 3);
  CHECK_EQUAL(log->threshold, 3);
  CHECK_EQUAL(log->suppressed, 0);
  CHECK_EQUAL(log->peak, 3);

  write_times(detector, 2);
  CHECK_EQUAL(hpd_set_time_ms(detector, 9999), HPD_OK);
  write_times(detector, 1);
  CHECK_EQUAL(log->seen, 1);

  CHECK_EQUAL(hpd_set_time_ms(detector, 10000), HPD_OK);
  write_times(detector, 1);
  CHECK_EQUAL(log->seen, 2);
  CHECK_EQUAL(log->count, 7);
  CHECK_EQUAL(log->suppressed, 3); /* hot records since the first warning that gave none */
  CHECK_EQUAL(log->peak, 5);       /* the fullest second: the first */
}

static void reads_are_counted_apart(const hpd_detector *detector, const warnings *log) {
  for (int i = 1; i <= 5; i++) {
    CHECK_EQUAL(log->seen, 2);
    CHECK_EQUAL(hpd_record_read(detector, "events", 6, "EVENTS", 6), i);
  }
  CHECK_EQUAL(log->seen, 3);
  CHECK_EQUAL(log->operation, HPD_READ);
  CHECK_EQUAL(log->threshold, 5);
}

/* A due warning can come back to the caller instead: how a binding takes warnings without callbacks. */
static void a_warning_without_the_callback(const hpd_detector *detector, const warnings *log) {
  hpd_record record;
  record.table = "orders";
  record.table_len = 6;
  record.pk = "customer#7";
  record.pk_len = 10;
  record.model = "Order"; /* whose thresholds win over the table's and the detector's */
  record.model_len = 5;
  record.amount = 2;
  record.operation = HPD_WRITE;
  record.reserved = 0;
  CHECK_EQUAL(hpd_set_model_thresholds(detector, "Order", 5, 4, HPD_INHERIT), HPD_OK);

  hpd_warning due;
  due.struct_size = sizeof due;
  CHECK_EQUAL(hpd_record_full(detector, &record, sizeof record, &due), 2);
  CHECK_EQUAL(due.count, 0); /* none is due */
  CHECK_EQUAL(hpd_record_full(detector, &record, sizeof record, &due), 4);
  CHECK_EQUAL(due.count, 4);
  CHECK_EQUAL(due.threshold, 4);
  CHECK_EQUAL(due.peak, 4);
  CHECK(due.pk == record.pk); /* the texts are the record's own */
  CHECK_EQUAL(hpd_record_full(detector, &record, sizeof record, &due), 6);
  CHECK_EQUAL(due.count, 0); /* hot, but warned about within this interval */
  CHECK_EQUAL(log->seen, 3);
}

int main(void) {
  static warnings log;
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = 3;
  options.reads_threshold = 5;
  options.window_seconds = 10;
  options.callback = on_warning;
  options.user_data = &log;
  options.clock = HPD_CLOCK_MANUAL;

  hpd_detector *detector;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  one_warning_an_interval(detector, &log);
  reads_are_counted_apart(detector, &log);
  a_warning_without_the_callback(detector, &log);
  hpd_free(detector);
  return EXIT_SUCCESS;
}

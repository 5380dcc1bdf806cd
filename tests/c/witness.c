#include "witness.h"

#include <string.h>

static void on_warning(void *user_data, const hpd_warning *warning) {
  (void)warning;
  ++*(uint64_t *)user_data;
}

hpd_options witness_options(void) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = 500;
  options.reads_threshold = 1500;
  options.window_seconds = 60;
  options.clock = HPD_CLOCK_MANUAL;
  return options;
}

hpd_record witness_record(void) {
  hpd_record record;
  memset(&record, 0, sizeof record);
  record.table = "t";
  record.table_len = 1;
  record.pk = "k";
  record.pk_len = 1;
  record.amount = 1;
  record.operation = HPD_WRITE;
  return record;
}

const char *long_text(void) {
  static char text[PK_MAX_BYTES + 2];
  memset(text, 'x', sizeof text - 1);
  return text;
}

void witness_open(witness *self) {
  hpd_options options = witness_options();
  options.callback = on_warning;
  options.user_data = &self->warnings;
  self->warnings = 0;
  CHECK_EQUAL(hpd_new_with_options(&options, &self->detector), HPD_OK);
  CHECK_EQUAL(hpd_table_open(self->detector, "t", 1, &self->table), HPD_OK);
  CHECK_EQUAL(hpd_record_write(self->detector, "t", 1, "k", 1), 1);
  CHECK_EQUAL(hpd_record_read(self->detector, "t", 1, "k", 1), 1);
  CHECK_EQUAL(hpd_table_record_read(self->table, "k", 1), 2);
  CHECK_EQUAL(hpd_set_table_thresholds(self->detector, "t", 1, 50, HPD_INHERIT), HPD_OK);
  CHECK_EQUAL(hpd_set_model_thresholds(self->detector, "t", 1, HPD_INHERIT, INT64_MAX), HPD_OK);
}

void witness_close(witness *self) {
  hpd_table_close(self->table);
  hpd_free(self->detector);
}

void check_refused(int32_t status, const char *argument, const char *file, int line) {
  const char *range = hpd_error_range();
  check_equal(strcmp(hpd_error_argument(), argument), 0, argument, file, line);
  check_equal(*range != 0, *argument != 0, range, file, line);
  check_equal(strcmp(range, "must not be NULL") == 0, status == HPD_ERR_NULL, range, file, line);
}

void witness_check(const witness *self, const char *file, int line) {
  const hpd_detector *detector = self->detector;
  int64_t own[2], table[2], model[2];
  check_equal(hpd_get_write_count(detector, "t", 1, "k", 1), 1, "the count of writes", file, line);
  check_equal(hpd_get_read_count(detector, "t", 1, "k", 1), 2, "the count of reads", file, line);
  check_equal(hpd_get_write_count(detector, "t", 1, "", 0), 0, "the count of the empty key", file, line);
  check_equal(hpd_get_thresholds(detector, &own[0], &own[1]), HPD_OK, "the status", file, line);
  check_equal(hpd_get_table_thresholds(detector, "t", 1, &table[0], &table[1]), HPD_OK, "the status", file, line);
  check_equal(hpd_get_model_thresholds(detector, "t", 1, &model[0], &model[1]), HPD_OK, "the status", file, line);
  check_equal(own[0], 500, "the detector's threshold for writes", file, line);
  check_equal(own[1], 1500, "the detector's threshold for reads", file, line);
  check_equal(table[0], 50, "the table's threshold for writes", file, line);
  check_equal(table[1], HPD_INHERIT, "the table's threshold for reads", file, line);
  check_equal(model[0], HPD_INHERIT, "the model's threshold for writes", file, line);
  check_equal(model[1], INT64_MAX, "the model's threshold for reads", file, line);
  check_equal((int64_t)self->warnings, 0, "the number of warnings", file, line);
}

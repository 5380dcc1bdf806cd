/* Bad handles, texts, numbers and times, for every function of the header: each is refused with the right
 * status and changes nothing; what is at its limit or merely odd is taken. bad_structs.c has the structs. */
#include "witness.h"

#include <pthread.h>
#include <string.h>

static hpd_detector *const DETECTOR_UNTOUCHED = (hpd_detector *)"untouched";
static hpd_table *const TABLE_UNTOUCHED = (hpd_table *)"untouched";

static void null_handles(const witness *w) {
  hpd_table *out = TABLE_UNTOUCHED;
  int64_t writes = 7, reads = 7;
  uint64_t least = 7, most = 7;
  REFUSED(w, hpd_record_write(NULL, "t", 1, "k", 1), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_record_read(NULL, "t", 1, "k", 1), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_write_count(NULL, "t", 1, "k", 1), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_read_count(NULL, "t", 1, "k", 1), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_bounds(NULL, "t", 1, "k", 1, HPD_WRITE, &least, &most), HPD_ERR_NULL, "detector");
  CHECK(least == 7 && most == 7);
  REFUSED(w, hpd_table_open(NULL, "t", 1, &out), HPD_ERR_NULL, "detector");
  CHECK(out == TABLE_UNTOUCHED);
  REFUSED(w, hpd_table_record_write(NULL, "k", 1), HPD_ERR_NULL, "table");
  REFUSED(w, hpd_table_record_read(NULL, "k", 1), HPD_ERR_NULL, "table");
  REFUSED(w, hpd_table_record_write_z(NULL, "k"), HPD_ERR_NULL, "table");
  REFUSED(w, hpd_table_record_read_z(NULL, "k"), HPD_ERR_NULL, "table");
  REFUSED(w, hpd_set_table_thresholds(NULL, "t", 1, 5, 5), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_set_model_thresholds(NULL, "t", 1, 5, 5), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_table_thresholds(NULL, "t", 1, &writes, &reads), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_model_thresholds(NULL, "t", 1, &writes, &reads), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_thresholds(NULL, &writes, &reads), HPD_ERR_NULL, "detector");
  CHECK(writes == 7 && reads == 7);
  REFUSED(w, hpd_clear(NULL), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_set_time_ms(NULL, 0), HPD_ERR_NULL, "detector");
  hpd_free(NULL);
  hpd_table_close(NULL);
}

static void null_outputs(const witness *w) {
  const hpd_detector *d = w->detector;
  int64_t value = 7;
  REFUSED(w, hpd_new(1, 1, 1, NULL, NULL, NULL), HPD_ERR_NULL, "out");
  REFUSED(w, hpd_table_open(d, "t", 1, NULL), HPD_ERR_NULL, "out");
  REFUSED(w, hpd_get_thresholds(d, NULL, &value), HPD_ERR_NULL, "writes");
  REFUSED(w, hpd_get_thresholds(d, &value, NULL), HPD_ERR_NULL, "reads");
  REFUSED(w, hpd_get_table_thresholds(d, "t", 1, NULL, &value), HPD_ERR_NULL, "writes");
  REFUSED(w, hpd_get_table_thresholds(d, "t", 1, &value, NULL), HPD_ERR_NULL, "reads");
  REFUSED(w, hpd_get_model_thresholds(d, "t", 1, NULL, &value), HPD_ERR_NULL, "writes");
  REFUSED(w, hpd_get_model_thresholds(d, "t", 1, &value, NULL), HPD_ERR_NULL, "reads");
  CHECK_EQUAL(value, 7);
}

/* Both bounds are written, or neither is. */
static void bounds(const witness *w) {
  const hpd_detector *d = w->detector;
  uint64_t least = 7, most = 7;
  REFUSED(w, hpd_get_bounds(d, "t", 1, "k", 1, HPD_WRITE, NULL, &most), HPD_ERR_NULL, "least");
  REFUSED(w, hpd_get_bounds(d, "t", 1, "k", 1, HPD_WRITE, &least, NULL), HPD_ERR_NULL, "most");
  REFUSED(w, hpd_get_bounds(d, "t", 1, "k", 1, HPD_WRITE, NULL, NULL), HPD_ERR_NULL, "least");
  REFUSED(w, hpd_get_bounds(d, "t", 1, "k", 1, 2, &least, &most), HPD_ERR_INVALID, "operation");
  REFUSED(w, hpd_get_bounds(d, "t", 1, "k", 1, -1, &least, &most), HPD_ERR_INVALID, "operation");
  REFUSED(w, hpd_get_bounds(d, "t", 1, NULL, 1, HPD_READ, &least, &most), HPD_ERR_NULL, "pk");
  REFUSED(w, hpd_get_bounds(d, "t", 1, long_text(), PK_MAX_BYTES + 1, HPD_READ, &least, &most), HPD_ERR_INVALID, "pk");
  CHECK(least == 7 && most == 7);
  CHECK_EQUAL(hpd_get_bounds(d, "t", 1, "k", 1, HPD_WRITE, &least, &most), HPD_OK);
  CHECK(least == 1 && most == 1); /* without memory for it nothing is bounded */
  CHECK_EQUAL(hpd_get_bounds(d, "t", 1, "k", 1, HPD_READ, &least, &most), HPD_OK);
  CHECK(least == 2 && most == 2);
  CHECK_EQUAL(hpd_get_bounds(d, "t", 1, "never", 5, HPD_READ, &least, &most), HPD_OK);
  CHECK(least == 0 && most == 0);
}

/* A name that all functions which take one must refuse; a pk that is fine beside it. */
static void bad_name(const witness *w, const char *name, size_t len, int32_t status) {
  const hpd_detector *d = w->detector;
  hpd_table *out = TABLE_UNTOUCHED;
  int64_t writes = 7, reads = 7;
  uint64_t least = 7, most = 7;
  REFUSED(w, hpd_record_write(d, name, len, "k", 1), status, "table");
  REFUSED(w, hpd_record_read(d, name, len, "k", 1), status, "table");
  REFUSED(w, hpd_get_write_count(d, name, len, "k", 1), status, "table");
  REFUSED(w, hpd_get_read_count(d, name, len, "k", 1), status, "table");
  REFUSED(w, hpd_get_bounds(d, name, len, "k", 1, HPD_WRITE, &least, &most), status, "table");
  CHECK(least == 7 && most == 7);
  REFUSED(w, hpd_table_open(d, name, len, &out), status, "table");
  CHECK(out == TABLE_UNTOUCHED);
  REFUSED(w, hpd_set_table_thresholds(d, name, len, 5, 5), status, "table");
  REFUSED(w, hpd_set_model_thresholds(d, name, len, 5, 5), status, "model");
  REFUSED(w, hpd_get_table_thresholds(d, name, len, &writes, &reads), status, "table");
  REFUSED(w, hpd_get_model_thresholds(d, name, len, &writes, &reads), status, "model");
  CHECK(writes == 7 && reads == 7);
}

static void bad_pk(const witness *w, const char *pk, size_t len, int32_t status) {
  const hpd_detector *d = w->detector;
  REFUSED(w, hpd_record_write(d, "t", 1, pk, len), status, "pk");
  REFUSED(w, hpd_record_read(d, "t", 1, pk, len), status, "pk");
  REFUSED(w, hpd_get_write_count(d, "t", 1, pk, len), status, "pk");
  REFUSED(w, hpd_get_read_count(d, "t", 1, pk, len), status, "pk");
  REFUSED(w, hpd_table_record_write(w->table, pk, len), status, "pk");
  REFUSED(w, hpd_table_record_read(w->table, pk, len), status, "pk");
}

static void bad_texts(const witness *w) {
  bad_name(w, NULL, 1, HPD_ERR_NULL);
  bad_name(w, NULL, SIZE_MAX, HPD_ERR_NULL);
  bad_name(w, NULL, 0, HPD_ERR_INVALID);
  bad_name(w, "t", 0, HPD_ERR_INVALID);
  bad_name(w, long_text(), NAME_MAX_BYTES + 1, HPD_ERR_INVALID);
  bad_name(w, "t", SIZE_MAX, HPD_ERR_INVALID);
  bad_pk(w, NULL, 1, HPD_ERR_NULL);
  bad_pk(w, NULL, SIZE_MAX, HPD_ERR_NULL);
  bad_pk(w, long_text(), PK_MAX_BYTES + 1, HPD_ERR_INVALID);
  bad_pk(w, "k", SIZE_MAX, HPD_ERR_INVALID);
  REFUSED(w, hpd_table_record_write_z(w->table, NULL), HPD_ERR_NULL, "pk");
  REFUSED(w, hpd_table_record_read_z(w->table, NULL), HPD_ERR_NULL, "pk");
  REFUSED(w, hpd_table_record_write_z(w->table, long_text()), HPD_ERR_INVALID, "pk");
  REFUSED(w, hpd_table_record_read_z(w->table, long_text()), HPD_ERR_INVALID, "pk");
}

static void bad_thresholds(const witness *w) {
  static const int64_t BAD[] = {0, -2, INT64_MIN};
  const hpd_detector *d = w->detector;
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
    REFUSED(w, hpd_set_table_thresholds(d, "t", 1, BAD[i], 5), HPD_ERR_INVALID, "writes");
    REFUSED(w, hpd_set_table_thresholds(d, "t", 1, 5, BAD[i]), HPD_ERR_INVALID, "reads");
    REFUSED(w, hpd_set_table_thresholds(d, "t", 1, BAD[i], HPD_INHERIT), HPD_ERR_INVALID, "writes");
    REFUSED(w, hpd_set_model_thresholds(d, "t", 1, BAD[i], 5), HPD_ERR_INVALID, "writes");
    REFUSED(w, hpd_set_model_thresholds(d, "t", 1, 5, BAD[i]), HPD_ERR_INVALID, "reads");
    REFUSED(w, hpd_set_model_thresholds(d, "t", 1, HPD_INHERIT, BAD[i]), HPD_ERR_INVALID, "reads");
  }
}

static void refuse_new(uint64_t writes, uint64_t reads, uint32_t window, const char *argument) {
  hpd_detector *out = DETECTOR_UNTOUCHED;
  CHECK_REFUSED(hpd_new(writes, reads, window, NULL, NULL, &out), HPD_ERR_INVALID, argument);
  CHECK(out == DETECTOR_UNTOUCHED);
}

static void take_new(uint64_t writes, uint64_t reads, uint32_t window) {
  hpd_detector *detector;
  int64_t own[2];
  CHECK_EQUAL(hpd_new(writes, reads, window, NULL, NULL, &detector), HPD_OK);
  CHECK_EQUAL(hpd_get_thresholds(detector, &own[0], &own[1]), HPD_OK);
  CHECK((uint64_t)own[0] == writes && (uint64_t)own[1] == reads);
  CHECK_EQUAL(hpd_record_write(detector, "t", 1, "k", 1), 1); /* hot at once where 1 is the threshold */
  hpd_free(detector);
}

static void numbers_of_new(void) {
  refuse_new(0, 1, 60, "writes_threshold");
  refuse_new(1, 0, 60, "reads_threshold");
  refuse_new((uint64_t)INT64_MAX + 1, 1, 60, "writes_threshold");
  refuse_new(1, UINT64_MAX, 60, "reads_threshold");
  refuse_new(1, 1, 0, "window_seconds");
  refuse_new(1, 1, 3601, "window_seconds");
  refuse_new(1, 1, UINT32_MAX, "window_seconds");
  take_new(1, 1, 1);
  take_new(INT64_MAX, INT64_MAX, 3600);
}

/* Calls that look wrong and are not. Each in a table of its own, which the witness does not watch. */
static void odd_but_valid(const witness *w) {
  const hpd_detector *d = w->detector;
  int64_t writes, reads;
  CHECK_EQUAL(hpd_record_write(d, "empty", 5, NULL, 0), 1);
  CHECK_EQUAL(hpd_record_write(d, "empty", 5, "k", 0), 2);
  CHECK_EQUAL(hpd_record_write(d, "nul", 3, "a\0b", 3), 1);
  CHECK_EQUAL(hpd_record_write(d, "nul", 3, "a\0c", 3), 1);
  CHECK_EQUAL(hpd_record_write(d, "nul", 3, "a", 1), 1);
  CHECK_EQUAL(hpd_record_write(d, "a:b", 3, "c", 1), 1);
  CHECK_EQUAL(hpd_record_write(d, "a", 1, "b:c", 3), 1);
  CHECK_EQUAL(hpd_record_write(d, "\xFF\xC0\x80", 3, "\xED\xA0\x80\xFE", 4), 1);
  CHECK_EQUAL(hpd_get_write_count(d, "\xFF\xC0\x80", 3, "\xED\xA0\x80\xFE", 4), 1);
  CHECK_EQUAL(hpd_record_read(d, long_text(), NAME_MAX_BYTES, long_text(), PK_MAX_BYTES), 1);
  CHECK_EQUAL(hpd_get_read_count(d, long_text(), NAME_MAX_BYTES, long_text(), PK_MAX_BYTES), 1);
  CHECK_EQUAL(hpd_get_read_count(d, long_text(), NAME_MAX_BYTES - 1, long_text(), PK_MAX_BYTES), 0);
  CHECK_EQUAL(hpd_set_model_thresholds(d, long_text(), NAME_MAX_BYTES, 1, HPD_INHERIT), HPD_OK);
  CHECK_EQUAL(hpd_get_model_thresholds(d, long_text(), NAME_MAX_BYTES, &writes, &reads), HPD_OK);
  CHECK(writes == 1 && reads == HPD_INHERIT);
  CHECK_EQUAL(hpd_set_model_thresholds(d, long_text(), NAME_MAX_BYTES, HPD_INHERIT, HPD_INHERIT), HPD_OK);
  CHECK_EQUAL(hpd_get_model_thresholds(d, long_text(), NAME_MAX_BYTES, &writes, &reads), HPD_OK);
  CHECK(writes == HPD_INHERIT && reads == HPD_INHERIT);
  /* To remove an override that was never set is no error. */
  CHECK_EQUAL(hpd_set_table_thresholds(d, "never", 5, HPD_INHERIT, HPD_INHERIT), HPD_OK);
  witness_check(w, __FILE__, __LINE__);
}

/* One name with a NUL in it and one of bytes that are not UTF-8, through every function that takes text. */
static void odd_bytes_everywhere(const witness *w) {
  static const char *const NAMES[] = {"n\0m", "\xFF\xC0\x80"};
  const hpd_detector *d = w->detector;
  for (size_t i = 0; i < 2; i++) {
    const char *name = NAMES[i];
    int64_t writes, reads;
    hpd_table *table;
    hpd_record record = {name, 3, name, 3, name, 3, 1, HPD_WRITE, 0};
    hpd_warning warning;
    CHECK_EQUAL(hpd_record_write(d, name, 3, name, 3), 1);
    CHECK_EQUAL(hpd_record_read(d, name, 3, name, 3), 1);
    CHECK_EQUAL(hpd_set_table_thresholds(d, name, 3, 900, 901), HPD_OK);
    CHECK_EQUAL(hpd_get_table_thresholds(d, name, 3, &writes, &reads), HPD_OK);
    CHECK(writes == 900 && reads == 901);
    CHECK_EQUAL(hpd_set_model_thresholds(d, name, 3, 2, 902), HPD_OK);
    CHECK_EQUAL(hpd_get_model_thresholds(d, name, 3, &writes, &reads), HPD_OK);
    CHECK(writes == 2 && reads == 902);
    warning.struct_size = sizeof warning;
    CHECK_EQUAL(hpd_record_full(d, &record, sizeof record, &warning), 2);
    CHECK(warning.count == 2 && warning.threshold == 2); /* the model's: its name was found again */
    CHECK(warning.table == name && warning.table_len == 3 && warning.pk == name && warning.pk_len == 3);
    CHECK_EQUAL(hpd_set_model_thresholds(d, name, 3, HPD_INHERIT, HPD_INHERIT), HPD_OK);
    CHECK_EQUAL(hpd_record_batch(d, &record, sizeof record, 1), 1);
    CHECK_EQUAL(hpd_table_open(d, name, 3, &table), HPD_OK);
    CHECK_EQUAL(hpd_table_record_write(table, name, 3), 4);
    CHECK_EQUAL(hpd_table_record_read(table, name, 3), 2);
    CHECK_EQUAL(hpd_table_record_write_z(table, name), i == 0 ? 1 : 5); /* ends at the NUL */
    CHECK_EQUAL(hpd_table_record_read_z(table, name), i == 0 ? 1 : 3);
    hpd_table_close(table);
    CHECK_EQUAL(hpd_get_write_count(d, name, 3, name, 3), i == 0 ? 4 : 5);
    CHECK_EQUAL(hpd_get_read_count(d, name, 3, name, 3), i == 0 ? 2 : 3);
    CHECK_EQUAL(hpd_get_write_count(d, name, 1, name, 3), 0);
    CHECK_EQUAL(hpd_set_table_thresholds(d, name, 3, HPD_INHERIT, HPD_INHERIT), HPD_OK);
  }
  witness_check(w, __FILE__, __LINE__);
}

/* A prepared table copies its name, and outlives a clearing. */
static void prepared_tables(const witness *w) {
  char name[] = "copied";
  hpd_table *table;
  CHECK_EQUAL(hpd_table_open(w->detector, name, 6, &table), HPD_OK);
  memset(name, '-', 6);
  CHECK_EQUAL(hpd_table_record_write_z(table, "key"), 1);
  CHECK_EQUAL(hpd_table_record_write(table, "key", 3), 2);
  CHECK_EQUAL(hpd_table_record_read_z(table, ""), 1);
  CHECK_EQUAL(hpd_table_record_read(table, NULL, 0), 2);
  CHECK_EQUAL(hpd_get_write_count(w->detector, "copied", 6, "key", 3), 2);
  CHECK_EQUAL(hpd_clear(w->detector), HPD_OK);
  CHECK_EQUAL(hpd_get_write_count(w->detector, "copied", 6, "key", 3), 0);
  CHECK_EQUAL(hpd_table_record_write_z(table, "key"), 1);
  hpd_table_close(table);
}

static void times(const witness *w) {
  const uint64_t last_ms = 4294967295999u;
  const hpd_detector *d = w->detector;
  hpd_detector *running;
  REFUSED(w, hpd_set_time_ms(d, last_ms + 1), HPD_ERR_INVALID, "now_ms");
  REFUSED(w, hpd_set_time_ms(d, UINT64_MAX), HPD_ERR_INVALID, "now_ms");
  UNCHANGED(w, hpd_set_time_ms(d, 60999), HPD_OK); /* the last moment of the 61 seconds that are summed */
  UNCHANGED(w, hpd_set_time_ms(d, 5), HPD_OK);     /* earlier: changes nothing */
  CHECK_EQUAL(hpd_set_time_ms(d, 61000), HPD_OK);
  CHECK_EQUAL(hpd_get_write_count(d, "t", 1, "k", 1), 0);
  CHECK_EQUAL(hpd_set_time_ms(d, last_ms), HPD_OK);
  CHECK_EQUAL(hpd_record_write(d, "t", 1, "k", 1), 1);
  CHECK_EQUAL(hpd_record_write(d, "t", 1, "k", 1), 2);
  CHECK_REFUSED(hpd_set_time_ms(d, last_ms + 1), HPD_ERR_INVALID, "now_ms");
  CHECK_EQUAL(hpd_get_write_count(d, "t", 1, "k", 1), 2);

  CHECK_EQUAL(hpd_new(1, 1, 60, NULL, NULL, &running), HPD_OK);
  CHECK_EQUAL(hpd_record_write(running, "t", 1, "k", 1), 1);
  CHECK_REFUSED(hpd_set_time_ms(running, 0), HPD_ERR_UNSUPPORTED, "detector");
  CHECK_REFUSED(hpd_set_time_ms(running, 1000), HPD_ERR_UNSUPPORTED, "detector");
  CHECK_REFUSED(hpd_set_time_ms(running, last_ms + 1), HPD_ERR_UNSUPPORTED, "detector");
  CHECK_EQUAL(hpd_get_write_count(running, "t", 1, "k", 1), 1);
  hpd_free(running);
}

static void *fresh_thread(void *unused) {
  check_refused(HPD_OK, "", __FILE__, __LINE__);
  CHECK_REFUSED(hpd_clear(NULL), HPD_ERR_NULL, "detector");
  return unused;
}

static void refused_inside(void *unused, const hpd_warning *warning) {
  (void)unused;
  CHECK_EQUAL(hpd_log_line(NULL, warning, NULL), HPD_ERR_NULL);
}

/* A refusal is its thread's until the next one; a callback's calls are the thread's too. */
static void last_refusals(const witness *w) {
  hpd_detector *calls_back;
  pthread_t thread;
  refuse_new(1, 1, 3601, "window_seconds");
  CHECK(strcmp(hpd_error_range(), "must be 1 to 3600") == 0);
  CHECK_EQUAL(hpd_get_write_count(w->detector, "t", 1, "k", 1), 1);
  CHECK_EQUAL(pthread_create(&thread, NULL, fresh_thread, NULL), 0);
  CHECK_EQUAL(pthread_join(thread, NULL), 0);
  check_refused(HPD_ERR_INVALID, "window_seconds", __FILE__, __LINE__);
  CHECK_EQUAL(hpd_new(1, 1, 60, refused_inside, NULL, &calls_back), HPD_OK);
  CHECK_EQUAL(hpd_record_write(calls_back, "t", 1, "k", 1), 1);
  check_refused(HPD_ERR_NULL, "detector", __FILE__, __LINE__);
  hpd_free(calls_back);
}

static void messages_and_versions(void) {
  static const int32_t FAR[] = {INT32_MIN, INT32_MIN + 1, INT32_MAX};
  for (int32_t status = -100; status <= 100; status++)
    CHECK(strlen(hpd_status_message(status)) > 0);
  for (size_t i = 0; i < sizeof FAR / sizeof *FAR; i++)
    CHECK(strlen(hpd_status_message(FAR[i])) > 0);
  for (int32_t status = HPD_ERR_INTERNAL; status <= HPD_OK; status++)
    CHECK(strcmp(hpd_status_message(status), hpd_status_message(INT32_MIN)) != 0);
  CHECK_EQUAL(hpd_abi_version(), HPD_ABI_VERSION);
  CHECK(strcmp(hpd_version(), HPD_VERSION) == 0);
}

int main(void) {
  witness w;
  witness_open(&w);
  null_handles(&w);
  null_outputs(&w);
  bounds(&w);
  bad_texts(&w);
  bad_thresholds(&w);
  odd_but_valid(&w);
  odd_bytes_everywhere(&w);
  numbers_of_new();
  last_refusals(&w);
  messages_and_versions();
  times(&w);
  prepared_tables(&w);
  witness_close(&w);
  printf("bad handles, texts, numbers and times are refused and change nothing\n");
  return EXIT_SUCCESS;
}

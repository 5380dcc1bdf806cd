/* Warnings that calls keep for their thread: hpd_*_due, and hpd_take_warnings. */
#include "witness.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define KEPT_MAX 64

static void never(void *user_data, const hpd_warning *warning) {
  (void)user_data;
  (void)warning;
  CHECK(!"the callback was called");
}

static hpd_detector *detector_of(uint32_t interval) {
  hpd_detector *detector;
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = 2;
  options.reads_threshold = 1;
  options.window_seconds = 60;
  options.warning_interval_seconds = interval;
  options.callback = never;
  options.clock = HPD_CLOCK_MANUAL;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  return detector;
}

static hpd_table *table_of(const hpd_detector *detector, const char *name) {
  hpd_table *table;
  CHECK_EQUAL(hpd_table_open(detector, name, strlen(name), &table), HPD_OK);
  return table;
}

/* Takes n warnings and checks the first and the last one's counts. */
static void take(const hpd_detector *detector, int32_t n, uint64_t first, uint64_t last) {
  hpd_warnings *warnings = NULL;
  hpd_warning warning;
  memset(&warning, 0, sizeof warning);
  warning.struct_size = sizeof warning;
  CHECK_EQUAL(hpd_take_warnings(detector, &warnings), n);
  CHECK((warnings == NULL) == (n == 0));
  CHECK_EQUAL(hpd_warnings_len(warnings), (size_t)n);
  if (n > 0) {
    CHECK_EQUAL(hpd_warnings_get(warnings, 0, &warning), HPD_OK);
    CHECK_EQUAL(warning.count, first);
    CHECK_EQUAL(hpd_warnings_get(warnings, (size_t)n - 1, &warning), HPD_OK);
    CHECK_EQUAL(warning.count, last);
  }
  hpd_warnings_free(warnings);
}

static void once_an_interval(void) {
  hpd_detector *detector = detector_of(HPD_INTERVAL_WINDOW);
  hpd_table *table = table_of(detector, "t");
  take(detector, 0, 0, 0);
  CHECK_EQUAL(hpd_table_record_write_due(table, "k"), 1);
  take(detector, 0, 0, 0);
  CHECK_EQUAL(hpd_table_record_write_due(table, "k"), HPD_DUE | 2);
  CHECK_EQUAL(hpd_table_record_write_due(table, "k"), 3);
  CHECK_EQUAL(hpd_table_record_read_due(table, "k"), HPD_DUE | 1);
  CHECK_EQUAL(hpd_get_write_count(detector, "t", 1, "k", 1), 3);
  take(detector, 2, 2, 1);
  take(detector, 0, 0, 0);
  hpd_table_close(table);
  hpd_free(detector);
}

/* Two detectors on one thread; the second where the first has been, perhaps. */
static void of_their_detector(void) {
  hpd_detector *first = detector_of(0), *second;
  hpd_table *table = table_of(first, "t");
  CHECK_EQUAL(hpd_table_record_read_due(table, "k"), HPD_DUE | 1);
  hpd_table_close(table);
  hpd_free(first);
  second = detector_of(0);
  table = table_of(second, "t");
  take(second, 0, 0, 0);
  CHECK_EQUAL(hpd_table_record_read_due(table, "k"), HPD_DUE | 1);
  first = detector_of(0);
  take(first, 0, 0, 0);
  take(second, 1, 1, 1);
  hpd_table_close(table);
  hpd_free(first);
  hpd_free(second);
}

static void the_oldest_goes(void) {
  hpd_detector *detector = detector_of(0);
  hpd_table *table = table_of(detector, "t");
  int64_t i;
  for (i = 1; i <= KEPT_MAX + 4; i++) {
    CHECK_EQUAL(hpd_table_record_read_due(table, "k"), HPD_DUE | i);
  }
  take(detector, KEPT_MAX + 1, 4, KEPT_MAX + 4);
  hpd_table_close(table);
  hpd_free(detector);
}

static void *record_and_leave(void *argument) {
  const hpd_detector *shared = argument;
  hpd_table *table = table_of(shared, "other");
  take(shared, 0, 0, 0);
  CHECK_EQUAL(hpd_table_record_read_due(table, "k"), HPD_DUE | 1);
  hpd_table_close(table);
  return NULL;
}

static void of_their_thread(void) {
  hpd_detector *detector = detector_of(0);
  hpd_table *table = table_of(detector, "t");
  pthread_t thread;
  CHECK_EQUAL(hpd_table_record_read_due(table, "k"), HPD_DUE | 1);
  CHECK_EQUAL(pthread_create(&thread, NULL, record_and_leave, detector), 0);
  CHECK_EQUAL(pthread_join(thread, NULL), 0);
  take(detector, 1, 1, 1);
  hpd_table_close(table);
  hpd_free(detector);
}

#define PUT(pk) "{\"TableName\":\"t\",\"Item\":{\"id\":{\"S\":\"" pk "\"}}}"

static void of_requests(void) {
  hpd_detector *detector = detector_of(HPD_INTERVAL_WINDOW);
  const char *id = "id";
  const size_t len = 2;
  hpd_text *missing = NULL;
  CHECK_EQUAL(hpd_take_missing_tables(&missing), 0);
  CHECK_EQUAL(hpd_observe_due(detector, "BatchGetItem",
                              "{\"RequestItems\":{\"v\":{\"Keys\":[{\"a\":{\"S\":\"\"},\"b\":{\"S\":\"\"}}]},"
                              "\"u\":{\"Keys\":[{\"a\":{\"S\":\"\"},\"b\":{\"S\":\"\"}}]}}}",
                              NULL, 200, NULL),
              HPD_ERR_SCHEMA);
  CHECK(missing == NULL);
  CHECK_EQUAL(hpd_take_missing_tables(&missing), 1);
  CHECK(hpd_text_len(missing) == 4 && memcmp(hpd_text_data(missing), "u\0v", 4) == 0);
  hpd_text_free(missing);
  CHECK_EQUAL(hpd_observe_due(detector, "PutItem", PUT("k"), "{}", 200, NULL), HPD_ERR_SCHEMA);
  CHECK_EQUAL(hpd_take_missing_tables(&missing), 1);
  CHECK(hpd_text_len(missing) == 2 && memcmp(hpd_text_data(missing), "t", 2) == 0);
  hpd_text_free(missing);
  CHECK_EQUAL(hpd_take_missing_tables(&missing), 0);
  CHECK_REFUSED(hpd_take_missing_tables(NULL), HPD_ERR_NULL, "out");
  CHECK_EQUAL(hpd_set_key_schema_due(detector, "t", 1, NULL, 0, &id, &len, 1), HPD_OK); /* below its threshold */
  CHECK_EQUAL(hpd_get_write_count(detector, "t", 1, "k", 1), 1);
  take(detector, 0, 0, 0);
  CHECK_EQUAL(hpd_observe_due(detector, "DynamoDB_20120810.PutItem", PUT("k"), NULL, 0, NULL), HPD_DUE | 1);
  take(detector, 1, 2, 2);
  CHECK_EQUAL(hpd_set_model_thresholds(detector, "M", 1, 1, 1), HPD_OK);
  CHECK_EQUAL(hpd_observe_due(detector, "BatchWriteItem",
                              "{\"RequestItems\":{\"t\":[{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"a\"}}}},"
                              "{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"b\"}}}}]}}",
                              NULL, 200, "M"),
              HPD_DUE | 2);
  take(detector, 2, 1, 1);
  CHECK_EQUAL(hpd_get_write_count(detector, "t", 1, "k", 1), 2);
  /* One table is asked for, and what was done on the other warns. */
  CHECK_EQUAL(hpd_observe_due(detector, "BatchWriteItem",
                              "{\"RequestItems\":{\"t\":[{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"c\"}}}}],"
                              "\"w\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"c\"}}}}]}}",
                              NULL, 200, "M"),
              HPD_ERR_SCHEMA);
  take(detector, 1, 1, 1);
  CHECK_EQUAL(hpd_take_missing_tables(&missing), 1);
  CHECK(hpd_text_len(missing) == 2 && memcmp(hpd_text_data(missing), "w", 2) == 0);
  hpd_text_free(missing);
  CHECK_EQUAL(hpd_set_key_schema_due(detector, "w", 1, NULL, 0, &id, &len, 1), HPD_DUE); /* by the model of then */
  take(detector, 1, 1, 1);
  CHECK_REFUSED(hpd_observe_due(NULL, "PutItem", PUT("k"), NULL, 200, NULL), HPD_ERR_NULL, "detector");
  CHECK_EQUAL(hpd_observe_due(detector, NULL, PUT("k"), NULL, 200, NULL), 0); /* no operation that is known */
  CHECK_EQUAL(hpd_observe_due(detector, "PutItem", NULL, NULL, 200, NULL), HPD_ERR_JSON);
  CHECK_EQUAL(hpd_observe_due(detector, "PutItem", "", "", 200, NULL), HPD_ERR_JSON);
  CHECK_REFUSED(hpd_observe_due(detector, "PutItem", PUT("k"), NULL, 99, NULL), HPD_ERR_INVALID, "http_status");
  CHECK_REFUSED(hpd_observe_due(detector, "PutItem", PUT("k"), NULL, 200, ""), HPD_ERR_INVALID, "model");
  take(detector, 0, 0, 0);
  hpd_free(detector);
}

/* One request that warns of more keys than a thread keeps of earlier calls. */
static void of_a_large_request(void) {
  static char request[8192];
  hpd_detector *detector = detector_of(HPD_INTERVAL_WINDOW);
  const char *id = "id";
  const size_t len = 2;
  int i, at = 0;
  CHECK_EQUAL(hpd_set_key_schema(detector, "t", 1, NULL, 0, &id, &len, 1), HPD_OK);
  at += sprintf(request + at, "{\"RequestItems\":{\"t\":{\"Keys\":[");
  for (i = 0; i < 100; i++) {
    at += sprintf(request + at, "%s{\"id\":{\"S\":\"k%d\"}}", i == 0 ? "" : ",", i);
  }
  sprintf(request + at, "]}}}");
  CHECK_EQUAL(hpd_observe_due(detector, "BatchGetItem", request, NULL, 200, NULL), HPD_DUE | 100);
  take(detector, 100, 1, 1);
  hpd_free(detector);
}

static void of_records_in_full(void) {
  hpd_detector *detector = detector_of(HPD_INTERVAL_WINDOW);
  hpd_record record;
  memset(&record, 0, sizeof record);
  record.table = "t";
  record.table_len = 1;
  record.pk = "a\0b";
  record.pk_len = 3;
  record.amount = 5;
  record.operation = HPD_WRITE;
  CHECK_EQUAL(hpd_record_due(detector, &record, sizeof record), HPD_DUE | 5);
  CHECK_EQUAL(hpd_record_due(detector, &record, sizeof record), 10);
  take(detector, 1, 5, 5);
  record.amount = 0;
  CHECK_REFUSED(hpd_record_due(detector, &record, sizeof record), HPD_ERR_INVALID, "amount");
  CHECK_REFUSED(hpd_record_due(detector, NULL, sizeof record), HPD_ERR_NULL, "record");
  CHECK_REFUSED(hpd_record_due(NULL, &record, sizeof record), HPD_ERR_NULL, "detector");
  hpd_free(detector);
}

static void of_throttles(void) {
  hpd_detector *detector;
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = options.reads_threshold = options.window_seconds = 60;
  options.callback = never;
  options.flags = HPD_FLAG_WARN_THROTTLES;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  CHECK_EQUAL(hpd_record_throttle_due(detector, "t", 1, "k", 1, HPD_READ, HPD_THROTTLE_UNKNOWN), 1);
  CHECK_EQUAL(hpd_record_throttle_due(detector, "t", 1, "k", 1, HPD_READ, HPD_THROTTLE_KEY_RANGE), HPD_DUE | 1);
  CHECK_EQUAL(hpd_record_throttle_due(detector, "t", 1, "k", 1, HPD_READ, HPD_THROTTLE_KEY_RANGE), 2);
  CHECK_REFUSED(hpd_record_throttle_due(detector, "t", 1, "k", 1, HPD_READ, 99), HPD_ERR_INVALID, "reason");
  CHECK_REFUSED(hpd_record_throttle_due(NULL, "t", 1, "k", 1, HPD_READ, 0), HPD_ERR_NULL, "detector");
  take(detector, 1, 1, 1);
  hpd_free(detector);
}

static void refused(void) {
  hpd_detector *detector = detector_of(0);
  hpd_table *table = table_of(detector, "t");
  hpd_warnings *out = (hpd_warnings *)detector;
  CHECK_REFUSED(hpd_take_warnings(NULL, &out), HPD_ERR_NULL, "detector");
  CHECK(out == (hpd_warnings *)detector);
  CHECK_REFUSED(hpd_take_warnings(detector, NULL), HPD_ERR_NULL, "out");
  CHECK_REFUSED(hpd_table_record_write_due(NULL, "k"), HPD_ERR_NULL, "table");
  CHECK_REFUSED(hpd_table_record_read_due(NULL, "k"), HPD_ERR_NULL, "table");
  CHECK_REFUSED(hpd_table_record_write_due(table, NULL), HPD_ERR_NULL, "pk");
  CHECK_REFUSED(hpd_table_record_read_due(table, NULL), HPD_ERR_NULL, "pk");
  hpd_table_close(table);
  hpd_free(detector);
}

int main(void) {
  once_an_interval();
  of_their_detector();
  the_oldest_goes();
  of_their_thread();
  of_requests();
  of_a_large_request();
  of_records_in_full();
  of_throttles();
  refused();
  puts("each thread took the warnings that its records kept");
  return 0;
}

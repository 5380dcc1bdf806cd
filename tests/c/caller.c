/* Warnings that go to the caller of hpd_observe_full and hpd_record_throttle_full, and the lines that a log has of them. */
#include "witness.h"

#include <string.h>

static void never(void *user_data, const hpd_warning *warning) {
  (void)user_data;
  (void)warning;
  CHECK(!"the callback was called");
}

static void check_line(const hpd_detector *detector, const hpd_warning *warning, const char *expected) {
  hpd_text *line;
  CHECK_EQUAL(hpd_log_line(detector, warning, &line), HPD_OK);
  CHECK_EQUAL(hpd_text_len(line), strlen(expected));
  CHECK(memcmp(hpd_text_data(line), expected, strlen(expected)) == 0);
  hpd_text_free(line);
}

static hpd_warnings *observe(hpd_detector *detector, const char *operation, const char *request, int64_t actions) {
  hpd_warnings *warnings;
  hpd_exchange exchange;
  memset(&exchange, 0, sizeof exchange);
  exchange.struct_size = sizeof exchange;
  exchange.operation = operation;
  exchange.operation_len = strlen(operation);
  exchange.request = request;
  exchange.request_len = strlen(request);
  exchange.http_status = 200;
  CHECK_EQUAL(hpd_observe_full(detector, &exchange, &warnings), actions);
  return warnings;
}

int main(void) {
  hpd_detector *detector;
  hpd_options options;
  hpd_warning warning;
  hpd_warnings *warnings;
  const char *id = "id";
  const size_t len = 2;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = 2;
  options.reads_threshold = 2;
  options.window_seconds = 60;
  options.callback = never;
  options.clock = HPD_CLOCK_MANUAL;
  options.flags = HPD_FLAG_WARN_THROTTLES;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  CHECK_EQUAL(hpd_set_key_schema(detector, "t", 1, NULL, 0, &id, &len, 1), HPD_OK);

  warnings = observe(detector, "PutItem", "{\"TableName\":\"t\",\"Item\":{\"id\":{\"S\":\"a\"}}}", 1);
  CHECK(warnings == NULL);
  warnings = observe(detector, "BatchWriteItem",
                     "{\"RequestItems\":{\"t\":[{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"a\"}}}},"
                     "{\"DeleteRequest\":{\"Key\":{\"id\":{\"S\":\"b\\\"\"}}}},"
                     "{\"PutRequest\":{\"Item\":{\"id\":{\"S\":\"b\\\"\"},\"n\":{\"N\":\"1\"}}}}]}}",
                     3);
  CHECK_EQUAL(hpd_warnings_len(warnings), 2);
  memset(&warning, 0, sizeof warning);
  warning.struct_size = sizeof warning;
  CHECK_REFUSED(hpd_warnings_get(warnings, 2, &warning), HPD_ERR_INVALID, "i");
  CHECK_EQUAL(hpd_warnings_get(warnings, 0, &warning), HPD_OK);
  check_line(detector, &warning, "Hot partition detected - table=\"t\" pk=\"a\" had 2 writes in 60s");
  CHECK_EQUAL(hpd_warnings_get(warnings, 1, &warning), HPD_OK);
  CHECK_EQUAL(warning.pk_len, 2);
  CHECK(memcmp(warning.pk, "b\"", 2) == 0);
  check_line(detector, &warning, "Hot partition detected - table=\"t\" pk=\"b\\x22\" had 2 writes in 60s");
  hpd_warnings_free(warnings);

  CHECK_EQUAL(hpd_record_throttle_full(detector, "t", 1, "a", 1, HPD_READ, HPD_THROTTLE_KEY_RANGE, &warning), 1);
  CHECK_EQUAL(warning.rule, HPD_RULE_THROTTLE);
  check_line(detector, &warning, "Hot partition detected - table=\"t\" pk=\"a\" had 1 throttled reads in 60s");
  CHECK_EQUAL(hpd_record_throttle_full(detector, "t", 1, "a", 1, HPD_READ, HPD_THROTTLE_KEY_RANGE, &warning), 2);
  CHECK_EQUAL(warning.count, 0);
  hpd_free(detector);
  puts("warnings went to the caller, and their lines are those of the contract");
  return 0;
}

/* Refused calls of what came after version 1: throttles, the hottest, statistics, observing. */
#include "witness.h"

#include <string.h>

#define UNTOUCHED ((void *)0x10)

static void throttles(const witness *w) {
  hpd_detector *d = w->detector;
  const char *text = long_text();
  REFUSED(w, hpd_record_throttle(NULL, "t", 1, "k", 1, HPD_WRITE, HPD_THROTTLE_UNKNOWN), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_record_throttle(d, NULL, 1, "k", 1, HPD_WRITE, HPD_THROTTLE_UNKNOWN), HPD_ERR_NULL, "table");
  REFUSED(w, hpd_record_throttle(d, "t", 1, NULL, 1, HPD_WRITE, HPD_THROTTLE_UNKNOWN), HPD_ERR_NULL, "pk");
  REFUSED(w, hpd_record_throttle(d, "t", 0, "k", 1, HPD_WRITE, HPD_THROTTLE_UNKNOWN), HPD_ERR_INVALID, "table");
  REFUSED(w, hpd_record_throttle(d, text, NAME_MAX_BYTES + 1, "k", 1, HPD_WRITE, 0), HPD_ERR_INVALID, "table");
  REFUSED(w, hpd_record_throttle(d, "t", 1, text, PK_MAX_BYTES + 1, HPD_WRITE, 0), HPD_ERR_INVALID, "pk");
  REFUSED(w, hpd_record_throttle(d, "t", 1, "k", 1, 2, HPD_THROTTLE_UNKNOWN), HPD_ERR_INVALID, "operation");
  REFUSED(w, hpd_record_throttle(d, "t", 1, "k", 1, HPD_WRITE, 5), HPD_ERR_INVALID, "reason");
  REFUSED(w, hpd_record_throttle(d, "t", 1, "k", 1, HPD_WRITE, -1), HPD_ERR_INVALID, "reason");
  REFUSED(w, hpd_get_throttle_count(NULL, "t", 1, "k", 1, HPD_WRITE, 0), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_throttle_count(d, "t", 1, "k", 1, HPD_WRITE, 5), HPD_ERR_INVALID, "reason");
  UNCHANGED(w, hpd_get_throttle_count(d, "t", 1, "k", 1, HPD_WRITE, 0), 0);
  REFUSED(w, hpd_get_unattributed_count(NULL, "t", 1, HPD_READ, 0), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_unattributed_count(d, "", 0, HPD_READ, 0), HPD_ERR_INVALID, "table");
  REFUSED(w, hpd_get_unattributed_count(d, "t", 1, HPD_READ, 6), HPD_ERR_INVALID, "what");
  UNCHANGED(w, hpd_get_unattributed_count(d, "t", 1, HPD_READ, HPD_UNATTRIBUTED_SCANS), 0);
}

static void snapshots(const witness *w) {
  hpd_hottest *hottest = UNTOUCHED;
  hpd_hot_partition hot;
  hpd_statistics statistics;
  REFUSED(w, hpd_hottest_take(NULL, HPD_WRITE, 1, &hottest), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_hottest_take(w->detector, HPD_WRITE, 1, NULL), HPD_ERR_NULL, "out");
  REFUSED(w, hpd_hottest_take(w->detector, 7, 1, &hottest), HPD_ERR_INVALID, "operation");
  CHECK(hottest == UNTOUCHED);
  UNCHANGED(w, hpd_hottest_take(w->detector, HPD_WRITE, SIZE_MAX, &hottest), HPD_OK);
  CHECK_EQUAL(hpd_hottest_len(hottest), 1);
  CHECK_REFUSED(hpd_hottest_len(NULL), HPD_ERR_NULL, "hottest");
  memset(&hot, 0, sizeof hot);
  CHECK_REFUSED(hpd_hottest_get(hottest, 0, &hot), HPD_ERR_INVALID, "struct_size"); /* its size is not set */
  hot.struct_size = sizeof hot;
  CHECK_REFUSED(hpd_hottest_get(hottest, 0, NULL), HPD_ERR_NULL, "out");
  CHECK_REFUSED(hpd_hottest_get(NULL, 0, &hot), HPD_ERR_NULL, "hottest");
  CHECK_REFUSED(hpd_hottest_get(hottest, 1, &hot), HPD_ERR_INVALID, "i");
  CHECK_EQUAL(hot.pk_len, 0);
  CHECK_EQUAL(hpd_hottest_get(hottest, 0, &hot), HPD_OK);
  CHECK_EQUAL(hot.pk_len, 1);
  hpd_hottest_free(hottest);
  hpd_hottest_free(NULL);
  memset(&statistics, 0, sizeof statistics);
  REFUSED(w, hpd_get_statistics(w->detector, &statistics), HPD_ERR_INVALID, "struct_size");
  statistics.struct_size = sizeof statistics;
  REFUSED(w, hpd_get_statistics(NULL, &statistics), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_get_statistics(w->detector, NULL), HPD_ERR_NULL, "out");
  UNCHANGED(w, hpd_get_statistics(w->detector, &statistics), HPD_OK);
  CHECK_EQUAL(statistics.partitions, 1);
}

static hpd_exchange scan(void) {
  hpd_exchange exchange;
  memset(&exchange, 0, sizeof exchange);
  exchange.struct_size = sizeof exchange;
  exchange.operation = "GetItem";
  exchange.operation_len = 7;
  exchange.request = "{\"TableName\":\"x\",\"Key\":{\"a\":{\"S\":\"\"},\"b\":{\"S\":\"\"}}}";
  exchange.request_len = strlen(exchange.request);
  exchange.http_status = 200;
  return exchange;
}

#define REFUSE_EXCHANGE(witness, field, value, status, argument) \
  do { \
    hpd_exchange bad = scan(); \
    bad.field = value; \
    REFUSED(witness, hpd_observe((witness)->detector, &bad), status, argument); \
  } while (0)

static void exchanges(const witness *w) {
  hpd_exchange exchange = scan();
  char room[1] = {'-'};
  REFUSED(w, hpd_observe(NULL, &exchange), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_observe(w->detector, NULL), HPD_ERR_NULL, "exchange");
  REFUSE_EXCHANGE(w, struct_size, 0, HPD_ERR_INVALID, "struct_size");
  REFUSE_EXCHANGE(w, struct_size, sizeof(hpd_exchange) - 1, HPD_ERR_INVALID, "struct_size");
  REFUSE_EXCHANGE(w, operation, NULL, HPD_ERR_NULL, "operation");
  REFUSE_EXCHANGE(w, request, NULL, HPD_ERR_NULL, "request");
  REFUSE_EXCHANGE(w, request_len, SIZE_MAX, HPD_ERR_INVALID, "request");
  REFUSE_EXCHANGE(w, request_len, 5, HPD_ERR_JSON, "");
  REFUSE_EXCHANGE(w, request_len, 0, HPD_ERR_JSON, "");
  REFUSE_EXCHANGE(w, response_len, 5, HPD_ERR_NULL, "response");
  REFUSE_EXCHANGE(w, model_len, 1, HPD_ERR_NULL, "model");
  REFUSE_EXCHANGE(w, model, "", HPD_ERR_INVALID, "model");
  REFUSE_EXCHANGE(w, http_status, -1, HPD_ERR_INVALID, "http_status");
  REFUSE_EXCHANGE(w, http_status, 99, HPD_ERR_INVALID, "http_status");
  REFUSE_EXCHANGE(w, http_status, 1000, HPD_ERR_INVALID, "http_status");
  REFUSE_EXCHANGE(w, reserved, 1, HPD_ERR_INVALID, "reserved");
  REFUSE_EXCHANGE(w, table_capacity, 1, HPD_ERR_NULL, "table");
  /* The table's name is cut to the room that there is, and its length told, with the NUL behind it. */
  UNCHANGED(w, hpd_observe(w->detector, &exchange), HPD_ERR_SCHEMA);
  CHECK_EQUAL(exchange.table_len, 2);
  UNCHANGED(w, hpd_observe(w->detector, &exchange), 1); /* it waits, and was asked for */
  exchange.request = "{\"TableName\":\"yz\",\"Key\":{\"a\":{\"S\":\"\"},\"b\":{\"S\":\"\"}}}";
  exchange.request_len = strlen(exchange.request);
  exchange.table = room;
  exchange.table_capacity = sizeof room;
  UNCHANGED(w, hpd_observe(w->detector, &exchange), HPD_ERR_SCHEMA);
  CHECK(room[0] == 'y');
  CHECK_EQUAL(exchange.table_len, 3);
  CHECK_REFUSED(hpd_forget_table(NULL, "x", 1), HPD_ERR_NULL, "detector");
  CHECK_REFUSED(hpd_forget_table(w->detector, NULL, 1), HPD_ERR_NULL, "table");
  CHECK_REFUSED(hpd_forget_table(w->detector, "", 0), HPD_ERR_INVALID, "table");
  CHECK_REFUSED(hpd_forget_table(w->detector, "\xFF", 1), HPD_ERR_INVALID, "table");
  CHECK_EQUAL(hpd_get_unattributed_count(w->detector, "yz", 2, HPD_READ, HPD_UNATTRIBUTED_UNREAD), 0);
  UNCHANGED(w, hpd_forget_table(w->detector, "yz", 2), HPD_OK);
  CHECK_EQUAL(hpd_get_unattributed_count(w->detector, "yz", 2, HPD_READ, HPD_UNATTRIBUTED_UNREAD), 1);
  UNCHANGED(w, hpd_observe(w->detector, &exchange), 0);
}

/* Warnings that go to the caller, and their lines. */
static void warnings(const witness *w) {
  hpd_detector *d = w->detector;
  hpd_exchange exchange = scan();
  hpd_warnings *given = UNTOUCHED;
  hpd_warning warning;
  hpd_text *line = UNTOUCHED;
  REFUSED(w, hpd_observe_full(NULL, &exchange, &given), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_observe_full(d, NULL, &given), HPD_ERR_NULL, "exchange");
  REFUSED(w, hpd_observe_full(d, &exchange, NULL), HPD_ERR_NULL, "out");
  CHECK(given == UNTOUCHED);
  UNCHANGED(w, hpd_observe_full(d, &exchange, &given), 1); /* it waits too */
  CHECK(given == NULL);
  CHECK_EQUAL(hpd_warnings_len(NULL), 0);
  memset(&warning, 0, sizeof warning);
  CHECK_REFUSED(hpd_record_throttle_full(d, "t", 1, "k", 1, HPD_WRITE, 0, NULL), HPD_ERR_NULL, "warning");
  REFUSED(w, hpd_record_throttle_full(d, "t", 1, "k", 1, HPD_WRITE, 0, &warning), HPD_ERR_INVALID, "struct_size");
  warning.struct_size = sizeof warning;
  CHECK_REFUSED(hpd_warnings_get(NULL, 0, &warning), HPD_ERR_NULL, "warnings");
  hpd_warnings_free(NULL);
  CHECK_REFUSED(hpd_log_line(d, &warning, &line), HPD_ERR_INVALID, "table"); /* no table */
  warning.table = "t";
  warning.table_len = 1;
  CHECK_REFUSED(hpd_log_line(NULL, &warning, &line), HPD_ERR_NULL, "detector");
  CHECK_REFUSED(hpd_log_line(d, NULL, &line), HPD_ERR_NULL, "warning");
  CHECK_REFUSED(hpd_log_line(d, &warning, NULL), HPD_ERR_NULL, "out");
  warning.rule = 9;
  CHECK_REFUSED(hpd_log_line(d, &warning, &line), HPD_ERR_INVALID, "rule");
  CHECK(line == UNTOUCHED);
}

static void schemas(const witness *w) {
  hpd_detector *d = w->detector;
  const char *names[5] = {"a", "b", "c", "d", "e"};
  const size_t lens[5] = {1, 1, 1, 1, 1};
  const size_t none[1] = {0};
  CHECK_REFUSED(hpd_set_key_schema(NULL, "x", 1, NULL, 0, names, lens, 1), HPD_ERR_NULL, "detector");
  CHECK_REFUSED(hpd_set_key_schema(d, NULL, 1, NULL, 0, names, lens, 1), HPD_ERR_NULL, "table");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, NULL, 0, NULL, lens, 1), HPD_ERR_NULL, "attributes");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, NULL, 0, names, NULL, 1), HPD_ERR_NULL, "attribute_lens");
  CHECK_REFUSED(hpd_set_key_schema(d, "", 0, NULL, 0, names, lens, 1), HPD_ERR_INVALID, "table");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, NULL, 0, names, lens, 0), HPD_ERR_INVALID, "attributes");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, NULL, 0, names, lens, 2), HPD_ERR_INVALID, "attributes");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, "i", 1, names, lens, 5), HPD_ERR_INVALID, "attributes");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, "", 0, names, lens, 1), HPD_ERR_INVALID, "index");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, NULL, 0, names, none, 1), HPD_ERR_INVALID, "attributes");
  CHECK_REFUSED(hpd_set_key_schema(d, "x", 1, NULL, 0, names, lens, SIZE_MAX), HPD_ERR_INVALID, "attributes");
  UNCHANGED(w, hpd_set_key_schema(d, "x", 1, "i", 1, names, lens, 4), HPD_OK);
  hpd_warnings *given = UNTOUCHED;
  CHECK_REFUSED(hpd_set_key_schema_full(d, "x", 1, NULL, 0, names, lens, 1, NULL), HPD_ERR_NULL, "out");
  CHECK_REFUSED(hpd_set_key_schema_full(NULL, "x", 1, NULL, 0, names, lens, 1, &given), HPD_ERR_NULL, "detector");
  CHECK(given == UNTOUCHED);
  CHECK_REFUSED(hpd_set_key_schema_full(d, "x", 1, NULL, 0, names, lens, 2, &given), HPD_ERR_INVALID, "attributes");
  CHECK(given == NULL);
  CHECK_REFUSED(hpd_set_key_schema_due(NULL, "x", 1, NULL, 0, names, lens, 1), HPD_ERR_NULL, "detector");
  CHECK_REFUSED(hpd_set_key_schema_due(d, "", 0, NULL, 0, names, lens, 1), HPD_ERR_INVALID, "table");
}

/* DynamoDB's own forms: its numbers, and its requests before they are sent. */
static void forms(void) {
  char key[HPD_NUMBER_KEY_MAX] = {'-'};
  hpd_text *asking = UNTOUCHED;
  const char *request = "{\"a\":1}", *asks = "{\"ReturnConsumedCapacity\":\"INDEXES\",\"a\":1}";
  char longest[64];
  CHECK_REFUSED(hpd_number_key(NULL, 1, key), HPD_ERR_NULL, "number");
  CHECK_REFUSED(hpd_number_key("1", 1, NULL), HPD_ERR_NULL, "out");
  CHECK_REFUSED(hpd_number_key(NULL, 0, key), HPD_ERR_INVALID, "number");
  CHECK_REFUSED(hpd_number_key("1", SIZE_MAX, key), HPD_ERR_INVALID, "number");
  CHECK_REFUSED(hpd_number_key("1\0", 2, key), HPD_ERR_INVALID, "number");
  CHECK_REFUSED(hpd_number_key("\xFF", 1, key), HPD_ERR_INVALID, "number");
  CHECK_REFUSED(hpd_number_key("1E126", 5, key), HPD_ERR_INVALID, "number");
  CHECK(key[0] == '-');
  CHECK_EQUAL(hpd_number_key("-1.50E2", 7, key), 4);
  CHECK(memcmp(key, "-150", 4) == 0);
  snprintf(longest, sizeof longest, "-%s%sE-167", "1234567890123456789", "1234567890123456789");
  CHECK_EQUAL(hpd_number_key(longest, strlen(longest), key), HPD_NUMBER_KEY_MAX);
  CHECK_EQUAL(key[HPD_NUMBER_KEY_MAX - 1], '9');

  CHECK_REFUSED(hpd_ask_capacity(NULL, 1, request, 7, &asking), HPD_ERR_NULL, "operation");
  CHECK_REFUSED(hpd_ask_capacity("Query", 5, NULL, 7, &asking), HPD_ERR_NULL, "request");
  CHECK_REFUSED(hpd_ask_capacity("Query", 5, request, 7, NULL), HPD_ERR_NULL, "out");
  CHECK_REFUSED(hpd_ask_capacity("Query", 5, request, SIZE_MAX, &asking), HPD_ERR_INVALID, "request");
  CHECK_EQUAL(hpd_ask_capacity("ListTables", 10, request, 7, &asking), 0);
  CHECK_EQUAL(hpd_ask_capacity("Query", 5, request, 6, &asking), 0); /* no JSON */
  CHECK_EQUAL(hpd_ask_capacity("Query", 5, NULL, 0, &asking), 0);
  CHECK_EQUAL(hpd_ask_capacity("Query", 5, asks, strlen(asks), &asking), 0);
  CHECK(asking == UNTOUCHED);
  CHECK_EQUAL(hpd_ask_capacity("Query", 5, request, 7, &asking), 1);
  CHECK(hpd_text_len(asking) == strlen(asks) && memcmp(hpd_text_data(asking), asks, strlen(asks)) == 0);
  hpd_text_free(asking);
}

static void minutes(const witness *w) {
  hpd_hottest *closed = UNTOUCHED;
  hpd_options options;
  hpd_detector *detector;
  REFUSED(w, hpd_hottest_closed_take(NULL, HPD_WRITE, 0, 9, &closed), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_hottest_closed_take(w->detector, HPD_WRITE, 0, 9, NULL), HPD_ERR_NULL, "out");
  REFUSED(w, hpd_hottest_closed_take(w->detector, 2, 0, 9, &closed), HPD_ERR_INVALID, "operation");
  REFUSED(w, hpd_hottest_closed_take(w->detector, HPD_WRITE, 0, 9, &closed), HPD_ERR_UNSUPPORTED, "detector");
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = options.reads_threshold = 10;
  options.window_seconds = 120;
  options.clock = HPD_CLOCK_MANUAL;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  CHECK_EQUAL(hpd_record_write(detector, "t", 1, "k", 1), 1);
  CHECK_REFUSED(hpd_hottest_closed_take(detector, HPD_WRITE, 0, 9, &closed), HPD_ERR_INVALID, "minute");
  CHECK(closed == UNTOUCHED);
  CHECK_EQUAL(hpd_set_time_ms(detector, 60000), HPD_OK);
  CHECK_EQUAL(hpd_hottest_closed_take(detector, HPD_WRITE, 0, 0, &closed), HPD_OK);
  CHECK_EQUAL(hpd_hottest_len(closed), 0);
  CHECK_EQUAL(hpd_hottest_rest(closed), 1);
  hpd_hottest_free(closed);
  CHECK_EQUAL(hpd_hottest_take(detector, HPD_WRITE, 9, &closed), HPD_OK);
  CHECK_REFUSED(hpd_hottest_rest(closed), HPD_ERR_UNSUPPORTED, "hottest");
  CHECK_REFUSED(hpd_hottest_rest(NULL), HPD_ERR_NULL, "hottest");
  hpd_hottest_free(closed);
  hpd_free(detector);
}

static void metrics(const witness *w) {
  hpd_metrics_options options;
  hpd_text *text = UNTOUCHED;
  char digits[32] = {'-'};
  memset(&options, 0, sizeof options);
  REFUSED(w, hpd_metrics_take(NULL, NULL, &text), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_metrics_take(w->detector, NULL, NULL), HPD_ERR_NULL, "out");
  REFUSED(w, hpd_metrics_take(w->detector, &options, &text), HPD_ERR_INVALID, "struct_size"); /* its size is not set */
  options.struct_size = sizeof options;
  options.flags = 4;
  REFUSED(w, hpd_metrics_take(w->detector, &options, &text), HPD_ERR_UNSUPPORTED, "flags");
  options.flags = HPD_METRICS_OPEN_METRICS | HPD_METRICS_DEMAND_ONLY;
  options.reserved = 1;
  REFUSED(w, hpd_metrics_take(w->detector, &options, &text), HPD_ERR_INVALID, "reserved");
  CHECK(text == UNTOUCHED);
  options.reserved = 0;
  options.hottest = UINT64_MAX;
  UNCHANGED(w, hpd_metrics_take(w->detector, &options, &text), HPD_OK);
  CHECK(hpd_text_len(text) > 6 && memcmp(hpd_text_data(text) + hpd_text_len(text) - 6, "# EOF\n", 6) == 0);
  hpd_text_free(text);
  hpd_text_free(NULL);
  CHECK_EQUAL(hpd_text_len(NULL), 0);
  CHECK(hpd_text_data(NULL) != NULL);
  CHECK_REFUSED(hpd_redact(NULL, "t", 1, "k", 1, digits), HPD_ERR_NULL, "detector");
  CHECK_REFUSED(hpd_redact(w->detector, "t", 1, "k", 1, NULL), HPD_ERR_NULL, "out");
  CHECK_REFUSED(hpd_redact(w->detector, "", 0, "k", 1, digits), HPD_ERR_INVALID, "table");
  CHECK_EQUAL(hpd_redact(w->detector, "t", 1, "k", 1, digits), 0); /* it doesn't redact */
  CHECK(digits[0] == '-');
}

int main(void) {
  witness w;
  witness_open(&w);
  throttles(&w);
  snapshots(&w);
  exchanges(&w);
  warnings(&w);
  schemas(&w);
  metrics(&w);
  minutes(&w);
  forms();
  hpd_options options;
  CHECK_REFUSED(hpd_options_for_dynamodb(NULL, sizeof options, 800, 1), HPD_ERR_NULL, "options");
  CHECK_REFUSED(hpd_options_for_dynamodb(&options, 80, 800, 1), HPD_ERR_INVALID, "struct_size");
  CHECK_REFUSED(hpd_options_for_dynamodb(&options, 119, 800, 1), HPD_ERR_INVALID, "struct_size");
  CHECK_EQUAL(hpd_options_for_dynamodb(&options, 120, 800, 1), HPD_OK); /* before keys could be redacted */
  CHECK_EQUAL(options.struct_size, 120);
  CHECK_REFUSED(hpd_options_for_dynamodb(&options, sizeof options, 0, 1), HPD_ERR_INVALID, "share_permille");
  CHECK_REFUSED(hpd_options_for_dynamodb(&options, sizeof options, 1001, 1), HPD_ERR_INVALID, "share_permille");
  CHECK_REFUSED(hpd_options_for_dynamodb(&options, sizeof options, 800, 0), HPD_ERR_INVALID, "processes");
  witness_close(&w);
  printf("refused calls change nothing\n");
  return EXIT_SUCCESS;
}

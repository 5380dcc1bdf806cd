/* DynamoDB's own limits, and requests that the library reads by itself: which partitions they touched, how much capacity
 * that took, and what was throttled. */
#include "check.h"
#include "hotpart.h"

#include <string.h>

static const char PUT[] = "{\"TableName\":\"events\",\"Item\":{\"id\":{\"S\":\"EVENTS\"},\"n\":{\"N\":\"1\"}},"
                          "\"ReturnConsumedCapacity\":\"TOTAL\"}";
static const char TOOK[] = "{\"ConsumedCapacity\":{\"TableName\":\"events\",\"CapacityUnits\":250.0}}";
static const char THROTTLED[] =
    "{\"__type\":\"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException\",\"ThrottlingReasons\":["
    "{\"reason\":\"TableWriteKeyRangeThroughputExceeded\","
    "\"resource\":\"arn:aws:dynamodb:eu-west-1:123456789012:table/events\"}]}";
static const char DESCRIPTION[] =
    "{\"Table\":{\"TableName\":\"events\",\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]}}";
static const char DENIED[] = "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\"}";
static const char PUT_SECRET[] = "{\"TableName\":\"secret\",\"Item\":{\"id\":{\"S\":\"EVENTS\"}}}";

static void print_warning(void *user_data, const hpd_warning *warning) {
  int *warnings = user_data;
  printf("%.*s: %" PRIu64 " in %" PRIu32 " s, rule %" PRId32 ", %" PRIu32 " per mille of the limit\n",
         (int)warning->pk_len, warning->pk, warning->count, warning->window_seconds, warning->rule,
         warning->utilisation_permille);
  CHECK_EQUAL(warning->rule, *warnings == 0 ? HPD_RULE_SECOND : HPD_RULE_THROTTLE);
  ++*warnings;
}

/* A request names at most 100 tables, each by at most 255 bytes and its NUL. */
#define TABLES_MOST ((size_t)100 * 256)

/* One attempt at a request, with its answer. Puts the tables that are asked for into `tables`, each ended by a NUL, and
 * the length of all into `*tables_len`. */
static int64_t observe_once(hpd_detector *detector, const char *operation, const char *request, int32_t status,
                            const char *response, char tables[TABLES_MOST], size_t *tables_len) {
  hpd_exchange exchange;
  memset(&exchange, 0, sizeof exchange);
  exchange.struct_size = sizeof exchange;
  exchange.operation = operation;
  exchange.operation_len = strlen(operation);
  exchange.request = request;
  exchange.request_len = strlen(request);
  exchange.response = response;
  exchange.response_len = strlen(response);
  exchange.http_status = status;
  exchange.table = tables;
  exchange.table_capacity = TABLES_MOST;
  int64_t actions = hpd_observe(detector, &exchange);
  *tables_len = exchange.table_len < TABLES_MOST ? exchange.table_len : TABLES_MOST;
  return actions;
}

/* Stands for a call to DynamoDB by the program's own client. Returns the status. */
static int32_t describe_table(const char *table, const char **response) {
  int is_denied = strcmp(table, "secret") == 0;
  *response = is_denied ? DENIED : DESCRIPTION;
  return is_denied ? 400 : 200;
}

/* Finds out a table's key. What waited for it is recorded by that, as of when it was observed. If it can't be found out
 * now, nothing is lost: the table is asked for again, a minute after it was. */
static void describe(hpd_detector *detector, const char *table) {
  char none[TABLES_MOST];
  size_t none_len;
  const char *response;
  int32_t status = describe_table(table, &response);
  if (status == 200) {
    CHECK_EQUAL(observe_once(detector, "DescribeTable", "{}", status, response, none, &none_len), 0);
  } else if (status == 400 && strstr(response, "AccessDenied") != NULL) {
    /* Nobody will: its requests are tallied from now on. */
    printf("%s: the key is not known and may not be asked for; see hpd_set_key_schema\n", table);
    CHECK_EQUAL(hpd_forget_table(detector, table, strlen(table)), HPD_OK);
  }
}

/* Every attempt at a request, with its answer: once, whatever comes of it. */
static int64_t observe(hpd_detector *detector, const char *operation, const char *request, int32_t status,
                       const char *response) {
  char tables[TABLES_MOST];
  size_t tables_len;
  int64_t actions = observe_once(detector, operation, request, status, response, tables, &tables_len);
  if (actions == HPD_ERR_SCHEMA) {
    for (size_t at = 0; at < tables_len; at += strlen(tables + at) + 1) {
      describe(detector, tables + at);
    }
  }
  return actions;
}

int main(void) {
  hpd_options options;
  hpd_detector *detector;
  hpd_hottest *hottest;
  hpd_hot_partition first;
  hpd_statistics statistics;
  int warnings = 0;

  CHECK_EQUAL(hpd_options_for_dynamodb(&options, sizeof options, 800, 1), HPD_OK);
  options.flags |= HPD_FLAG_WARN_THROTTLES;
  options.clock = HPD_CLOCK_MANUAL;
  options.callback = print_warning;
  options.user_data = &warnings;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);

  CHECK_EQUAL(observe(detector, "DynamoDB_20120810.PutItem", PUT, 200, TOOK), HPD_ERR_SCHEMA);
  CHECK_EQUAL(hpd_get_write_count(detector, "events", 6, "EVENTS", 6), 500); /* half units; it has waited */
  for (int i = 0; i < 2; ++i) {
    CHECK_EQUAL(observe(detector, "DynamoDB_20120810.PutItem", PUT, 200, TOOK), 1);
  }
  CHECK_EQUAL(warnings, 0); /* 750 units */
  CHECK_EQUAL(observe(detector, "DynamoDB_20120810.PutItem", PUT, 200, TOOK), 1);
  CHECK_EQUAL(warnings, 1); /* 1,000: all that a partition gives in a second */
  CHECK_EQUAL(observe(detector, "DynamoDB_20120810.PutItem", PUT, 400, THROTTLED), 0);
  CHECK_EQUAL(warnings, 2);
  CHECK_EQUAL(hpd_get_write_count(detector, "events", 6, "EVENTS", 6), 2000); /* half units */
  CHECK_EQUAL(hpd_get_throttle_count(detector, "events", 6, "EVENTS", 6, HPD_WRITE, HPD_THROTTLE_KEY_RANGE), 1);

  CHECK_EQUAL(hpd_hottest_take(detector, HPD_WRITE, 10, &hottest), HPD_OK);
  CHECK_EQUAL(hpd_hottest_len(hottest), 1);
  memset(&first, 0, sizeof first);
  first.struct_size = sizeof first;
  CHECK_EQUAL(hpd_hottest_get(hottest, 0, &first), HPD_OK);
  CHECK(first.pk_len == 6 && memcmp(first.pk, "EVENTS", 6) == 0);
  CHECK_EQUAL(first.count, 2000);
  CHECK_EQUAL(first.throttles, 1);
  CHECK_EQUAL(first.demand, 2002);
  CHECK_EQUAL(first.utilisation_permille, 1000);
  hpd_hottest_free(hottest);

  CHECK_EQUAL(observe(detector, "PutItem", PUT_SECRET, 200, "{}"), HPD_ERR_SCHEMA);
  CHECK_EQUAL(observe(detector, "PutItem", PUT_SECRET, 200, "{}"), 0);
  CHECK_EQUAL(hpd_get_unattributed_count(detector, "secret", 6, HPD_WRITE, HPD_UNATTRIBUTED_UNREAD), 2);

  memset(&statistics, 0, sizeof statistics);
  statistics.struct_size = sizeof statistics;
  CHECK_EQUAL(hpd_get_statistics(detector, &statistics), HPD_OK);
  printf("%" PRIu64 " records, %" PRIu64 " partitions in %" PRIu64 " bytes, %" PRIu64 " warnings\n", statistics.records,
         statistics.partitions, statistics.bytes, statistics.warnings);
  CHECK_EQUAL(statistics.records, 4);
  CHECK_EQUAL(statistics.partitions, 1);
  CHECK_EQUAL(statistics.throttles[HPD_THROTTLE_KEY_RANGE], 1);
  CHECK_EQUAL(statistics.unread, 2);
  hpd_free(detector);
  return EXIT_SUCCESS;
}

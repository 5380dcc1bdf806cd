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

static void print_warning(void *user_data, const hpd_warning *warning) {
  int *warnings = user_data;
  printf("%.*s: %" PRIu64 " in %" PRIu32 " s, rule %" PRId32 ", %" PRIu32 " per mille of the limit\n",
         (int)warning->pk_len, warning->pk, warning->count, warning->window_seconds, warning->rule,
         warning->utilisation_permille);
  CHECK_EQUAL(warning->rule, *warnings == 0 ? HPD_RULE_SECOND : HPD_RULE_THROTTLE);
  ++*warnings;
}

/* Every attempt at a request, with its answer. */
static int64_t observe(hpd_detector *detector, const char *operation, const char *request, int32_t status,
                       const char *response) {
  char table[256];
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
  exchange.table = table;
  exchange.table_capacity = sizeof table;
  int64_t actions = hpd_observe(detector, &exchange);
  if (actions == HPD_ERR_SCHEMA) {
    /* It waits in the detector. Here a program asks DynamoDB to describe each table that is named, and observes that
     * answer, or calls hpd_forget_table if that is denied. */
    CHECK_EQUAL(exchange.table_len, sizeof "events");
    CHECK(memcmp(table, "events", sizeof "events") == 0);
    CHECK_EQUAL(observe(detector, "DescribeTable", "{\"TableName\":\"events\"}", 200, DESCRIPTION), 0);
    return 1;
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

  for (int i = 0; i < 3; ++i) {
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

  memset(&statistics, 0, sizeof statistics);
  statistics.struct_size = sizeof statistics;
  CHECK_EQUAL(hpd_get_statistics(detector, &statistics), HPD_OK);
  printf("%" PRIu64 " records, %" PRIu64 " partitions in %" PRIu64 " bytes, %" PRIu64 " warnings\n", statistics.records,
         statistics.partitions, statistics.bytes, statistics.warnings);
  CHECK_EQUAL(statistics.records, 4);
  CHECK_EQUAL(statistics.partitions, 1);
  CHECK_EQUAL(statistics.throttles[HPD_THROTTLE_KEY_RANGE], 1);
  hpd_free(detector);
  return EXIT_SUCCESS;
}

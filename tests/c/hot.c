/* Additions since version 1, as a C program sees them: the hottest in their order, DynamoDB's limits, and a caller that was
 * compiled before there were rules. */
#include "witness.h"

#include <string.h>

enum { VERSION_1 = offsetof(hpd_warning, rule) };

static hpd_detector *made(const hpd_options *options) {
  hpd_detector *detector;
  CHECK_EQUAL(hpd_new_with_options(options, &detector), HPD_OK);
  return detector;
}

static void in_order(void) {
  static const char *const keys[] = {"c", "a", "b"};
  static const char expected[] = "bac";
  hpd_detector *detector;
  hpd_hottest *hottest;
  CHECK_EQUAL(hpd_new(1000000, 1000000, 60, NULL, NULL, &detector), HPD_OK);
  for (int i = 0; i < 3; i++)
    for (int n = 0; n <= i; n++) CHECK_EQUAL(hpd_record_read(detector, "t", 1, keys[i], 1), n + 1);
  CHECK_EQUAL(hpd_hottest_take(detector, HPD_READ, 9, &hottest), HPD_OK);
  hpd_free(detector); /* a snapshot is on its own */
  CHECK_EQUAL(hpd_hottest_len(hottest), 3);
  for (size_t i = 0; i < 3; i++) {
    hpd_hot_partition hot;
    memset(&hot, 0, sizeof hot);
    hot.struct_size = sizeof hot;
    CHECK_EQUAL(hpd_hottest_get(hottest, i, &hot), HPD_OK);
    CHECK(hot.pk_len == 1 && *hot.pk == expected[i] && hot.count == 3 - i);
  }
  hpd_hottest_free(hottest);
}

/* Makes a warning due with room for `size` bytes of it. */
static hpd_warning warned(const hpd_detector *detector, uint64_t amount, size_t size) {
  hpd_warning warning;
  hpd_record record;
  memset(&record, 0, sizeof record);
  record.table = record.pk = "t";
  record.table_len = record.pk_len = 1;
  record.operation = HPD_WRITE;
  record.amount = amount;
  memset(&warning, 0x55, sizeof warning);
  warning.struct_size = size;
  CHECK(hpd_record_full(detector, &record, sizeof record, &warning) > 0);
  return warning;
}

static void limits(void) {
  hpd_options options;
  hpd_detector *detector;
  hpd_warning warning;
  CHECK_EQUAL(hpd_options_for_dynamodb(&options, sizeof options, 800, 4), HPD_OK);
  options.clock = HPD_CLOCK_MANUAL;
  detector = made(&options);
  warning = warned(detector, 499, sizeof warning);
  CHECK_EQUAL(warning.count, 0);
  warning = warned(detector, 1, sizeof warning);
  CHECK(warning.count == 500 && warning.rule == HPD_RULE_SECOND && warning.window_seconds == 1);
  CHECK_EQUAL(warning.utilisation_permille, 1000);
  hpd_free(detector);
  /* A rate of UINT64_MAX is no number, and not none. */
  options.writes_per_second = UINT64_MAX;
  CHECK_REFUSED(hpd_new_with_options(&options, &detector), HPD_ERR_INVALID, "writes_per_second");
}

static void compiled_before(void) {
  unsigned char canary[sizeof(hpd_warning) - VERSION_1];
  hpd_detector *detector;
  hpd_warning warning;
  memset(canary, 0x55, sizeof canary);
  CHECK_EQUAL(hpd_new(1, 1, 60, NULL, NULL, &detector), HPD_OK);
  warning = warned(detector, 1, VERSION_1);
  CHECK(warning.struct_size == VERSION_1 && warning.count == 1);
  CHECK(memcmp((const char *)&warning + VERSION_1, canary, sizeof canary) == 0);
  hpd_free(detector);
}

int main(void) {
  in_order();
  limits();
  compiled_before();
  printf("the hottest are in order, the limits warn, and version 1 is as it was\n");
  return EXIT_SUCCESS;
}

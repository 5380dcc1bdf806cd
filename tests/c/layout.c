/* The structs of the header have the layout that version 1 fixed, and its constants their values. */
#include "check.h"
#include "hotpart.h"

#include <stddef.h>

#define CHECK_FIELD(type, field, offset) CHECK_EQUAL(offsetof(type, field), offset)

static void check_constants(void) {
  CHECK_EQUAL(HPD_OK, 0);
  CHECK_EQUAL(HPD_ERR_NULL, -1);
  CHECK_EQUAL(HPD_ERR_INVALID, -2);
  CHECK_EQUAL(HPD_ERR_UNSUPPORTED, -3);
  CHECK_EQUAL(HPD_ERR_MEMORY, -4);
  CHECK_EQUAL(HPD_ERR_INTERNAL, -5);
  CHECK_EQUAL(HPD_WRITE, 0);
  CHECK_EQUAL(HPD_READ, 1);
  CHECK_EQUAL(HPD_INHERIT, -1);
  CHECK_EQUAL(HPD_INTERVAL_WINDOW, 0xFFFFFFFF);
  CHECK_EQUAL(HPD_CLOCK_MONOTONIC, 0);
  CHECK_EQUAL(HPD_CLOCK_MANUAL, 1);
  CHECK_EQUAL(HPD_FLAG_HASH_SEED, 1);
  CHECK_EQUAL(HPD_FLAG_CAPACITY, 2);
  CHECK_EQUAL(HPD_FLAG_WARN_THROTTLES, 4);
  CHECK(HPD_INTERVAL_WINDOW > 0); /* unsigned, like the field that it is for */
}

static void check_warning(void) {
  CHECK_EQUAL(sizeof(hpd_warning), 88); /* 80 in the first version */
  CHECK_FIELD(hpd_warning, struct_size, 0);
  CHECK_FIELD(hpd_warning, table, 8);
  CHECK_FIELD(hpd_warning, table_len, 16);
  CHECK_FIELD(hpd_warning, pk, 24);
  CHECK_FIELD(hpd_warning, pk_len, 32);
  CHECK_FIELD(hpd_warning, operation, 40);
  CHECK_FIELD(hpd_warning, window_seconds, 44);
  CHECK_FIELD(hpd_warning, count, 48);
  CHECK_FIELD(hpd_warning, threshold, 56);
  CHECK_FIELD(hpd_warning, suppressed, 64);
  CHECK_FIELD(hpd_warning, peak, 72);
  CHECK_FIELD(hpd_warning, rule, 80);
  CHECK_FIELD(hpd_warning, utilisation_permille, 84);
}

static void check_options(void) {
  CHECK_EQUAL(sizeof(hpd_options), 136); /* 80 in the first version */
  CHECK_FIELD(hpd_options, struct_size, 0);
  CHECK_FIELD(hpd_options, writes_threshold, 8);
  CHECK_FIELD(hpd_options, reads_threshold, 16);
  CHECK_FIELD(hpd_options, window_seconds, 24);
  CHECK_FIELD(hpd_options, warning_interval_seconds, 28);
  CHECK_FIELD(hpd_options, callback, 32);
  CHECK_FIELD(hpd_options, user_data, 40);
  CHECK_FIELD(hpd_options, max_partitions, 48);
  CHECK_FIELD(hpd_options, clock, 56);
  CHECK_FIELD(hpd_options, flags, 60);
  CHECK_FIELD(hpd_options, hash_seed, 64);
  CHECK_FIELD(hpd_options, writes_per_second, 80);
  CHECK_FIELD(hpd_options, reads_per_second, 88);
  CHECK_FIELD(hpd_options, writes_sustained, 96);
  CHECK_FIELD(hpd_options, reads_sustained, 104);
  CHECK_FIELD(hpd_options, processes, 112);
  CHECK_FIELD(hpd_options, reserved, 116);
  CHECK_FIELD(hpd_options, redact_key, 120);
}

static void check_record(void) {
  CHECK_EQUAL(sizeof(hpd_record), 64);
  CHECK_FIELD(hpd_record, table, 0);
  CHECK_FIELD(hpd_record, table_len, 8);
  CHECK_FIELD(hpd_record, pk, 16);
  CHECK_FIELD(hpd_record, pk_len, 24);
  CHECK_FIELD(hpd_record, model, 32);
  CHECK_FIELD(hpd_record, model_len, 40);
  CHECK_FIELD(hpd_record, amount, 48);
  CHECK_FIELD(hpd_record, operation, 56);
  CHECK_FIELD(hpd_record, reserved, 60);
}

static void check_hot_partition(void) {
  CHECK_EQUAL(sizeof(hpd_hot_partition), 80);
  CHECK_FIELD(hpd_hot_partition, table, 8);
  CHECK_FIELD(hpd_hot_partition, table_len, 16);
  CHECK_FIELD(hpd_hot_partition, pk, 24);
  CHECK_FIELD(hpd_hot_partition, pk_len, 32);
  CHECK_FIELD(hpd_hot_partition, operation, 40);
  CHECK_FIELD(hpd_hot_partition, utilisation_permille, 44);
  CHECK_FIELD(hpd_hot_partition, count, 48);
  CHECK_FIELD(hpd_hot_partition, throttles, 56);
  CHECK_FIELD(hpd_hot_partition, demand, 64);
  CHECK_FIELD(hpd_hot_partition, peak, 72);
}

static void check_statistics(void) {
  CHECK_EQUAL(sizeof(hpd_statistics), 168);
  CHECK_FIELD(hpd_statistics, records, 8);
  CHECK_FIELD(hpd_statistics, partitions, 16);
  CHECK_FIELD(hpd_statistics, bytes, 24);
  CHECK_FIELD(hpd_statistics, reclaimed, 32);
  CHECK_FIELD(hpd_statistics, replaced, 40);
  CHECK_FIELD(hpd_statistics, cleared, 48);
  CHECK_FIELD(hpd_statistics, warnings, 56);
  CHECK_FIELD(hpd_statistics, suppressed, 64);
  CHECK_FIELD(hpd_statistics, throttles, 72);
  CHECK_FIELD(hpd_statistics, unattributed, 112);
  CHECK_FIELD(hpd_statistics, estimated_half_units, 152);
  CHECK_FIELD(hpd_statistics, unknown_operations, 160);
}

static void check_metrics_options(void) {
  CHECK_EQUAL(sizeof(hpd_metrics_options), 24);
  CHECK_FIELD(hpd_metrics_options, hottest, 8);
  CHECK_FIELD(hpd_metrics_options, flags, 16);
  CHECK_FIELD(hpd_metrics_options, reserved, 20);
}

static void check_exchange(void) {
  CHECK_EQUAL(sizeof(hpd_exchange), 104);
  CHECK_FIELD(hpd_exchange, operation, 8);
  CHECK_FIELD(hpd_exchange, operation_len, 16);
  CHECK_FIELD(hpd_exchange, request, 24);
  CHECK_FIELD(hpd_exchange, request_len, 32);
  CHECK_FIELD(hpd_exchange, response, 40);
  CHECK_FIELD(hpd_exchange, response_len, 48);
  CHECK_FIELD(hpd_exchange, model, 56);
  CHECK_FIELD(hpd_exchange, model_len, 64);
  CHECK_FIELD(hpd_exchange, http_status, 72);
  CHECK_FIELD(hpd_exchange, reserved, 76);
  CHECK_FIELD(hpd_exchange, table, 80);
  CHECK_FIELD(hpd_exchange, table_capacity, 88);
  CHECK_FIELD(hpd_exchange, table_len, 96);
}

int main(void) {
  check_constants();
  if (sizeof(void *) != 8 || sizeof(size_t) != 8) {
    printf("skipped: layouts are given for 64-bit pointers\n");
    return EXIT_SUCCESS;
  }
  check_warning();
  check_options();
  check_record();
  check_hot_partition();
  check_statistics();
  check_exchange();
  check_metrics_options();
  printf("constants and layouts are those of version 1\n");
  return EXIT_SUCCESS;
}

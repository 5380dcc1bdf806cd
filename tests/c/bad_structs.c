/* Bad structs: wrong sizes, unknown flags and fields, bad members, batches with one bad record. Each is refused
 * with the right status and changes nothing. */
#include "witness.h"

#include <string.h>

static hpd_detector *const UNTOUCHED = (hpd_detector *)"untouched";

/* Structs as later versions might have them. */
typedef struct later_options {
  hpd_options known;
  uint64_t unknown;
} later_options;

typedef struct later_record {
  hpd_record known;
  uint64_t unknown;
} later_record;

typedef struct later_warning {
  hpd_warning known;
  uint64_t unknown;
} later_warning;

static void refuse_options(const hpd_options *options, int32_t status, const char *argument) {
  hpd_detector *out = UNTOUCHED;
  CHECK_REFUSED(hpd_new_with_options(options, &out), status, argument);
  CHECK(out == UNTOUCHED);
}

static void take_options(const hpd_options *options) {
  hpd_detector *detector;
  CHECK_EQUAL(hpd_new_with_options(options, &detector), HPD_OK);
  CHECK_EQUAL(hpd_record_write(detector, "t", 1, "k", 1), 1);
  hpd_free(detector);
}

#define REFUSE_OPTION(field, value, status) \
  do { \
    hpd_options changed = witness_options(); \
    changed.field = value; \
    refuse_options(&changed, status, #field); \
  } while (0)

#define TAKE_OPTION(field, value) \
  do { \
    hpd_options changed = witness_options(); \
    changed.field = value; \
    take_options(&changed); \
  } while (0)

static void members_of_options(void) {
  hpd_options options = witness_options();
  refuse_options(NULL, HPD_ERR_NULL, "options");
  CHECK_REFUSED(hpd_new_with_options(&options, NULL), HPD_ERR_NULL, "out");
  REFUSE_OPTION(writes_threshold, 0, HPD_ERR_INVALID);
  REFUSE_OPTION(writes_threshold, (uint64_t)INT64_MAX + 1, HPD_ERR_INVALID);
  REFUSE_OPTION(reads_threshold, 0, HPD_ERR_INVALID);
  REFUSE_OPTION(reads_threshold, UINT64_MAX, HPD_ERR_INVALID);
  REFUSE_OPTION(window_seconds, 0, HPD_ERR_INVALID);
  REFUSE_OPTION(window_seconds, 3601, HPD_ERR_INVALID);
  REFUSE_OPTION(clock, 2, HPD_ERR_INVALID);
  REFUSE_OPTION(clock, -1, HPD_ERR_INVALID);
  REFUSE_OPTION(flags, 0x100, HPD_ERR_UNSUPPORTED);
  REFUSE_OPTION(flags, UINT32_MAX, HPD_ERR_UNSUPPORTED);
  TAKE_OPTION(flags, HPD_FLAG_HASH_SEED);
  TAKE_OPTION(flags, HPD_FLAG_WARN_THROTTLES);
  REFUSE_OPTION(writes_per_second, (uint64_t)INT64_MAX + 1, HPD_ERR_INVALID);
  TAKE_OPTION(reads_sustained, INT64_MAX);
  TAKE_OPTION(processes, UINT32_MAX);
  TAKE_OPTION(window_seconds, 3600);
  TAKE_OPTION(warning_interval_seconds, 0);
  TAKE_OPTION(warning_interval_seconds, UINT32_MAX - 1);
  TAKE_OPTION(max_partitions, 1);
  TAKE_OPTION(max_partitions, UINT64_MAX);
  REFUSE_OPTION(filter_bytes, 1, HPD_ERR_INVALID);
  REFUSE_OPTION(filter_bytes, 65535, HPD_ERR_INVALID);
  REFUSE_OPTION(filter_bytes, ((uint64_t)1 << 40) + 1, HPD_ERR_INVALID);
  TAKE_OPTION(filter_bytes, 65536);
  REFUSE_OPTION(promote_permille, 9, HPD_ERR_INVALID);
  REFUSE_OPTION(promote_permille, 501, HPD_ERR_INVALID);
  TAKE_OPTION(promote_permille, 10);
  TAKE_OPTION(promote_permille, 500);
}

/* Memory is bounded in one way or the other. */
static void bounds_of_options(void) {
  hpd_options both = witness_options();
  both.filter_bytes = 65536;
  both.max_partitions = 1;
  refuse_options(&both, HPD_ERR_INVALID, "filter_bytes");
  both = witness_options();
  both.reserved2 = 1; /* told by the name that all of them have */
  refuse_options(&both, HPD_ERR_INVALID, "reserved");
}

/* Returns options of `size` bytes; the bytes beyond must not be read. */
static hpd_options options_of_size(size_t size, uint32_t flags) {
  hpd_options options = witness_options();
  options.struct_size = size;
  options.flags = flags;
  memset((char *)&options + size, 0xAA, sizeof options - size);
  return options;
}

static void older_options(void) {
  hpd_options first = options_of_size(80, 0);
  hpd_options before_redaction = options_of_size(120, HPD_FLAG_REDACT_KEYS);
  char stands_for[2][32];
  take_options(&first);
  /* Without a key of the caller's each detector has one of its own. */
  for (int i = 0; i < 2; i++) {
    hpd_detector *detector;
    CHECK_EQUAL(hpd_new_with_options(&before_redaction, &detector), HPD_OK);
    CHECK_EQUAL(hpd_redact(detector, "t", 1, "k", 1, stands_for[i]), 32);
    hpd_free(detector);
  }
  CHECK(memcmp(stands_for[0], stands_for[1], 32) != 0);
}

static void sizes_of_options(void) {
  REFUSE_OPTION(struct_size, 0, HPD_ERR_INVALID);
  REFUSE_OPTION(struct_size, 79, HPD_ERR_INVALID); /* one less than the first version's */
  older_options();
  REFUSE_OPTION(reserved, 1, HPD_ERR_INVALID);
  REFUSE_OPTION(struct_size, SIZE_MAX, HPD_ERR_INVALID);

  later_options later;
  later.known = witness_options();
  later.known.struct_size = sizeof later;
  later.unknown = 0;
  take_options(&later.known);
  later.unknown = (uint64_t)1 << 63; /* its last byte alone */
  refuse_options(&later.known, HPD_ERR_UNSUPPORTED, "struct_size");
}

/* Writes as many bytes as it is told, and not one more. */
static void initialisation(void) {
  later_options later, before;
  hpd_detector *out = UNTOUCHED;
  hpd_options_init(NULL, sizeof(hpd_options));
  memset(&later, 0xAA, sizeof later);
  before = later;
  hpd_options_init(&later.known, 0);
  CHECK(memcmp(&later, &before, sizeof later) == 0);
  hpd_options_init(&later.known, 16);
  CHECK_EQUAL(later.known.struct_size, 16);
  CHECK_EQUAL(later.known.writes_threshold, 0);
  CHECK(memcmp((char *)&later + 16, (char *)&before + 16, sizeof later - 16) == 0);
  hpd_options_init(&later.known, sizeof later.known);
  CHECK(later.unknown == before.unknown);
  hpd_options_init(&later.known, sizeof later);
  CHECK_EQUAL(later.known.struct_size, sizeof later);
  CHECK_EQUAL(later.unknown, 0);

  CHECK_EQUAL(later.known.warning_interval_seconds, HPD_INTERVAL_WINDOW);
  CHECK(HPD_INTERVAL_WINDOW > 0);
  CHECK(later.known.callback == NULL && later.known.user_data == NULL);
  CHECK_EQUAL(later.known.max_partitions, 0);
  CHECK_EQUAL(later.known.clock, HPD_CLOCK_MONOTONIC);
  CHECK_EQUAL(later.known.flags, 0);
  /* Thresholds and window have no defaults. */
  CHECK_REFUSED(hpd_new_with_options(&later.known, &out), HPD_ERR_INVALID, "writes_threshold");
  CHECK(out == UNTOUCHED);
}

/* A record that must be refused alone, and with its whole batch. */
static void refuse_record(const witness *w, const hpd_record *bad, int32_t status, const char *argument) {
  hpd_warning warning, before;
  hpd_record batch[3] = {witness_record(), *bad, witness_record()};
  memset(&warning, 0xAA, sizeof warning);
  warning.struct_size = sizeof warning;
  before = warning;
  REFUSED(w, hpd_record_full(w->detector, bad, sizeof *bad, NULL), status, argument);
  REFUSED(w, hpd_record_full(w->detector, bad, sizeof *bad, &warning), status, argument);
  CHECK(memcmp(&warning, &before, sizeof warning) == 0);
  REFUSED(w, hpd_record_batch(w->detector, batch, sizeof *batch, 3), status, argument);
  batch[2] = *bad;
  batch[1] = witness_record();
  REFUSED(w, hpd_record_batch(w->detector, batch, sizeof *batch, 3), status, argument);
}

#define REFUSE_RECORD(witness, text, len, status, argument) \
  do { \
    hpd_record changed = witness_record(); \
    changed.text; \
    changed.len; \
    refuse_record(witness, &changed, status, argument); \
  } while (0)

static void members_of_records(const witness *w) {
  REFUSE_RECORD(w, table = NULL, table_len = 1, HPD_ERR_NULL, "table");
  REFUSE_RECORD(w, table = NULL, table_len = 0, HPD_ERR_INVALID, "table");
  REFUSE_RECORD(w, table = "t", table_len = 0, HPD_ERR_INVALID, "table");
  REFUSE_RECORD(w, table = long_text(), table_len = NAME_MAX_BYTES + 1, HPD_ERR_INVALID, "table");
  REFUSE_RECORD(w, table = "t", table_len = SIZE_MAX, HPD_ERR_INVALID, "table");
  REFUSE_RECORD(w, pk = NULL, pk_len = 1, HPD_ERR_NULL, "pk");
  REFUSE_RECORD(w, pk = long_text(), pk_len = PK_MAX_BYTES + 1, HPD_ERR_INVALID, "pk");
  REFUSE_RECORD(w, pk = "k", pk_len = SIZE_MAX, HPD_ERR_INVALID, "pk");
  REFUSE_RECORD(w, model = NULL, model_len = 1, HPD_ERR_NULL, "model");
  REFUSE_RECORD(w, model = "m", model_len = 0, HPD_ERR_INVALID, "model"); /* a name, and an empty one */
  REFUSE_RECORD(w, model = long_text(), model_len = NAME_MAX_BYTES + 1, HPD_ERR_INVALID, "model");
  REFUSE_RECORD(w, operation = 2, amount = 1, HPD_ERR_INVALID, "operation");
  REFUSE_RECORD(w, operation = -1, amount = 1, HPD_ERR_INVALID, "operation");
  REFUSE_RECORD(w, operation = INT32_MIN, amount = 1, HPD_ERR_INVALID, "operation");
  REFUSE_RECORD(w, operation = HPD_READ, amount = 0, HPD_ERR_INVALID, "amount");
  REFUSE_RECORD(w, operation = HPD_READ, reserved = 1, HPD_ERR_INVALID, "reserved");
}

static void sizes_of_records(const witness *w) {
  const hpd_detector *d = w->detector;
  later_record later;
  later_warning warning;
  memset(&warning, 0xAA, sizeof warning);
  later.known = witness_record();
  later.unknown = 0;
  REFUSED(w, hpd_record_full(d, NULL, sizeof(hpd_record), NULL), HPD_ERR_NULL, "record");
  REFUSED(w, hpd_record_full(NULL, &later.known, sizeof(hpd_record), NULL), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_record_full(d, &later.known, 0, NULL), HPD_ERR_INVALID, "record_size");
  REFUSED(w, hpd_record_full(d, &later.known, sizeof(hpd_record) - 1, NULL), HPD_ERR_INVALID, "record_size");
  REFUSED(w, hpd_record_full(d, &later.known, SIZE_MAX, NULL), HPD_ERR_INVALID, "record_size");
  later.unknown = (uint64_t)1 << 63;
  REFUSED(w, hpd_record_full(d, &later.known, sizeof later, NULL), HPD_ERR_UNSUPPORTED, "record_size");
  warning.known.struct_size = 0;
  REFUSED(w, hpd_record_full(d, &later.known, sizeof(hpd_record), &warning.known), HPD_ERR_INVALID, "struct_size");
  warning.known.struct_size = 79;
  REFUSED(w, hpd_record_full(d, &later.known, sizeof(hpd_record), &warning.known), HPD_ERR_INVALID, "struct_size");

  later.unknown = 0;
  later.known.table = "larger";
  later.known.table_len = 6;
  CHECK_EQUAL(hpd_record_full(d, &later.known, sizeof later, NULL), 1);
  warning.known.struct_size = sizeof warning;
  warning.unknown = 7;
  CHECK_REFUSED(hpd_record_full(d, &later.known, sizeof later, &warning.known), HPD_ERR_UNSUPPORTED, "struct_size");
  CHECK_EQUAL(warning.known.struct_size, sizeof warning);
  warning.unknown = 0;
  CHECK_EQUAL(hpd_record_full(d, &later.known, sizeof later, &warning.known), 2);
  CHECK_EQUAL(warning.known.struct_size, sizeof(hpd_warning)); /* what this version has filled in */
  CHECK_EQUAL(warning.known.count, 0);
  CHECK(warning.known.table != NULL && warning.known.pk != NULL);
  CHECK_EQUAL(warning.unknown, 0);
  witness_check(w, __FILE__, __LINE__);
}

static void amounts(const witness *w) {
  const int64_t most = (1 << 30) - 1; /* where one second saturates */
  hpd_record record = witness_record();
  record.table = "amounts";
  record.table_len = 7;
  record.operation = HPD_READ; /* whose threshold for this model no count can reach */
  record.model = "t";
  record.model_len = 1;
  record.amount = 2;
  CHECK_EQUAL(hpd_record_full(w->detector, &record, sizeof record, NULL), 2);
  record.amount = UINT64_MAX;
  CHECK_EQUAL(hpd_record_full(w->detector, &record, sizeof record, NULL), most);
  CHECK_EQUAL(hpd_record_full(w->detector, &record, sizeof record, NULL), most);
  CHECK_EQUAL(hpd_get_read_count(w->detector, "amounts", 7, "k", 1), most);
  CHECK_EQUAL(hpd_set_time_ms(w->detector, 1000), HPD_OK);
  CHECK_EQUAL(hpd_record_full(w->detector, &record, sizeof record, NULL), 2 * most);
  witness_check(w, __FILE__, __LINE__);
}

static void sizes_of_batches(const witness *w) {
  const hpd_detector *d = w->detector;
  const hpd_record record = witness_record();
  REFUSED(w, hpd_record_batch(NULL, &record, sizeof record, 1), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_record_batch(NULL, NULL, sizeof record, 0), HPD_ERR_NULL, "detector");
  REFUSED(w, hpd_record_batch(d, NULL, sizeof record, 1), HPD_ERR_NULL, "records");
  REFUSED(w, hpd_record_batch(d, &record, 0, 1), HPD_ERR_INVALID, "record_size");
  REFUSED(w, hpd_record_batch(d, &record, sizeof record - 1, 1), HPD_ERR_INVALID, "record_size");
  REFUSED(w, hpd_record_batch(d, &record, sizeof record, SIZE_MAX), HPD_ERR_INVALID, "n");
  REFUSED(w, hpd_record_batch(d, &record, SIZE_MAX, 1), HPD_ERR_INVALID, "n");
  UNCHANGED(w, hpd_record_batch(d, NULL, sizeof record, 0), 0);
  UNCHANGED(w, hpd_record_batch(d, &record, sizeof record, 0), 0);
}

/* Records may lie further apart than they are long, at any alignment, with zeros between. */
static void strides_of_batches(const witness *w) {
  enum { RECORDS = 5, LARGEST = sizeof(hpd_record) + 24 };
  unsigned char array[RECORDS * LARGEST];
  const hpd_record *records = (const hpd_record *)(void *)array;
  int64_t expected = 0;
  for (size_t stride = sizeof(hpd_record); stride <= LARGEST; stride += 3) {
    memset(array, 0, sizeof array);
    for (size_t i = 0; i < RECORDS; i++) {
      hpd_record record = witness_record();
      record.table = "strides";
      record.table_len = 7;
      record.operation = HPD_READ;
      memcpy(array + i * stride, &record, sizeof record);
    }
    CHECK_EQUAL(hpd_record_batch(w->detector, records, stride, RECORDS), RECORDS);
    expected += RECORDS;
    CHECK_EQUAL(hpd_get_read_count(w->detector, "strides", 7, "k", 1), expected);
    if (stride > sizeof(hpd_record)) {
      array[RECORDS * stride - 1] = 1; /* the last byte of the last record's unknown tail */
      REFUSED(w, hpd_record_batch(w->detector, records, stride, RECORDS), HPD_ERR_UNSUPPORTED, "record_size");
      CHECK_EQUAL(hpd_get_read_count(w->detector, "strides", 7, "k", 1), expected);
    }
  }
}

int main(void) {
  witness w;
  members_of_options();
  bounds_of_options();
  sizes_of_options();
  initialisation();
  witness_open(&w);
  members_of_records(&w);
  sizes_of_records(&w);
  amounts(&w);
  sizes_of_batches(&w);
  strides_of_batches(&w);
  witness_close(&w);
  printf("bad structs are refused and change nothing\n");
  return EXIT_SUCCESS;
}

/* compare OLD NEW CONTROL [ROUNDS]: loads three builds of the library into one process and lets them record in turns; prints,
 * for each way to record, the median of NEW / OLD round by round and, for what the machine does by itself, of
 * CONTROL / OLD, where CONTROL is a copy of OLD. ci/compare.sh makes them. */
#define _POSIX_C_SOURCE 200809L

#include "check.h"
#include "hotpart.h"

#include <dlfcn.h>
#include <string.h>
#include <time.h>

enum { RECORDS = 1 << 19, BATCH = 64, PK_LEN = 19, BUILDS = 3, MOST_ROUNDS = 1000 };

typedef struct build {
  int32_t (*new_detector)(uint64_t, uint64_t, uint32_t, hpd_warning_callback, void *, hpd_detector **);
  int64_t (*record)(const hpd_detector *, const char *, size_t, const char *, size_t);
  int64_t (*record_prepared)(const hpd_table *, const char *, size_t);
  int64_t (*record_batch)(const hpd_detector *, const hpd_record *, size_t, size_t);
  int32_t (*open_table)(const hpd_detector *, const char *, size_t, hpd_table **);
  hpd_detector *detector;
  hpd_table *table;
} build;

typedef void way(const build *, const hpd_record *);

static void one_by_one(const build *self, const hpd_record *records) {
  for (const hpd_record *r = records; r < records + RECORDS; r++)
    CHECK(self->record(self->detector, r->table, r->table_len, r->pk, r->pk_len) > 0);
}

static void prepared(const build *self, const hpd_record *records) {
  for (const hpd_record *r = records; r < records + RECORDS; r++)
    CHECK(self->record_prepared(self->table, r->pk, r->pk_len) > 0);
}

static void in_batches(const build *self, const hpd_record *records) {
  for (const hpd_record *r = records; r < records + RECORDS; r += BATCH)
    CHECK(self->record_batch(self->detector, r, sizeof *r, BATCH) == BATCH);
}

/* ISO C has no cast from an object's pointer to a function's; POSIX promises that the bits are the same. */
static void find(void *library, const char *name, void *function) {
  void *found = dlsym(library, name);
  CHECK(found != NULL);
  memcpy(function, &found, sizeof found);
}

static build load(const char *path) {
  build self;
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  CHECK(library != NULL);
  find(library, "hpd_new", &self.new_detector);
  find(library, "hpd_record_write", &self.record);
  find(library, "hpd_table_record_write", &self.record_prepared);
  find(library, "hpd_record_batch", &self.record_batch);
  find(library, "hpd_table_open", &self.open_table);
  CHECK_EQUAL(self.new_detector(INT64_MAX, INT64_MAX, 60, NULL, NULL, &self.detector), HPD_OK);
  CHECK_EQUAL(self.open_table(self.detector, "orders", 6, &self.table), HPD_OK);
  return self;
}

static double nanoseconds(way *way, const build *build, const hpd_record *records) {
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  way(build, records);
  clock_gettime(CLOCK_MONOTONIC, &end);
  return ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) / RECORDS;
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static double median(double *values, int n) {
  qsort(values, (size_t)n, sizeof *values, ascending);
  return values[n / 2];
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    way *way;
  } WAYS[] = {{"record", one_by_one}, {"prepared table", prepared}, {"batch of 64", in_batches}};
  static const unsigned PARTITIONS[] = {1, 1024};
  static char pks[1024][PK_LEN + 1];
  static double changed[MOST_ROUNDS], control[MOST_ROUNDS], old[MOST_ROUNDS];
  int rounds = argc > 4 ? atoi(argv[4]) : 81;
  CHECK(argc > 3 && rounds > 0 && rounds <= MOST_ROUNDS);
  build builds[BUILDS];
  for (int i = 0; i < BUILDS; i++)
    builds[i] = load(argv[i + 1]);
  hpd_record *records = calloc(RECORDS, sizeof *records);
  CHECK(records != NULL);
  for (unsigned i = 0; i < 1024; i++)
    snprintf(pks[i], sizeof pks[i], "customer#%010u", i);
  printf("%-16s %10s %8s %9s %13s\n", "", "partitions", "old, ns", "new / old", "control / old");
  for (size_t p = 0; p < sizeof PARTITIONS / sizeof *PARTITIONS; p++) {
    uint64_t random = 88172645463325252;
    for (hpd_record *r = records; r < records + RECORDS; r++) {
      random ^= random << 13, random ^= random >> 7, random ^= random << 17;
      *r = (hpd_record){.table = "orders", .table_len = 6, .pk_len = PK_LEN, .amount = 1, .operation = HPD_WRITE};
      r->pk = pks[random % PARTITIONS[p]];
    }
    for (size_t w = 0; w < sizeof WAYS / sizeof *WAYS; w++) {
      for (int round = -1; round < rounds; round++) { /* the first is to warm up */
        double took[BUILDS];
        for (int i = 0; i < BUILDS; i++) {
          int turn = (i + round + 1) % BUILDS;
          took[turn] = nanoseconds(WAYS[w].way, &builds[turn], records);
        }
        if (round >= 0)
          old[round] = took[0], changed[round] = took[1] / took[0], control[round] = took[2] / took[0];
      }
      printf("%-16s %10u %8.1f %9.3f %13.3f\n", WAYS[w].name, PARTITIONS[p], median(old, rounds), median(changed, rounds),
             median(control, rounds));
    }
  }
  return EXIT_SUCCESS;
}

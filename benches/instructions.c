/* instructions CASE ROUNDS: sets a case up, then makes 1,024 calls a round. What callgrind counts in a run of more rounds and
 * not in one of fewer is what these rounds cost: all else is the same. Without arguments it names the cases, and the numbers of
 * rounds to compare.
 *
 * To the instruction it is so because the seed is fixed and the clock stands still. By a running one a second turns, or
 * a step of reclaim falls due, in one run and not in the other; and little would be won: under valgrind the clock is read by a
 * system call, of which callgrind sees only the call. */
#include "check.h"
#include "hotpart.h"

#include <string.h>

/* CALLS: a multiple of 128, as at every 128th pin crossbeam looks for memory to free. */
enum { CALLS = 1024, BATCH = 64, PK_LEN = 20, WINDOW = 60 };

typedef struct fixture {
  hpd_detector *detector;
  hpd_table *table;
  char pks[CALLS][PK_LEN + 1];
  hpd_record records[CALLS]; /* what a round's calls record, or ask for */
  uint64_t second;
} fixture;

typedef void one_round(fixture *self);

static void record(fixture *self) {
  for (const hpd_record *r = self->records; r < self->records + CALLS; r++)
    CHECK(hpd_record_write(self->detector, r->table, r->table_len, r->pk, r->pk_len) > 0);
}

static void record_prepared(fixture *self) {
  for (const hpd_record *r = self->records; r < self->records + CALLS; r++)
    CHECK(hpd_table_record_write(self->table, r->pk, r->pk_len) > 0);
}

static void record_batch(fixture *self) {
  for (const hpd_record *r = self->records; r < self->records + CALLS; r += BATCH)
    CHECK(hpd_record_batch(self->detector, r, sizeof *r, BATCH) == BATCH);
}

/* The first records of a second, all in it. */
static void turn(fixture *self) {
  self->second++;
  CHECK_EQUAL(hpd_set_time_ms(self->detector, self->second * 1000), HPD_OK);
  record(self);
}

static void get_count(fixture *self) {
  for (const hpd_record *r = self->records; r < self->records + CALLS; r++)
    CHECK(hpd_get_write_count(self->detector, r->table, r->table_len, r->pk, r->pk_len) > 0);
}

/* So many seconds have been recorded in when each of the wheel's window + 1 slots is in use, and the head too. */
enum { FULL = WINDOW + 2 };

/* A window whose seconds the first history holds. */
enum { SHORT = 5 };

/* The rounds to compare of calls of which one costs what another does. Of such numbers those to compare have as many digits, as
 * reading them counts too. */
enum { FEW = 10, MANY = 74 };

/* Of bounded counting. */
enum { MEMORY = 1 << 20 };

/* The seconds that the first history holds. */
enum { HISTORY = 7 };

static const struct test_case {
  const char *name;
  one_round *round;
  unsigned window, partitions, seconds; /* recorded in before; the rounds stay in the last, or go on from it */
  uint64_t threshold;
  unsigned fewer, more; /* rounds; 0: FEW and MANY */
  uint64_t memory;      /* of bounded counting; 0: none */
} CASES[] = {
    {"hpd_record_write", record, WINDOW, 1, 1, INT64_MAX, 0, 0, 0},
    {"hpd_record_write/1024-partitions", record, WINDOW, CALLS, 1, INT64_MAX, 0, 0, 0},
    {"hpd_record_write/full-wheel", record, WINDOW, 1, FULL, INT64_MAX, 0, 0, 0},
    {"hpd_record_write/hot", record, WINDOW, 1, 1, 1, 0, 0, 0},
    {"hpd_record_write/first-turn", turn, WINDOW, CALLS, 1, INT64_MAX, 0, 1, 0},
    {"hpd_record_write/turn", turn, WINDOW, CALLS, 1, INT64_MAX, 1, HISTORY, 0},
    {"hpd_record_write/turn-that-grows", turn, WINDOW, CALLS, 1, INT64_MAX, HISTORY, HISTORY + 1, 0},
    {"hpd_record_write/turn-as-one-leaves", turn, SHORT, CALLS, SHORT + 2, INT64_MAX, 0, 0, 0},
    {"hpd_record_write/turn-of-a-wheel", turn, WINDOW, CALLS, FULL, INT64_MAX, 0, 0, 0},
    {"hpd_table_record_write", record_prepared, WINDOW, 1, 1, INT64_MAX, 0, 0, 0},
    {"hpd_record_batch/per-record", record_batch, WINDOW, 1, 1, INT64_MAX, 0, 0, 0},
    {"hpd_record_batch/1024-partitions", record_batch, WINDOW, CALLS, 1, INT64_MAX, 0, 0, 0},
    {"hpd_record_write/in-a-filter", record, WINDOW, CALLS, 1, INT64_MAX, 0, 0, MEMORY},
    {"hpd_record_batch/in-a-filter", record_batch, WINDOW, CALLS, 1, INT64_MAX, 0, 0, MEMORY},
    {"hpd_get_write_count", get_count, WINDOW, 1, 1, INT64_MAX, 0, 0, 0},
    {"hpd_get_write_count/full-wheel", get_count, WINDOW, 1, FULL, INT64_MAX, 0, 0, 0},
};
enum { N_CASES = sizeof CASES / sizeof *CASES };

static void on_warning(void *user_data, const hpd_warning *warning) {
  (void)user_data;
  (void)warning;
}

static void set_up(fixture *self, const struct test_case *test_case) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = options.reads_threshold = test_case->threshold;
  options.window_seconds = test_case->window;
  options.callback = on_warning;
  options.clock = HPD_CLOCK_MANUAL;
  options.flags = HPD_FLAG_HASH_SEED;
  options.filter_bytes = test_case->memory;
  CHECK_EQUAL(hpd_new_with_options(&options, &self->detector), HPD_OK);
  CHECK_EQUAL(hpd_table_open(self->detector, "orders", 6, &self->table), HPD_OK);

  for (unsigned i = 0; i < CALLS; i++) {
    snprintf(self->pks[i], sizeof self->pks[i], "customer#%011u", i % test_case->partitions);
    hpd_record record = {"orders", 6, self->pks[i], PK_LEN, NULL, 0, 1, HPD_WRITE, 0};
    self->records[i] = record;
  }
  for (unsigned n = 0; n < test_case->seconds; n++) {
    self->second = n;
    CHECK_EQUAL(hpd_set_time_ms(self->detector, self->second * 1000), HPD_OK);
    CHECK_EQUAL(hpd_record_batch(self->detector, self->records, sizeof *self->records, CALLS), CALLS);
  }
}

int main(int argc, char **argv) {
  static fixture fixture;
  size_t i = 0;
  if (argc != 3) {
    for (; i < N_CASES; i++) {
      const struct test_case *each = &CASES[i];
      printf("%s %u %u\n", each->name, each->more ? each->fewer : FEW, each->more ? each->more : MANY);
    }
    return EXIT_SUCCESS;
  }
  while (i < N_CASES && strcmp(CASES[i].name, argv[1]) != 0)
    i++;
  CHECK(i < N_CASES);
  set_up(&fixture, &CASES[i]);
  for (unsigned long rounds = strtoul(argv[2], NULL, 10); rounds > 0; rounds--)
    CASES[i].round(&fixture);
  hpd_table_close(fixture.table);
  hpd_free(fixture.detector);
  return EXIT_SUCCESS;
}

/* soak [SECONDS]: four threads record, read, change thresholds, take snapshots and clear, by the real clock, for as long as that.
 * Each phase of a second has threads and keys of its own. At its end every key's count is what was recorded, exactly; where a
 * clear came in between, each record that began after it is counted and none that ended before it. What earlier phases had
 * leaves the window meanwhile and is reclaimed. Memory and latency are told for each interval. Memory is bounded, and in five
 * minutes or more both are to stay as they were: memory nearly, and latency as far as a machine that has else to do allows. (If
 * it stands still for most of a window, counts are missing rightly.) */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "hotpart.h"
#include "random.h"

#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 4, KEYS = 4096, HALVINGS = 12, KINDS = 3, WINDOW = 20, THRESHOLD = 5000, PHASE_MS = 1000, INTERVALS = 12 };
/* Ways to record one operation: half of them are the last one. */
enum { WAYS = 8 };
/* Every so many phases one is cleared in the middle; in between there is time for what left the window to be reclaimed. Of the
 * calls every so many, a prime number, is timed. */
enum { CLEAR_EVERY = 32, TIME_EVERY = 31 };
/* Latencies are told apart by ten nanoseconds, up to a millisecond. */
enum { STEP_NS = 10, STEPS = 100000 };
/* However fast the machine, no more keys are in a window than phases begin in it times KEYS, and each phase records each of its
 * keys: 64 MiB is what that takes, at 2 million calls a second and at 5. 32 bytes lost with every twentieth record would be what is left after 20 million. */
enum { MOST_KIB = 96 * 1024 };
/* How many times as long half of the calls may take in the end. Others on the machine seldom slow those down, and hardly ever
 * in each interval of a quarter. */
enum { QUARTER = INTERVALS / 4, DRIFT = 3 };

/* For each kind and key how much was recorded: writes, reads, throttles. */
enum { THROTTLES = 2 };
typedef uint64_t numbers[KINDS][KEYS];

typedef struct shared {
  hpd_detector *detector;
  hpd_table *table;
  uint64_t phase, end_ns;
  int clears; /* this phase has one */
  int clear_begun, clear_ended;
  pthread_mutex_t lock; /* of what the callback counts */
  uint64_t warnings;
} shared;

typedef struct worker {
  pthread_t thread;
  int index;
  uint64_t seed, calls, records;
  shared *all;
  numbers surely, perhaps;
  uint32_t latencies[STEPS + 1];
} worker;

typedef struct interval {
  uint64_t records, calls, p50, p99, p999;
  long kib;
} interval;

static uint64_t now_ns(void) {
  struct timespec now;
  CHECK_EQUAL(clock_gettime(CLOCK_MONOTONIC, &now), 0);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static long resident_kib(void) {
  long size, resident;
  FILE *statm = fopen("/proc/self/statm", "r");
  CHECK(statm != NULL);
  CHECK_EQUAL(fscanf(statm, "%ld %ld", &size, &resident), 2);
  fclose(statm);
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static void on_warning(void *user_data, const hpd_warning *warning) {
  shared *all = user_data;
  CHECK(warning->count >= warning->threshold);
  pthread_mutex_lock(&all->lock);
  all->warnings++;
  pthread_mutex_unlock(&all->lock);
}

/* A key of this phase; its first byte is never 0, so that it ends where its bytes do. */
static size_t key_of(const shared *all, uint32_t key, char *text) {
  return (size_t)sprintf(text, "%" PRIu64 "/%" PRIu32, all->phase, key);
}

static int64_t record_one(const shared *all, int way, int kind, const char *pk, size_t pk_len, uint64_t amount) {
  hpd_record record = {"soak", 4, pk, pk_len, "model", 5, 1, kind, 0};
  if (kind == THROTTLES)
    return hpd_record_throttle(all->detector, "soak", 4, pk, pk_len, HPD_WRITE, HPD_THROTTLE_KEY_RANGE);
  switch (way) {
  case 0:
    record.amount = amount;
    return hpd_record_full(all->detector, &record, sizeof record, NULL);
  case 1:
    return kind == HPD_WRITE ? hpd_table_record_write_due(all->table, pk) : hpd_table_record_read_due(all->table, pk);
  case 2:
  case 3:
    return kind == HPD_WRITE ? hpd_table_record_write(all->table, pk, pk_len) : hpd_table_record_read(all->table, pk, pk_len);
  default:
    return kind == HPD_WRITE ? hpd_record_write(all->detector, "soak", 4, pk, pk_len)
                             : hpd_record_read(all->detector, "soak", 4, pk, pk_len);
  }
}

static void record_key(worker *self, uint32_t key, int way, int kind, uint64_t amount) {
  shared *all = self->all;
  char pk[32];
  size_t pk_len = key_of(all, key, pk);
  int after = !all->clears || __atomic_load_n(&all->clear_ended, __ATOMIC_SEQ_CST);
  uint64_t begun = self->calls % TIME_EVERY == 0 ? now_ns() : 0;
  CHECK(record_one(all, way, kind, pk, pk_len, amount) >= (int64_t)amount);
  if (begun > 0) {
    uint64_t step = (now_ns() - begun) / STEP_NS;
    self->latencies[step < STEPS ? step : STEPS]++;
  }
  self->records++;
  self->surely[kind][key] += after ? amount : 0;
  self->perhaps[kind][key] += !all->clears || __atomic_load_n(&all->clear_begun, __ATOMIC_SEQ_CST) ? amount : 0;
}

static void record(worker *self) {
  uint32_t key = random_skewed(&self->seed, KEYS, HALVINGS);
  int way = (int)random_below(&self->seed, WAYS), kind = (int)random_below(&self->seed, 2);
  if (random_below(&self->seed, 64) == 0)
    kind = THROTTLES;
  record_key(self, key, way, kind, way == 0 && kind != THROTTLES ? 1 + random_below(&self->seed, 300) : 1);
}

/* Records each kind of this thread's share of the keys: however slow the machine, each phase fills as much of the table. */
static void record_each_key(worker *self) {
  for (uint32_t key = (uint32_t)self->index; key < KEYS; key += THREADS)
    for (int kind = 0; kind < KINDS; kind++, self->calls++)
      record_key(self, key, WAYS - 1, kind, 1);
}

static int64_t count_of(const shared *all, int kind, const char *pk, size_t pk_len) {
  if (kind == THROTTLES)
    return hpd_get_throttle_count(all->detector, "soak", 4, pk, pk_len, HPD_WRITE, HPD_THROTTLE_KEY_RANGE);
  return kind == HPD_WRITE ? hpd_get_write_count(all->detector, "soak", 4, pk, pk_len)
                           : hpd_get_read_count(all->detector, "soak", 4, pk, pk_len);
}

static void look(worker *self) {
  char pk[32];
  uint32_t key = random_skewed(&self->seed, KEYS, HALVINGS);
  int kind = (int)random_below(&self->seed, KINDS);
  int64_t count = count_of(self->all, kind, pk, key_of(self->all, key, pk));
  /* What this thread has recorded in this phase, nobody has cleared, and the window still has. */
  CHECK(count >= (int64_t)self->surely[kind][key]);
}

/* A name's two thresholds are always set together to one number, so they are found so, whoever else sets them. */
static void change_thresholds(worker *self) {
  char name[16] = "soak";
  int64_t threshold = THRESHOLD + random_below(&self->seed, 1000), writes, reads;
  uint32_t number = random_below(&self->seed, 500);
  size_t len = number == 0 ? 4 : (size_t)sprintf(name, "name%" PRIu32, number);
  const hpd_detector *detector = self->all->detector;
  if (random_below(&self->seed, 4) == 0)
    threshold = HPD_INHERIT;
  CHECK_EQUAL(hpd_set_table_thresholds(detector, name, len, threshold, threshold), HPD_OK);
  CHECK_EQUAL(hpd_set_model_thresholds(detector, name, len, threshold, threshold), HPD_OK);
  CHECK_EQUAL(hpd_get_table_thresholds(detector, name, len, &writes, &reads), HPD_OK);
  CHECK_EQUAL(writes, reads);
}

/* Each walks the table: two threads in each phase are enough to have it walked while the others work. */
static void take_snapshots(worker *self) {
  const hpd_detector *detector = self->all->detector;
  hpd_hottest *hottest;
  hpd_hot_partition hot;
  hpd_statistics statistics;
  hpd_text *text;
  hpd_warnings *warnings;
  uint64_t before = UINT64_MAX;
  memset(&hot, 0, sizeof hot);
  memset(&statistics, 0, sizeof statistics);
  hot.struct_size = sizeof hot;
  statistics.struct_size = sizeof statistics;
  CHECK_EQUAL(hpd_hottest_take(detector, (int32_t)random_below(&self->seed, 2), 20, &hottest), HPD_OK);
  CHECK(hpd_hottest_len(hottest) <= 20);
  for (int64_t i = 0; i < hpd_hottest_len(hottest); i++, before = hot.demand) {
    CHECK_EQUAL(hpd_hottest_get(hottest, (size_t)i, &hot), HPD_OK);
    CHECK(hot.demand <= before);
  }
  hpd_hottest_free(hottest);
  CHECK_EQUAL(hpd_metrics_take(detector, NULL, &text), HPD_OK);
  CHECK(hpd_text_len(text) > 0);
  hpd_text_free(text);
  CHECK_EQUAL(hpd_get_statistics(detector, &statistics), HPD_OK);
  CHECK(statistics.records >= self->records);
  CHECK(hpd_take_warnings(detector, &warnings) >= 0);
  hpd_warnings_free(warnings);
}

static void clear(shared *all) {
  __atomic_store_n(&all->clear_begun, 1, __ATOMIC_SEQ_CST);
  CHECK_EQUAL(hpd_clear(all->detector), HPD_OK);
  __atomic_store_n(&all->clear_ended, 1, __ATOMIC_SEQ_CST);
}

static void work_until(worker *self, uint64_t end_ns) {
  while (now_ns() < end_ns) {
    for (int i = 0; i < 256; i++, self->calls++) {
      uint32_t what = random_below(&self->seed, 1000);
      if (what == 0)
        change_thresholds(self);
      else if (what <= 200)
        look(self);
      else
        record(self);
    }
  }
}

static void *work(void *argument) {
  worker *self = argument;
  record_each_key(self);
  work_until(self, self->all->end_ns - PHASE_MS * 500000);
  if (self->index == 0 && self->all->clears)
    clear(self->all);
  else if (self->index % 2 == (int)(self->all->phase % 2))
    take_snapshots(self);
  work_until(self, self->all->end_ns);
  return NULL;
}

/* Checks each key of the phase; returns what they hold together. */
static uint64_t check_counts(const shared *all, const worker *workers) {
  uint64_t sum = 0;
  char pk[32];
  for (int kind = 0; kind < KINDS; kind++)
    for (uint32_t key = 0; key < KEYS; key++) {
      uint64_t surely = 0, perhaps = 0;
      int64_t count = count_of(all, kind, pk, key_of(all, key, pk));
      for (int i = 0; i < THREADS; i++) {
        surely += workers[i].surely[kind][key];
        perhaps += workers[i].perhaps[kind][key];
      }
      if (!all->clears)
        CHECK_EQUAL(count, surely);
      CHECK(count >= (int64_t)surely && count <= (int64_t)perhaps);
      sum += (uint64_t)count;
    }
  return sum;
}

/* Returns what was counted. */
static uint64_t run_phase(shared *all, worker *workers) {
  all->phase++;
  all->end_ns = now_ns() + PHASE_MS * 1000000ull;
  all->clears = all->phase % CLEAR_EVERY == CLEAR_EVERY / 2;
  all->clear_begun = all->clear_ended = 0;
  for (int i = 0; i < THREADS; i++) {
    memset(workers[i].surely, 0, sizeof workers[i].surely);
    memset(workers[i].perhaps, 0, sizeof workers[i].perhaps);
    CHECK_EQUAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_join(workers[i].thread, NULL), 0);
  return check_counts(all, workers);
}

/* The latency, in nanoseconds, that so many of a thousand timed calls keep within. */
static uint64_t permille(const worker *workers, uint64_t share) {
  uint64_t all = 0, within = 0;
  int step = -1;
  for (int i = 0; i < THREADS; i++)
    for (int j = 0; j <= STEPS; j++)
      all += workers[i].latencies[j];
  while (within * 1000 < all * share) {
    step++;
    for (int i = 0; i < THREADS; i++)
      within += workers[i].latencies[step];
  }
  return (uint64_t)(step + 1) * STEP_NS;
}

static interval end_interval(worker *workers) {
  interval ended = {0, 0, permille(workers, 500), permille(workers, 990), permille(workers, 999), 0};
  for (int i = 0; i < THREADS; i++) {
    ended.records += workers[i].records;
    ended.calls += workers[i].calls;
    workers[i].records = workers[i].calls = 0;
    memset(workers[i].latencies, 0, sizeof workers[i].latencies);
  }
  return ended;
}

static uint64_t least_p50(const interval *quarter) {
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < QUARTER; i++)
    least = quarter[i].p50 < least ? quarter[i].p50 : least;
  return least;
}

/* Prints first what it judges. It fills up with what is seen within a window, and is emptied now and then: that takes minutes
 * to settle. */
static void judge(const interval *intervals, int settled, uint64_t seconds) {
  interval first = intervals[settled - 1], last = intervals[INTERVALS - 1];
  printf("from interval %d to the last: resident %ld to %ld KiB; p50 %" PRIu64 " to %" PRIu64 " ns, p99 %" PRIu64 " to %" PRIu64
         " ns\n",
         settled, first.kib, last.kib, first.p50, last.p50, first.p99, last.p99);
  CHECK(last.kib <= MOST_KIB);
  if (seconds >= 300) {
    uint64_t early = least_p50(intervals + settled - 1), late = least_p50(intervals + INTERVALS - QUARTER);
    CHECK(last.kib <= first.kib * 5 / 4 + 4096);
    printf("the least p50 of the first settled quarter and of the last: %" PRIu64 " and %" PRIu64 " ns\n", early, late);
    CHECK(late <= DRIFT * early);
  }
}

static void open_detector(shared *all) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = THRESHOLD;
  options.reads_threshold = THRESHOLD;
  options.window_seconds = WINDOW;
  options.callback = on_warning;
  options.user_data = all;
  options.flags = HPD_FLAG_WARN_THROTTLES;
  CHECK_EQUAL(hpd_new_with_options(&options, &all->detector), HPD_OK);
  CHECK_EQUAL(hpd_table_open(all->detector, "soak", 4, &all->table), HPD_OK);
}

int main(int argc, char **argv) {
  static shared all = {.lock = PTHREAD_MUTEX_INITIALIZER};
  static worker workers[THREADS];
  uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 3600, begun = now_ns(), counted_in_all = 0, records = 0;
  interval intervals[INTERVALS];
  hpd_statistics statistics;
  /* The first intervals may be before any key has left the window and been reclaimed, a window and a half later. */
  int settled = (int)(3 * WINDOW / 2 * INTERVALS / (seconds > 0 ? seconds : 1)) + 2;
  CHECK(seconds >= 3 * WINDOW);
  open_detector(&all);
  for (int i = 0; i < THREADS; i++) {
    workers[i].index = i;
    workers[i].seed = (uint64_t)i;
    workers[i].all = &all;
  }
  printf("  until      records   calls/s   p50 ns   p99 ns  p99.9 ns  KiB at most     counted\n");
  for (int i = 1; i <= INTERVALS; i++) {
    uint64_t counted = 0, start = now_ns(), end = begun + seconds * 1000000000 * (uint64_t)i / INTERVALS;
    long most = 0;
    while (now_ns() < end) {
      counted += run_phase(&all, workers);
      if (resident_kib() > most)
        most = resident_kib();
    }
    interval last = end_interval(workers);
    last.kib = most;
    intervals[i - 1] = last;
    records += last.records;
    counted_in_all += counted;
    printf("%6" PRIu64 "s %12" PRIu64 " %9" PRIu64 " %8" PRIu64 " %8" PRIu64 " %9" PRIu64 " %12ld %11" PRIu64 "\n",
           (now_ns() - begun) / 1000000000, last.records, last.calls * 1000000000 / (now_ns() - start), last.p50, last.p99,
           last.p999, last.kib, counted);
    fflush(stdout);
  }
  memset(&statistics, 0, sizeof statistics);
  statistics.struct_size = sizeof statistics;
  CHECK_EQUAL(hpd_get_statistics(all.detector, &statistics), HPD_OK);
  CHECK_EQUAL(statistics.records + statistics.throttles[HPD_THROTTLE_KEY_RANGE], records);
  printf("%" PRIu64 " s, %" PRIu64 " phases: %" PRIu64 " records, none lost, which count %" PRIu64 "; %" PRIu64
         " partitions reclaimed, %" PRIu64 " cleared; %" PRIu64 " warnings\n",
         (now_ns() - begun) / 1000000000, all.phase, records, counted_in_all, statistics.reclaimed, statistics.cleared,
         all.warnings);
  judge(intervals, settled, seconds);
  hpd_table_close(all.table);
  hpd_free(all.detector);
  return EXIT_SUCCESS;
}

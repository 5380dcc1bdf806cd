/* soak [SECONDS]: four threads record, observe, read, change thresholds and schemas, take snapshots and clear, by the real clock,
 * for as long as that. Each phase of a second has threads and keys of its own. At its end every key's count is what was recorded,
 * exactly; where a clear came in between, each record that began after it is counted and none that ended before it. What earlier
 * phases had leaves the window meanwhile, and is to be reclaimed. Memory and latency are told for each interval: memory is bounded
 * and, in five minutes or more, both are to stay as they were. Where the machine stands still for most of a window, counts are
 * missing rightly, and that phase's are not judged. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "hotpart.h"
#include "interval.h"
#include "random.h"

#include <pthread.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, KEYS = 4096, HALVINGS = 12, KINDS = 3, WINDOW = 10, THRESHOLD = 5000, PHASE_MS = 1000, INTERVALS = 12 };
enum { WAYS = 16 /* to record one operation */, ALONE = 20000 /* calls, of one thread by itself, at the end of each phase */ };
/* Every so many phases one, the second at first, is cleared in the middle: seldom, so that memory is bounded by what is reclaimed.
 * Of the calls every so many, a prime number, is timed. */
enum { CLEAR_EVERY = 256, TIME_EVERY = 31 };
/* Each phase records each of its keys, and a partition is gone a window and a half after its last record, if records come, so
 * there are never more than those of so many phases. They hold some 20 MiB, and with the allocator's spare room three times as much. */
enum { MOST_PARTITIONS = (WINDOW + WINDOW / 2 + 4) * KEYS, MOST_KIB = 80 * 1024 };
/* How many times as long the calls of one thread by itself may take in the end. Those of all threads go with how many of them the
 * machine lets run at once, on the same counters: they are told, not judged. */
enum { QUARTER = INTERVALS / 4, DRIFT = 2 };

/* For each kind and key how much was recorded; KINDS are writes, reads and throttles. */
enum { THROTTLES = 2 };
typedef uint64_t numbers[KINDS][KEYS];

typedef struct shared {
  hpd_detector *detector;
  hpd_table *table;
  uint64_t phase, begun_ns, end_ns, stood_still;
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
  latencies latencies;
} worker;

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

/* As DynamoDB's client would: an attempt's request, by its operation. */
static int64_t observe(const shared *all, int kind, const char *pk) {
  char request[96];
  sprintf(request, "{\"TableName\":\"soak\",\"%s\":{\"pk\":{\"S\":\"%s\"}}}", kind == HPD_WRITE ? "Item" : "Key", pk);
  return hpd_observe_due(all->detector, kind == HPD_WRITE ? "PutItem" : "GetItem", request, NULL, 200, "model");
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
  case 4:
    return observe(all, kind, pk);
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
  if (begun > 0)
    latencies_add(&self->latencies, now_ns() - begun);
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

/* Whether what this phase has recorded is in the window. */
static int in_time(const shared *all) { return now_ns() - all->begun_ns < WINDOW * 1000000000ull; }

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
  CHECK(count >= (int64_t)self->surely[kind][key] || !in_time(self->all));
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

/* Each time another index: so the table's schema is replaced, while others observe by it. */
static void change_schema(worker *self) {
  static const char *const NAMES[] = {"pk", "other"};
  static const size_t LENS[] = {2, 5};
  const hpd_detector *detector = self->all->detector;
  char description[256];
  CHECK_EQUAL(hpd_set_key_schema(detector, "soak", 4, "index", 5, NAMES, LENS, 1 + random_below(&self->seed, 2)), HPD_OK);
  sprintf(description,
          "{\"Table\":{\"TableName\":\"soak\",\"KeySchema\":[{\"AttributeName\":\"pk\",\"KeyType\":\"HASH\"}],"
          "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"%" PRIu32
          "\",\"KeySchema\":[{\"AttributeName\":\"other\",\"KeyType\":\"HASH\"}]}]}}",
          random_below(&self->seed, 10));
  CHECK_EQUAL(hpd_observe_due(detector, "DescribeTable", "{\"TableName\":\"soak\"}", description, 200, NULL), 0);
}

static hpd_statistics statistics_of(const hpd_detector *detector) {
  hpd_statistics statistics;
  memset(&statistics, 0, sizeof statistics);
  statistics.struct_size = sizeof statistics;
  CHECK_EQUAL(hpd_get_statistics(detector, &statistics), HPD_OK);
  return statistics;
}

static uint64_t records_of(hpd_statistics statistics) {
  return statistics.records + statistics.throttles[HPD_THROTTLE_KEY_RANGE];
}

/* Each walks the table: two threads in each phase are enough to have it walked while the others work. */
static void take_snapshots(worker *self) {
  const hpd_detector *detector = self->all->detector;
  hpd_hottest *hottest;
  hpd_hot_partition hot;
  hpd_text *text;
  hpd_warnings *warnings;
  uint64_t before = UINT64_MAX;
  memset(&hot, 0, sizeof hot);
  hot.struct_size = sizeof hot;
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
  CHECK(records_of(statistics_of(detector)) >= self->records);
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
      else if (what == 1)
        change_schema(self);
      else if (what <= 201)
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
static uint64_t check_counts(shared *all, const worker *workers) {
  uint64_t sum = 0;
  char pk[32];
  for (int kind = 0; kind < KINDS; kind++)
    for (uint32_t key = 0; key < KEYS; key++) {
      uint64_t surely = 0, perhaps = 0;
      int64_t count = count_of(all, kind, pk, key_of(all, key, pk));
      for (int i = 0; i <= THREADS; i++) {
        surely += workers[i].surely[kind][key];
        perhaps += workers[i].perhaps[kind][key];
      }
      if (!in_time(all)) {
        all->stood_still++;
        return sum;
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
  all->begun_ns = now_ns();
  all->end_ns = all->begun_ns + PHASE_MS * 1000000ull;
  all->clears = all->phase % CLEAR_EVERY == 2;
  all->clear_begun = all->clear_ended = 0;
  for (int i = 0; i <= THREADS; i++) {
    memset(workers[i].surely, 0, sizeof workers[i].surely);
    memset(workers[i].perhaps, 0, sizeof workers[i].perhaps);
  }
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_join(workers[i].thread, NULL), 0);
  for (int i = 0; i < ALONE; i++, workers[THREADS].calls++)
    record(&workers[THREADS]);
  return check_counts(all, workers);
}

static interval end_interval(worker *workers) {
  static latencies all;
  interval ended = {.alone_p50 = latencies_permille(&workers[THREADS].latencies, 500),
                    .alone_p99 = latencies_permille(&workers[THREADS].latencies, 990)};
  memset(&all, 0, sizeof all);
  for (int i = 0; i <= THREADS; i++) {
    if (i < THREADS)
      latencies_join(&all, &workers[i].latencies);
    ended.records += workers[i].records;
    ended.calls += workers[i].calls;
    workers[i].records = workers[i].calls = 0;
    memset(&workers[i].latencies, 0, sizeof workers[i].latencies);
  }
  ended.p50 = latencies_permille(&all, 500);
  ended.p99 = latencies_permille(&all, 990);
  ended.p999 = latencies_permille(&all, 999);
  return ended;
}

/* Prints first what it judges. In a minute memory still goes with how busy the machine is, and so how long the phases are. */
static void judge(const interval *intervals, int settled, uint64_t seconds) {
  interval early = interval_of_quarter(intervals + settled - 1), late = interval_of_quarter(intervals + INTERVALS - QUARTER);
  printf("the quarter from interval %d on, and the last: resident %ld and %ld KiB; alone p50 %" PRIu64 " and %" PRIu64
         " ns, p99 %" PRIu64 " and %" PRIu64 " ns\n",
         settled, early.kib, late.kib, early.alone_p50, late.alone_p50, early.alone_p99, late.alone_p99);
  for (int i = 0; i < INTERVALS; i++) {
    CHECK(intervals[i].kib <= MOST_KIB);
    CHECK(intervals[i].partitions <= MOST_PARTITIONS);
  }
  if (seconds >= 300) {
    CHECK(late.kib <= early.kib * 5 / 4);
    CHECK(late.alone_p50 <= DRIFT * early.alone_p50);
    CHECK(late.alone_p99 <= DRIFT * early.alone_p99);
  }
}

static void open_detector(shared *all) {
  const char *key = "pk";
  size_t key_len = 2;
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
  CHECK_EQUAL(hpd_set_key_schema(all->detector, "soak", 4, NULL, 0, &key, &key_len, 1), HPD_OK);
}

int main(int argc, char **argv) {
  static shared all = {.lock = PTHREAD_MUTEX_INITIALIZER};
  static worker workers[THREADS + 1]; /* the last one works alone */
  uint64_t seconds = argc > 1 ? strtoull(argv[1], NULL, 10) : 3600, begun = now_ns(), counted = 0, records = 0;
  interval intervals[INTERVALS];
  hpd_statistics statistics;
  /* The first intervals may be before any key has left the window and been reclaimed, half a window later. */
  int settled = (int)(3 * WINDOW / 2 * INTERVALS / (seconds > 0 ? seconds : 1)) + 2;
  CHECK(seconds >= 3 * WINDOW);
  open_detector(&all);
  for (int i = 0; i <= THREADS; i++) {
    workers[i].index = i;
    workers[i].seed = (uint64_t)i;
    workers[i].all = &all;
  }
  interval_print_head();
  for (int i = 1; i <= INTERVALS; i++) {
    interval last = {0};
    uint64_t start = now_ns(), end = begun + seconds * 1000000000 * (uint64_t)i / INTERVALS, partitions = 0;
    long most = 0;
    do {
      counted += run_phase(&all, workers);
      statistics = statistics_of(all.detector);
      partitions = statistics.partitions > partitions ? statistics.partitions : partitions;
      most = resident_kib() > most ? resident_kib() : most;
    } while (now_ns() < end);
    last = end_interval(workers);
    last.kib = most;
    last.partitions = partitions;
    intervals[i - 1] = last;
    records += last.records;
    interval_print(&last, (now_ns() - begun) / 1000000000, now_ns() - start);
  }
  CHECK_EQUAL(records_of(statistics), records);
  CHECK(statistics.reclaimed + statistics.cleared + statistics.partitions >= all.phase * KEYS);
  printf("%" PRIu64 " s, %" PRIu64 " phases: %" PRIu64 " records, none lost, which count %" PRIu64 "; %" PRIu64
         " partitions reclaimed, %" PRIu64 " cleared; %" PRIu64 " warnings; %" PRIu64 " phases stood still\n",
         (now_ns() - begun) / 1000000000, all.phase, records, counted, statistics.reclaimed, statistics.cleared, all.warnings,
         all.stood_still);
  judge(intervals, settled, seconds);
  hpd_table_close(all.table);
  hpd_free(all.detector);
  return EXIT_SUCCESS;
}

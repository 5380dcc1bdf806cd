/* threads [RECORDS]: in each of many rounds eight threads record at once, through the detector and through a prepared
 * table, while a ninth moves the clock. At the end not one record is missing, and every hot one is accounted for. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "hotpart.h"
#include "random.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { THREADS = 8, PARTITIONS = 4096, HALVINGS = 12, THRESHOLD = 100, WINDOW = 3600 };

/* A round lasts one interval and is followed by as much silence. So in a round no partition is warned about twice, at
 * the next round's start it is due again, and in all rounds together nothing leaves the window. */
enum { INTERVAL = 10, ROUNDS = WINDOW / (2 * INTERVAL) };

/* One number for each operation and partition. */
typedef uint64_t numbers[2][PARTITIONS];

/* Where so many threads wait for one another; POSIX's own barrier is optional, and macOS has none. */
typedef struct barrier {
  pthread_mutex_t lock;
  pthread_cond_t opened;
  unsigned threads, waiting, times;
} barrier;

/* The data that all threads share. */
typedef struct shared {
  hpd_detector *detector;
  hpd_table *table;
  uint64_t records; /* of each thread in each round */
  barrier start, end;
  pthread_mutex_t lock; /* of what the callback gathers */
  numbers warned, suppressed;
} shared;

typedef struct recorder {
  pthread_t thread;
  uint64_t seed;
  shared *all;
  numbers recorded, hot, last;
} recorder;

static void barrier_wait(barrier *self) {
  pthread_mutex_lock(&self->lock);
  unsigned time = self->times;
  if (++self->waiting == self->threads) {
    self->waiting = 0;
    self->times++;
    pthread_cond_broadcast(&self->opened);
  }
  while (self->times == time)
    pthread_cond_wait(&self->opened, &self->lock);
  pthread_mutex_unlock(&self->lock);
}

static void on_warning(void *user_data, const hpd_warning *warning) {
  shared *all = (shared *)user_data;
  uint32_t partition; /* keys are any bytes: here those of a number */
  CHECK_EQUAL(warning->pk_len, sizeof partition);
  memcpy(&partition, warning->pk, sizeof partition);
  CHECK(partition < PARTITIONS);
  CHECK_EQUAL(warning->threshold, THRESHOLD);
  CHECK(warning->count >= THRESHOLD);
  CHECK(warning->peak > 0 && warning->peak <= warning->count);
  pthread_mutex_lock(&all->lock);
  all->warned[warning->operation][partition]++;
  all->suppressed[warning->operation][partition] += warning->suppressed;
  pthread_mutex_unlock(&all->lock);
}

static int64_t record(const shared *all, int32_t operation, uint32_t partition, int prepared) {
  const char *pk = (const char *)&partition;
  size_t pk_len = sizeof partition;
  if (prepared)
    return operation == HPD_WRITE ? hpd_table_record_write(all->table, pk, pk_len)
                                  : hpd_table_record_read(all->table, pk, pk_len);
  return operation == HPD_WRITE ? hpd_record_write(all->detector, "events", 6, pk, pk_len)
                                : hpd_record_read(all->detector, "events", 6, pk, pk_len);
}

static void record_and_note(recorder *self, int32_t operation, uint32_t partition) {
  int64_t count = record(self->all, operation, partition, (int)random_below(&self->seed, 2));
  /* Nothing leaves the window, so what one thread is told can only rise. */
  CHECK(count > (int64_t)self->last[operation][partition]);
  self->last[operation][partition] = (uint64_t)count;
  self->recorded[operation][partition]++;
  self->hot[operation][partition] += count >= THRESHOLD;
}

static void *run_recorder(void *argument) {
  recorder *self = (recorder *)argument;
  for (int round = 0; round < ROUNDS; round++) {
    barrier_wait(&self->all->start);
    /* All begin with the same partition, so that all are after the same warning. */
    record_and_note(self, HPD_WRITE, 0);
    for (uint64_t i = 1; i < self->all->records; i++) {
      int32_t operation = random_below(&self->seed, 2) == 0 ? HPD_WRITE : HPD_READ;
      record_and_note(self, operation, random_skewed(&self->seed, PARTITIONS, HALVINGS));
    }
    barrier_wait(&self->all->end);
  }
  return NULL;
}

/* After a round: whoever had a hot record in it was warned about once, and nobody else. */
static void check_warnings(const shared *all, const recorder *recorders, numbers hot, numbers warned) {
  for (int32_t operation = HPD_WRITE; operation <= HPD_READ; operation++)
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
      uint64_t before = hot[operation][partition], after = 0;
      for (int i = 0; i < THREADS; i++)
        after += recorders[i].hot[operation][partition];
      warned[operation][partition] += after > before;
      hot[operation][partition] = after;
      CHECK_EQUAL(all->warned[operation][partition], warned[operation][partition]);
    }
}

/* The clock's thread. */
static void run_rounds(shared *all, const recorder *recorders) {
  static numbers hot, warned;
  const struct timespec pause = {0, 20000};
  for (uint64_t round = 0; round < ROUNDS; round++) {
    uint64_t start_ms = round * 2 * INTERVAL * 1000;
    CHECK_EQUAL(hpd_set_time_ms(all->detector, start_ms), HPD_OK);
    barrier_wait(&all->start);
    for (uint64_t second = 1; second < INTERVAL; second++) {
      nanosleep(&pause, NULL);
      CHECK_EQUAL(hpd_set_time_ms(all->detector, start_ms + second * 1000), HPD_OK);
    }
    barrier_wait(&all->end);
    check_warnings(all, recorders, hot, warned);
  }
}

/* Checks one operation of one partition; returns how many records it had. */
static uint64_t check_partition(const shared *all, const recorder *recorders, int32_t operation, uint32_t partition) {
  uint64_t recorded = 0, hot = 0;
  for (int i = 0; i < THREADS; i++) {
    recorded += recorders[i].recorded[operation][partition];
    hot += recorders[i].hot[operation][partition];
  }
  const char *pk = (const char *)&partition;
  int64_t count = operation == HPD_WRITE ? hpd_get_write_count(all->detector, "events", 6, pk, sizeof partition)
                                         : hpd_get_read_count(all->detector, "events", 6, pk, sizeof partition);
  CHECK_EQUAL(count, recorded);
  if (hot > 0) {
    /* One more, which is due a warning: it tells how many were suppressed since the last. */
    CHECK_EQUAL(record(all, operation, partition, 0), recorded + 1);
    CHECK_EQUAL(all->warned[operation][partition] + all->suppressed[operation][partition], hot + 1);
  }
  return recorded;
}

static void open_detector(shared *all) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = THRESHOLD;
  options.reads_threshold = THRESHOLD;
  options.window_seconds = WINDOW;
  options.warning_interval_seconds = INTERVAL;
  options.callback = on_warning;
  options.user_data = all;
  options.clock = HPD_CLOCK_MANUAL;
  CHECK_EQUAL(hpd_new_with_options(&options, &all->detector), HPD_OK);
  CHECK_EQUAL(hpd_table_open(all->detector, "events", 6, &all->table), HPD_OK);
}

int main(int argc, char **argv) {
  static shared all = {.start = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, THREADS + 1, 0, 0},
                       .end = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, THREADS + 1, 0, 0},
                       .lock = PTHREAD_MUTEX_INITIALIZER};
  static recorder recorders[THREADS];
  uint64_t sum = 0, warnings = 0;
  all.records = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
  open_detector(&all);
  for (int i = 0; i < THREADS; i++) {
    recorders[i].seed = (uint64_t)i;
    recorders[i].all = &all;
    CHECK_EQUAL(pthread_create(&recorders[i].thread, NULL, run_recorder, &recorders[i]), 0);
  }
  run_rounds(&all, recorders);
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_join(recorders[i].thread, NULL), 0);

  CHECK_EQUAL(hpd_set_time_ms(all.detector, WINDOW * 1000), HPD_OK);
  for (int32_t operation = HPD_WRITE; operation <= HPD_READ; operation++)
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
      sum += check_partition(&all, recorders, operation, partition);
      warnings += all.warned[operation][partition];
    }
  CHECK_EQUAL(sum, THREADS * ROUNDS * all.records);
  CHECK(warnings > 0);
  printf("%" PRIu64 " records of %d threads, none lost; %" PRIu64 " warnings, one an interval\n", sum, THREADS,
         warnings);

  hpd_table_close(all.table);
  hpd_free(all.detector);
  return EXIT_SUCCESS;
}

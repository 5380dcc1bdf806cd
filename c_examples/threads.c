/* threads [RECORDS]: eight threads record at once, through the detector and through a prepared table, while
 * a ninth moves the clock. At the end not one record is missing, and every hot one is accounted for. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "hotpart.h"
#include "random.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

enum { THREADS = 8, PARTITIONS = 4096, HALVINGS = 12, THRESHOLD = 100, WINDOW = 3600, INTERVAL = 1800 };

/* One number for each operation and partition. */
typedef uint64_t numbers[2][PARTITIONS];

typedef struct recorder {
  pthread_t thread;
  uint64_t seed, records;
  const hpd_detector *detector;
  const hpd_table *table;
  numbers recorded, hot, last;
} recorder;

/* What the callback gathers; it runs on all threads. */
typedef struct gathered {
  pthread_mutex_t lock;
  numbers warned, suppressed;
} gathered;

static void on_warning(void *user_data, const hpd_warning *warning) {
  gathered *all = (gathered *)user_data;
  uint32_t partition; /* keys are any bytes: here those of a number */
  CHECK_EQUAL(warning->pk_len, sizeof partition);
  memcpy(&partition, warning->pk, sizeof partition);
  CHECK(partition < PARTITIONS);
  CHECK_EQUAL(warning->threshold, THRESHOLD);
  CHECK(warning->count >= THRESHOLD && warning->peak <= warning->count);
  pthread_mutex_lock(&all->lock);
  all->warned[warning->operation][partition]++;
  all->suppressed[warning->operation][partition] += warning->suppressed;
  pthread_mutex_unlock(&all->lock);
}

static int64_t record(const recorder *self, int32_t operation, uint32_t partition, int prepared) {
  const char *pk = (const char *)&partition;
  size_t pk_len = sizeof partition;
  if (prepared)
    return operation == HPD_WRITE ? hpd_table_record_write(self->table, pk, pk_len)
                                  : hpd_table_record_read(self->table, pk, pk_len);
  return operation == HPD_WRITE ? hpd_record_write(self->detector, "events", 6, pk, pk_len)
                                : hpd_record_read(self->detector, "events", 6, pk, pk_len);
}

static void *run_recorder(void *argument) {
  recorder *self = (recorder *)argument;
  for (uint64_t i = 0; i < self->records; i++) {
    int32_t operation = random_below(&self->seed, 2) == 0 ? HPD_WRITE : HPD_READ;
    uint32_t partition = random_skewed(&self->seed, PARTITIONS, HALVINGS);
    int64_t count = record(self, operation, partition, (int)random_below(&self->seed, 2));
    /* Nothing leaves the window, so what one thread is told can only rise. */
    CHECK(count > (int64_t)self->last[operation][partition]);
    self->last[operation][partition] = (uint64_t)count;
    self->recorded[operation][partition]++;
    self->hot[operation][partition] += count >= THRESHOLD;
  }
  return NULL;
}

/* Through the seconds up to the interval's end, so that nobody may be warned about twice. */
static void *run_clock(void *argument) {
  const hpd_detector *detector = (const hpd_detector *)argument;
  const struct timespec pause = {0, 20000};
  for (uint64_t second = 1; second < INTERVAL; second++) {
    CHECK_EQUAL(hpd_set_time_ms(detector, second * 1000), HPD_OK);
    nanosleep(&pause, NULL);
  }
  return NULL;
}

static hpd_detector *make_detector(gathered *all) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = THRESHOLD;
  options.reads_threshold = THRESHOLD;
  options.window_seconds = WINDOW;
  options.warning_interval_seconds = INTERVAL;
  options.callback = on_warning;
  options.user_data = all;
  options.clock = HPD_CLOCK_MANUAL;
  hpd_detector *detector;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  return detector;
}

static void run_all(recorder *recorders, hpd_detector *detector) {
  pthread_t clock;
  CHECK_EQUAL(pthread_create(&clock, NULL, run_clock, detector), 0);
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_create(&recorders[i].thread, NULL, run_recorder, &recorders[i]), 0);
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_join(recorders[i].thread, NULL), 0);
  CHECK_EQUAL(pthread_join(clock, NULL), 0);
}

/* Checks one operation of one partition; returns how many records it had. */
static uint64_t check_partition(const recorder *recorders, const gathered *all, int32_t operation, uint32_t partition) {
  uint64_t recorded = 0, hot = 0;
  for (int i = 0; i < THREADS; i++) {
    recorded += recorders[i].recorded[operation][partition];
    hot += recorders[i].hot[operation][partition];
  }
  const hpd_detector *detector = recorders->detector;
  const char *pk = (const char *)&partition;
  CHECK_EQUAL(operation == HPD_WRITE ? hpd_get_write_count(detector, "events", 6, pk, sizeof partition)
                                     : hpd_get_read_count(detector, "events", 6, pk, sizeof partition),
              recorded);
  const uint64_t *warned = &all->warned[operation][partition], *suppressed = &all->suppressed[operation][partition];
  CHECK_EQUAL(*warned, hot > 0);
  if (hot > 0) {
    /* The interval is over by now: one more record is warned about, and tells how many were not. */
    CHECK_EQUAL(record(recorders, operation, partition, 0), recorded + 1);
    CHECK_EQUAL(*warned, 2);
    CHECK_EQUAL(*warned + *suppressed, hot + 1);
  }
  return recorded;
}

int main(int argc, char **argv) {
  static gathered all = {.lock = PTHREAD_MUTEX_INITIALIZER};
  uint64_t records = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000, sum = 0, hot = 0;
  recorder *recorders = (recorder *)calloc(THREADS, sizeof *recorders);
  CHECK(recorders != NULL);

  hpd_detector *detector = make_detector(&all);
  hpd_table *table;
  CHECK_EQUAL(hpd_table_open(detector, "events", 6, &table), HPD_OK);
  for (int i = 0; i < THREADS; i++) {
    recorders[i].seed = (uint64_t)i;
    recorders[i].records = records;
    recorders[i].detector = detector;
    recorders[i].table = table;
  }
  run_all(recorders, detector);

  /* Past everybody's interval, and still within the window of the first record. */
  CHECK_EQUAL(hpd_set_time_ms(detector, (2 * INTERVAL - 1) * 1000), HPD_OK);
  for (int32_t operation = HPD_WRITE; operation <= HPD_READ; operation++)
    for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
      sum += check_partition(recorders, &all, operation, partition);
      hot += all.warned[operation][partition] > 0;
    }
  CHECK_EQUAL(sum, THREADS * records);
  CHECK(hot > 0);
  printf("%" PRIu64 " records of %d threads, none lost; %" PRIu64 " hot partitions, each warned about once an interval\n",
         sum, THREADS, hot);

  hpd_table_close(table);
  hpd_free(detector);
  free(recorders);
  return EXIT_SUCCESS;
}

/* fork [FORKS]: a process forks while its threads are inside calls. The child goes on with right counts and gives
 * back what it no longer needs; the parent does not notice. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "hotpart.h"
#include "random.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, PARTITIONS = 512, WINDOW = 2, CHURN = 2000, CHURN_TIMES = 10 };

typedef struct recorder {
  pthread_t thread;
  uint64_t seed;
  uint64_t recorded; /* the calls that have returned */
  const hpd_detector *detector;
} recorder;

static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;
static int stop;

static int stopped(void) {
  pthread_mutex_lock(&stop_lock);
  int stopped = stop;
  pthread_mutex_unlock(&stop_lock);
  return stopped;
}

static int64_t write_to(const hpd_detector *detector, const char *table, size_t table_len, uint32_t partition) {
  return hpd_record_write(detector, table, table_len, (const char *)&partition, sizeof partition);
}

static int64_t writes_of(const hpd_detector *detector, const char *table, size_t table_len, uint32_t partition) {
  return hpd_get_write_count(detector, table, table_len, (const char *)&partition, sizeof partition);
}

static void *run(void *argument) {
  recorder *self = (recorder *)argument;
  while (!stopped())
    for (int i = 0; i < 100; i++) {
      CHECK(write_to(self->detector, "shared", 6, random_below(&self->seed, PARTITIONS)) > 0);
      __atomic_fetch_add(&self->recorded, 1, __ATOMIC_SEQ_CST);
    }
  return NULL;
}

/* Records to ever new partitions, each window as many, until a number of windows has passed. */
static void churn(const hpd_detector *detector, uint64_t *time_ms, int windows) {
  for (int window = 0; window < windows; window++) {
    for (uint32_t i = 0; i < CHURN; i++) {
      CHECK_EQUAL(hpd_set_time_ms(detector, *time_ms += WINDOW * 1000 / CHURN), HPD_OK);
      uint64_t key = *time_ms;
      CHECK_EQUAL(hpd_record_write(detector, "churn", 5, (const char *)&key, sizeof key), 1);
    }
  }
}

static long most_memory(void) {
  struct rusage usage;
  CHECK_EQUAL(getrusage(RUSAGE_SELF, &usage), 0);
  return usage.ru_maxrss;
}

static uint64_t recorded_by(const recorder *recorders) {
  uint64_t recorded = 0;
  for (int i = 0; i < THREADS; i++)
    recorded += __atomic_load_n(&recorders[i].recorded, __ATOMIC_SEQ_CST);
  return recorded;
}

static uint64_t counted_in(const hpd_detector *detector) {
  uint64_t counted = 0;
  for (uint32_t partition = 0; partition < PARTITIONS; partition++)
    counted += (uint64_t)writes_of(detector, "shared", 6, partition);
  return counted;
}

/* In the child, whose only thread this is. */
static void go_on(hpd_detector *detector, const recorder *recorders) {
  /* What each thread had recorded is there, and perhaps what it was about to. */
  uint64_t recorded = recorded_by(recorders), counted = counted_in(detector);
  CHECK(counted >= recorded && counted <= recorded + THREADS);
  CHECK_EQUAL(writes_of(detector, "quiet", 5, 1), 5);
  CHECK_EQUAL(write_to(detector, "quiet", 5, 1), 6);
  CHECK_EQUAL(write_to(detector, "new", 3, 1), 1);
  for (uint32_t partition = 0; partition < PARTITIONS; partition++) {
    int64_t count = writes_of(detector, "shared", 6, partition);
    CHECK_EQUAL(write_to(detector, "shared", 6, partition), count + 1);
    CHECK_EQUAL(writes_of(detector, "shared", 6, partition), count + 1);
  }

  /* What is never freed would grow with the work: by the second time, to several times the first. */
  uint64_t time_ms = 0;
  churn(detector, &time_ms, CHURN_TIMES);
  long first = most_memory();
  churn(detector, &time_ms, 9 * CHURN_TIMES);
  CHECK(most_memory() < first * 3 / 2);
  CHECK_EQUAL(writes_of(detector, "quiet", 5, 1), 0);
  hpd_free(detector);
}

static void fork_once(hpd_detector *detector, const recorder *recorders) {
  int status;
  fflush(NULL);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    go_on(detector, recorders);
    _exit(EXIT_SUCCESS);
  }
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK_EQUAL(status, 0);
}

/* Warnings that a thread has kept its child has, too. */
static void kept_by_both(void) {
  hpd_detector *detector;
  hpd_table *table;
  hpd_warnings *warnings;
  int status;
  pid_t child;
  CHECK_EQUAL(hpd_new(1, 1, WINDOW, NULL, NULL, &detector), HPD_OK);
  CHECK_EQUAL(hpd_table_open(detector, "t", 1, &table), HPD_OK);
  CHECK_EQUAL(hpd_table_record_write_due(table, "k"), HPD_DUE | 1);
  fflush(NULL);
  child = fork();
  CHECK(child >= 0);
  CHECK_EQUAL(hpd_take_warnings(detector, &warnings), 1);
  hpd_warnings_free(warnings);
  if (child == 0)
    _exit(EXIT_SUCCESS);
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK_EQUAL(status, 0);
  hpd_table_close(table);
  hpd_free(detector);
}

int main(int argc, char **argv) {
  int forks = argc > 1 ? atoi(argv[1]) : 10;
  recorder recorders[THREADS];
  uint64_t recorded;
  hpd_options options;
  kept_by_both();
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = 1000;
  options.reads_threshold = 1000;
  options.window_seconds = WINDOW;
  options.clock = HPD_CLOCK_MANUAL;
  hpd_detector *detector;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  for (int i = 1; i <= 5; i++)
    CHECK_EQUAL(write_to(detector, "quiet", 5, 1), i);

  for (int i = 0; i < THREADS; i++) {
    recorders[i].seed = (uint64_t)i;
    recorders[i].recorded = 0;
    recorders[i].detector = detector;
    CHECK_EQUAL(pthread_create(&recorders[i].thread, NULL, run, &recorders[i]), 0);
  }
  for (int i = 0; i < forks; i++)
    fork_once(detector, recorders);

  pthread_mutex_lock(&stop_lock);
  stop = 1;
  pthread_mutex_unlock(&stop_lock);
  for (int i = 0; i < THREADS; i++)
    CHECK_EQUAL(pthread_join(recorders[i].thread, NULL), 0);
  recorded = recorded_by(recorders);
  CHECK_EQUAL(counted_in(detector), recorded);
  CHECK_EQUAL(writes_of(detector, "quiet", 5, 1), 5);
  hpd_free(detector);
  printf("%d children went on with right counts and bounded memory; none of %" PRIu64 " records was lost\n", forks,
         recorded);
  return EXIT_SUCCESS;
}

/* The clock, and latencies, told apart by ten nanoseconds up to a millisecond. */
#ifndef LATENCY_H
#define LATENCY_H

#include "check.h"

#include <time.h>

static inline uint64_t now_ns(void) {
  struct timespec now;
  CHECK_EQUAL(clock_gettime(CLOCK_MONOTONIC, &now), 0);
  return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum { STEP_NS = 10, STEPS = 100000 };

typedef struct latencies {
  uint32_t steps[STEPS + 1];
} latencies;

static inline void latencies_add(latencies *all, uint64_t ns) {
  all->steps[ns / STEP_NS < STEPS ? ns / STEP_NS : STEPS]++;
}

static inline void latencies_join(latencies *all, const latencies *more) {
  for (int i = 0; i <= STEPS; i++)
    all->steps[i] += more->steps[i];
}

/* The nanoseconds that so many of a thousand keep within. */
static inline uint64_t latencies_permille(const latencies *all, uint64_t share) {
  uint64_t sum = 0, within = 0;
  int step = -1;
  for (int i = 0; i <= STEPS; i++)
    sum += all->steps[i];
  while (within * 1000 < sum * share)
    within += all->steps[++step];
  return (uint64_t)(step + 1) * STEP_NS;
}

#endif

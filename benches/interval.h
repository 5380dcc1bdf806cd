/* The numbers of one interval of a run: the most, where it is not latency. */
#ifndef INTERVAL_H
#define INTERVAL_H

#include "latency.h"

#include <stdio.h>

/* Latencies in nanoseconds; alone: of one thread by itself. */
typedef struct interval {
  uint64_t records, calls, alone_p50, alone_p99, p50, p99, p999, partitions;
  long kib;
} interval;

static inline void interval_print_head(void) {
  printf("  until      records   calls/s  alone ns, p99     p50      p99    p99.9 ns  partitions      KiB, at most\n");
}

static inline void interval_print(const interval *self, uint64_t until_s, uint64_t ns) {
  printf("%6" PRIu64 "s %12" PRIu64 " %9" PRIu64 " %9" PRIu64 " %4" PRIu64 " %7" PRIu64 " %8" PRIu64 " %11" PRIu64 " %11" PRIu64
         " %8ld\n",
         until_s, self->records, self->calls * 1000000000 / ns, self->alone_p50, self->alone_p99, self->p50, self->p99, self->p999,
         self->partitions, self->kib);
  fflush(stdout);
}

static inline uint64_t interval_middle(uint64_t a, uint64_t b, uint64_t c) {
  uint64_t least = a < b ? a : b, most = a < b ? b : a;
  return c < least ? least : c > most ? most : c;
}

/* Of a quarter of twelve the most that it held, and the middle latencies of one thread by itself. */
static inline interval interval_of_quarter(const interval *quarter) {
  const interval *a = quarter, *b = quarter + 1, *c = quarter + 2;
  long most = a->kib > b->kib ? a->kib : b->kib;
  return (interval){.kib = c->kib > most ? c->kib : most,
                    .alone_p50 = interval_middle(a->alone_p50, b->alone_p50, c->alone_p50),
                    .alone_p99 = interval_middle(a->alone_p99, b->alone_p99, c->alone_p99)};
}

#endif

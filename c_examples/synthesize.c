/* synthesize [SEED]: prints a small synthetic trace, made up by a generator of random numbers and not
 * measured anywhere: three minutes of four tables, in which one key grows hot for writes and
 * another for reads. The same seed prints the same trace. */
#include "random.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LENGTH_MS = 180000, STEP_MS = 80, KEYS = 256, HALVINGS = 5 };

static int within(uint64_t time_ms, uint64_t from_s, uint64_t to_s) {
  return time_ms >= from_s * 1000 && time_ms < to_s * 1000;
}

static void everyday(uint64_t *random, uint64_t time_ms) {
  static const struct {
    const char *table, *key;
  } TABLES[] = {{"users", "user#"}, {"orders", "customer#"}, {"events", "device#"}};
  uint32_t table = random_below(random, 3), key = random_skewed(random, KEYS, HALVINGS);
  const char *operation = random_below(random, 4) == 0 ? "write" : "read";
  printf("%" PRIu64 ",%s,%s,%s%" PRIu32 "\n", time_ms, operation, TABLES[table].table, TABLES[table].key, key);
}

int main(int argc, char **argv) {
  uint64_t random = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
  puts("time_ms,operation,table,pk");
  for (uint64_t time_ms = 0; time_ms < LENGTH_MS; time_ms += random_below(&random, STEP_MS)) {
    if (within(time_ms, 40, 70) && random_below(&random, 2) == 0) /* one key for what everyone writes */
      printf("%" PRIu64 ",write,events,EVENTS\n", time_ms);
    else if (within(time_ms, 100, 140) && random_below(&random, 3) > 0) /* a post that is in the news */
      printf("%" PRIu64 ",read,posts,post#1\n", time_ms);
    else
      everyday(&random, time_ms);
  }
  return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

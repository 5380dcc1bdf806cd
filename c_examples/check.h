/* Assertions for the programs that are tests too; unlike assert() they hold whatever NDEBUG says. */
#ifndef CHECK_H
#define CHECK_H

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) check((condition) != 0, #condition, __FILE__, __LINE__)
#define CHECK_EQUAL(actual, expected) check_equal((int64_t)(actual), (int64_t)(expected), #actual, __FILE__, __LINE__)

static inline void check(int holds, const char *condition, const char *file, int line) {
  if (!holds) {
    fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
    exit(EXIT_FAILURE);
  }
}

static inline void check_equal(int64_t actual, int64_t expected, const char *what, const char *file, int line) {
  if (actual != expected) {
    fprintf(stderr, "%s:%d: %s is %" PRId64 ", not %" PRId64 "\n", file, line, what, actual, expected);
    exit(EXIT_FAILURE);
  }
}

#endif

/* splitmix64: a small generator of numbers that look random and are the same for the same seed. */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state) {
  uint64_t z = *state += 0x9E3779B97F4A7C15u;
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

/* 0 to bound - 1. */
static inline uint32_t random_below(uint64_t *state, uint32_t bound) {
  return (uint32_t)(random_next(state) >> 32) % bound;
}

/* The same, but the lower the likelier: each halving of the range is as likely as the one before. */
static inline uint32_t random_skewed(uint64_t *state, uint32_t bound, uint32_t halvings) {
  uint32_t uniform = random_below(state, bound);
  return uniform >> random_below(state, halvings + 1);
}

#endif

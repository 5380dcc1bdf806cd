/* The partitions of a trace, and the highest counts that they reached. */
#ifndef TALLY_H
#define TALLY_H

#include "hotpart.h"

typedef struct tally_entry {
  uint64_t hash;
  int64_t highest[2]; /* by operation; 0: never recorded */
  size_t table_len, pk_len;
  char text[]; /* the table, then the pk */
} tally_entry;

typedef struct tally {
  tally_entry **places; /* an open hash table: a power of two, at most half of it in use */
  size_t capacity, partitions;
} tally;

/* Takes down what a record returned. 0: out of memory. */
int tally_count(tally *self, const hpd_record *record, int64_t count);

/* Finds up to n partitions with the highest counts of an operation, the highest first and equal ones by name. */
size_t tally_hottest(const tally *self, int32_t operation, const tally_entry **hottest, size_t n);

void tally_free(tally *self);

#endif

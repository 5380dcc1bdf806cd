/* All that a detector has told, in the words of tests/scenarios.txt. */
#ifndef HEARD_H
#define HEARD_H

#include "hotpart.h"
#include "script.h"

enum { HEARD_BYTES = 1024, HEARD_MAX = 16 };

/* "warn ...", "line ..." or "hot ...". */
typedef struct heard {
  char data[HEARD_BYTES];
  size_t len;
} heard;

/* All that was heard and is not yet expected. */
typedef struct hearing {
  heard each[HEARD_MAX];
  size_t n;
  int line; /* the script's, of the call that all this is of */
} hearing;

typedef struct number {
  char digits[32];
} number;

/* A number, or a number of halves, as the script has it. */
number plain(uint64_t n, int halves);

/* Hears a warning, and what is logged of it. */
void hear_warning(hearing *self, const hpd_detector *detector, const hpd_warning *warning, int capacity);

/* Hears all of them, and frees them. */
void hear_warnings(hearing *self, const hpd_detector *detector, hpd_warnings *warnings, int capacity);

void hear_hot(hearing *self, const hpd_hot_partition *hot, int capacity);

/* Whether a line of this first word is an expectation. */
int hearing_expects(const char *what);

/* Takes out what the line expects, the first of its kind; fails if that is something else, or nothing. */
void hearing_expect(hearing *self, step *step);

/* Fails if something was not expected. The step is that of the next call. */
void hearing_end(hearing *self, const step *step);

#endif

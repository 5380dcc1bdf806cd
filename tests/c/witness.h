/* A detector that notices when a refused call has changed something after all. */
#ifndef WITNESS_H
#define WITNESS_H

#include "check.h"
#include "hotpart.h"

/* The status, and the argument that it is about; "" for none. */
#define CHECK_REFUSED(call, status, argument) \
  do { \
    CHECK_EQUAL(call, status); \
    check_refused(status, argument, __FILE__, __LINE__); \
  } while (0)

/* That, and nothing has changed that a caller can see. */
#define REFUSED(witness, call, status, argument) \
  do { \
    CHECK_REFUSED(call, status, argument); \
    witness_check(witness, __FILE__, __LINE__); \
  } while (0)

/* The result, and nothing has changed that a caller can see. */
#define UNCHANGED(witness, call, result) \
  do { \
    CHECK_EQUAL(call, result); \
    witness_check(witness, __FILE__, __LINE__); \
  } while (0)

enum { NAME_MAX_BYTES = 1024, PK_MAX_BYTES = 16384 };

typedef struct witness {
  hpd_detector *detector; /* manual clock, window 60 */
  hpd_table *table;       /* "t", prepared */
  uint64_t warnings;      /* how often it has called back */
} witness;

/* Makes it, with one write and two reads of ("t", "k") and overrides for the table and the model "t". */
void witness_open(witness *self);
void witness_close(witness *self);

/* The last call of this thread that failed refused that argument, and says what it must be. */
void check_refused(int32_t status, const char *argument, const char *file, int line);

/* Checks that all that witness_open made is as it was; file and line say who asks. */
void witness_check(const witness *self, const char *file, int line);

/* Options for a detector like the witness's. */
hpd_options witness_options(void);

/* A valid write of ("t", "k"). */
hpd_record witness_record(void);

/* At least PK_MAX_BYTES + 1 bytes of a long text, which end in NUL. */
const char *long_text(void);

#endif

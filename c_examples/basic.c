/* The least that a program does with libhotpart: make a detector, record, ask, free. */
#include "hotpart.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Whatever is negative is an error; whatever is not is the answer. */
static int64_t checked(int64_t answer) {
  if (answer < 0) {
    /* Such as "an argument is out of its range: window_seconds must be 1 to 3600". */
    fprintf(stderr, "hotpart: %s: %s %s\n", hpd_status_message((int32_t)answer), hpd_error_argument(), hpd_error_range());
    exit(EXIT_FAILURE);
  }
  return answer;
}

int main(void) {
  hpd_detector *detector; /* hot: 500 writes or 1500 reads in 60 seconds; no callback */
  checked(hpd_new(500, 1500, 60, NULL, NULL, &detector));

  checked(hpd_record_write(detector, "events", 6, "EVENTS", 6)); /* beside every put, update and delete */
  checked(hpd_record_read(detector, "events", 6, "EVENTS", 6));  /* beside every get and query */
  checked(hpd_record_read(detector, "events", 6, "EVENTS", 6));

  int64_t writes = checked(hpd_get_write_count(detector, "events", 6, "EVENTS", 6));
  int64_t reads = checked(hpd_get_read_count(detector, "events", 6, "EVENTS", 6));
  printf("events/EVENTS: %" PRId64 " write, %" PRId64 " reads\n", writes, reads);

  hpd_free(detector);
  return writes == 1 && reads == 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}

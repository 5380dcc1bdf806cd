/* Serves the metrics of a detector on 127.0.0.1, on a port that it prints, until it is killed; with an argument it only
 * prints the metrics: prometheus or openmetrics. */
#include "check.h"
#include "hotpart.h"
#include "serve.h"

#include <string.h>

static hpd_detector *made(void) {
  static const char hostile[] = "\"quoted\" \\ {a=\"b\"}\n\x1b[31m\xff";
  hpd_options options;
  hpd_detector *detector;
  hpd_record record;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = options.reads_threshold = 10;
  options.window_seconds = 60;
  options.clock = HPD_CLOCK_MANUAL;
  options.flags = HPD_FLAG_CAPACITY;
  CHECK_EQUAL(hpd_new_with_options(&options, &detector), HPD_OK);
  memset(&record, 0, sizeof record);
  record.table = "events";
  record.table_len = 6;
  record.pk = "EVENTS";
  record.pk_len = 6;
  record.amount = 1235; /* half units */
  record.operation = HPD_READ;
  CHECK_EQUAL(hpd_record_full(detector, &record, sizeof record, NULL), 1235);
  CHECK_EQUAL(hpd_record_write(detector, hostile, sizeof hostile - 1, hostile, sizeof hostile - 1), 2);
  CHECK_EQUAL(hpd_record_throttle(detector, "events", 6, "EVENTS", 6, HPD_READ, HPD_THROTTLE_KEY_RANGE), 1);
  return detector;
}

int main(int argc, char **argv) {
  hpd_detector *detector = made();
  hpd_metrics_options options;
  hpd_text *text;
  memset(&options, 0, sizeof options);
  options.struct_size = sizeof options;
  options.hottest = 5;
  if (argc > 1) {
    options.flags = strcmp(argv[1], "openmetrics") == 0 ? HPD_METRICS_OPEN_METRICS : 0;
    CHECK_EQUAL(hpd_metrics_take(detector, &options, &text), HPD_OK);
    fwrite(hpd_text_data(text), 1, hpd_text_len(text), stdout);
    hpd_text_free(text);
    hpd_free(detector);
    return EXIT_SUCCESS;
  }
  serve(detector, NULL, NULL);
}

/* Replays a trace through a detector whose clock follows the trace's times; trace.h says what a trace is.
 * Prints each warning as it comes, then what there was and the hottest partitions. */
#include "hotpart.h"
#include "partition_text.h"
#include "tally.h"
#include "trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char USAGE[] =
    "usage: replay --window SECONDS --writes N --reads N [--table-writes TABLE=N] [--table-reads TABLE=N]\n"
    "              [--counts FILE] < trace.csv\n"
    "  --window        how far back counts reach: 1 to 3600\n"
    "  --writes        the count of writes from which a partition is hot\n"
    "  --reads         the same for reads\n"
    "  --table-writes  the same for one table's writes; may be repeated\n"
    "  --table-reads   the same for one table's reads; may be repeated\n"
    "  --counts        write the count that each record returned to a file, one a line\n";

enum { MALFORMED = 1, MISUSED = 2, HOTTEST = 10 };

typedef struct replay {
  hpd_detector *detector;
  FILE *counts; /* NULL: not wanted */
  tally tally;
  uint64_t records, warnings;
} replay;

static void misused(const char *problem, const char *what) {
  fprintf(stderr, "replay: %s%s\n%s", problem, what, USAGE);
  exit(MISUSED);
}

static int failed(const char *problem, const char *reason) {
  fprintf(stderr, "replay: %s: %s\n", problem, reason);
  return EXIT_FAILURE;
}

static uint64_t number(const char *option, const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value > INT64_MAX)
    misused("not a number for ", option);
  return value;
}

/* The value of an option that is required, the last one if it is given more than once. */
static const char *option(int argc, char **argv, const char *name) {
  const char *value = NULL;
  for (int i = 1; i + 1 < argc; i += 2)
    if (strcmp(argv[i], name) == 0)
      value = argv[i + 1];
  return value;
}

static uint64_t required(int argc, char **argv, const char *name) {
  const char *value = option(argc, argv, name);
  if (value == NULL)
    misused("missing ", name);
  return number(name, value);
}

static void check_names(int argc, char **argv) {
  static const char *const KNOWN[] = {"--window", "--writes", "--reads", "--table-writes", "--table-reads", "--counts"};
  for (int i = 1; i < argc; i += 2) {
    size_t known = 0;
    while (known < sizeof KNOWN / sizeof *KNOWN && strcmp(argv[i], KNOWN[known]) != 0)
      known++;
    if (known == sizeof KNOWN / sizeof *KNOWN)
      misused("unknown option ", argv[i]);
    if (i + 1 == argc)
      misused("no value for ", argv[i]);
  }
}

/* Sets one side of a table's override, and leaves the other as it is. */
static void set_override(const hpd_detector *detector, const char *option, const char *value) {
  const char *equals = strrchr(value, '=');
  if (equals == NULL)
    misused("no TABLE=N for ", option);
  int64_t writes, reads, threshold = (int64_t)number(option, equals + 1);
  size_t table_len = (size_t)(equals - value);
  int32_t status = hpd_get_table_thresholds(detector, value, table_len, &writes, &reads);
  if (status == HPD_OK)
    status = strcmp(option, "--table-writes") == 0
                 ? hpd_set_table_thresholds(detector, value, table_len, threshold, reads)
                 : hpd_set_table_thresholds(detector, value, table_len, writes, threshold);
  if (status != HPD_OK)
    misused(hpd_status_message(status), "");
}

static hpd_detector *make_detector(int argc, char **argv) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  options.writes_threshold = required(argc, argv, "--writes");
  options.reads_threshold = required(argc, argv, "--reads");
  options.clock = HPD_CLOCK_MANUAL;
  uint64_t window = required(argc, argv, "--window");
  options.window_seconds = window > UINT32_MAX ? UINT32_MAX : (uint32_t)window;

  hpd_detector *detector;
  int32_t status = hpd_new_with_options(&options, &detector);
  if (status != HPD_OK)
    misused(hpd_status_message(status), "");
  for (int i = 1; i < argc; i += 2)
    if (strncmp(argv[i], "--table-", 8) == 0)
      set_override(detector, argv[i], argv[i + 1]);
  return detector;
}

/* Records one record, and prints the warning if one is due; HPD_OK or an error. */
static int32_t replay_record(replay *self, const trace *trace) {
  hpd_warning warning;
  warning.struct_size = sizeof warning;
  int32_t status = hpd_set_time_ms(self->detector, trace->time_ms);
  if (status != HPD_OK)
    return status;
  int64_t count = hpd_record_full(self->detector, &trace->record, sizeof trace->record, &warning);
  if (count < 0)
    return (int32_t)count;
  if (!tally_count(&self->tally, &trace->record, count))
    return HPD_ERR_MEMORY;
  self->records++;
  if (self->counts != NULL)
    fprintf(self->counts, "%" PRId64 "\n", count);
  if (warning.count > 0) {
    self->warnings++;
    printf("%" PRIu64 ".%03us ", trace->time_ms / 1000, (unsigned)(trace->time_ms % 1000));
    hpd_text *line;
    if ((status = hpd_log_line(self->detector, &warning, &line)) != HPD_OK)
      return status;
    fwrite(hpd_text_data(line), 1, hpd_text_len(line), stdout);
    hpd_text_free(line);
    printf("\n");
  }
  return HPD_OK;
}

static int replay_trace(replay *self, trace *trace) {
  for (;;) {
    int next = trace_next(trace);
    if (next == 0)
      return EXIT_SUCCESS;
    const char *error = trace->error;
    if (next > 0) {
      int32_t status = replay_record(self, trace);
      if (status == HPD_OK)
        continue;
      error = hpd_status_message(status);
    }
    fflush(stdout);
    fprintf(stderr, "line %" PRIu64 ": %s\n", trace->line, error);
    return MALFORMED;
  }
}

static void print_hottest(const tally *tally, int32_t operation) {
  const tally_entry *hottest[HOTTEST];
  size_t n = tally_hottest(tally, operation, hottest, HOTTEST);
  printf("highest counts of %s:\n", operation == HPD_WRITE ? "writes" : "reads");
  for (size_t i = 0; i < n; i++) {
    const tally_entry *entry = hottest[i];
    printf("%8" PRId64 "  ", entry->highest[operation]);
    print_partition(stdout, entry->text, entry->table_len, entry->text + entry->table_len, entry->pk_len);
    printf("\n");
  }
}

static void print_summary(const replay *self) {
  printf("%" PRIu64 " records, %zu partitions, %" PRIu64 " warnings\n", self->records, self->tally.partitions,
         self->warnings);
  print_hottest(&self->tally, HPD_WRITE);
  print_hottest(&self->tally, HPD_READ);
}

int main(int argc, char **argv) {
  static trace trace;
  replay self;
  if (argc == 2 && strcmp(argv[1], "--help") == 0)
    return fputs(USAGE, stdout) < 0;
  check_names(argc, argv);
  memset(&self, 0, sizeof self);
  self.detector = make_detector(argc, argv);
  const char *counts = option(argc, argv, "--counts");
  if (counts != NULL && (self.counts = fopen(counts, "w")) == NULL)
    return failed(counts, strerror(errno));

  trace_begin(&trace, stdin);
  int status = replay_trace(&self, &trace);
  if (status == EXIT_SUCCESS)
    print_summary(&self);
  tally_free(&self.tally);
  hpd_free(self.detector);
  if (self.counts != NULL && (ferror(self.counts) | fclose(self.counts)) != 0)
    return failed(counts, "cannot be written");
  if ((ferror(stdout) | fflush(stdout)) != 0)
    return failed("standard output", "cannot be written");
  return status;
}

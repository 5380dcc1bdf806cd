/* Runs the scenarios that all faces of the library share, through the C ABI: scenarios [FILE]. */
#include "check.h"
#include "heard.h"
#include "hotpart.h"
#include "script.h"

#include <string.h>

typedef struct runner {
  step step;
  hpd_detector *detector;
  int capacity; /* numbers are units in the script, and halves here */
  char request[STEP_BYTES], response[STEP_BYTES];
  char result[HEARD_BYTES]; /* what the call has returned; empty: nothing */
  hearing heard;            /* since then, and not yet expected */
} runner;

/* Results. */

static void answer(runner *self, const char *result) {
  CHECK(strlen(result) < sizeof self->result);
  strcpy(self->result, result);
}

static void answer_both(runner *self, number first, number second) {
  char both[HEARD_BYTES];
  snprintf(both, sizeof both, "%s %s", first.digits, second.digits);
  answer(self, both);
}

/* A number, or that an argument is refused. */
static void answer_number(runner *self, int64_t n, int halves) {
  const char *message = hpd_status_message((int32_t)n);
  if (n == HPD_ERR_INVALID || n == HPD_ERR_JSON) {
    answer(self, "invalid");
  } else {
    if (n < 0) step_fail(&self->step, self->step.line, "failed", message, strlen(message));
    answer(self, plain((uint64_t)n, halves).digits);
  }
}

/* Arguments. */

#define WHICH(self, word, names) step_which(&(self)->step, word, names, sizeof names / sizeof *names)

static int32_t operation(runner *self, size_t word) {
  static const char *const names[] = {"write", "read"};
  return WHICH(self, step_word(&self->step, word), names);
}

static int32_t reason(runner *self, size_t word) {
  static const char *const names[] = {"unknown", "key_range", "provisioned", "account_limit", "max_on_demand"};
  return WHICH(self, step_word(&self->step, word), names);
}

/* -1 for what is no number of halves, which C can't say. */
static int64_t amount(const runner *self, const char *word) {
  const double n = step_number(&self->step, word) * (self->capacity ? 2 : 1);
  return n == (double)(int64_t)n ? (int64_t)n : -1;
}

static int64_t threshold(const runner *self, const char *word) {
  CHECK(word != NULL);
  return strcmp(word, "-") == 0 ? HPD_INHERIT : amount(self, word);
}

static void set_amount(runner *self, const char *name, uint64_t *to) {
  const char *word = step_option(&self->step, name);
  if (word) *to = (uint64_t)amount(self, word);
}

static void set_whole(runner *self, const char *name, uint32_t *to) {
  const char *word = step_option(&self->step, name);
  if (word) *to = (uint32_t)step_number(&self->step, word);
}

/* A number that is not of what is counted. */
static void set_number(runner *self, const char *name, uint64_t *to) {
  const char *word = step_option(&self->step, name);
  if (word) *to = (uint64_t)step_number(&self->step, word);
}

static void set_flag(runner *self, const char *name, uint32_t flag, hpd_options *to) {
  if (step_option(&self->step, name)) to->flags |= flag;
}

/* Calls. */

static void make(runner *self, hpd_options *options) {
  const char *redact = step_option(&self->step, "redact");
  set_whole(self, "interval", &options->warning_interval_seconds);
  set_flag(self, "throttles", HPD_FLAG_WARN_THROTTLES, options);
  set_number(self, "memory", &options->filter_bytes);
  if (redact) {
    options->flags |= HPD_FLAG_REDACT_KEYS;
    step_hex(&self->step, redact, options->redact_key);
  }
  options->clock = HPD_CLOCK_MANUAL;
  CHECK_EQUAL(hpd_new_with_options(options, &self->detector), HPD_OK);
  step_done(&self->step, 0);
}

static void do_detector(runner *self) {
  hpd_options options;
  hpd_options_init(&options, sizeof options);
  self->capacity = step_option(&self->step, "capacity") != NULL;
  set_flag(self, "capacity", HPD_FLAG_CAPACITY, &options);
  set_amount(self, "writes", &options.writes_threshold);
  set_amount(self, "reads", &options.reads_threshold);
  set_whole(self, "window", &options.window_seconds);
  set_amount(self, "writes_per_second", &options.writes_per_second);
  set_amount(self, "reads_per_second", &options.reads_per_second);
  set_amount(self, "writes_sustained", &options.writes_sustained);
  set_amount(self, "reads_sustained", &options.reads_sustained);
  set_whole(self, "processes", &options.processes);
  set_number(self, "bound", &options.max_partitions);
  make(self, &options);
}

static void do_dynamodb(runner *self) {
  const char *share = step_option(&self->step, "share");
  uint32_t processes = 0, permille;
  hpd_options options;
  CHECK(share != NULL);
  set_whole(self, "processes", &processes);
  self->capacity = 1;
  permille = (uint32_t)(step_number(&self->step, share) * 1000 + 0.5);
  CHECK_EQUAL(hpd_options_for_dynamodb(&options, sizeof options, permille, processes), HPD_OK);
  make(self, &options);
}

static void do_at(runner *self) {
  const double seconds = step_number(&self->step, step_word(&self->step, 0));
  CHECK_EQUAL(hpd_set_time_ms(self->detector, (uint64_t)(seconds * 1000 + 0.5)), HPD_OK);
  step_done(&self->step, 1);
}

static void record(runner *self, int32_t operation) {
  step *step = &self->step;
  const text table = step_text(step_word(step, 0)), pk = step_key(step_word(step, 1));
  const char *model = step_option(step, "model"), *given = step_option(step, "amount");
  const int64_t adds = given ? amount(self, given) : self->capacity ? 2 : 1;
  const hpd_record record = {.table = table.data,
                             .table_len = table.len,
                             .pk = pk.data,
                             .pk_len = pk.len,
                             .model = model,
                             .model_len = model ? strlen(model) : 0,
                             .amount = (uint64_t)adds,
                             .operation = operation};
  uint32_t times = 1;
  int64_t count = HPD_ERR_INVALID;
  set_whole(self, "times", &times);
  for (; adds >= 0 && times > 0; times--) {
    hpd_warning warning = {0};
    warning.struct_size = sizeof warning;
    count = hpd_record_full(self->detector, &record, sizeof record, &warning);
    if (warning.count > 0) hear_warning(&self->heard, self->detector, &warning, self->capacity);
  }
  answer_number(self, count, self->capacity);
  step_done(step, 2);
}

static void do_write(runner *self) { record(self, HPD_WRITE); }

static void do_read(runner *self) { record(self, HPD_READ); }

static void do_count(runner *self) {
  const int32_t op = operation(self, 0);
  const text table = step_text(step_word(&self->step, 1)), pk = step_key(step_word(&self->step, 2));
  answer_number(self,
                (op == HPD_WRITE ? hpd_get_write_count : hpd_get_read_count)(self->detector, table.data, table.len,
                                                                             pk.data, pk.len),
                self->capacity);
  step_done(&self->step, 3);
}

static void do_bounds(runner *self) {
  const text table = step_text(step_word(&self->step, 1)), pk = step_key(step_word(&self->step, 2));
  uint64_t least, most;
  CHECK_EQUAL(hpd_get_bounds(self->detector, table.data, table.len, pk.data, pk.len, operation(self, 0), &least, &most),
              HPD_OK);
  answer_both(self, plain(least, self->capacity), plain(most, self->capacity));
  step_done(&self->step, 3);
}

typedef int32_t set_thresholds(const hpd_detector *, const char *, size_t, int64_t, int64_t);

static void set(runner *self, set_thresholds *set) {
  const text name = step_text(step_word(&self->step, 0));
  const int64_t writes = threshold(self, step_option(&self->step, "writes"));
  const int64_t reads = threshold(self, step_option(&self->step, "reads"));
  CHECK_EQUAL(set(self->detector, name.data, name.len, writes, reads), HPD_OK);
  step_done(&self->step, 1);
}

static void do_table(runner *self) { set(self, hpd_set_table_thresholds); }

static void do_model(runner *self) { set(self, hpd_set_model_thresholds); }

static number shown(const runner *self, int64_t threshold) {
  const number inherited = {"-"};
  return threshold == HPD_INHERIT ? inherited : plain((uint64_t)threshold, self->capacity);
}

static void do_thresholds(runner *self) {
  static const char *const names[] = {"table", "model"};
  const int model = WHICH(self, step_word(&self->step, 0), names);
  const text name = step_text(step_word(&self->step, 1));
  int64_t writes, reads;
  CHECK_EQUAL((model ? hpd_get_model_thresholds : hpd_get_table_thresholds)(self->detector, name.data, name.len,
                                                                            &writes, &reads),
              HPD_OK);
  answer_both(self, shown(self, writes), shown(self, reads));
  step_done(&self->step, 2);
}

static void do_throttle(runner *self) {
  const text table = step_text(step_word(&self->step, 1)), pk = step_key(step_word(&self->step, 2));
  hpd_warning warning = {0};
  warning.struct_size = sizeof warning;
  answer_number(self,
                hpd_record_throttle_full(self->detector, table.data, table.len, pk.data, pk.len, operation(self, 0),
                                         reason(self, 3), &warning),
                0);
  if (warning.count > 0) hear_warning(&self->heard, self->detector, &warning, self->capacity);
  step_done(&self->step, 4);
}

static void do_throttles(runner *self) {
  const text table = step_text(step_word(&self->step, 1)), pk = step_key(step_word(&self->step, 2));
  answer_number(self,
                hpd_get_throttle_count(self->detector, table.data, table.len, pk.data, pk.len, operation(self, 0),
                                       reason(self, 3)),
                0);
  step_done(&self->step, 4);
}

static void do_schema(runner *self) {
  const text table = step_text(step_word(&self->step, 0));
  const char *index = step_option(&self->step, "index");
  const char *names[4], *name;
  size_t lens[4], n = 0;
  for (name = strtok(step_word(&self->step, 1), ","); name; name = strtok(NULL, ",")) {
    CHECK(n < 4);
    names[n] = name;
    lens[n++] = strlen(name);
  }
  CHECK_EQUAL(
      hpd_set_key_schema(self->detector, table.data, table.len, index, index ? strlen(index) : 0, names, lens, n),
      HPD_OK);
  step_done(&self->step, 2);
}

static void do_observe(runner *self) {
  static const char missing[] = "missing ";
  const char *model = step_option(&self->step, "model");
  char table[sizeof missing + 1024];
  hpd_exchange exchange = {.struct_size = sizeof exchange, .table_capacity = 1025};
  hpd_warnings *warnings;
  int64_t actions;
  exchange.operation = step_word(&self->step, 0);
  exchange.operation_len = strlen(exchange.operation);
  exchange.request = self->request;
  exchange.request_len = strlen(self->request);
  exchange.response = self->response;
  exchange.response_len = strlen(self->response);
  exchange.model = model;
  exchange.model_len = model ? strlen(model) : 0;
  exchange.http_status = (int32_t)step_number(&self->step, step_word(&self->step, 1));
  strcpy(table, missing);
  exchange.table = table + strlen(missing);
  actions = hpd_observe_full(self->detector, &exchange, &warnings);
  hear_warnings(&self->heard, self->detector, warnings, self->capacity);
  if (actions == HPD_ERR_SCHEMA) {
    CHECK(exchange.table_len > 1 && exchange.table[exchange.table_len - 1] == '\0');
    answer(self, table);
  } else {
    answer_number(self, actions, 0);
  }
  self->request[0] = self->response[0] = '\0';
  step_done(&self->step, 2);
}

static void do_unattributed(runner *self) {
  static const char *const kinds[] = {"scans", "scan_units", "unprocessed", "index_units", "throttles", "unread"};
  const text table = step_text(step_word(&self->step, 0));
  const int32_t kind = WHICH(self, step_word(&self->step, 1), kinds);
  const int halves = kind == HPD_UNATTRIBUTED_SCAN_UNITS || kind == HPD_UNATTRIBUTED_INDEX_UNITS;
  answer_number(self, hpd_get_unattributed_count(self->detector, table.data, table.len, operation(self, 2), kind),
                halves);
  step_done(&self->step, 3);
}

static void do_redacted(runner *self) {
  const text table = step_text(step_word(&self->step, 0)), pk = step_key(step_word(&self->step, 1));
  char digits[33] = "";
  CHECK(hpd_redact(self->detector, table.data, table.len, pk.data, pk.len, digits) >= 0);
  answer(self, digits);
  step_done(&self->step, 2);
}

static void do_hottest(runner *self) {
  const size_t n = (size_t)step_number(&self->step, step_word(&self->step, 0));
  hpd_hottest *hottest;
  int64_t i;
  CHECK_EQUAL(hpd_hottest_take(self->detector, operation(self, 1), n, &hottest), HPD_OK);
  for (i = 0; i < hpd_hottest_len(hottest); i++) {
    hpd_hot_partition hot = {0};
    hot.struct_size = sizeof hot;
    CHECK_EQUAL(hpd_hottest_get(hottest, (size_t)i, &hot), HPD_OK);
    hear_hot(&self->heard, &hot, self->capacity);
  }
  hpd_hottest_free(hottest);
  step_done(&self->step, 2);
}

#define STATISTICS(OF)                                                                                         \
  OF(records), OF(partitions), OF(bytes), OF(reclaimed), OF(replaced), OF(cleared), OF(warnings),              \
      OF(suppressed), OF(unread), OF(promoted), OF(demoted)
#define NAME_OF(name) #name
#define PLACE_OF(name) offsetof(hpd_statistics, name)

static void do_stat(runner *self) {
  static const char *const names[] = {STATISTICS(NAME_OF)};
  static const size_t places[] = {STATISTICS(PLACE_OF)};
  const size_t place = places[WHICH(self, step_word(&self->step, 0), names)];
  hpd_statistics all = {0};
  all.struct_size = sizeof all;
  CHECK_EQUAL(hpd_get_statistics(self->detector, &all), HPD_OK);
  answer_number(self, *(const int64_t *)(const void *)((const char *)&all + place), 0);
  step_done(&self->step, 1);
}

static void do_clear(runner *self) {
  CHECK_EQUAL(hpd_clear(self->detector), HPD_OK);
  step_done(&self->step, 0);
}

/* The script. */

static void end_scenario(runner *self) {
  hpd_free(self->detector);
  self->detector = NULL;
  self->request[0] = self->response[0] = '\0';
}

#define CALL_OF(name) do_##name
#define CALLS(OF)                                                                                              \
  OF(detector), OF(dynamodb), OF(at), OF(write), OF(read), OF(count), OF(bounds), OF(table), OF(model),        \
      OF(thresholds), OF(throttle), OF(throttles), OF(schema), OF(observe), OF(hottest), OF(unattributed),     \
      OF(redacted), OF(stat), OF(clear)

static void call(runner *self) {
  static const char *const names[] = {CALLS(NAME_OF)};
  static void (*const calls[])(runner *) = {CALLS(CALL_OF)};
  const char *expected;
  step_cut(&self->step);
  expected = self->step.result ? self->step.result : "";
  self->result[0] = '\0';
  calls[WHICH(self, self->step.what, names)](self);
  if (strcmp(self->result, expected) != 0)
    step_fail(&self->step, self->step.line, "returned", self->result, strlen(self->result));
}

int main(int argc, char **argv) {
  static runner self;
  int scenarios = 0;
  FILE *file;
  self.step.path = argc > 1 ? argv[1] : "tests/scenarios.txt";
  file = fopen(self.step.path, "r");
  if (!file) {
    perror(self.step.path);
    return EXIT_FAILURE;
  }
  while (step_read(&self.step, file)) {
    const char *what = self.step.what;
    if (hearing_expects(what)) {
      hearing_expect(&self.heard, &self.step);
      continue;
    }
    hearing_end(&self.heard, &self.step);
    if (strcmp(what, "scenario") == 0) {
      end_scenario(&self);
      scenarios++;
    } else if (strcmp(what, "request") == 0) {
      strcpy(self.request, self.step.rest); /* of the next observe */
    } else if (strcmp(what, "response") == 0) {
      strcpy(self.response, self.step.rest);
    } else {
      call(&self);
    }
  }
  hearing_end(&self.heard, &self.step);
  end_scenario(&self);
  fclose(file);
  CHECK(scenarios > 0);
  printf("%d scenarios\n", scenarios);
  return EXIT_SUCCESS;
}

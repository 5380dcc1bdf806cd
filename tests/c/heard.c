#include "heard.h"

#include "check.h"

#include <stdarg.h>
#include <string.h>

number plain(uint64_t n, int halves) {
  number out;
  snprintf(out.digits, sizeof out.digits, "%" PRIu64 "%s", halves ? n / 2 : n, halves && n % 2 ? ".5" : "");
  return out;
}

static number permille(uint32_t n) {
  number out;
  size_t len = (size_t)snprintf(out.digits, sizeof out.digits, "%" PRIu32 ".%03" PRIu32, n / 1000, n % 1000);
  while (out.digits[len - 1] == '0') len--;
  if (out.digits[len - 1] == '.') len--;
  out.digits[len] = '\0';
  return out;
}

static void add(heard *self, const char *data, size_t len) {
  CHECK(len <= sizeof self->data - self->len);
  memcpy(self->data + self->len, data, len);
  self->len += len;
}

static void add_words(heard *self, const char *format, ...) {
  char words[HEARD_BYTES];
  va_list arguments;
  va_start(arguments, format);
  CHECK(vsnprintf(words, sizeof words, format, arguments) < HEARD_BYTES);
  va_end(arguments);
  add(self, words, strlen(words));
}

static heard *next(hearing *self) {
  CHECK(self->n < HEARD_MAX);
  self->each[self->n].len = 0;
  return &self->each[self->n++];
}

void hear_warning(hearing *self, const hpd_detector *detector, const hpd_warning *warning, int capacity) {
  static const char *const operations[] = {"write", "read"};
  static const char *const rules[] = {"window", "second", "sustained", "throttle"};
  /* Throttles are attempts, which have no units. */
  const int halves = capacity && warning->rule != HPD_RULE_THROTTLE;
  heard *said = next(self);
  hpd_text *line;
  add_words(said, "warn %s ", operations[warning->operation]);
  add(said, warning->table, warning->table_len);
  add_words(said, " ");
  add(said, warning->pk, warning->pk_len);
  add_words(said, " count=%s", plain(warning->count, halves).digits);
  add_words(said, " threshold=%s", plain(warning->threshold, halves).digits);
  add_words(said, " window=%" PRIu32 " suppressed=%" PRIu64, warning->window_seconds, warning->suppressed);
  add_words(said, " peak=%s rule=%s", plain(warning->peak, halves).digits, rules[warning->rule]);
  add_words(said, " utilisation=%s", permille(warning->utilisation_permille).digits);
  if (warning->carried) add_words(said, " carried=%s", plain(warning->carried, halves).digits);

  CHECK_EQUAL(hpd_log_line(detector, warning, &line), HPD_OK);
  said = next(self);
  add_words(said, "line ");
  add(said, hpd_text_data(line), hpd_text_len(line));
  hpd_text_free(line);
}

void hear_warnings(hearing *self, const hpd_detector *detector, hpd_warnings *warnings, int capacity) {
  size_t i;
  for (i = 0; i < hpd_warnings_len(warnings); i++) {
    hpd_warning warning = {0};
    warning.struct_size = sizeof warning;
    CHECK_EQUAL(hpd_warnings_get(warnings, i, &warning), HPD_OK);
    hear_warning(self, detector, &warning, capacity);
  }
  hpd_warnings_free(warnings);
}

void hear_hot(hearing *self, const hpd_hot_partition *hot, int capacity) {
  heard *said = next(self);
  add_words(said, "hot ");
  add(said, hot->table, hot->table_len);
  add_words(said, " ");
  add(said, hot->pk, hot->pk_len);
  add_words(said, " count=%s throttles=%" PRIu64, plain(hot->count, capacity).digits, hot->throttles);
  add_words(said, " demand=%s", plain(hot->demand, capacity).digits);
  add_words(said, " peak=%s", plain(hot->peak, capacity).digits);
  add_words(said, " utilisation=%s", permille(hot->utilisation_permille).digits);
  if (hot->carried) add_words(said, " carried=%s", plain(hot->carried, capacity).digits);
}

int hearing_expects(const char *what) {
  return strcmp(what, "warn") == 0 || strcmp(what, "line") == 0 || strcmp(what, "hot") == 0;
}

/* Returns what a line expects: each of its words as what it says, but a line that is logged as it is. */
static heard expected(step *step) {
  heard out = {"", 0};
  char *word, *end;
  add_words(&out, "%s ", step->what);
  if (strcmp(step->what, "line") == 0) {
    add_words(&out, "%s", step->rest);
    return out;
  }
  for (word = strcpy(step->cut, step->rest); word; word = end) {
    text said;
    end = strchr(word, ' ');
    if (end) *end++ = '\0';
    said = step_text(word);
    add(&out, said.data, said.len);
    if (end) add_words(&out, " ");
  }
  return out;
}

void hearing_expect(hearing *self, step *step) {
  const heard wanted = expected(step);
  const size_t kind = strlen(step->what) + 1;
  size_t i = 0;
  while (i < self->n && memcmp(self->each[i].data, wanted.data, kind) != 0) i++;
  if (i == self->n) step_fail(step, step->line, "not so", wanted.data, wanted.len);
  if (self->each[i].len != wanted.len || memcmp(self->each[i].data, wanted.data, wanted.len) != 0)
    step_fail(step, step->line, "but", self->each[i].data, self->each[i].len);
  memmove(&self->each[i], &self->each[i + 1], (--self->n - i) * sizeof *self->each);
}

void hearing_end(hearing *self, const step *step) {
  if (self->n > 0) step_fail(step, self->line, "not expected", self->each[0].data, self->each[0].len);
  self->line = step->line;
}

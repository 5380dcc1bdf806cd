#include "script.h"

#include <stdlib.h>
#include <string.h>

void step_fail(const step *self, int line, const char *wrong, const char *data, size_t len) {
  fprintf(stderr, "%s:%d: %s: ", self->path, line, wrong);
  fwrite(data, 1, len, stderr);
  fputc('\n', stderr);
  exit(EXIT_FAILURE);
}

static void refuse(const step *self, const char *wrong, const char *data) {
  step_fail(self, self->line, wrong, data, strlen(data));
}

int step_read(step *self, FILE *file) {
  while (fgets(self->what, sizeof self->what, file)) {
    size_t len = strcspn(self->what, "\n");
    char *space;
    self->line++;
    if (self->what[len] == '\0' && !feof(file)) refuse(self, "too long", self->what);
    self->what[len] = '\0';
    if (len == 0 || self->what[0] == '#') continue;
    space = strchr(self->what, ' ');
    self->rest = space ? space + 1 : self->what + len;
    if (space) *space = '\0';
    return 1;
  }
  return 0;
}

void step_cut(step *self) {
  char *arrow, *word, *next;
  strcpy(self->cut, self->rest);
  self->n = self->n_options = self->asked = 0;
  arrow = strstr(self->cut, " -> ");
  self->result = arrow ? arrow + 4 : NULL;
  if (arrow) *arrow = '\0';
  for (word = self->cut; word && *word; word = next) {
    next = strchr(word, ' ');
    if (next) *next++ = '\0';
    if (self->n == STEP_WORDS || self->n_options == STEP_WORDS) refuse(self, "too many words", word);
    if (strchr(word, '='))
      self->options[self->n_options++] = word;
    else
      self->words[self->n++] = word;
  }
}

char *step_word(step *self, size_t i) {
  if (i >= self->n) refuse(self, "lacks a word", self->what);
  return self->words[i];
}

const char *step_option(step *self, const char *name) {
  size_t len = strlen(name), i;
  for (i = 0; i < self->n_options; i++)
    if (strncmp(self->options[i], name, len) == 0 && self->options[i][len] == '=') {
      self->asked |= 1u << i;
      return self->options[i] + len + 1;
    }
  return NULL;
}

int step_which(const step *self, const char *word, const char *const *names, size_t n) {
  size_t i = 0;
  while (i < n && strcmp(word, names[i]) != 0) i++;
  if (i == n) refuse(self, "not known", word);
  return (int)i;
}

double step_number(const step *self, const char *word) {
  char *end;
  const double n = strtod(word, &end);
  if (*word == '\0' || *end != '\0') refuse(self, "not a number", word);
  return n;
}

static char hex(const char *digits) {
  const char two[] = {digits[0], digits[1], '\0'};
  return (char)strtoul(two, NULL, 16);
}

void step_hex(const step *self, const char *word, uint64_t out[2]) {
  size_t i;
  if (strlen(word) != 32) refuse(self, "not 16 bytes", word);
  out[0] = out[1] = 0;
  for (i = 0; i < 16; i++) out[i / 8] |= (uint64_t)(unsigned char)hex(word + 2 * i) << i % 8 * 8;
}

void step_done(const step *self, size_t words) {
  size_t i;
  if (self->n > words) refuse(self, "not expected", self->words[words]);
  for (i = 0; i < self->n_options; i++)
    if (!(self->asked >> i & 1)) refuse(self, "not known", self->options[i]);
}

text step_text(char *word) {
  const char *from = word;
  char *to = word;
  if (strcmp(word, "\"\"") == 0) return (text){word, 0};
  while (*from) {
    if (*from == '%') {
      *to++ = hex(from + 1);
      from += 3;
    } else {
      *to++ = *from++;
    }
  }
  return (text){word, (size_t)(to - word)};
}

text step_key(char *word) { return step_text(*word == '#' ? word + 1 : word); }

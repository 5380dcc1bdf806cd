#define _POSIX_C_SOURCE 200809L
#include "trace.h"

#include <string.h>

enum { COLUMNS = 4, TABLE_MAX = 1024, PK_MAX = 16384 };

static const char HEADER[] = "time_ms,operation,table,pk";
static const uint64_t TIME_MAX_MS = 4294967295999u;

typedef struct column {
  char *text;
  size_t len;
} column;

static int refuse(trace *self, const char *error) {
  self->error = error;
  return -1;
}

/* Reads a line into text, without its end; as trace_next. */
static int read_line(trace *self, size_t *len) {
  int c;
  *len = 0;
  self->line++;
  while ((c = getc_unlocked(self->file)) != EOF && c != '\n') {
    if (c == '\0')
      return refuse(self, "a NUL byte");
    if (*len == sizeof self->text)
      return refuse(self, "the line is too long");
    self->text[(*len)++] = (char)c;
  }
  if (ferror(self->file))
    return refuse(self, "cannot be read");
  if (c == EOF && *len == 0)
    return 0;
  if (*len > 0 && self->text[*len - 1] == '\r')
    --*len;
  return 1;
}

/* Cuts a line at its commas; returns how many columns it has, of which the first COLUMNS are stored. */
static size_t split(char *line, size_t len, column *columns) {
  size_t n = 0;
  for (char *end = line + len;; n++) {
    char *comma = (char *)memchr(line, ',', (size_t)(end - line));
    char *stop = comma != NULL ? comma : end;
    if (n < COLUMNS)
      columns[n] = (column){line, (size_t)(stop - line)};
    if (comma == NULL)
      return n + 1;
    line = comma + 1;
  }
}

static int is(column column, const char *text) {
  return column.len == strlen(text) && memcmp(column.text, text, column.len) == 0;
}

static int read_time(trace *self, column column) {
  uint64_t time_ms = 0;
  if (column.len == 0)
    return refuse(self, "time_ms is not a number");
  for (size_t i = 0; i < column.len; i++) {
    if (column.text[i] < '0' || column.text[i] > '9')
      return refuse(self, "time_ms is not a number");
    /* Past the limit it stays there, so that it can't wrap. */
    if (time_ms <= TIME_MAX_MS)
      time_ms = time_ms * 10 + (uint64_t)(column.text[i] - '0');
  }
  if (time_ms > TIME_MAX_MS)
    return refuse(self, "time_ms is past 4294967295999");
  if (time_ms < self->time_ms)
    return refuse(self, "time_ms runs back");
  self->time_ms = time_ms;
  return 1;
}

static int read_record(trace *self, const column *columns) {
  hpd_record *record = &self->record;
  if (read_time(self, columns[0]) < 0)
    return -1;
  if (!is(columns[1], "write") && !is(columns[1], "read"))
    return refuse(self, "operation is neither write nor read");
  if (columns[2].len == 0)
    return refuse(self, "table is empty");
  if (columns[2].len > TABLE_MAX)
    return refuse(self, "table has more than 1024 bytes");
  if (columns[3].len > PK_MAX)
    return refuse(self, "pk has more than 16384 bytes");
  record->operation = is(columns[1], "write") ? HPD_WRITE : HPD_READ;
  record->table = columns[2].text;
  record->table_len = columns[2].len;
  record->pk = columns[3].text;
  record->pk_len = columns[3].len;
  return 1;
}

void trace_begin(trace *self, FILE *file) {
  memset(self, 0, sizeof *self);
  self->file = file;
  self->record.amount = 1;
}

int trace_next(trace *self) {
  column columns[COLUMNS];
  size_t len;
  if (self->line == 0) {
    int read = read_line(self, &len);
    if (read < 0)
      return read;
    if (read == 0 || !is((column){self->text, len}, HEADER))
      return refuse(self, "the first line is not time_ms,operation,table,pk");
  }
  int read = read_line(self, &len);
  if (read <= 0)
    return read;
  if (split(self->text, len, columns) != COLUMNS)
    return refuse(self, "not four columns");
  return read_record(self, columns);
}

/* Reads a trace: text, one record a line, columns as the first line names them:
 *
 *     time_ms,operation,table,pk
 *     12345,write,events,EVENTS
 *
 * Times never run back. Nothing is quoted: table and pk are all bytes but comma, newline and NUL.
 * A carriage return before the newline is taken off. */
#ifndef TRACE_H
#define TRACE_H

#include "hotpart.h"

#include <stdio.h>

/* Room for the longest record that is valid, and then some. */
enum { TRACE_LINE_MAX = 20000 };

typedef struct trace {
  FILE *file;
  uint64_t line;     /* the last one read, from 1 */
  uint64_t time_ms;  /* the last record's */
  hpd_record record; /* the last; its texts live until the next call */
  const char *error; /* what is wrong with the last line */
  char text[TRACE_LINE_MAX];
} trace;

/* Begins a trace that is read from file. */
void trace_begin(trace *self, FILE *file);

/* Reads the next record. 1: there is one; 0: the trace is over; -1: the line is malformed. */
int trace_next(trace *self);

#endif

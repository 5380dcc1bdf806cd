/* The line that every face of libhotpart logs for a warning. */
#ifndef LOG_LINE_H
#define LOG_LINE_H

#include "hotpart.h"

#include <stdio.h>

/* Writes: Hot partition detected - table="events" pk="EVENTS" had 500 writes in 60s */
void log_line(FILE *out, const hpd_warning *warning);

/* Writes: table="events" pk="EVENTS"
 * A quote, a backslash, control characters and bytes that are not UTF-8 appear as \xNN. */
void log_partition(FILE *out, const char *table, size_t table_len, const char *pk, size_t pk_len);

#endif

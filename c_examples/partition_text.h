/* A partition's name, as the lines that libhotpart logs have it. */
#ifndef PARTITION_TEXT_H
#define PARTITION_TEXT_H

#include <stddef.h>
#include <stdio.h>

/* Writes: table="events" pk="EVENTS"
 * A quote, a backslash, control characters and bytes that are not UTF-8 appear as \xNN. */
void print_partition(FILE *out, const char *table, size_t table_len, const char *pk, size_t pk_len);

#endif

#include "tally.h"

#include <stdlib.h>
#include <string.h>

/* FNV-1a. Whoever chooses a trace's keys could make them collide; here that only costs time. */
static uint64_t hash_bytes(uint64_t hash, const char *text, size_t len) {
  for (size_t i = 0; i < len; i++)
    hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3u;
  return hash;
}

static uint64_t hash_record(const hpd_record *record) {
  uint64_t hash = hash_bytes(0xCBF29CE484222325u, record->table, record->table_len);
  /* A byte between them that no trace has in either. */
  return hash_bytes(hash_bytes(hash, "", 1), record->pk, record->pk_len);
}

static int is(const tally_entry *entry, uint64_t hash, const hpd_record *record) {
  return entry->hash == hash && entry->table_len == record->table_len && entry->pk_len == record->pk_len &&
         memcmp(entry->text, record->table, record->table_len) == 0 &&
         memcmp(entry->text + entry->table_len, record->pk, record->pk_len) == 0;
}

/* The first free place for a hash. */
static tally_entry **free_place(const tally *self, uint64_t hash) {
  size_t at = hash & (self->capacity - 1);
  while (self->places[at] != NULL)
    at = (at + 1) & (self->capacity - 1);
  return &self->places[at];
}

static int grow(tally *self) {
  tally larger = {NULL, self->capacity > 0 ? self->capacity * 2 : 1024, self->partitions};
  larger.places = (tally_entry **)calloc(larger.capacity, sizeof *larger.places);
  if (larger.places == NULL)
    return 0;
  for (size_t i = 0; i < self->capacity; i++)
    if (self->places[i] != NULL)
      *free_place(&larger, self->places[i]->hash) = self->places[i];
  free(self->places);
  *self = larger;
  return 1;
}

static tally_entry *insert(tally *self, uint64_t hash, const hpd_record *record) {
  tally_entry *entry = (tally_entry *)calloc(1, sizeof *entry + record->table_len + record->pk_len);
  if (entry == NULL)
    return NULL;
  entry->hash = hash;
  entry->table_len = record->table_len;
  entry->pk_len = record->pk_len;
  memcpy(entry->text, record->table, record->table_len);
  memcpy(entry->text + record->table_len, record->pk, record->pk_len);
  *free_place(self, hash) = entry;
  self->partitions++;
  return entry;
}

static tally_entry *entry_of(tally *self, const hpd_record *record) {
  uint64_t hash = hash_record(record);
  if (self->partitions * 2 >= self->capacity && !grow(self))
    return NULL;
  for (size_t at = hash & (self->capacity - 1); self->places[at] != NULL; at = (at + 1) & (self->capacity - 1))
    if (is(self->places[at], hash, record))
      return self->places[at];
  return insert(self, hash, record);
}

int tally_count(tally *self, const hpd_record *record, int64_t count) {
  tally_entry *entry = entry_of(self, record);
  if (entry != NULL && entry->highest[record->operation] < count)
    entry->highest[record->operation] = count;
  return entry != NULL;
}

static int compare_text(const char *a, size_t a_len, const char *b, size_t b_len) {
  int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
  return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

/* Whether a comes before b in the list of the hottest. */
static int hotter(const tally_entry *a, const tally_entry *b, int32_t operation) {
  if (a->highest[operation] != b->highest[operation])
    return a->highest[operation] > b->highest[operation];
  int tables = compare_text(a->text, a->table_len, b->text, b->table_len);
  return tables != 0 ? tables < 0
                     : compare_text(a->text + a->table_len, a->pk_len, b->text + b->table_len, b->pk_len) < 0;
}

size_t tally_hottest(const tally *self, int32_t operation, const tally_entry **hottest, size_t n) {
  size_t found = 0;
  for (size_t i = 0; i < self->capacity; i++) {
    const tally_entry *entry = self->places[i];
    if (entry == NULL || entry->highest[operation] == 0)
      continue;
    /* Insert it where it belongs; the last one falls off the end. */
    size_t at = found < n ? found++ : n;
    for (; at > 0 && hotter(entry, hottest[at - 1], operation); at--)
      if (at < n)
        hottest[at] = hottest[at - 1];
    if (at < n)
      hottest[at] = entry;
  }
  return found;
}

void tally_free(tally *self) {
  for (size_t i = 0; i < self->capacity; i++)
    free(self->places[i]);
  free(self->places);
}

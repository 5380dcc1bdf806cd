#include "partition_text.h"

/* How many bytes the UTF-8 character takes that text begins with; 0 if it begins with none. */
static size_t character(const unsigned char *text, size_t len) {
  /* The second byte's range keeps out overlong forms, surrogates and what is past U+10FFFF. */
  unsigned char first = text[0], low = 0x80, high = 0xBF;
  size_t size;
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first <= 0xDF)
    size = 2;
  else if (first >= 0xE0 && first <= 0xEF)
    size = 3;
  else if (first >= 0xF0 && first <= 0xF4)
    size = 4;
  else
    return 0;
  if (first == 0xE0)
    low = 0xA0;
  if (first == 0xED)
    high = 0x9F;
  if (first == 0xF0)
    low = 0x90;
  if (first == 0xF4)
    high = 0x8F;
  if (len < size || text[1] < low || text[1] > high)
    return 0;
  for (size_t i = 2; i < size; i++)
    if (text[i] < 0x80 || text[i] > 0xBF)
      return 0;
  return size;
}

/* Whether a character could break a log. U+0080 to U+009F are control characters too: terminals obey them. */
static int dangerous(const unsigned char *text, size_t size) {
  return size == 1 ? text[0] < 0x20 || text[0] == 0x7F || text[0] == '"' || text[0] == '\\'
                   : text[0] == 0xC2 && text[1] < 0xA0;
}

static void escape(FILE *out, const char *chars, size_t len) {
  const unsigned char *text = (const unsigned char *)chars;
  while (len > 0) {
    size_t size = character(text, len), taken = size > 0 ? size : 1;
    if (size > 0 && !dangerous(text, size))
      fwrite(text, 1, size, out);
    else
      for (size_t i = 0; i < taken; i++)
        fprintf(out, "\\x%02X", text[i]);
    text += taken;
    len -= taken;
  }
}

void print_partition(FILE *out, const char *table, size_t table_len, const char *pk, size_t pk_len) {
  fputs("table=\"", out);
  escape(out, table, table_len);
  fputs("\" pk=\"", out);
  escape(out, pk, pk_len);
  fputs("\"", out);
}

/* The lines of tests/scenarios.txt, one after the other, and what their words say. */
#ifndef SCRIPT_H
#define SCRIPT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { STEP_BYTES = 4096, STEP_WORDS = 16 };

/* Any bytes. */
typedef struct text {
  const char *data;
  size_t len;
} text;

/* A line. */
typedef struct step {
  const char *path;
  int line;
  char what[STEP_BYTES]; /* its first word */
  const char *rest;      /* what follows that, as it is written */
  /* Of a call that step_cut has cut up: */
  const char *result; /* what it is to return; NULL: nothing */
  char *words[STEP_WORDS];
  size_t n;
  char *options[STEP_WORDS]; /* NAME=VALUE */
  size_t n_options;
  unsigned asked; /* which of those the call has asked for, a bit each */
  char cut[STEP_BYTES];
} step;

/* Prints where in the script that is, and what is wrong there with which text, and exits. */
void step_fail(const step *self, int line, const char *wrong, const char *data, size_t len);

/* Reads the next line that is neither empty nor a comment; 0 at the end. */
int step_read(step *self, FILE *file);

/* Cuts up what a call is made of. */
void step_cut(step *self);

/* A word that the call needs. */
char *step_word(step *self, size_t i);

/* An option's value, or NULL. */
const char *step_option(step *self, const char *name);

/* A word's place among names; fails if it is none of them. */
int step_which(const step *self, const char *word, const char *const *names, size_t n);

/* A word's number; fails if it is none. */
double step_number(const step *self, const char *word);

/* A word's 32 hexadecimal digits, as 16 bytes of which the first is the lowest. */
void step_hex(const step *self, const char *word, uint64_t out[2]);

/* Fails if the call has words or options that it does not know. */
void step_done(const step *self, size_t words);

/* Returns what a word says; the word is written over. */
text step_text(char *word);

/* The same for a key: C has no numbers as keys. */
text step_key(char *word);

#endif

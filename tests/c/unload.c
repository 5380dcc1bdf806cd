/* Closes the library while a thread that has used it lives. Then the thread exits and the process forks, both of which
 * call into the library, so closing must not unmap it. Over and over, and no more is mapped for it. LIBRARY may be a plugin
 * that has the static library in it: that may be unmapped once no thread has used it, and must not be called any more then. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"
#include "hotpart.h"

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMES = 50 };
#ifdef LIBRARY
enum { PLUGIN = 1 };
#else
#define LIBRARY "libhotpart.so.0"
enum { PLUGIN = 0 };
#endif

typedef struct thread {
  void *library;
  pthread_barrier_t recorded, unloaded;
} thread;

/* ISO C has no cast from an object's pointer to a function's; POSIX promises that the bits are the same. */

static void load(void *library, const char *name, void *function, size_t size) {
  void *symbol = dlsym(library, name);
  CHECK(symbol != NULL);
  memcpy(function, &symbol, size);
}

static void *run(void *argument) {
  thread *self = (thread *)argument;
  int32_t (*make)(uint64_t, uint64_t, uint32_t, hpd_warning_callback, void *, hpd_detector **);
  int64_t (*record)(const hpd_detector *, const char *, size_t, const char *, size_t);
  void (*destroy)(hpd_detector *);
  load(self->library, "hpd_new", &make, sizeof make);
  load(self->library, "hpd_record_write", &record, sizeof record);
  load(self->library, "hpd_free", &destroy, sizeof destroy);

  hpd_detector *detector;
  CHECK_EQUAL(make(500, 1500, 60, NULL, NULL, &detector), HPD_OK);
  for (int i = 1; i <= 1000; i++)
    CHECK_EQUAL(record(detector, "events", 6, "EVENTS", 6), i);
  destroy(detector);
  pthread_barrier_wait(&self->recorded);
  pthread_barrier_wait(&self->unloaded);
  return NULL; /* and now the library's thread-locals are destroyed */
}

static void *open_library(int flags) {
  void *library = dlopen(LIBRARY, flags);
  if (library == NULL)
    fprintf(stderr, "%s\n", dlerror());
  CHECK(library != NULL);
  return library;
}

/* Only that thread: what this one had used would stay mapped for it alone. */
static void close_while_a_thread_lives(void) {
  pthread_t running;
  thread self;
  self.library = open_library(RTLD_NOW);
  CHECK_EQUAL(pthread_barrier_init(&self.recorded, NULL, 2), 0);
  CHECK_EQUAL(pthread_barrier_init(&self.unloaded, NULL, 2), 0);
  CHECK_EQUAL(pthread_create(&running, NULL, run, &self), 0);
  pthread_barrier_wait(&self.recorded);
  CHECK_EQUAL(dlclose(self.library), 0);
  pthread_barrier_wait(&self.unloaded);
  CHECK_EQUAL(pthread_join(running, NULL), 0);
  CHECK_EQUAL(pthread_barrier_destroy(&self.recorded), 0);
  CHECK_EQUAL(pthread_barrier_destroy(&self.unloaded), 0);
}

/* How many pieces of the library are mapped. */
static int mapped(void) {
  char line[4096];
  int pieces = 0;
  FILE *maps = fopen("/proc/self/maps", "r");
  if (maps == NULL)
    return 0; /* not on Linux */
  while (fgets(line, sizeof line, maps) != NULL)
    pieces += strstr(line, PLUGIN ? "libplugin" : "libhotpart") != NULL;
  fclose(maps);
  return pieces;
}

int main(void) {
  int status, pieces = 0;
  for (int i = 0; i < TIMES; i++) {
    close_while_a_thread_lives();
    if (i == 0)
      pieces = mapped();
    CHECK_EQUAL(mapped(), pieces);
  }
  /* Now that no thread-local holds it either, the shared library is still there. */
  CHECK_EQUAL(dlclose(open_library(RTLD_NOW)), 0);
  if (!PLUGIN)
    CHECK(open_library(RTLD_NOW | RTLD_NOLOAD) != NULL);

  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0)
    _exit(EXIT_SUCCESS);
  CHECK_EQUAL(waitpid(child, &status, 0), child);
  CHECK_EQUAL(status, 0);
  printf("%d threads exited, and the process forked, after dlclose of %s\n", TIMES, PLUGIN ? "a plugin" : "the library");
  return EXIT_SUCCESS;
}

// Package bench has what a record by Go is measured against. (Tests can't have C of their own.)
package bench

/*
#cgo CFLAGS: -I${SRCDIR}/../..
#cgo noescape empty
#cgo nocallback empty
#include "native.h"

// As hotpart_record, but for what it does.
__attribute__((noinline)) static int64_t empty(const hpd_detector *detector, const char *table, size_t table_len,
                                               const char *pk, size_t pk_len, const char *model, size_t model_len,
                                               uint64_t amount, int32_t operation, hotpart_due *due) {
  (void)detector, (void)table, (void)table_len, (void)pk, (void)pk_len, (void)model, (void)model_len;
  (void)amount, (void)operation, (void)due;
  return 1;
}

static hpd_detector *detector(void) {
  hpd_detector *made = NULL;
  hpd_new(INT64_MAX, INT64_MAX, 60, NULL, NULL, &made);
  return made;
}

static void records(hpd_detector *detector, const char *table, size_t table_len, const char *pk, size_t pk_len, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    hotpart_due due;
    hotpart_record(detector, table, table_len, pk, pk_len, NULL, 0, 1, HPD_WRITE, &due);
  }
}
*/
import "C"

import "unsafe"

// Empty calls a C function that takes what a record takes, and does nothing.
func Empty(table, pk string) int64 {
	var due C.hotpart_due
	return int64(C.empty(nil, text(table), C.size_t(len(table)), text(pk), C.size_t(len(pk)), nil, 0, 1, 0, &due))
}

// Records makes n records in C, by one call.
func Records(table, pk string, n int) {
	detector := C.detector()
	defer C.hpd_free(detector)
	C.records(detector, text(table), C.size_t(len(table)), text(pk), C.size_t(len(pk)), C.size_t(n))
}

func text(s string) *C.char { return (*C.char)(unsafe.Pointer(unsafe.StringData(s))) }

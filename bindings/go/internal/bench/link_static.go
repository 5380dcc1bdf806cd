//go:build hotpart_static

package bench

// #cgo CFLAGS: -I${SRCDIR}/../../../../include
// #cgo LDFLAGS: ${SRCDIR}/../../../../target/release/libhotpart.a
// #cgo linux LDFLAGS: -lutil -lrt -lpthread -lm -ldl
import "C"

package hotpart

// #include "native.h"
import "C"

import (
	"context"
	"log/slog"
	"reflect"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

// An alert is what becomes of a detector's warnings.
type alert struct {
	logger *slog.Logger
	call   func(warning)
	// always: every hot record warns. Then a record by OnWarning would have it called for ever.
	always bool
	// telling is how many goroutines tell of a warning; kept only if every hot record warns.
	telling atomic.Int64
}

// warn tells of a warning that a call gave, on the goroutine that made the call.
func (c *core) warn(o *owner, table, pk string, due C.hotpart_due) {
	a := &c.alert
	if a.always {
		if a.isTelling() {
			return
		}
		a.telling.Add(1)
		defer a.telling.Add(-1)
	}
	w, logger := c.warningOf(o, table, pk, due), a.logTo()
	guarded(logger, "the logger", func() {
		logger.LogAttrs(context.Background(), slog.LevelWarn, w.line, w.attributes()...)
	})
	if a.call != nil {
		guarded(logger, "OnWarning", func() { a.call(w) })
	}
}

// logTo is the logger: a program may set its default one after the detector is made.
func (a *alert) logTo() *slog.Logger {
	if a.logger != nil {
		return a.logger
	}
	return slog.Default()
}

// guarded keeps a caller's panic from the record that gave the warning. Its frame on the stack is what isTelling looks for.
//
//go:noinline
func guarded(logger *slog.Logger, what string, f func()) {
	defer func() {
		failure := recover()
		if failure == nil {
			return
		}
		// The logger may be what panics.
		defer func() { _ = recover() }()
		logger.Error("hotpart: "+what+" panicked", "logger", "hotpart", "panic", failure, "stack", string(debug.Stack()))
	}()
	f()
}

var guardedEntry = reflect.ValueOf(guarded).Pointer()

// isTelling tells whether this goroutine tells of a warning. Goroutines have no identity, but each has its stack.
func (a *alert) isTelling() bool {
	if a.telling.Load() == 0 {
		return false
	}
	var callers [64]uintptr
	for skip := 0; ; skip += len(callers) {
		n := runtime.Callers(skip, callers[:])
		frames := runtime.CallersFrames(callers[:n])
		for more := n > 0; more; {
			var frame runtime.Frame
			if frame, more = frames.Next(); frame.Entry == guardedEntry {
				return true
			}
		}
		if n < len(callers) {
			return false
		}
	}
}

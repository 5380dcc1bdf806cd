package hotpart

// #include "native.h"
import "C"

import (
	"context"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// An alert is what becomes of a detector's warnings.
type alert struct {
	logger *slog.Logger
	call   func(warning)
	// always: every hot record warns. Then a record by OnWarning would have it called for ever.
	always bool
	// bounded: its memory stays fixed, and may be too small.
	bounded bool
	// telling has the goroutines that tell of a warning; kept only if every hot record warns.
	telling sync.Map
}

// warn tells of a warning that a call gave, on the goroutine that made the call.
func (c *core) warn(o *owner, table, pk string, due C.hotpart_due) {
	a := &c.alert
	if a.always {
		me := goroutine()
		if _, nested := a.telling.LoadOrStore(me, nil); nested {
			return
		}
		defer a.telling.Delete(me)
	}
	w, logger := c.warningOf(o, table, pk, due), a.logTo()
	c.guarded(logger, "the logger", func() {
		logger.LogAttrs(context.Background(), slog.LevelWarn, w.line, w.attributes()...)
	})
	if a.call != nil {
		c.guarded(logger, "OnWarning", func() { a.call(w) })
	}
	c.notice(o)
}

// notice logs that the memory is too small, if it is, and that was not said within an interval.
func (c *core) notice(o *owner) {
	if c.alert.bounded {
		logger := c.alert.logTo()
		c.guarded(logger, "the logger", func() { logNotice(o, logger) })
	}
}

func logNotice(o *owner, logger *slog.Logger) {
	// Only who logs it takes it: it is given once an interval.
	if !logger.Enabled(context.Background(), slog.LevelWarn) {
		return
	}
	var line *C.hpd_text
	if C.hpd_notice_take(o.native, &line) == 1 {
		logger.LogAttrs(context.Background(), slog.LevelWarn, goText(line), slog.String("logger", "hotpart"))
	}
}

// logTo is the logger: a program may set its default one after the detector is made.
func (a *alert) logTo() *slog.Logger {
	if a.logger != nil {
		return a.logger
	}
	return slog.Default()
}

// guarded keeps a caller's panic from the record that gave the warning.
func (c *core) guarded(logger *slog.Logger, what string, f func()) {
	defer func() {
		failure := recover()
		if failure == nil {
			return
		}
		c.failures.Add(1)
		// The logger may be what panics.
		defer func() { _ = recover() }()
		logger.Error("hotpart: "+what+" panicked", "logger", "hotpart", "panic", failure, "stack", string(debug.Stack()))
	}()
	f()
}

// goroutine is what the first line of this goroutine's stack calls it, "goroutine 7 [running]": it has no other identity.
func goroutine() string {
	var line [64]byte
	name, _, _ := strings.Cut(string(line[:runtime.Stack(line[:], false)]), " [")
	return name
}

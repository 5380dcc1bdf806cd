package awsmiddleware

import (
	"fmt"
	"log/slog"
	"sync"
)

// kindsMax is how many kinds of one sort are logged: nobody reads more, and each is remembered.
const kindsMax = 100

// told is what was logged about one detector; others of its kind would say the same. A client that
// is watched by the call has no memory of its own.
type told struct {
	mutex sync.Mutex
	kinds map[sort]map[string]bool
}

// A sort is what there is a bound of: many tables that are not known leave room for a failure.
type sort struct {
	of     string
	logger *slog.Logger
}

// first tells whether what is to be logged is the first of its kind, to the watcher's logger.
func (w *watcher) first(of, kind string) bool {
	t, it := &w.schemas.told, sort{of, w.logger}
	t.mutex.Lock()
	defer t.mutex.Unlock()
	kinds, known := t.kinds[it]
	if kinds[kind] || len(kinds) >= kindsMax || !known && len(t.kinds) >= kindsMax {
		return false
	}
	if !known {
		kinds = map[string]bool{}
		if t.kinds == nil {
			t.kinds = map[sort]map[string]bool{}
		}
		t.kinds[it] = kinds
	}
	kinds[kind] = true
	return true
}

// failed logs the first error of each kind: a panic is not hidden by a request that could not be
// read.
func (w *watcher) failed(err error) {
	if w.first("failure", err.Error()) {
		w.unobserved(err)
	}
}

// unknown logs the first request that needs the key schema of a table, or of an index of it.
func (w *watcher) unknown(table, index string) {
	err := fmt.Errorf("the key schema of table %q is not known", table)
	if index != "" {
		err = fmt.Errorf("the key schema of index %q of table %q is not known", index, table)
	}
	if w.first("unknown", err.Error()) {
		w.unobserved(err)
	}
}

func (w *watcher) unobserved(err error) {
	w.log("a request to DynamoDB could not be observed: " + err.Error())
}

// unseen logs the first request of a client of which nothing can be seen.
func (w *watcher) unseen(why string) {
	if w.first("unseen", why) {
		w.log("a client of DynamoDB is not watched: " + why)
	}
}

// log logs a warning. A logger that panics is not the caller's either.
func (w *watcher) log(line string, attributes ...any) {
	defer func() { _ = recover() }()
	w.logTo().Warn(line, append([]any{"logger", "hotpart"}, attributes...)...)
}

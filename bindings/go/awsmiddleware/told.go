package awsmiddleware

import (
	"fmt"
	"sync"
)

// toldMax is how many lines a watcher may log.
const toldMax = 100

// told are the errors that were logged; others of their kind would say the same.
type told struct {
	mutex sync.Mutex
	kinds map[string]bool
}

// first tells whether an error is the first of its kind.
func (t *told) first(kind string) bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.kinds[kind] || len(t.kinds) >= toldMax {
		return false
	}
	if t.kinds == nil {
		t.kinds = map[string]bool{}
	}
	t.kinds[kind] = true
	return true
}

// failed logs the first error.
func (w *watcher) failed(err error) {
	if w.told.first("") {
		w.unobserved(err)
	}
}

// unknown logs the first request that needs the key schema of a table, or of an index of it.
func (w *watcher) unknown(table, index string) {
	err := fmt.Errorf("the key schema of table %q is not known", table)
	if index != "" {
		err = fmt.Errorf("the key schema of index %q of table %q is not known", index, table)
	}
	if w.told.first(err.Error()) {
		w.unobserved(err)
	}
}

func (w *watcher) unobserved(err error) {
	w.log("a request to DynamoDB could not be observed: " + err.Error())
}

// unseen logs the first request of a client of which nothing can be seen.
func (w *watcher) unseen(why string) {
	if w.told.first(why) {
		w.log("a client of DynamoDB is not watched: " + why)
	}
}

// log logs a warning. A logger that panics is not the caller's either.
func (w *watcher) log(line string, attributes ...any) {
	defer func() { _ = recover() }()
	w.logTo().Warn(line, append([]any{"logger", "hotpart"}, attributes...)...)
}

package awsmiddleware

import (
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// kindsMax is how many kinds of one sort are logged: nobody reads more, and each is remembered.
const kindsMax = 100

// journal is what was logged about one detector; others of its kind would say the same. A client
// that is watched by the call has no memory of its own.
type journal struct {
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
	j, it := &w.schemas.journal, sort{of, w.logger}
	j.mutex.Lock()
	defer j.mutex.Unlock()
	kinds, known := j.kinds[it]
	if kinds[kind] || len(kinds) >= kindsMax || !known && len(j.kinds) >= kindsMax {
		return false
	}
	if !known {
		kinds = map[string]bool{}
		if j.kinds == nil {
			j.kinds = map[sort]map[string]bool{}
		}
		j.kinds[it] = kinds
	}
	kinds[kind] = true
	return true
}

// warnOnce counts a failure, and logs the first of each kind: a panic is not hidden by a request
// that could not be read.
func (w *watcher) warnOnce(of, kind, line string) {
	// A strange detector's own panic is not the caller's.
	defer func() { _ = recover() }()
	w.detector.AddFailure()
	if w.first(of, kind) {
		w.logTo().Warn(line, "logger", "hotpart")
	}
}

// numbers are the ports and addresses in an error's text, for instance, which make no kind of it.
var numbers = regexp.MustCompile(`[0-9][0-9a-fx.]*`)

func kindOf(text string) string { return numbers.ReplaceAllString(text, "") }

// failed: a request could not be observed.
func (w *watcher) failed(err error) {
	if !errors.Is(err, hotpart.ErrClosed) {
		w.warnOnce("failure", kindOf(err.Error()), "a request to DynamoDB could not be observed: "+err.Error())
	}
}

// unrecorded: a request could not be written to the recording.
func (w *watcher) unrecorded(err error) {
	if !errors.Is(err, hotpart.ErrClosed) {
		w.warnOnce("unrecorded", kindOf(err.Error()), "a request to DynamoDB could not be recorded: "+err.Error())
	}
}

// undescribed: the key schema of a table is needed, and this has become of describing it.
func (w *watcher) undescribed(table, what string, denied bool) {
	so := "wait until it is known, or are not counted"
	if denied {
		so = "are not counted"
	}
	w.warnOnce("undescribed", table+"\x00"+kindOf(what), fmt.Sprintf("the key schema of table %q is needed and %s: its requests %s; "+
		"pass WithKeySchema(%[1]q, its partition key)", table, what, so))
}

// unseen: nothing can be seen of a client.
func (w *watcher) unseen(why string) {
	w.warnOnce("unseen", why, "a client of DynamoDB is not watched: "+why)
}

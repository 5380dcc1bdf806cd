package awsmiddleware

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

const (
	// again is when a table is asked for again that could not be described: a quarter of the usual
	// window, so that what waits in the detector is not too old by then.
	again = 15 * time.Second
	// triesMax is how often that is done. Then it is the detector's to ask again, which it does once
	// a minute while more waits.
	triesMax = 4
	// wantedMax is of how many tables that is remembered.
	wantedMax = 1_000
)

// schemas are the tables whose key schema one detector asks for, whoever watches by it.
type schemas struct {
	mutex  sync.Mutex
	wanted map[string]*wanted
	// any tells that there are some, without the lock.
	any atomic.Bool
	now func() time.Time
	// journal is what was logged about that, and about what could not be observed.
	journal journal
}

// wanted is a table that is to be described.
type wanted struct {
	table string
	// name is what DescribeTable is asked for: the table's name or ARN.
	name string
	// after is when it may be asked for.
	after time.Time
	// asking: somebody is at it.
	asking bool
	tries  int
}

// Clients that are watched for one detector share what is asked for. A detector that is gone takes
// its own along.
var all sync.Map

func schemasOf(detector Detector) *schemas {
	switch d := detector.(type) {
	case *hotpart.Detector:
		return sharedBy(d)
	case *hotpart.CapacityDetector:
		return sharedBy(d)
	}
	return newSchemas()
}

func sharedBy[T any](detector *T) *schemas {
	key := weak.Make(detector)
	found, shared := all.LoadOrStore(key, newSchemas())
	if !shared {
		runtime.AddCleanup(detector, func(key weak.Pointer[T]) { all.Delete(key) }, key)
	}
	return found.(*schemas)
}

func newSchemas() *schemas { return &schemas{wanted: map[string]*wanted{}, now: time.Now} }

// want has a table described by whoever is the next to take it.
func (s *schemas) want(table, name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if known := s.wanted[table]; known == nil && len(s.wanted) < wantedMax {
		s.wanted[table] = &wanted{table: table, name: name}
		s.any.Store(true)
	}
}

// take gives the tables that are to be described now. Nobody else describes them until each is
// described, dropped, or put off.
func (s *schemas) take() (taken []*wanted) {
	if !s.any.Load() {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now := s.now()
	for _, w := range s.wanted {
		if !w.asking && !now.Before(w.after) {
			w.asking = true
			taken = append(taken, w)
		}
	}
	return taken
}

// drop: the table is described, or never will be.
func (s *schemas) drop(w *wanted) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.wanted, w.table)
	s.any.Store(len(s.wanted) > 0)
}

// putOff has the table described later by another attempt, unless that was tried often.
func (s *schemas) putOff(w *wanted, by time.Duration) {
	s.mutex.Lock()
	w.asking, w.after = false, s.now().Add(by)
	w.tries++
	often := w.tries >= triesMax
	s.mutex.Unlock()
	if often {
		s.drop(w)
	}
}

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
	// again is when a table is asked for again that could not be described. Each further failure
	// doubles it, up to againMax.
	again, againMax = time.Second, time.Minute
	// asks is in what time the detector asks once for a table.
	asks = time.Minute
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
	// use is how long it is of use to describe a table that was asked for: then what waits for it is
	// too old to be counted.
	use time.Duration
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
	// until is when it is of no use any more, unless the detector has asked again.
	until time.Time
	// asking: somebody is at it.
	asking bool
	// failures is how often it could not be described.
	failures int
}

// Clients that are watched for one detector share what is asked for. A detector that is gone takes
// its own along.
var all sync.Map

func schemasOf(detector Detector) *schemas {
	switch d := detector.(type) {
	case *hotpart.Detector:
		return sharedBy(d, d.WindowSeconds())
	case *hotpart.CapacityDetector:
		return sharedBy(d, d.WindowSeconds())
	}
	return newSchemas(detector.WindowSeconds())
}

func sharedBy[T any](detector *T, windowSeconds int) *schemas {
	key := weak.Make(detector)
	found, shared := all.LoadOrStore(key, newSchemas(windowSeconds))
	if !shared {
		runtime.AddCleanup(detector, func(key weak.Pointer[T]) { all.Delete(key) }, key)
	}
	return found.(*schemas)
}

func newSchemas(windowSeconds int) *schemas {
	return &schemas{wanted: map[string]*wanted{}, now: time.Now, use: asks + time.Duration(windowSeconds)*time.Second}
}

// want has a table described by whoever is the next to take it.
func (s *schemas) want(table, name string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	known := s.wanted[table]
	if known == nil {
		if len(s.wanted) >= wantedMax {
			return
		}
		known = &wanted{table: table, name: name}
		s.wanted[table] = known
		s.any.Store(true)
	}
	known.until = s.now().Add(s.use)
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
		switch {
		case w.asking || now.Before(w.after):
		case now.Before(w.until):
			w.asking = true
			taken = append(taken, w)
		default:
			delete(s.wanted, w.table)
		}
	}
	s.any.Store(len(s.wanted) > 0)
	return taken
}

// drop: the table is described, or never will be.
func (s *schemas) drop(w *wanted) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	delete(s.wanted, w.table)
	s.any.Store(len(s.wanted) > 0)
}

// putOff has the table, which could not be described, described by an attempt later on.
func (s *schemas) putOff(w *wanted) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	w.asking, w.after = false, s.now().Add(min(again<<min(w.failures, 6), againMax))
	w.failures++
}

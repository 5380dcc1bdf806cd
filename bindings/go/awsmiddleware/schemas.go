package awsmiddleware

import (
	"runtime"
	"sync"
	"time"
	"weak"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

const (
	// What may wait for a table's description, in attempts and in bytes; what comes beyond is not counted.
	waitingMax, bytesMax = 10_000, 32 << 20
	// Before a table is asked for again, because that failed or because it may have changed since: a minute, so that neither
	// doubles the traffic.
	again = time.Minute
)

// schemas is which tables of one detector were asked for their key schema, because traffic has not shown it: each once,
// whoever needs it first.
type schemas struct {
	mutex  sync.Mutex
	tables map[string]*asked
	now    func() time.Time
	// told is what was logged about that, and about what could not be observed.
	told told
}

// asked is a table that is to be asked for, or was.
type asked struct {
	// after is when it may be asked for (again).
	after time.Time
	// asking: somebody is, and so attempts wait.
	asking bool
	// done: it was described.
	done bool
	// denied: it may not be.
	denied  bool
	waiting []hotpart.Exchange
	bytes   int
	// full: there was no room for an attempt.
	full bool
}

// Clients that are watched for one detector share what was asked. A detector that is gone takes its own along.
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

func newSchemas() *schemas { return &schemas{tables: map[string]*asked{}, now: time.Now} }

// known tells whether the table was described: then what needed its schema may be told again.
func (s *schemas) known(table string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	found := s.tables[table]
	return found != nil && found.done
}

// A turn is what an attempt that needs a table's schema is to do.
type turn int

const (
	// itWaits: somebody describes the table, or the attempt is of no use for that.
	itWaits turn = iota
	// itDescribes: it is to describe the table.
	itDescribes
	// itIsLost: the table was described, or may not be, and will not be again soon.
	itIsLost
	// isFull: as itWaits, but it is the first for which there was no room.
	isFull
)

// wants tells what an attempt is to do that needs a table's schema. answered: DynamoDB has answered it as it should; else it
// has other troubles.
func (s *schemas) wants(table string, e hotpart.Exchange, answered bool) turn {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	a := s.tables[table]
	if a == nil {
		a = &asked{}
		s.tables[table] = a
	}
	now, its := s.now(), itWaits
	due := !a.denied && !now.Before(a.after)
	if (a.asking || due) && !a.wait(e) && !a.full {
		a.full, its = true, isFull
	}
	if due && answered {
		// Whoever comes within a minute relies on this one; after that something has gone wrong with it.
		a.after, a.asking = now.Add(again), true
		return itDescribes
	}
	if a.done && !a.asking && !due {
		return itIsLost
	}
	return its
}

// wait lets an attempt wait, if there is room.
func (a *asked) wait(e hotpart.Exchange) bool {
	size := len(e.Request) + len(e.Response)
	if len(a.waiting) >= waitingMax || a.bytes+size > bytesMax {
		return false
	}
	a.waiting = append(a.waiting, e)
	a.bytes += size
	return true
}

// described takes out what has waited for a table that was described, and lets nothing wait any more.
func (s *schemas) described(table string) []hotpart.Exchange {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	a := s.tables[table]
	waited := a.waiting
	a.asking, a.done, a.waiting, a.bytes = false, true, nil, 0
	return waited
}

// abandoned: whoever was to describe the table gave up: the next one is to. What waits goes on waiting.
func (s *schemas) abandoned(table string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tables[table].after = time.Time{}
}

// refused: the table was not described. Where that is denied it is never asked for again.
func (s *schemas) refused(table string, denied bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	a := s.tables[table]
	a.after, a.denied = s.now().Add(again), a.denied || denied
	a.asking, a.waiting, a.bytes = false, nil, 0
}

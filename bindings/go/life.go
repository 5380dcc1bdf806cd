package hotpart

// #include "native.h"
import "C"

import (
	"math"
	"runtime"
	"time"
)

// Clear forgets all counts, warning states, thresholds of tables and models, and what waits for a table's key. With
// Memory it may wait up to a quarter of a second for calls under way. If there is no memory for it, it returns [ErrMemory],
// and has forgotten nothing.
func (c *core) Clear() error {
	o, err := c.open()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(o)
	return failed(int64(C.hpd_clear(o.native)))
}

// SetTime moves a manual clock forward to sinceStart, in whole milliseconds; an earlier time changes nothing. If the clock
// runs, it returns [ErrUnsupported].
func (c *core) SetTime(sinceStart time.Duration) error {
	milliseconds := sinceStart.Milliseconds()
	if sinceStart < 0 || milliseconds > math.MaxUint32*1_000+999 {
		return invalid("sinceStart", "must be 0 to 4294967295.999s, not %v", sinceStart)
	}
	o, err := c.open()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(o)
	return refused(C.hotpart_set_time_ms(o.native, C.uint64_t(milliseconds)))
}

// Close makes every later call return [ErrClosed]. Calls under way go on; once none is left, the next run of the garbage
// collector gives the memory back. A second call does nothing. It returns nil, and is there for io.Closer.
func (c *core) Close() error {
	c.owner.Store(nil)
	return nil
}

// Closed tells whether the detector has been closed.
func (c *core) Closed() bool { return c.owner.Load() == nil }

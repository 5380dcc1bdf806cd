package hotpart

// #include "native.h"
import "C"

import "runtime"

// ClosedMinuteOf is what partitions had of one operation in one minute of the detector's clock that is over; see
// [ClosedMinute] and [CapacityClosedMinute].
type ClosedMinuteOf[N Amount] struct {
	// Hottest are those with the most demand in the minute, the most first. All their numbers are of that minute alone.
	Hottest []HotPartitionOf[N]
	// Rest is the sum of the counts of all others: operations or units.
	Rest N
}

// HottestClosed returns the n partitions with the most demand for an operation in one minute of the detector's clock that
// is over, and what all others had. No operation is in two minutes, so the numbers of several minutes, and of several
// processes, may be added up. Minute 0 has the first 60 seconds. Ask for a minute some seconds after its end, as a call that
// read the clock in it may not have returned before. A minute that is not over, or began longer ago than the window, is
// [ErrInvalid]; a window under 120 seconds is [ErrUnsupported], and so is Config.Memory. What waits for a table's key is
// recorded as of when it was observed, and is in no answer if its minute has been asked for by then.
func (d *DetectorOf[N]) HottestClosed(operation Operation, minute uint64, n int) (ClosedMinuteOf[N], error) {
	if n < 0 {
		return ClosedMinuteOf[N]{}, invalid("n", "must not be negative, but is %d", n)
	}
	o, err := d.open()
	if err != nil {
		return ClosedMinuteOf[N]{}, err
	}
	var snapshot *C.hpd_hottest
	status := C.hotpart_hottest_closed_take(o.native, C.int32_t(operation), C.uint64_t(minute), C.size_t(n), &snapshot)
	runtime.KeepAlive(o)
	if err := refused(status); err != nil {
		return ClosedMinuteOf[N]{}, err
	}
	defer C.hpd_hottest_free(snapshot)
	rest := int64(C.hpd_hottest_rest(snapshot))
	if err := failed(rest); err != nil {
		return ClosedMinuteOf[N]{}, err
	}
	hottest, err := entries[N](snapshot)
	return ClosedMinuteOf[N]{hottest, amountOf[N](rest)}, err
}

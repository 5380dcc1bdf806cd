package hotpart

// #include "native.h"
// #cgo noescape hotpart_record_throttle
// #cgo nocallback hotpart_record_throttle
// #cgo noescape hotpart_get_throttle_count
// #cgo nocallback hotpart_get_throttle_count
// #cgo noescape hotpart_get_unattributed_count
// #cgo nocallback hotpart_get_unattributed_count
import "C"

import "runtime"

// RecordThrottle records that DynamoDB throttled one attempt at an operation on a partition. It returns the partition's
// throttles of that kind in the window, which are no part of its count. Only those for the key range are evidence of a hot
// partition, and they warn with Config.WarnOfThrottles.
func (c *core) RecordThrottle(table, pk string, operation Operation, reason Reason) (count int64, err error) {
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	var due C.hotpart_due
	throttles := C.hotpart_record_throttle(o.native, text(table), length(table), text(pk), length(pk),
		C.int32_t(operation), C.int32_t(reason), &due)
	if throttles.value < 0 {
		return 0, refused(throttles)
	}
	if due.count != 0 {
		c.warn(o, table, pk, due)
	}
	runtime.KeepAlive(o)
	return int64(throttles.value), nil
}

// ThrottleCount returns the partition's throttles in the window, for one operation and reason.
func (c *core) ThrottleCount(table, pk string, operation Operation, reason Reason) (count int64, err error) {
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	throttles := C.hotpart_get_throttle_count(o.native, text(table), length(table), text(pk), length(pk),
		C.int32_t(operation), C.int32_t(reason))
	runtime.KeepAlive(o)
	if throttles.value < 0 {
		return 0, refused(throttles)
	}
	return int64(throttles.value), nil
}

// UnattributedCount returns what a table, or TABLE/index/INDEX, had in the window that no partition could be charged with: a
// number or, of [ScanUnits] and [IndexUnits], units.
func (c *core) UnattributedCount(table string, kind Unattributed, operation Operation) (float64, error) {
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	count := C.hotpart_get_unattributed_count(o.native, text(table), length(table), C.int32_t(operation), C.int32_t(kind))
	runtime.KeepAlive(o)
	if count.value < 0 {
		return 0, refused(count)
	}
	if kind.inUnits() {
		return float64(count.value) / 2, nil
	}
	return float64(count.value), nil
}

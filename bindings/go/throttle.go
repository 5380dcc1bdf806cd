package hotpart

// #include "native.h"
// #cgo noescape hotpart_record_throttle
// #cgo nocallback hotpart_record_throttle
// #cgo noescape hpd_get_throttle_count
// #cgo nocallback hpd_get_throttle_count
// #cgo noescape hpd_get_unattributed_count
// #cgo nocallback hpd_get_unattributed_count
import "C"

import "runtime"

// RecordThrottle records that DynamoDB throttled one attempt at an operation on a partition, and why. It returns the
// partition's throttles of that kind in the window, which are no part of its count.
func (c *core) RecordThrottle(table, pk string, operation Operation, reason Reason) (count int64, err error) {
	if err := kinds(operation, reason); err != nil {
		return 0, err
	}
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	var due C.hotpart_due
	count = int64(C.hotpart_record_throttle(o.native, text(table), length(table), text(pk), length(pk),
		C.int32_t(operation), C.int32_t(reason), &due))
	if count < 0 {
		return 0, refused(count, table, pk, "")
	}
	if due.count != 0 {
		c.warn(o, table, pk, due)
	}
	runtime.KeepAlive(o)
	return count, nil
}

// ThrottleCount returns the partition's throttles in the window, of one operation and reason.
func (c *core) ThrottleCount(table, pk string, operation Operation, reason Reason) (count int64, err error) {
	if err := kinds(operation, reason); err != nil {
		return 0, err
	}
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	count = int64(C.hpd_get_throttle_count(o.native, text(table), length(table), text(pk), length(pk),
		C.int32_t(operation), C.int32_t(reason)))
	runtime.KeepAlive(o)
	if count < 0 {
		return 0, refused(count, table, pk, "")
	}
	return count, nil
}

// UnattributedCount returns what was tallied for a table, or TABLE/index/INDEX, in the window because no partition could be
// charged with it: a number or, of [ScanUnits] and [IndexUnits], units.
func (c *core) UnattributedCount(table string, kind Unattributed, operation Operation) (float64, error) {
	if err := kinds(operation, ReasonUnknown); err != nil {
		return 0, err
	}
	if kind < Scans || kind > Throttles {
		return 0, invalid("kind", "must be one of Unattributed, not %v", kind)
	}
	o, err := c.open()
	if err != nil {
		return 0, err
	}
	count := int64(C.hpd_get_unattributed_count(o.native, text(table), length(table), C.int32_t(operation), C.int32_t(kind)))
	runtime.KeepAlive(o)
	if count < 0 {
		return 0, refused(count, table, "", "")
	}
	if kind.inUnits() {
		return float64(count) / 2, nil
	}
	return float64(count), nil
}

func kinds(operation Operation, reason Reason) error {
	if operation != Write && operation != Read {
		return invalid("operation", "must be Write or Read, not %v", operation)
	}
	if reason < ReasonUnknown || reason > ReasonMaxOnDemand {
		return invalid("reason", "must be one of Reason, not %v", reason)
	}
	return nil
}

package hotpart

// #include "native.h"
// #cgo noescape hotpart_get_bounds
// #cgo nocallback hotpart_get_bounds
import "C"

import "runtime"

// BoundsOf are the bounds of a partition's count; see [Bounds] and [CapacityBounds].
type BoundsOf[N Amount] struct {
	// Least is the part that is known to be the partition's own, and in the window; it may be 0.
	Least N
	// Most is the most that the count can be, which is the count that other methods return.
	Most N
}

// Bounds returns the bounds of the partition's count of an operation; without Config.Memory both are the count.
func (d *DetectorOf[N]) Bounds(table, pk string, operation Operation) (BoundsOf[N], error) {
	o, err := d.open()
	if err != nil {
		return BoundsOf[N]{}, err
	}
	var least, most C.uint64_t
	status := C.hotpart_get_bounds(o.native, text(table), length(table), text(pk), length(pk), C.int32_t(operation),
		&least, &most)
	runtime.KeepAlive(o)
	if err := refused(status); err != nil {
		return BoundsOf[N]{}, err
	}
	return BoundsOf[N]{amountOf[N](int64(least)), amountOf[N](int64(most))}, nil
}

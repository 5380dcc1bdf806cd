package hotpart

// #include "native.h"
import "C"

import "runtime"

// ThresholdsOf are the window's thresholds of a detector, a table or a model; see [Thresholds] and [CapacityThresholds].
type ThresholdsOf[N Amount] struct {
	// Writes is the count of writes from which a partition is hot; 0: the next level's, a model's table's, a table's
	// detector's.
	Writes N
	// Reads is the same for reads.
	Reads N
}

// Thresholds returns the detector's own thresholds of the window.
func (d *DetectorOf[N]) Thresholds() (ThresholdsOf[N], error) {
	return get[N](&d.core, func(o *owner, writes, reads *C.int64_t) C.hotpart_result {
		return C.hotpart_get_thresholds(o.native, writes, reads)
	})
}

// SetTableThresholds sets a table's own thresholds of the window. Those of one and five seconds stay. They cover neither the
// table's indexes nor its ARN. The zero value takes them away.
func (d *DetectorOf[N]) SetTableThresholds(table string, thresholds ThresholdsOf[N]) error {
	return set(&d.core, thresholds, func(o *owner, writes, reads C.int64_t) C.hotpart_result {
		return C.hotpart_set_table_thresholds(o.native, text(table), length(table), writes, reads)
	})
}

// SetModelThresholds sets a model's thresholds of the window, for records that name it. They win over the table's. The zero
// value takes them away.
func (d *DetectorOf[N]) SetModelThresholds(model string, thresholds ThresholdsOf[N]) error {
	return set(&d.core, thresholds, func(o *owner, writes, reads C.int64_t) C.hotpart_result {
		return C.hotpart_set_model_thresholds(o.native, text(model), length(model), writes, reads)
	})
}

// TableThresholds returns a table's own thresholds; 0 for what is not set.
func (d *DetectorOf[N]) TableThresholds(table string) (ThresholdsOf[N], error) {
	return get[N](&d.core, func(o *owner, writes, reads *C.int64_t) C.hotpart_result {
		return C.hotpart_get_table_thresholds(o.native, text(table), length(table), writes, reads)
	})
}

// ModelThresholds returns a model's thresholds; 0 for what is not set.
func (d *DetectorOf[N]) ModelThresholds(model string) (ThresholdsOf[N], error) {
	return get[N](&d.core, func(o *owner, writes, reads *C.int64_t) C.hotpart_result {
		return C.hotpart_get_model_thresholds(o.native, text(model), length(model), writes, reads)
	})
}

func set[N Amount](c *core, t ThresholdsOf[N], call func(o *owner, writes, reads C.int64_t) C.hotpart_result) error {
	writes, err := inherited("Writes", t.Writes)
	if err != nil {
		return err
	}
	reads, err := inherited("Reads", t.Reads)
	if err != nil {
		return err
	}
	o, err := c.open()
	if err != nil {
		return err
	}
	status := call(o, writes, reads)
	runtime.KeepAlive(o)
	return refused(status)
}

func get[N Amount](c *core, call func(o *owner, writes, reads *C.int64_t) C.hotpart_result) (ThresholdsOf[N], error) {
	o, err := c.open()
	if err != nil {
		return ThresholdsOf[N]{}, err
	}
	var writes, reads C.int64_t
	status := call(o, &writes, &reads)
	runtime.KeepAlive(o)
	if err := refused(status); err != nil {
		return ThresholdsOf[N]{}, err
	}
	// What is inherited is -1.
	return ThresholdsOf[N]{amountOf[N](max(0, int64(writes))), amountOf[N](max(0, int64(reads)))}, nil
}

// inherited is a threshold as the library's integer, which has its own word for none.
func inherited[N Amount](name string, threshold N) (C.int64_t, error) {
	if threshold == 0 {
		return C.HPD_INHERIT, nil
	}
	whole, err := native(name, threshold)
	return C.int64_t(whole), err
}

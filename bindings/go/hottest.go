package hotpart

// #include "native.h"
import "C"

import (
	"cmp"
	"runtime"
	"slices"
)

// HotPartitionOf is what a partition had of one operation in the window or, of a [ClosedMinuteOf], in its minute; see
// [HotPartition] and [CapacityHotPartition].
type HotPartitionOf[N Amount] struct {
	// Table is the table, or TABLE/index/INDEX.
	Table string
	// PK is the partition key's value.
	PK string
	// Operation is what the numbers are of.
	Operation Operation
	// Count is operations or units, as Demand, Peak and Carried are.
	Count N
	// Throttles are throttled attempts for its key range.
	Throttles int64
	// Demand is the count, plus one operation or unit for each throttle.
	Demand N
	// Peak is the largest count of any one second.
	Peak N
	// Utilisation is its fullest second as a share of DynamoDB's limit for a partition: 1 is the limit. It is at least 1 if
	// DynamoDB throttled the partition for its key range.
	Utilisation float64
	// Carried is the largest part of Demand, and of Count, that may belong to other partitions, or be older than the window.
	// It is 0 if both are exact, which they always are without Config.Memory.
	Carried N
}

// Hottest returns the n partitions with the most demand for an operation in the window, the most first. Without an operation,
// or with both, it returns those of both, by their utilisation, as DynamoDB judges reads and writes apart.
func (d *DetectorOf[N]) Hottest(n int, operations ...Operation) ([]HotPartitionOf[N], error) {
	if n < 0 {
		return nil, invalid("n", "must not be negative, but is %d", n)
	}
	if len(operations) == 0 {
		operations = []Operation{Write, Read}
	}
	var found []HotPartitionOf[N]
	for _, operation := range operations {
		some, err := hottest[N](&d.core, n, operation)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	if len(operations) > 1 {
		slices.SortStableFunc(found, func(a, b HotPartitionOf[N]) int {
			return cmp.Or(cmp.Compare(b.Utilisation, a.Utilisation), cmp.Compare(b.Demand, a.Demand))
		})
	}
	return found[:min(n, len(found))], nil
}

func hottest[N Amount](c *core, n int, operation Operation) ([]HotPartitionOf[N], error) {
	o, err := c.open()
	if err != nil {
		return nil, err
	}
	var snapshot *C.hpd_hottest
	status := C.hotpart_hottest_take(o.native, C.int32_t(operation), C.size_t(n), &snapshot)
	runtime.KeepAlive(o)
	if err := refused(status); err != nil {
		return nil, err
	}
	defer C.hpd_hottest_free(snapshot)
	return entries[N](snapshot)
}

func entries[N Amount](snapshot *C.hpd_hottest) ([]HotPartitionOf[N], error) {
	found := make([]HotPartitionOf[N], C.hpd_hottest_len(snapshot))
	for i := range found {
		h := C.hpd_hot_partition{struct_size: C.sizeof_hpd_hot_partition}
		if err := failed(int64(C.hpd_hottest_get(snapshot, C.size_t(i), &h))); err != nil {
			return nil, err
		}
		found[i] = HotPartitionOf[N]{
			Table:       goString(h.table, h.table_len),
			PK:          goString(h.pk, h.pk_len),
			Operation:   Operation(h.operation),
			Count:       amountOf[N](int64(h.count)),
			Throttles:   int64(h.throttles),
			Demand:      amountOf[N](int64(h.demand)),
			Peak:        amountOf[N](int64(h.peak)),
			Utilisation: float64(h.utilisation_permille) / 1_000,
			Carried:     amountOf[N](int64(h.carried)),
		}
	}
	return found, nil
}

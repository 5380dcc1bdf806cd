package hotpart

// #include "native.h"
import "C"

import "runtime"

// Stats are numbers about a detector. Partitions, Bytes and FilterLoad are of now. The others count from when it was made,
// and Clear does not reset them.
type Stats struct {
	// Records are those made.
	Records int64
	// Partitions are those tracked now; with Config.Memory, those that are counted exactly.
	Partitions int64
	// Bytes are those that the library holds now for the detector. Key schemas, and requests that wait for one, are not
	// counted.
	Bytes int64
	// Reclaimed are idle partitions whose memory was given back.
	Reclaimed int64
	// Replaced are partitions that were not idle and lost their counts to a new one at MaxPartitions.
	Replaced int64
	// Cleared are partitions that Clear forgot.
	Cleared int64
	// Warnings are those given.
	Warnings int64
	// Suppressed are hot records that gave no warning.
	Suppressed int64
	// Throttles are those of each [Reason], at its index; [ReasonKeyRange] is the one that means a hot partition.
	Throttles [5]int64
	// Unattributed are amounts charged to no partition, each at the index of its kind, an [Unattributed]; [ScanUnits] and
	// [IndexUnits] are in units. [Unread] is Unread below.
	Unattributed [5]float64
	// EstimatedUnits is capacity that was estimated because no answer told it, in units.
	EstimatedUnits float64
	// UnknownOperations are observed requests of operations that this version does not know.
	UnknownOperations int64
	// Unread are statements, and parts of observed requests, that could not be read.
	Unread int64
	// Promoted are partitions that came to be counted exactly. This and the next three are of Config.Memory, and 0 without
	// it.
	Promoted int64
	// Demoted are partitions that ceased to be counted exactly, as they had become quiet.
	Demoted int64
	// KeptOut are records of partitions that were due to be counted exactly and were not, for want of room.
	KeptOut int64
	// FilterLoad is how full the filter is: the mean of its cells as a share of the lowest count from which any partition is
	// counted exactly. Over 0.4 Config.Memory is too small: keys that are not hot warn.
	FilterLoad float64
	// Failures is how often it failed to observe or record a request, to describe a table, or to
	// collect metrics, and how often a logger or OnWarning panicked.
	Failures int64
}

// AddFailure counts a failure in Stats.Failures. It is for what observes requests or collects
// metrics, as the packages awsmiddleware and hotpartotel do.
func (c *core) AddFailure() { c.failures.Add(1) }

// Stats returns numbers about the detector itself. It logs, once an interval, that Memory is too small, if it is.
func (c *core) Stats() (Stats, error) {
	o, err := c.open()
	if err != nil {
		return Stats{}, err
	}
	s := C.hpd_statistics{struct_size: C.sizeof_hpd_statistics}
	status := C.hpd_get_statistics(o.native, &s)
	defer runtime.KeepAlive(o)
	if err := failed(int64(status)); err != nil {
		return Stats{}, err
	}
	stats := Stats{
		Records:           int64(s.records),
		Partitions:        int64(s.partitions),
		Bytes:             int64(s.bytes),
		Reclaimed:         int64(s.reclaimed),
		Replaced:          int64(s.replaced),
		Cleared:           int64(s.cleared),
		Warnings:          int64(s.warnings),
		Suppressed:        int64(s.suppressed),
		EstimatedUnits:    float64(s.estimated_half_units) / 2,
		UnknownOperations: int64(s.unknown_operations),
		Unread:            int64(s.unread),
		Promoted:          int64(s.promoted),
		Demoted:           int64(s.demoted),
		KeptOut:           int64(s.kept_out),
		FilterLoad:        float64(s.filter_load_permille) / 1_000,
		Failures:          c.failures.Load(),
	}
	for i, n := range s.throttles {
		stats.Throttles[i] = int64(n)
	}
	for i, n := range s.unattributed {
		stats.Unattributed[i] = float64(n)
		if Unattributed(i).inUnits() {
			stats.Unattributed[i] /= 2
		}
	}
	c.notice(o)
	return stats, nil
}

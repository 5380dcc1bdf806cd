package hotpart

// #include "native.h"
import "C"

import "runtime"

// Stats are numbers about a detector since it was made; Clear does not reset them.
type Stats struct {
	// Records are those made.
	Records int64
	// Partitions are those tracked now.
	Partitions int64
	// Bytes are those that the library holds now.
	Bytes int64
	// Reclaimed are idle partitions whose memory was given back.
	Reclaimed int64
	// Replaced are partitions that lost their counts to a new one at MaxPartitions.
	Replaced int64
	// Cleared are partitions that Clear forgot.
	Cleared int64
	// Warnings are those given.
	Warnings int64
	// Suppressed are hot records that gave no warning.
	Suppressed int64
	// Throttles are by [Reason].
	Throttles [5]int64
	// Unattributed is by kind of [Unattributed], but for [Unread]; [ScanUnits] and [IndexUnits] are in units.
	Unattributed [5]float64
	// EstimatedUnits is capacity that was estimated because no answer told it.
	EstimatedUnits float64
	// UnknownOperations are observed requests of operations that are not known.
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
	// FilterLoad is the filter's load: the mean of its cells as a share of the count from which a partition is counted
	// exactly. Over 0.4 it is too small: keys that are not hot warn.
	FilterLoad float64
	// Failures is how often something went wrong in here: a request could not be observed, a table
	// not be described, a logger or OnWarning panicked.
	Failures int64
}

// AddFailure counts a failure, for [Stats]. It is for what observes requests, as the package
// awsmiddleware does.
func (c *core) AddFailure() { c.failures.Add(1) }

// Stats returns numbers about the detector itself. It logs that Memory is too small, if it is, once an interval.
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

package hotpart

// #include "native.h"
import "C"

import "runtime"

// Format is one of metrics.
type Format uint32

// The formats of metrics.
const (
	// Prometheus is its text format 0.0.4.
	Prometheus Format = 0
	// OpenMetrics is version 1.0.
	OpenMetrics Format = C.HPD_METRICS_OPEN_METRICS
)

// MetricsOptionsOf are which metrics are written; see [MetricsOptions] and [CapacityMetricsOptions].
type MetricsOptionsOf[N Amount] struct {
	// Hottest is how many partitions of each operation are written: 100 at most, whatever is asked for.
	Hottest int
	// Least, if it is not 0, has all partitions written whose demand is at least this, and not the hottest: up to 990 of
	// each operation. [FleetLeast] works it out for a fleet. With Config.Memory it must be over the count from which
	// partitions are counted exactly.
	Least N
	// DemandOnly has of a partition its demand alone written: a fifth of the series.
	DemandOnly bool
	// Format is Prometheus, or OpenMetrics.
	Format Format
}

// Metrics returns the statistics and the n hottest partitions of each operation, 100 at most, as text for Prometheus. It
// logs that Memory is too small, if it is, once an interval.
func (c *core) Metrics(n int, format Format) (string, error) {
	if n < 0 {
		return "", invalid("n", "must not be negative, but is %d", n)
	}
	if format != Prometheus && format != OpenMetrics {
		return "", invalid("format", "must be Prometheus or OpenMetrics, not %d", format)
	}
	return c.metrics(C.hpd_metrics_options{hottest: C.uint64_t(n), flags: C.uint32_t(format)})
}

// MetricsWith is Metrics in full.
func (d *DetectorOf[N]) MetricsWith(options MetricsOptionsOf[N]) (string, error) {
	if options.Hottest < 0 {
		return "", invalid("Hottest", "must not be negative, but is %d", options.Hottest)
	}
	if options.Format != Prometheus && options.Format != OpenMetrics {
		return "", invalid("Format", "must be Prometheus or OpenMetrics, not %d", options.Format)
	}
	least, err := native("Least", options.Least)
	if err != nil {
		return "", err
	}
	given := C.hpd_metrics_options{
		hottest: C.uint64_t(options.Hottest), least: C.uint64_t(least), flags: C.uint32_t(options.Format),
	}
	if options.DemandOnly {
		given.flags |= C.HPD_METRICS_DEMAND_ONLY
	}
	return d.metrics(given)
}

func (c *core) metrics(options C.hpd_metrics_options) (string, error) {
	o, err := c.open()
	if err != nil {
		return "", err
	}
	options.struct_size = C.sizeof_hpd_metrics_options
	var metrics *C.hpd_text
	status := C.hotpart_metrics_take(o.native, &options, &metrics)
	defer runtime.KeepAlive(o)
	if err := refused(status); err != nil {
		return "", err
	}
	text := goText(metrics)
	c.notice(o)
	return text, nil
}

// FleetLeast returns the Least of metrics by which no partition is missed that is hot in the sum of many processes alone.
//
// A partition that has threshold in all processes together has that share of it in one of them at least. Listed from a
// precision-th of that share on, the lists of all add up to within a precision-th of threshold of the truth: with 4, which
// is a good choice, whatever has threshold is found, and whatever is found has three quarters of it. A greater precision
// makes longer lists. Never less than 1; what is not positive counts as 1.
func FleetLeast(threshold int64, processes, precision int) int64 {
	part := max(threshold, 1) / int64(max(processes, 1))
	return max(part/int64(max(precision, 1)), 1)
}

// Redacted returns what stands for a key in logs and metrics: 32 hexadecimal digits, or "" if keys are not redacted.
func (c *core) Redacted(table, pk string) (string, error) {
	o, err := c.open()
	if err != nil {
		return "", err
	}
	defer runtime.KeepAlive(o)
	return redacted(o, table, pk)
}

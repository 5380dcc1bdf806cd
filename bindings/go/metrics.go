package hotpart

// #include "native.h"
import "C"

import "runtime"

// Format is a format of metrics.
type Format uint32

// The formats of metrics.
const (
	// Prometheus is its text format 0.0.4.
	Prometheus Format = 0
	// OpenMetrics is version 1.0.
	OpenMetrics Format = C.HPD_METRICS_OPEN_METRICS
)

// MetricsOptionsOf say which metrics are written; see [MetricsOptions] and [CapacityMetricsOptions].
type MetricsOptionsOf[N Amount] struct {
	// Hottest is how many partitions are listed for each operation: 0 lists none, and 100 are listed at most, whatever is
	// asked for.
	Hottest int
	// Least, if it is not 0, lists all partitions with this demand or more, up to 990 for each operation, and not the
	// hottest. [FleetLeast] works it out for a fleet. With Config.Memory it must be over the count from which a partition of
	// any table is counted exactly.
	Least N
	// DemandOnly lists of a partition its demand alone: a fifth of the series. Leave it out with Config.Memory if demands of
	// several processes are added up: the sum's lower bound needs what is carried.
	DemandOnly bool
	// Format is Prometheus, or OpenMetrics.
	Format Format
}

// Metrics returns the statistics and the n hottest partitions of each operation, 100 at most, as text in a format. It logs,
// once an interval, that Memory is too small, if it is.
func (c *core) Metrics(n int, format Format) (string, error) {
	if n < 0 {
		return "", invalid("n", "must not be negative, but is %d", n)
	}
	if format != Prometheus && format != OpenMetrics {
		return "", invalid("format", "must be Prometheus or OpenMetrics, not %d", format)
	}
	return c.metrics(C.hpd_metrics_options{hottest: C.uint64_t(n), flags: C.uint32_t(format)})
}

// MetricsWith returns metrics as options say; otherwise as Metrics.
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

// FleetLeast returns the Least for metrics with which processes miss no partition that is hot only in their sum.
//
// It is threshold, of the sum, divided by processes and by precision; never less than 1. An argument that is not positive
// counts as 1. All that a partition has where it is not listed is then less than threshold / precision. So with a precision
// of 4, which is a good choice, if a partition has threshold, what is listed of it adds up to three quarters of that or more.
// A greater precision makes longer lists.
func FleetLeast(threshold int64, processes, precision int) int64 {
	part := max(threshold, 1) / int64(max(processes, 1))
	return max(part/int64(max(precision, 1)), 1)
}

// Redacted returns the hash that stands for a key in logs and metrics: 32 hexadecimal digits, or "" if keys are not redacted.
func (c *core) Redacted(table, pk string) (string, error) {
	o, err := c.open()
	if err != nil {
		return "", err
	}
	defer runtime.KeepAlive(o)
	return redacted(o, table, pk)
}

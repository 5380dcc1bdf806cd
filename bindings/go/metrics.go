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

// Metrics returns the statistics and the n hottest partitions of each operation, 100 at most, as text for Prometheus. It
// logs that Memory is too small, if it is, once an interval.
func (c *core) Metrics(n int, format Format) (string, error) {
	if n < 0 {
		return "", invalid("n", "must not be negative, but is %d", n)
	}
	if format != Prometheus && format != OpenMetrics {
		return "", invalid("format", "must be Prometheus or OpenMetrics, not %d", format)
	}
	o, err := c.open()
	if err != nil {
		return "", err
	}
	options := C.hpd_metrics_options{struct_size: C.sizeof_hpd_metrics_options, hottest: C.uint64_t(n), flags: C.uint32_t(format)}
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

// Redacted returns what stands for a key in logs and metrics: 32 hexadecimal digits, or "" if keys are not redacted.
func (c *core) Redacted(table, pk string) (string, error) {
	o, err := c.open()
	if err != nil {
		return "", err
	}
	defer runtime.KeepAlive(o)
	return redacted(o, table, pk)
}

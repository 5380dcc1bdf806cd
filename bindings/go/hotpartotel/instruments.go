package hotpartotel

import (
	"errors"
	"strconv"

	"go.opentelemetry.io/otel/metric"
)

// Instruments of one detector.
type instruments struct {
	records, warnings, throttles, unread metric.Int64Observable
	// gauges observe a number as the library wrote it.
	gauges [families]func(to metric.Observer, value string, where metric.ObserveOption)
	all    []metric.Observable
}

func instrumentsOf(meter metric.Meter, capacity, utilization bool) (*instruments, error) {
	var made instruments
	var failed []error
	counter := func(name, unit, description string) metric.Int64Observable {
		counter, err := meter.Int64ObservableCounter("hotpart."+name, metric.WithUnit(unit), metric.WithDescription(description))
		made.all, failed = append(made.all, counter), append(failed, err)
		return counter
	}
	gauge := func(family family, name, unit, description string, whole bool) {
		unitOf, described := metric.WithUnit(unit), metric.WithDescription(description)
		if whole {
			gauge, err := meter.Int64ObservableGauge("hotpart.partition."+name, unitOf, described)
			made.all, failed = append(made.all, gauge), append(failed, err)
			made.gauges[family] = func(to metric.Observer, value string, where metric.ObserveOption) {
				if n, err := strconv.ParseInt(value, 10, 64); err == nil {
					to.ObserveInt64(gauge, n, where)
				}
			}
			return
		}
		gauge, err := meter.Float64ObservableGauge("hotpart.partition."+name, unitOf, described)
		made.all, failed = append(made.all, gauge), append(failed, err)
		made.gauges[family] = func(to metric.Observer, value string, where metric.ObserveOption) {
			if x, err := strconv.ParseFloat(value, 64); err == nil {
				to.ObserveFloat64(gauge, x, where)
			}
		}
	}
	made.records = counter("records", "{record}", "Records made.")
	made.warnings = counter("warnings", "{warning}", "Warnings given.")
	made.throttles = counter("throttles", "{throttle}", "Throttles, by what DynamoDB gave as the reason.")
	made.unread = counter("unread", "{part}", "Statements, and parts of observed requests, that could not be read.")
	unit := "{operation}"
	if capacity {
		unit = "{capacity_unit}"
	}
	gauge(demand, "demand", unit, "Operations or units, and throttles, of a partition in the window.", !capacity)
	gauge(unlisted, "unlisted", unit, "The most demand that a partition can have which is not listed.", !capacity)
	if utilization {
		gauge(share, "utilization", "1", "The share of DynamoDB's limit that a partition's fullest second had.", false)
	}
	return &made, errors.Join(failed...)
}

// Package hotpartotel makes instruments of OpenTelemetry that tell what a detector counts:
//
//	registration, err := hotpartotel.Instrument(detector, hotpart.FleetLeast(48_000, 50, 4))
package hotpartotel

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// hottestMax is the most that a detector lists of each operation without a least.
const hottestMax = 100

// Option changes what is told of a detector.
type Option func(*config)

type config struct {
	meter       metric.Meter
	hottest     int
	utilization bool
	common      []attribute.KeyValue
	logger      *slog.Logger
}

// WithMeter sets the meter that makes the instruments: by default the meter "hotpart" of the global provider.
func WithMeter(meter metric.Meter) Option { return func(c *config) { c.meter = meter } }

// WithHottest sets how many partitions are listed for each operation if least is 0: 10 by default, 100 at most.
func WithHottest(n int) Option { return func(c *config) { c.hottest = n } }

// WithUtilization has hotpart.partition.utilization told too: as many series again.
func WithUtilization() Option { return func(c *config) { c.utilization = true } }

// WithAttributes sets attributes that all points have besides, such as the region, to tell several detectors apart.
func WithAttributes(attributes ...attribute.KeyValue) Option {
	return func(c *config) { c.common = append(c.common, attributes...) }
}

// WithLogger has what goes wrong in a collection logged to logger: by default slog.Default().
func WithLogger(logger *slog.Logger) Option { return func(c *config) { c.logger = logger } }

// Instrument makes instruments, which tell of the detector whenever metrics are collected, until what is returned is
// unregistered or the detector is closed.
//
// All partitions with a demand of least or more are listed: up to 990 for each operation, as an instrument has 2,000 sets of
// attributes at most. [hotpart.FleetLeast] works least out for a fleet. If it is 0, the hottest are listed.
//
// With Config.Memory, thresholds that are raised later can make least too little: the 100 hottest are listed then, and that
// is logged. A demand may then be too high by what is carried, which is not told. So sums of processes are no lower bounds.
//
// Keys are hashed if the detector redacts them. What goes wrong in a collection is logged, each kind once, and Stats.Failures
// counts it.
func Instrument[N hotpart.Amount](detector *hotpart.DetectorOf[N], least N, options ...Option) (metric.Registration, error) {
	c := config{hottest: 10, common: []attribute.KeyValue{attribute.String("db.system.name", "aws.dynamodb")}}
	for _, option := range options {
		option(&c)
	}
	if c.meter == nil {
		c.meter = otel.Meter("hotpart")
	}
	listing := hotpart.MetricsOptionsOf[N]{Hottest: c.hottest, Least: least, DemandOnly: !c.utilization}
	// What the detector refuses is said here, and not by each collection.
	if _, err := detector.MetricsWith(listing); err != nil {
		return nil, err
	}
	made, err := instrumentsOf(c.meter, detector.Capacity(), c.utilization)
	if err != nil {
		return nil, err
	}
	o := &observer[N]{detector: detector, listing: listing, config: c, instruments: made}
	return c.meter.RegisterCallback(o.observe, made.all...)
}

// An observer tells of one detector.
type observer[N hotpart.Amount] struct {
	detector *hotpart.DetectorOf[N]
	listing  hotpart.MetricsOptionsOf[N]
	config
	*instruments
	// logged are the errors that were.
	logged sync.Map
}

// observe reads the detector once for all instruments: bounds hold in one snapshot only. It returns no error, as the SDK
// would log that each time.
func (o *observer[N]) observe(_ context.Context, to metric.Observer) error {
	if text, err := o.listed(); o.worked(err) {
		o.observeListed(to, text)
	}
	if stats, err := o.detector.Stats(); o.worked(err) {
		o.observeStats(to, stats)
	}
	return nil
}

// listed returns the metrics. With Config.Memory, thresholds that are raised make the least too little. Then these are of
// the hottest partitions, which with the most that others have bound the sums of a fleet as well.
func (o *observer[N]) listed() (string, error) {
	text, err := o.detector.MetricsWith(o.listing)
	if o.listing.Least == 0 || !errors.Is(err, hotpart.ErrInvalid) {
		return text, err
	}
	o.failed("only the hottest partitions are listed", err)
	return o.detector.MetricsWith(hotpart.MetricsOptionsOf[N]{Hottest: hottestMax, DemandOnly: o.listing.DemandOnly})
}

func (o *observer[N]) observeListed(to metric.Observer, text string) {
	for sample := range listedIn(text) {
		attributes := o.with(attribute.String("hotpart.operation", sample.operation))
		if sample.family != unlisted {
			attributes = append(attributes, attribute.String("db.collection.name", sample.table),
				attribute.String("hotpart.partition.key", sample.pk))
		}
		o.gauges[sample.family](to, sample.value, metric.WithAttributes(attributes...))
	}
}

func (o *observer[N]) observeStats(to metric.Observer, stats hotpart.Stats) {
	to.ObserveInt64(o.records, stats.Records, metric.WithAttributes(o.common...))
	to.ObserveInt64(o.warnings, stats.Warnings, metric.WithAttributes(o.common...))
	to.ObserveInt64(o.unread, stats.Unread, metric.WithAttributes(o.common...))
	for reason, n := range stats.Throttles {
		why := o.with(attribute.String("hotpart.throttle.reason", hotpart.Reason(reason).String()))
		to.ObserveInt64(o.throttles, n, metric.WithAttributes(why...))
	}
}

// with returns the common attributes and one more.
func (o *observer[N]) with(one attribute.KeyValue) []attribute.KeyValue {
	return append(o.common[:len(o.common):len(o.common)], one)
}

// worked tells whether there is no error.
func (o *observer[N]) worked(err error) bool {
	if err != nil && !errors.Is(err, hotpart.ErrClosed) {
		o.failed("metrics could not be collected", err)
	}
	return err == nil
}

// failed counts an error. It logs the first that says the same.
func (o *observer[N]) failed(what string, err error) {
	o.detector.AddFailure()
	if _, known := o.logged.LoadOrStore(err.Error(), true); !known {
		logger := o.logger
		if logger == nil {
			logger = slog.Default()
		}
		logger.Warn(what, "logger", "hotpart", "error", err)
	}
}

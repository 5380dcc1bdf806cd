package hotpart

// #include "native.h"
import "C"

import (
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"
)

// Detectors of operations, and what they take and give.
type (
	// Detector counts operations. Made by [New]; its methods are those of [DetectorOf].
	Detector = DetectorOf[int64]
	// Config is what a [Detector] is made with.
	Config = ConfigOf[int64]
	// Record is one record of a [Detector] in full.
	Record = RecordOf[int64]
	// Thresholds are those of a [Detector].
	Thresholds = ThresholdsOf[int64]
	// Warning is what a [Detector] gives.
	Warning = WarningOf[int64]
	// HotPartition is what a [Detector] lists.
	HotPartition = HotPartitionOf[int64]
	// ClosedMinute is what a [Detector] tells of a minute that is over.
	ClosedMinute = ClosedMinuteOf[int64]
	// Bounds are those of a count of a [Detector].
	Bounds = BoundsOf[int64]
	// MetricsOptions say which metrics of a [Detector] are written.
	MetricsOptions = MetricsOptionsOf[int64]
)

// Detectors of capacity, and what they take and give.
type (
	// CapacityDetector counts capacity. Made by [NewCapacity] and [NewForDynamoDB]; its methods are those of [DetectorOf].
	CapacityDetector = DetectorOf[float64]
	// CapacityConfig is what a [CapacityDetector] is made with.
	CapacityConfig = ConfigOf[float64]
	// CapacityRecord is one record of a [CapacityDetector] in full.
	CapacityRecord = RecordOf[float64]
	// CapacityThresholds are those of a [CapacityDetector].
	CapacityThresholds = ThresholdsOf[float64]
	// CapacityWarning is what a [CapacityDetector] gives.
	CapacityWarning = WarningOf[float64]
	// CapacityHotPartition is what a [CapacityDetector] lists.
	CapacityHotPartition = HotPartitionOf[float64]
	// CapacityClosedMinute is what a [CapacityDetector] tells of a minute that is over.
	CapacityClosedMinute = ClosedMinuteOf[float64]
	// CapacityBounds are those of a count of a [CapacityDetector].
	CapacityBounds = BoundsOf[float64]
	// CapacityMetricsOptions say which metrics of a [CapacityDetector] are written.
	CapacityMetricsOptions = MetricsOptionsOf[float64]
)

// DetectorOf is the type of detectors; see [Detector] and [CapacityDetector]. Any number of goroutines may use one.
type DetectorOf[N Amount] struct{ core }

// core is what detectors have in common whatever they count in. It must not be copied.
type core struct {
	owner    atomic.Pointer[owner]
	capacity bool
	window   int
	// one is what a record without an amount adds.
	one   int64
	alert alert
	// failures is how often something went wrong around the library.
	failures atomic.Int64
}

// New makes a detector that counts operations.
func New(config Config) (*Detector, error) { return build(config, config.own) }

// NewCapacity makes a detector that counts capacity: thresholds, amounts and counts are in DynamoDB's units.
func NewCapacity(config CapacityConfig) (*CapacityDetector, error) { return build(config, config.own) }

// NewForDynamoDB makes a detector that warns by DynamoDB's limits for a partition: 1,000 write and 3,000 read units a second.
// It counts capacity. It warns at the limit in one second, and at share of it, 0.001 to 1, over five. Counts and lists are of
// the window, 5 to 3,600 seconds (60 if WindowSeconds is 0), which has no threshold: 5 are enough to warn, and take the least
// Memory. Each of processes, 1 or more, which share the traffic evenly, has an even part of the limits. config has the rest;
// thresholds and Processes in it are refused.
func NewForDynamoDB(share float64, processes int, config CapacityConfig) (*CapacityDetector, error) {
	return build(config, func(options *C.hpd_options) error {
		if err := config.withoutOwn(); err != nil {
			return err
		}
		if !(share >= 0.001 && share <= 1) {
			return invalid("share", "must be 0.001 to 1, not %v", share)
		}
		if processes < 0 || processes > math.MaxUint32 {
			return invalid("processes", "must be 1 to %d, not %d", uint32(math.MaxUint32), processes)
		}
		permille := C.uint32_t(math.Round(share * 1_000))
		if err := refused(C.hotpart_options_for_dynamodb(options, permille, C.uint32_t(processes))); err != nil {
			return err
		}
		if config.WindowSeconds != 0 {
			options.window_seconds = config.window()
		}
		return nil
	})
}

func build[N Amount](config ConfigOf[N], limits func(*C.hpd_options) error) (*DetectorOf[N], error) {
	if version := C.hpd_abi_version(); version != 1 {
		return nil, fmt.Errorf("%w: version %d of the library's interface", ErrUnsupported, version)
	}
	var options C.hpd_options
	C.hpd_options_init(&options, C.size_t(unsafe.Sizeof(options)))
	if err := limits(&options); err != nil {
		return nil, err
	}
	if err := config.shared(&options); err != nil {
		return nil, err
	}
	var made *C.hpd_detector
	if err := refused(C.hotpart_new_with_options(&options, &made)); err != nil {
		return nil, valued(err, config)
	}
	d := &DetectorOf[N]{core{
		capacity: inUnits[N](),
		window:   int(options.window_seconds),
		one:      perUnit[N](),
		alert: alert{
			logger: config.Logger, always: options.warning_interval_seconds == 0, bounded: options.filter_bytes > 0,
		},
	}}
	if onWarning := config.OnWarning; onWarning != nil {
		d.alert.call = func(w warning) { onWarning(warningIn[N](w)) }
	}
	d.owner.Store(newOwner(made))
	return d, nil
}

// WindowSeconds returns the sliding window, in seconds.
func (c *core) WindowSeconds() int { return c.window }

// Capacity tells whether capacity is counted, in units, and not operations.
func (c *core) Capacity() bool { return c.capacity }

// Version returns the version of the library that is linked, such as "0.1.0".
func Version() string { return C.GoString(C.hpd_version()) }

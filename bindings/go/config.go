package hotpart

// #include "native.h"
import "C"

import (
	"encoding/binary"
	"log/slog"
	"math"
	"time"
)

// EveryRecord is the WarningInterval with which every hot record warns.
const EveryRecord time.Duration = -1

// ConfigOf is what a detector is made with; see [Config] and [CapacityConfig]. Both thresholds and the window must be
// given: what makes a partition hot has no default.
type ConfigOf[N Amount] struct {
	// WritesThreshold is the count of writes in the window from which a partition is hot; more than 0.
	WritesThreshold N
	// ReadsThreshold is the same for reads.
	ReadsThreshold N
	// WindowSeconds is the sliding window, in seconds: 1 to 3,600.
	WindowSeconds int

	// WritesPerSecond is the write threshold for a single second, independent of the window's; 0: no such rule.
	WritesPerSecond N
	// ReadsPerSecond is the same for reads.
	ReadsPerSecond N
	// WritesSustained is the write threshold for five seconds, the current one and the four before it; 0: no such rule. It
	// needs a window of 5 seconds or more.
	WritesSustained N
	// ReadsSustained is the same for reads.
	ReadsSustained N
	// Processes is how many processes share the tables' traffic, about evenly; 0 means 1. Utilisation is judged by an even
	// share of DynamoDB's limits. Thresholds are not divided.
	Processes int

	// OnWarning is called with each warning, beside the log line, by the goroutine that recorded, after the record. It may
	// use the detector. A panic in it is recovered, and logged.
	OnWarning func(WarningOf[N])
	// Logger gets a line for each warning, and one an interval if Memory is too small. Nil is slog.Default();
	// slog.New(slog.DiscardHandler) turns it off.
	Logger *slog.Logger
	// WarningInterval is the least time between two warnings for one partition and operation, in whole seconds. 0 means the
	// window; [EveryRecord]: every hot record warns, save those that OnWarning makes.
	WarningInterval time.Duration
	// WarnOfThrottles makes a partition's first throttle for its key range warn, and later the first after each interval.
	WarnOfThrottles bool
	// MaxPartitions is the most partitions that are tracked; 0: no bound. At the bound a new partition takes the place of an
	// idle one or, if none of a few is idle, of the quietest of those, which loses its counts.
	MaxPartitions int
	// Memory is for bounded counting: the memory, in bytes, such as 8 << 20, of 64 KiB to 1 TiB; 0: not bounded. Partitions
	// are counted together in a filter of that size. One that nears its threshold is counted exactly. No hot key is missed,
	// and a warning says in Carried by how much its count may be too high. Not allowed with MaxPartitions.
	Memory int64
	// PromoteShare is, with Memory, the share of a partition's lowest threshold from which it is counted exactly: 0.01 to
	// 0.5. 0 means 0.25.
	PromoteShare float64
	// Redact puts a keyed hash in place of each key in logs, metrics and recordings.
	Redact bool
	// RedactKey is the secret of that hash: with the same secret it is the same in all processes. Zero: a random one. It
	// must not be set without Redact.
	RedactKey [16]byte
	// ManualClock has the clock start at 0 and stand until SetTime moves it, for tests.
	ManualClock bool
	// HashSeed makes equal calls have equal effects, for tests; nil: random seeds. Don't set it where strangers choose the
	// keys.
	HashSeed *[2]uint64
}

// own puts thresholds of one's own, and what goes with them, into options.
func (config *ConfigOf[N]) own(options *C.hpd_options) error {
	for _, each := range []struct {
		name     string
		given    N
		required bool
		to       *C.uint64_t
	}{
		{"WritesThreshold", config.WritesThreshold, true, &options.writes_threshold},
		{"ReadsThreshold", config.ReadsThreshold, true, &options.reads_threshold},
		{"WritesPerSecond", config.WritesPerSecond, false, &options.writes_per_second},
		{"ReadsPerSecond", config.ReadsPerSecond, false, &options.reads_per_second},
		{"WritesSustained", config.WritesSustained, false, &options.writes_sustained},
		{"ReadsSustained", config.ReadsSustained, false, &options.reads_sustained},
	} {
		if each.given == 0 && !each.required {
			continue
		}
		amount, err := native(each.name, each.given)
		if err != nil {
			return err
		}
		*each.to = C.uint64_t(amount)
	}
	if config.Processes < 0 || config.Processes > math.MaxUint32 {
		return invalid("Processes", "must be 1 to %d, not %d", uint32(math.MaxUint32), config.Processes)
	}
	options.window_seconds = config.window()
	options.processes = C.uint32_t(config.Processes)
	return nil
}

// window is the window; what the library's integers lack is refused as the nearest that they have.
func (config *ConfigOf[N]) window() C.uint32_t {
	return C.uint32_t(max(0, min(config.WindowSeconds, math.MaxUint32)))
}

// withoutOwn refuses what DynamoDB's limits leave no room for.
func (config *ConfigOf[N]) withoutOwn() error {
	for name, given := range map[string]bool{
		"WritesThreshold": config.WritesThreshold != 0,
		"ReadsThreshold":  config.ReadsThreshold != 0,
		"WritesPerSecond": config.WritesPerSecond != 0,
		"ReadsPerSecond":  config.ReadsPerSecond != 0,
		"WritesSustained": config.WritesSustained != 0,
		"ReadsSustained":  config.ReadsSustained != 0,
		"Processes":       config.Processes != 0,
	} {
		if given {
			return invalid(name, "must not be set: DynamoDB's limits decide")
		}
	}
	return nil
}

// shared puts what every detector takes into options.
func (config *ConfigOf[N]) shared(options *C.hpd_options) error {
	switch interval := config.WarningInterval; {
	case interval == EveryRecord:
		options.warning_interval_seconds = 0
	case interval < 0 || interval%time.Second != 0 || interval/time.Second >= C.HPD_INTERVAL_WINDOW:
		return invalid("WarningInterval", "must be whole seconds, 0 or EveryRecord, not %v", interval)
	case interval > 0:
		options.warning_interval_seconds = C.uint32_t(interval / time.Second)
	}
	if config.MaxPartitions < 0 {
		return invalid("MaxPartitions", "must not be negative, but is %d", config.MaxPartitions)
	}
	options.max_partitions = C.uint64_t(config.MaxPartitions)
	if config.Memory < 0 {
		return invalid("Memory", "must not be negative, but is %d", config.Memory)
	}
	if config.Memory > 0 && config.MaxPartitions > 0 {
		return invalid("Memory", "must not be set with MaxPartitions")
	}
	options.filter_bytes = C.uint64_t(config.Memory)
	if share := config.PromoteShare; share != 0 {
		if !(share >= 0.01 && share <= 0.5) {
			return invalid("PromoteShare", "must be 0.01 to 0.5, or 0, not %v", share)
		}
		options.promote_permille = C.uint32_t(math.Round(share * 1_000))
	}
	if config.RedactKey != [16]byte{} && !config.Redact {
		return invalid("RedactKey", "must not be set without Redact")
	}
	for i := range options.redact_key {
		options.redact_key[i] = C.uint64_t(binary.LittleEndian.Uint64(config.RedactKey[8*i:]))
	}
	if seed := config.HashSeed; seed != nil {
		options.flags |= C.HPD_FLAG_HASH_SEED
		options.hash_seed = [2]C.uint64_t{C.uint64_t(seed[0]), C.uint64_t(seed[1])}
	}
	if config.ManualClock {
		options.clock = C.HPD_CLOCK_MANUAL
	}
	for _, each := range []struct {
		on   bool
		flag C.uint32_t
	}{
		{inUnits[N](), C.HPD_FLAG_CAPACITY},
		{config.WarnOfThrottles, C.HPD_FLAG_WARN_THROTTLES},
		{config.Redact, C.HPD_FLAG_REDACT_KEYS},
	} {
		if each.on {
			options.flags |= each.flag
		}
	}
	return nil
}

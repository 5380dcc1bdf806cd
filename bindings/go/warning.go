package hotpart

// #include "native.h"
import "C"

import (
	"log/slog"
	"strings"
	"unsafe"
)

// WarningOf says that a partition is hot: its count has reached its threshold. See [Warning] and [CapacityWarning].
type WarningOf[N Amount] struct {
	// Table is the table, or TABLE/index/INDEX.
	Table string
	// PK is the partition key's value, whether keys are redacted or not.
	PK string
	// Redacted is the hash that stands for the key in logs and metrics; empty if keys are not redacted.
	Redacted string
	// Operation is the operation whose count is hot.
	Operation Operation
	// Count is the count that reached the threshold: operations or units. By RuleThrottle it, Peak and Carried are throttled
	// attempts in the window.
	Count N
	// Threshold is what Count reached; 1 by RuleThrottle.
	Threshold N
	// WindowSeconds is the seconds that Count is of: 1 by RuleSecond, 5 by RuleSustained, else the window.
	WindowSeconds int
	// Suppressed are hot records that gave no warning since the partition's last warning for this operation.
	Suppressed int64
	// Peak is the largest count of any one second in the window.
	Peak N
	// Rule is the rule that is met.
	Rule Rule
	// Utilisation is Count divided by its seconds, as a share of DynamoDB's limit a second for a partition: 1 is the limit.
	// Of several Processes each has an even share of the limit. By RuleThrottle it is 1.
	Utilisation float64
	// Carried is the largest part of Count that may belong to other partitions, or be older than the window. It is 0 if
	// Count is exact, which it always is without Config.Memory.
	Carried N

	line string
}

// String returns the line that is logged: the key escaped, or hashed if keys are redacted.
func (w WarningOf[N]) String() string { return w.line }

// A warning is one in the library's integers. Its table and key are its own.
type warning struct {
	table, pk, redacted, line string
	due                       C.hotpart_due
	perUnit                   int64
}

func (c *core) warningOf(o *owner, table, pk string, due C.hotpart_due) warning {
	w := warning{table: strings.Clone(table), pk: strings.Clone(pk), due: due, perUnit: c.one}
	if w.due.rule == C.HPD_RULE_THROTTLE {
		// Throttles are attempts, which have no units.
		w.perUnit = 1
	}
	w.redacted, _ = redacted(o, table, pk)
	if line := C.hotpart_log_line(o.native, text(table), length(table), text(pk), length(pk), &w.due); line != nil {
		w.line = goText(line)
	}
	return w
}

func warningIn[N Amount](w warning) WarningOf[N] {
	amount := func(n C.uint64_t) N { return N(n) / N(w.perUnit) }
	return WarningOf[N]{
		Table:         w.table,
		PK:            w.pk,
		Redacted:      w.redacted,
		Operation:     Operation(w.due.operation),
		Count:         amount(w.due.count),
		Threshold:     amount(w.due.threshold),
		WindowSeconds: int(w.due.window_seconds),
		Suppressed:    int64(w.due.suppressed),
		Peak:          amount(w.due.peak),
		Rule:          Rule(w.due.rule),
		Utilisation:   float64(w.due.utilisation_permille) / 1_000,
		Carried:       amount(w.due.carried),
		line:          w.line,
	}
}

// attributes is a warning as a log's: without the key, if keys are redacted.
func (w *warning) attributes() []slog.Attr {
	pk := w.pk
	if w.redacted != "" {
		pk = w.redacted
	}
	amount := func(name string, n C.uint64_t) slog.Attr {
		if w.perUnit == 1 {
			return slog.Uint64(name, uint64(n))
		}
		return slog.Float64(name, float64(n)/float64(w.perUnit))
	}
	attributes := []slog.Attr{
		slog.String("logger", "hotpart"),
		slog.String("table", w.table),
		slog.String("pk", pk),
		slog.String("operation", Operation(w.due.operation).String()),
		amount("count", w.due.count),
		amount("threshold", w.due.threshold),
		slog.Int("window_seconds", int(w.due.window_seconds)),
		slog.Uint64("suppressed", uint64(w.due.suppressed)),
		amount("peak", w.due.peak),
		slog.String("rule", Rule(w.due.rule).String()),
		slog.Float64("utilisation", float64(w.due.utilisation_permille)/1_000),
	}
	if w.due.carried > 0 {
		attributes = append(attributes, amount("carried", w.due.carried))
	}
	return attributes
}

// redacted is what stands for a key, or "" if keys are not redacted.
func redacted(o *owner, table, pk string) (string, error) {
	var digits [32]byte
	out := (*C.char)(unsafe.Pointer(&digits))
	written := C.hotpart_redact(o.native, text(table), length(table), text(pk), length(pk), out)
	return string(digits[:max(written.value, 0)]), refused(written)
}

// goText copies a text of the library's, and frees it.
func goText(t *C.hpd_text) string {
	defer C.hpd_text_free(t)
	return string(unsafe.Slice((*byte)(unsafe.Pointer(C.hpd_text_data(t))), C.hpd_text_len(t)))
}

//go:build cgo

package hotpart

import "fmt"

// Operation is what an action does to a partition. Reads and writes are counted, and judged, apart.
type Operation int32

// The operations.
const (
	Write Operation = iota
	Read
)

// String returns "write" or "read".
func (o Operation) String() string { return word("Operation", int32(o), "write", "read") }

// Rule is the rule by which a warning was due.
type Rule int32

// The rules of a warning.
const (
	// RuleWindow: the window's count has reached its threshold.
	RuleWindow Rule = iota
	// RuleSecond: the current second has reached its threshold.
	RuleSecond
	// RuleSustained: five seconds, the current one and the four before it, have reached their threshold.
	RuleSustained
	// RuleThrottle: DynamoDB throttled the partition for its key range.
	RuleThrottle
)

// String returns the rule's name, such as "window".
func (r Rule) String() string {
	return word("Rule", int32(r), "window", "second", "sustained", "throttle")
}

// Reason is why DynamoDB throttled an attempt.
type Reason int32

// The reasons of a throttle. Only ReasonKeyRange is evidence of a hot partition.
const (
	// ReasonUnknown: the answer named none.
	ReasonUnknown Reason = iota
	// ReasonKeyRange: the partition's own limit.
	ReasonKeyRange
	// ReasonProvisioned: the provisioned throughput of the table or index.
	ReasonProvisioned
	// ReasonAccountLimit: the account's limit.
	ReasonAccountLimit
	// ReasonMaxOnDemand: the most that an on-demand table or index was set to.
	ReasonMaxOnDemand
)

// String returns the reason's name, such as "key_range".
func (r Reason) String() string {
	return word("Reason", int32(r), "unknown", "key_range", "provisioned", "account_limit", "max_on_demand")
}

// Unattributed is a kind of work that no partition can be charged with, and that is tallied by table.
type Unattributed int32

// The kinds of work that no partition is charged with.
const (
	// Scans are scans, and statements that name no partition key.
	Scans Unattributed = iota
	// ScanUnits is the capacity that those took.
	ScanUnits
	// Unprocessed are items of batches that DynamoDB returned unprocessed.
	Unprocessed
	// IndexUnits is capacity of an index whose key value is not known.
	IndexUnits
	// Throttles are those of requests, or of indexes, of which no key is known.
	Throttles
	// Unread are statements, and parts of requests, that could not be read.
	Unread
)

// String returns the kind's name, such as "scan_units".
func (u Unattributed) String() string {
	return word("Unattributed", int32(u), "scans", "scan_units", "unprocessed", "index_units", "throttles", "unread")
}

// inUnits tells whether what is tallied is capacity.
func (u Unattributed) inUnits() bool { return u == ScanUnits || u == IndexUnits }

func word(kind string, n int32, words ...string) string {
	if n < 0 || int(n) >= len(words) {
		return fmt.Sprintf("%s(%d)", kind, n)
	}
	return words[n]
}

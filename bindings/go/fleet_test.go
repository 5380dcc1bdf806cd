package hotpart_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

var (
	demands = regexp.MustCompile(`(?m)^hotpart_partition_demand\{.*pk="(.*)",operation="write"\} (.*)$`)
	most    = regexp.MustCompile(`(?m)^hotpart_partition_unlisted_most\{operation="write"\} (.*)$`)
)

// listed is what metrics list of writes, and the most that others can have.
func listed(text string) (keys, unlisted string, n int) {
	for _, found := range demands.FindAllStringSubmatch(text, -1) {
		keys, n = keys+found[1], n+1
	}
	return keys, most.FindStringSubmatch(text)[1], n
}

func TestWhatHasTheLeastIsListedAndTheMostOfTheOthersTold(t *testing.T) {
	d := made(t, func(c *hotpart.Config) { c.WritesThreshold = 1e6 })
	for pk, amount := range map[string]int64{"a": 9, "b": 5, "c": 4, "d": 1} {
		value(d.Record(hotpart.Record{Table: "t", PK: pk, Amount: amount}))(t)
	}
	for _, each := range []struct {
		least          int64
		keys, unlisted string
	}{{1, "abcd", "0"}, {4, "abc", "1"}, {5, "ab", "4"}, {9, "a", "5"}, {10, "", "9"}} {
		keys, unlisted, _ := listed(value(d.MetricsWith(hotpart.MetricsOptions{Hottest: 1, Least: each.least, DemandOnly: true}))(t))
		want(t, fmt.Sprint("keys of ", each.least), keys, each.keys)
		want(t, fmt.Sprint("unlisted of ", each.least), unlisted, each.unlisted)
	}
	keys, _, _ := listed(value(d.MetricsWith(hotpart.MetricsOptions{Hottest: 1}))(t))
	want(t, "without a least the hottest", keys, "a")
}

func TestTheLeastOfADetectorOfCapacityIsInUnits(t *testing.T) {
	d := value(hotpart.NewCapacity(hotpart.CapacityConfig{WritesThreshold: 1e6, ReadsThreshold: 1e6, WindowSeconds: 60}))(t)
	defer d.Close()
	value(d.Record(hotpart.CapacityRecord{Table: "t", PK: "a", Amount: 2.5}))(t)
	value(d.Record(hotpart.CapacityRecord{Table: "t", PK: "b", Amount: 2}))(t)
	keys, unlisted, _ := listed(value(d.MetricsWith(hotpart.CapacityMetricsOptions{Least: 2.5}))(t))
	want(t, "keys", keys, "a")
	want(t, "unlisted", unlisted, "2")
	_, err := d.MetricsWith(hotpart.CapacityMetricsOptions{Least: 0.3})
	refused(t, err, hotpart.ErrInvalid, "Least")
}

func TestOfAPartitionTheDemandAloneIsWrittenWhereThatIsAsked(t *testing.T) {
	d := made(t, nil)
	value(d.RecordWrite("t", "k"))(t)
	for _, format := range []hotpart.Format{hotpart.Prometheus, hotpart.OpenMetrics} {
		text := value(d.MetricsWith(hotpart.MetricsOptions{Hottest: 1, DemandOnly: true, Format: format}))(t)
		want(t, "families", strings.Count(text, "# TYPE hotpart_partition_"), 2)
		want(t, "OpenMetrics", strings.HasSuffix(text, "# EOF\n"), format == hotpart.OpenMetrics)
	}
}

func TestNoMoreThan990AreListed(t *testing.T) {
	d := made(t, func(c *hotpart.Config) { c.WritesThreshold = 1e6 })
	for n := range int64(1_500) {
		value(d.Record(hotpart.Record{Table: "t", PK: fmt.Sprint(n + 1), Amount: n + 1}))(t)
	}
	_, unlisted, n := listed(value(d.MetricsWith(hotpart.MetricsOptions{Hottest: 3, Least: 2}))(t))
	want(t, "listed", n, 990)
	want(t, "unlisted", unlisted, "510")
}

func TestWithAFilterTheLeastMustBeOverTheLevel(t *testing.T) {
	d := made(t, func(c *hotpart.Config) { c.WritesThreshold, c.ReadsThreshold, c.Memory = 1_000, 1_000, 1<<20 })
	_, err := d.MetricsWith(hotpart.MetricsOptions{Least: 250})
	refused(t, err, hotpart.ErrInvalid, "Least must be more than the count from which partitions are counted exactly")
	value(d.MetricsWith(hotpart.MetricsOptions{Least: 251}))(t)
}

func TestTheLeastOfAFleet(t *testing.T) {
	for _, each := range []struct {
		threshold            int64
		processes, precision int
		least                int64
	}{
		{60_000, 50, 4, 300}, {60_000, 50, 8, 150}, {100, 50, 4, 1}, {0, 1, 1, 1}, {-1, -1, -1, 1}, {7, 0, 0, 7},
		{math.MaxInt64, 1, 1, math.MaxInt64}, {math.MaxInt64, math.MaxInt, math.MaxInt, 1},
	} {
		want(t, fmt.Sprint(each), hotpart.FleetLeast(each.threshold, each.processes, each.precision), each.least)
	}
}

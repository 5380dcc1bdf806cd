package hotpart_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

func TestMemoryThatMakesNoSenseIsRefused(t *testing.T) {
	for _, each := range []struct {
		config hotpart.CapacityConfig
		says   string
	}{
		{hotpart.CapacityConfig{Memory: -1}, "hotpart: Memory must not be negative, but is -1"},
		{hotpart.CapacityConfig{Memory: 1}, "hotpart: Memory must be 65536 to 1099511627776, or 0, not 1"},
		{hotpart.CapacityConfig{Memory: 65_535}, "hotpart: Memory must be 65536 to "},
		{hotpart.CapacityConfig{Memory: 1<<40 + 1}, "hotpart: Memory must be 65536 to "},
		{hotpart.CapacityConfig{Memory: math.MaxInt64}, "hotpart: Memory must be 65536 to "},
		{hotpart.CapacityConfig{Memory: 1 << 20, MaxPartitions: 9}, "hotpart: Memory must not be set with MaxPartitions"},
		{hotpart.CapacityConfig{Memory: 1 << 20, PromoteShare: 0.009}, "hotpart: PromoteShare must be 0.01 to 0.5, or 0, not 0.009"},
		{hotpart.CapacityConfig{Memory: 1 << 20, PromoteShare: 0.501}, "hotpart: PromoteShare must be "},
		{hotpart.CapacityConfig{Memory: 1 << 20, PromoteShare: -0.25}, "hotpart: PromoteShare must be "},
		{hotpart.CapacityConfig{Memory: 1 << 20, PromoteShare: math.NaN()}, "hotpart: PromoteShare must be "},
	} {
		own := each.config
		own.WritesThreshold, own.ReadsThreshold, own.WindowSeconds = 1, 1, 60
		_, err := hotpart.NewCapacity(own)
		refused(t, err, hotpart.ErrInvalid, each.says)
		_, err = hotpart.NewForDynamoDB(0.8, 1, each.config)
		refused(t, err, hotpart.ErrInvalid, each.says)
	}
}

func TestACountIsWithinItsBounds(t *testing.T) {
	for _, memory := range []int64{0, 1 << 20} {
		config := hotpart.CapacityConfig{WritesThreshold: 100, ReadsThreshold: 100, WindowSeconds: 60, Memory: memory,
			ManualClock: true, Logger: discard, HashSeed: &[2]uint64{}}
		d, err := hotpart.NewCapacity(config)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		want(t, "bounds of nothing", value(d.Bounds("t", "k", hotpart.Write))(t), hotpart.CapacityBounds{})
		for _, amount := range []float64{1, 30, 0.5, 12.5, 70} {
			count := value(d.Record(hotpart.CapacityRecord{Table: "t", PK: "k", Amount: amount}))(t)
			bounds := value(d.Bounds("t", "k", hotpart.Write))(t)
			if bounds.Least < 0 || bounds.Least > count || count > bounds.Most || memory == 0 && bounds.Least != bounds.Most {
				t.Errorf("got %v, counted %v", bounds, count)
			}
		}
		want(t, "bounds of the other operation", value(d.Bounds("t", "k", hotpart.Read))(t), hotpart.CapacityBounds{})
	}
	d := made(t, func(c *hotpart.Config) { c.ReadsThreshold = 9 })
	for range 4 {
		value(d.RecordRead("t", "k"))(t)
	}
	want(t, "bounds of operations", value(d.Bounds("t", "k", hotpart.Read))(t), hotpart.Bounds{Least: 4, Most: 4})
}

func TestBoundsRefuseWhatCountsRefuse(t *testing.T) {
	d := made(t, nil)
	for argument, err := range map[string]error{
		"table":     second(d.Bounds("", "k", hotpart.Read)),
		"pk":        second(d.Bounds("t", strings.Repeat("k", 16_385), hotpart.Read)),
		"operation": second(d.Bounds("t", "k", 7)),
	} {
		refused(t, err, hotpart.ErrInvalid, argument)
	}
	d.Close()
	refused(t, second(d.Bounds("t", "k", hotpart.Read)), hotpart.ErrClosed, "")
}

func second(_ hotpart.Bounds, err error) error { return err }

func TestWithoutMemoryAllIsExact(t *testing.T) {
	var seen []hotpart.Warning
	d := made(t, func(c *hotpart.Config) { c.OnWarning = func(w hotpart.Warning) { seen = append(seen, w) } })
	for range 3 {
		value(d.RecordWrite("t", "k"))(t)
	}
	want(t, "carried", seen[0].Carried, 0)
	want(t, "of the hottest", value(d.Hottest(1))(t)[0].Carried, 0)
	stats := value(d.Stats())(t)
	want(t, "statistics", fmt.Sprint(stats.Promoted, stats.Demoted, stats.KeptOut, stats.FilterLoad), "0 0 0 0")
}

func TestAHotKeyAmong200000IsWarnedOfAndMemoryStays(t *testing.T) {
	var seen []hotpart.Warning
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.ReadsThreshold, c.Memory, c.HashSeed = 5_000, 5_000, 64<<10, &[2]uint64{}
		c.OnWarning = func(w hotpart.Warning) { seen = append(seen, w) }
	})
	var exact, at int64
	for n := range 200_000 {
		value(d.RecordWrite("t", fmt.Sprint(n)))(t)
		if n%40 == 0 {
			exact++
			if count := value(d.RecordWrite("t", "hot"))(t); count < exact {
				t.Fatalf("counted %d of %d", count, exact)
			}
			if len(seen) > 0 && at == 0 {
				at = exact
			}
		}
	}
	if len(seen) == 0 {
		t.Fatal("the hot key was missed")
	}
	for _, w := range seen {
		want(t, "key", w.PK, "hot")
	}
	// It is warned of a quarter of the threshold too soon at most, and never late.
	w := seen[0]
	if at <= 5_000-1_250 || at > 5_000 || w.Count < w.Threshold || w.Carried >= 1_250 {
		t.Errorf("at %d: %+v", at, w)
	}
	if w.Count-w.Carried > at || at > w.Count || strings.Contains(w.String(), "at least") != (w.Carried > 0) {
		t.Errorf("at %d: %+v %v", at, w, w)
	}
	if b := value(d.Bounds("t", "hot", hotpart.Write))(t); b.Least > 5_000 || b.Most < 5_000 {
		t.Errorf("bounds %v", b)
	}
	h := value(d.Hottest(1, hotpart.Write))(t)[0]
	if h.PK != "hot" || h.Count-h.Carried > 5_000 || h.Count < 5_000 {
		t.Errorf("hottest %+v", h)
	}
	if s := value(d.Stats())(t); s.Bytes > 64<<10 || s.Promoted < 1 || s.FilterLoad <= 0 || s.Partitions >= 2_000 {
		t.Errorf("statistics %+v", s)
	}
}

func TestAKeyInTheFilterIsAtLeastNothingAndAtMostItsCells(t *testing.T) {
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.ReadsThreshold, c.Memory, c.HashSeed = 5_000, 5_000, 64<<10, &[2]uint64{}
	})
	for n := range 20_000 {
		value(d.RecordWrite("t", fmt.Sprint(n)))(t)
	}
	for n := range 20_000 {
		b := value(d.Bounds("t", fmt.Sprint(n), hotpart.Write))(t)
		if count := value(d.WriteCount("t", fmt.Sprint(n)))(t); b.Least > 1 || b.Most < 1 || count != b.Most {
			t.Fatalf("key %d: %v, counted %d", n, b, count)
		}
	}
}

package hotpart_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// never is a detector in which nothing gets hot.
func never(t testing.TB, window int) *hotpart.Detector {
	return made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.ReadsThreshold, c.WindowSeconds = 1<<50, 1<<50, window
	})
}

func TestTheLinesOfAllMinutesAddUpToWhatWasRecorded(t *testing.T) {
	random := rand.New(rand.NewPCG(60, 0))
	for range 5 {
		d := never(t, 120+random.IntN(200))
		type line struct {
			minute uint64
			pk     string
		}
		recorded, now := map[line]int64{}, time.Duration(0)
		for taken := uint64(0); taken < 8; {
			for ; taken < uint64(now/time.Minute); taken++ {
				closed := value(d.HottestClosed(hotpart.Write, taken, random.IntN(30)))(t)
				for _, hot := range closed.Hottest {
					want(t, "count", hot.Count, recorded[line{taken, hot.PK}])
					delete(recorded, line{taken, hot.PK})
				}
				others := int64(0)
				for each, count := range recorded {
					if each.minute == taken {
						others += count
						delete(recorded, each)
					}
				}
				want(t, "rest", closed.Rest, others)
			}
			each := line{uint64(now / time.Minute), strconv.Itoa(random.IntN(40))}
			value(d.RecordWrite("t", each.pk))(t)
			value(d.RecordRead("t", each.pk))(t)
			recorded[each]++
			now += time.Duration(random.IntN(1_500)) * time.Millisecond
			want(t, "time", d.SetTime(now), nil)
		}
	}
}

func TestAClosedMinuteIsInUnitsAndHasItsThrottles(t *testing.T) {
	d := value(hotpart.NewCapacity(hotpart.CapacityConfig{WritesThreshold: 1 << 50, ReadsThreshold: 1 << 50,
		WindowSeconds: 120, ManualClock: true, Logger: discard}))(t)
	defer d.Close()
	for pk, units := range map[string]float64{"a": 2.5, "b": 1.5, "c": 1} {
		value(d.Record(hotpart.CapacityRecord{Table: "t", PK: pk, Operation: hotpart.Read, Amount: units}))(t)
	}
	value(d.RecordThrottle("t", "a", hotpart.Read, hotpart.ReasonKeyRange))(t)
	want(t, "time", d.SetTime(62*time.Second), nil)
	closed := value(d.HottestClosed(hotpart.Read, 0, 1))(t)
	want(t, "rest", closed.Rest, 2.5)
	hot := closed.Hottest[0]
	got := fmt.Sprint(hot.PK, hot.Operation, hot.Count, hot.Throttles, hot.Demand, hot.Peak, hot.Carried)
	want(t, "hottest", got, fmt.Sprint("a", hotpart.Read, 2.5, 1, 3.5, 2.5, 0.0))
}

func TestAClosedMinuteThatCannotBeHad(t *testing.T) {
	d := never(t, 120)
	closed := func(minute uint64) error {
		_, err := d.HottestClosed(hotpart.Write, minute, 9)
		return err
	}
	for _, each := range []struct {
		now   time.Duration
		isHad bool
	}{{0, false}, {59_999, false}, {60_000, true}, {120_999, true}, {121_000, false}} {
		want(t, "time", d.SetTime(each.now*time.Millisecond), nil)
		if each.isHad {
			want(t, "minute 0", closed(0), nil)
		} else {
			refused(t, closed(0), hotpart.ErrInvalid, "minute")
		}
	}
	refused(t, closed(math.MaxUint64), hotpart.ErrInvalid, "minute")
	_, err := d.HottestClosed(7, 1, 9)
	refused(t, err, hotpart.ErrInvalid, "operation")
	_, err = d.HottestClosed(hotpart.Write, 1, -1)
	refused(t, err, hotpart.ErrInvalid, "n")
	want(t, "none", len(value(d.HottestClosed(hotpart.Read, 1, 0))(t).Hottest), 0)
	for _, change := range []func(*hotpart.Config){
		func(c *hotpart.Config) { c.WindowSeconds = 119 },
		func(c *hotpart.Config) { c.WindowSeconds, c.Memory = 120, 1<<20 },
	} {
		d = made(t, change)
		want(t, "time", d.SetTime(61*time.Second), nil)
		refused(t, closed(0), hotpart.ErrUnsupported, "")
	}
}

package hotpart_test

import (
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

func TestNoOperationIsLost(t *testing.T) {
	const goroutines, each = 8, 5_000
	var warnings int
	var mutex sync.Mutex
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold = goroutines * each / 2
		c.OnWarning = func(hotpart.Warning) {
			mutex.Lock()
			defer mutex.Unlock()
			warnings++
		}
	})
	var done sync.WaitGroup
	for range goroutines {
		done.Go(func() {
			for range each {
				d.RecordWrite("t", "k")
				d.RecordReadBytes("t", []byte("k"))
				// Goroutines move from thread to thread.
				runtime.Gosched()
			}
		})
	}
	done.Wait()
	want(t, "writes", value(d.WriteCount("t", "k"))(t), goroutines*each)
	want(t, "reads", value(d.ReadCount("t", "k"))(t), goroutines*each)
	want(t, "warnings of writes and of reads", warnings, 2)
}

func TestEveryHotRecordWarnsOnceAmongGoroutines(t *testing.T) {
	const goroutines, each = 8, 500
	calls := make(chan int64, goroutines*each)
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
		c.OnWarning = func(w hotpart.Warning) { calls <- w.Count }
	})
	var done sync.WaitGroup
	for range goroutines {
		done.Go(func() {
			for range each {
				d.RecordWrite("t", "k")
			}
		})
	}
	done.Wait()
	want(t, "warnings", len(calls), goroutines*each)
}

func TestClosing(t *testing.T) {
	d := made(t, nil)
	value(d.RecordWrite("t", "k"))(t)
	want(t, "closed", d.Closed(), false)
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	want(t, "closed", d.Closed(), true)
	first := func(_ any, err error) error { return err }
	for i, err := range []error{
		first(d.RecordWrite("t", "k")),
		first(d.RecordReadBytes("t", nil)),
		first(d.Record(hotpart.Record{Table: "t", PK: "k", Amount: 1})),
		first(d.WriteCount("t", "k")),
		first(d.RecordThrottle("t", "k", hotpart.Read, hotpart.ReasonUnknown)),
		first(d.ThrottleCount("t", "k", hotpart.Read, hotpart.ReasonUnknown)),
		first(d.UnattributedCount("t", hotpart.Scans, hotpart.Read)),
		first(d.Thresholds()),
		first(d.TableThresholds("t")),
		d.SetModelThresholds("m", hotpart.Thresholds{}),
		first(d.Observe(hotpart.Exchange{Operation: "Scan", Request: []byte("{}"), Status: 200})),
		d.SetKeySchema("t", "id"),
		d.ForgetTable("t"),
		first(d.Hottest(1)),
		first(d.HottestClosed(hotpart.Write, 0, 1)),
		first(d.Stats()),
		first(d.Metrics(1, hotpart.Prometheus)),
		first(d.MetricsWith(hotpart.MetricsOptions{})),
		first(d.Redacted("t", "k")),
		d.Clear(),
		d.SetTime(1),
	} {
		if !errors.Is(err, hotpart.ErrClosed) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

// Calls that race with Close work or say that it is closed, and nothing is freed under them.
func TestClosingUnderCalls(t *testing.T) {
	var stop sync.WaitGroup
	for range 50 {
		d := made(t, func(c *hotpart.Config) {
			c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
			c.OnWarning = func(hotpart.Warning) {}
		})
		for range 4 {
			stop.Go(func() {
				for {
					_, recorded := d.RecordWrite("t", "k")
					_, listed := d.Hottest(3)
					if errors.Is(recorded, hotpart.ErrClosed) || errors.Is(listed, hotpart.ErrClosed) {
						return
					}
					if recorded != nil || listed != nil {
						t.Error(recorded, listed)
					}
				}
			})
		}
		time.Sleep(time.Millisecond)
		d.Close()
		runtime.GC()
	}
	stop.Wait()
}

func TestClosingInOnWarning(t *testing.T) {
	var d *hotpart.Detector
	d = made(t, func(c *hotpart.Config) {
		c.WritesThreshold = 1
		c.OnWarning = func(hotpart.Warning) {
			d.Close()
			runtime.GC()
		}
	})
	want(t, "count", value(d.RecordWrite("t", "k"))(t), 1)
	_, err := d.RecordWrite("t", "k")
	refused(t, err, hotpart.ErrClosed, "closed")
}

// A detector that was closed, and one that was forgotten, give their memory back.
func TestMemoryIsGivenBack(t *testing.T) {
	if _, err := resident(); err != nil {
		t.Skip(err)
	}
	key := make([]byte, 8)
	// Small values that live on, and may lie beside what a detector is freed by.
	var small []*int32
	round := func(closed bool) {
		d, _ := hotpart.New(hotpart.Config{WritesThreshold: 1 << 60, ReadsThreshold: 1, WindowSeconds: 60, Logger: discard})
		small = append(small, new(int32))
		for i := range 20_000 {
			key[0], key[1] = byte(i), byte(i>>8)
			value(d.RecordWriteBytes("t", key))(t)
		}
		if closed {
			d.Close()
		}
	}
	var before int
	for i := range 60 {
		round(i%2 == 0)
		runtime.GC()
		time.Sleep(time.Millisecond)
		if i == 20 {
			before, _ = resident()
		}
	}
	after, _ := resident()
	runtime.KeepAlive(small)
	if grown := after - before; grown > 20<<20 {
		t.Errorf("grew by %d bytes", grown)
	}
}

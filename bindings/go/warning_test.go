package hotpart_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// logged makes records of a log readable.
func logged(t *testing.T, log *bytes.Buffer) (records []map[string]any) {
	t.Helper()
	for line := range strings.Lines(log.String()) {
		record := map[string]any{}
		if err := json.Unmarshal([]byte(line), &record); err != nil {
			t.Fatal(err)
		}
		records = append(records, record)
	}
	return records
}

func TestALineIsLogged(t *testing.T) {
	var log bytes.Buffer
	d := made(t, func(c *hotpart.Config) { c.Logger = slog.New(slog.NewJSONHandler(&log, nil)) })
	for range 5 {
		value(d.RecordWrite("events", "EVENTS"))(t)
	}
	records := logged(t, &log)
	want(t, "records", len(records), 1)
	for name, expected := range map[string]any{
		"msg": `Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s`, "level": "WARN", "logger": "hotpart",
		"table": "events", "pk": "EVENTS", "operation": "write", "count": 3.0, "threshold": 3.0, "window_seconds": 60.0,
		"suppressed": 0.0, "peak": 3.0, "rule": "window", "utilisation": 0.0,
	} {
		want(t, name, records[0][name], expected)
	}
}

func TestTheDefaultLoggerIsTheOneOfThatMoment(t *testing.T) {
	d := made(t, func(c *hotpart.Config) { c.Logger = nil })
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	for range 3 {
		value(d.RecordRead("t", "k"))(t)
	}
	want(t, "records", len(logged(t, &log)), 1)
}

func TestRedactedKeysAreInNoLog(t *testing.T) {
	var log bytes.Buffer
	var seen hotpart.Warning
	d := made(t, func(c *hotpart.Config) {
		c.Logger = slog.New(slog.NewJSONHandler(&log, nil))
		c.Redact, c.OnWarning = true, func(w hotpart.Warning) { seen = w }
	})
	for range 3 {
		value(d.RecordWrite("t", "secret"))(t)
	}
	hash := value(d.Redacted("t", "secret"))(t)
	want(t, "pk", logged(t, &log)[0]["pk"], any(hash))
	want(t, "the secret in the log", strings.Contains(log.String()+seen.String(), "secret"), false)
	want(t, "redacted", seen.Redacted, hash)
	want(t, "key", seen.PK, "secret")
}

func TestAWarningKeepsItsTexts(t *testing.T) {
	var seen hotpart.Warning
	d := made(t, func(c *hotpart.Config) { c.WritesThreshold, c.OnWarning = 1, func(w hotpart.Warning) { seen = w } })
	key := []byte("mine")
	value(d.RecordWriteBytes("t", key))(t)
	copy(key, "gone")
	want(t, "key", seen.PK, "mine")
}

func TestAPanicInOnWarningIsLogged(t *testing.T) {
	var log bytes.Buffer
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
		c.Logger = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelError}))
		c.OnWarning = func(hotpart.Warning) { panic("mine") }
	})
	for n := range int64(3) {
		want(t, "count", value(d.RecordWrite("t", "k"))(t), n+1)
	}
	records := logged(t, &log)
	want(t, "records", len(records), 3)
	want(t, "message", records[0]["msg"], any("hotpart: OnWarning panicked"))
	want(t, "panic", records[0]["panic"], any("mine"))
	want(t, "stack", strings.Contains(records[0]["stack"].(string), "TestAPanicInOnWarningIsLogged"), true)
	d.AddFailure()
	want(t, "failures", value(d.Stats())(t).Failures, 4)
}

type broken struct{ slog.Handler }

func (broken) Enabled(context.Context, slog.Level) bool { panic("broken") }

func TestALoggerThatPanicsHurtsNobody(t *testing.T) {
	called := 0
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.Logger = 1, slog.New(broken{slog.DiscardHandler})
		c.OnWarning = func(hotpart.Warning) { called++ }
	})
	want(t, "count", value(d.RecordWrite("t", "k"))(t), 1)
	want(t, "calls", called, 1)
}

func TestGoexitInOnWarningEndsItsGoroutineOnly(t *testing.T) {
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
		c.OnWarning = func(hotpart.Warning) { runtime.Goexit() }
	})
	for range 3 {
		var done sync.WaitGroup
		done.Go(func() { d.RecordWrite("t", "k") })
		done.Wait()
	}
	want(t, "count", value(d.WriteCount("t", "k"))(t), 3)
	want(t, "warnings", value(d.Stats())(t).Warnings, 3)
}

func TestRecordsInOnWarningCountAndWarn(t *testing.T) {
	var d *hotpart.Detector
	var seen []string
	d = made(t, func(c *hotpart.Config) {
		c.WritesThreshold = 2
		c.OnWarning = func(w hotpart.Warning) {
			seen = append(seen, w.PK)
			for range 3 {
				d.RecordWrite("t", "in it")
			}
		}
	})
	for range 2 {
		value(d.RecordWrite("t", "k"))(t)
	}
	want(t, "seen", strings.Join(seen, ","), "k,in it")
	want(t, "count", value(d.WriteCount("t", "in it"))(t), 6)
}

// Each hot record warns, but not those of OnWarning: they would never end.
func TestAnIntervalOfNothingDoesNotRecurse(t *testing.T) {
	for _, depth := range []int{0, 200} {
		var d *hotpart.Detector
		calls := 0
		d = made(t, func(c *hotpart.Config) {
			c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
			c.OnWarning = func(w hotpart.Warning) {
				calls++
				deep(depth, func() { d.RecordWrite("t", "k") })
			}
		})
		for range 3 {
			value(d.RecordWrite("t", "k"))(t)
		}
		want(t, "calls", calls, 3)
		want(t, "count", value(d.WriteCount("t", "k"))(t), 6)
	}
}

//go:noinline
func deep(n int, f func()) {
	if n == 0 {
		f()
		return
	}
	deep(n-1, f)
}

func TestOnWarningOfOneDetectorDoesNotSilenceAnother(t *testing.T) {
	silent := hotpart.EveryRecord
	var inner int
	b := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval, c.OnWarning = 1, silent, func(hotpart.Warning) { inner++ }
	})
	a := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval = 1, silent
		c.OnWarning = func(hotpart.Warning) { b.RecordWrite("t", "k") }
	})
	value(a.RecordWrite("t", "k"))(t)
	want(t, "calls", inner, 1)
}

func TestAnotherGoroutineWarnsWhileOneTells(t *testing.T) {
	var d *hotpart.Detector
	calls, within := make(chan string, 10), make(chan struct{})
	d = made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
		c.OnWarning = func(w hotpart.Warning) {
			calls <- w.PK
			if w.PK == "first" {
				<-within
			}
		}
	})
	var done sync.WaitGroup
	done.Go(func() { d.RecordWrite("t", "first") })
	want(t, "first", <-calls, "first")
	value(d.RecordWrite("t", "second"))(t)
	select {
	case pk := <-calls:
		want(t, "second", pk, "second")
	case <-time.After(5 * time.Second):
		t.Error("no warning")
	}
	close(within)
	done.Wait()
}

func TestThrottlesWarnAndHaveNoUnits(t *testing.T) {
	var seen hotpart.CapacityWarning
	var log bytes.Buffer
	d := value(hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{
		Logger: slog.New(slog.NewJSONHandler(&log, nil)), WarnOfThrottles: true, OnWarning: func(w hotpart.CapacityWarning) { seen = w },
	}))(t)
	defer d.Close()
	value(d.RecordThrottle("t", "k", hotpart.Write, hotpart.ReasonKeyRange))(t)
	want(t, "count", seen.Count, 1)
	want(t, "rule", seen.Rule, hotpart.RuleThrottle)
	want(t, "logged", logged(t, &log)[0]["count"], any(1.0))
}

func TestEveryRecordWarnsThoughAnotherGoroutineTells(t *testing.T) {
	var b *hotpart.Detector
	hold, in, told := make(chan struct{}), make(chan struct{}), make(chan string, 2)
	b = made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.WarningInterval = 1, hotpart.EveryRecord
		c.OnWarning = func(w hotpart.Warning) {
			told <- w.PK
			if w.PK == "slow" {
				close(in)
				<-hold
			}
		}
	})
	a := made(t, func(c *hotpart.Config) {
		c.WritesThreshold = 1
		c.OnWarning = func(hotpart.Warning) { b.RecordWrite("t", "from a") }
	})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.RecordWrite("t", "slow")
	}()
	<-in
	a.RecordWrite("t", "k")
	close(hold)
	<-ended
	want(t, "first", <-told, "slow")
	want(t, "second", <-told, "from a")
}

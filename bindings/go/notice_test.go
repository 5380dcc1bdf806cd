package hotpart_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

var noticed = regexp.MustCompile(
	`^Hot partition memory is too small - 65536 bytes, load \d+\.\d{3} \(at most 0\.400\), [1-9]\d* records kept out$`)

// strangers writes n keys; a hundred thousand are too many for 64 KiB.
func strangers(t *testing.T, d *hotpart.Detector, n, first int) {
	t.Helper()
	for pk := first; pk < first+n; pk++ {
		value(d.RecordWrite("t", fmt.Sprint(pk)))(t)
	}
}

// notices returns what of a log is no warning of a partition, and empties the log.
func notices(t *testing.T, log *bytes.Buffer) (found []map[string]any) {
	t.Helper()
	for _, record := range logged(t, log) {
		if record["table"] == nil {
			found = append(found, record)
		}
	}
	log.Reset()
	return found
}

// small makes a detector with too little memory.
func small(t *testing.T, logger *slog.Logger, change func(*hotpart.Config)) *hotpart.Detector {
	t.Helper()
	return made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.ReadsThreshold, c.Memory, c.HashSeed, c.Logger = 100, 100, 64<<10, &[2]uint64{}, logger
		if change != nil {
			change(c)
		}
	})
}

func TestAMemoryThatIsTooSmallIsNoticedOnceAnInterval(t *testing.T) {
	var log bytes.Buffer
	d := small(t, slog.New(slog.NewJSONHandler(&log, nil)), nil)
	for _, each := range []struct{ seconds, n, notices int }{
		{0, 100_000, 1}, {30, 500, 0}, {59, 500, 0}, {60, 500, 1}, {200, 100_000, 1}, {230, 500, 0},
	} {
		if err := d.SetTime(time.Duration(each.seconds) * time.Second); err != nil {
			t.Fatal(err)
		}
		// Other keys each time: those that were warned of are not again.
		strangers(t, d, each.n, each.seconds*100_000)
		if log.Len() == 0 {
			t.Errorf("no warning at %d s", each.seconds)
		}
		found := notices(t, &log)
		want(t, fmt.Sprintf("notices at %d s", each.seconds), len(found), each.notices)
		for _, record := range found {
			want(t, "level", record["level"], any("WARN"))
			want(t, "logger", record["logger"], any("hotpart"))
			if line := record["msg"].(string); !noticed.MatchString(line) {
				t.Error(line)
			}
		}
	}
}

func TestANoticeComesWithoutAWarningWhenNumbersAreAskedFor(t *testing.T) {
	ask := map[string]func(d *hotpart.Detector) error{
		"stats":   func(d *hotpart.Detector) error { _, err := d.Stats(); return err },
		"metrics": func(d *hotpart.Detector) error { _, err := d.Metrics(10, hotpart.Prometheus); return err },
	}
	for name, ask := range ask {
		var log bytes.Buffer
		d := small(t, slog.New(slog.NewJSONHandler(&log, nil)), func(c *hotpart.Config) { c.WritesThreshold = 400 })
		// None of them is hot yet, but the cells are fuller than they may be.
		strangers(t, d, 50_000, 0)
		want(t, "logged before "+name, log.Len(), 0)
		for _, each := range []struct{ seconds, notices int }{{0, 1}, {3, 0}, {30, 0}, {59, 0}} {
			if err := d.SetTime(time.Duration(each.seconds) * time.Second); err != nil {
				t.Fatal(err)
			}
			if err := ask(d); err != nil {
				t.Fatal(err)
			}
			want(t, fmt.Sprintf("notices of %s at %d s", name, each.seconds), len(notices(t, &log)), each.notices)
		}
	}
}

func TestANoticeComesAfterOnWarning(t *testing.T) {
	var log bytes.Buffer
	var before []string
	d := small(t, slog.New(slog.NewJSONHandler(&log, nil)), func(c *hotpart.Config) {
		c.OnWarning = func(hotpart.Warning) {
			if len(before) < 2 {
				before = append(before, fmt.Sprint(strings.Count(log.String(), "memory is too small")))
			}
		}
	})
	strangers(t, d, 100_000, 0)
	want(t, "notices before the first and the second call", strings.Join(before, ","), "0,1")
}

func TestWithoutMemoryThereIsNoNotice(t *testing.T) {
	var log bytes.Buffer
	d := small(t, slog.New(slog.NewJSONHandler(&log, nil)), func(c *hotpart.Config) { c.WritesThreshold, c.Memory = 1, 0 })
	strangers(t, d, 100_000, 0)
	want(t, "warnings", value(d.Stats())(t).Warnings, 100_000)
	want(t, "notices", len(notices(t, &log)), 0)
}

func TestWhoLogsNothingTakesNoNotice(t *testing.T) {
	var log bytes.Buffer
	var level slog.LevelVar
	level.Set(slog.LevelError)
	d := small(t, slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: &level})), nil)
	strangers(t, d, 100_000, 0)
	want(t, "logged", log.Len(), 0)
	want(t, "warned", value(d.Stats())(t).Warnings > 0, true)
	level.Set(slog.LevelWarn)
	strangers(t, d, 500, 100_000)
	want(t, "it is still to be had", len(notices(t, &log)), 1)
}

func TestAFilterHasMetricsOfItsOwn(t *testing.T) {
	families := []string{
		"filter_load_ratio", "partitions_promoted_total", "partitions_demoted_total", "kept_out_total", "partition_carried",
	}
	for _, memory := range []int64{64 << 10, 0} {
		d := small(t, discard, func(c *hotpart.Config) { c.Memory = memory })
		value(d.Record(hotpart.Record{Table: "t", PK: "k", Amount: 40}))(t)
		text := value(d.Metrics(10, hotpart.Prometheus))(t)
		for _, family := range families {
			want(t, family, strings.Contains(text, "# TYPE hotpart_"+family+" "), memory > 0)
		}
		want(t, "promoted", strings.Contains(text, "\nhotpart_partitions_promoted_total 1\n"), memory > 0)
	}
}

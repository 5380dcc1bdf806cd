package hotpart_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

func TestConfigsAreRefusedByName(t *testing.T) {
	for argument, change := range map[string]func(*hotpart.Config){
		"WritesThreshold": func(c *hotpart.Config) { c.WritesThreshold = 0 },
		"ReadsThreshold":  func(c *hotpart.Config) { c.ReadsThreshold = -1 },
		"WindowSeconds":   func(c *hotpart.Config) { c.WindowSeconds = 3_601 },
		"WindowSeconds ":  func(c *hotpart.Config) { c.WindowSeconds, c.ReadsSustained = 4, 1 },
		"WritesPerSecond": func(c *hotpart.Config) { c.WritesPerSecond = -1 },
		"ReadsPerSecond":  func(c *hotpart.Config) { c.ReadsPerSecond = -1 },
		"WritesSustained": func(c *hotpart.Config) { c.WritesSustained = -1 },
		"ReadsSustained":  func(c *hotpart.Config) { c.ReadsSustained = -1 },
		"Processes":       func(c *hotpart.Config) { c.Processes = -1 },
		"WarningInterval": func(c *hotpart.Config) { c.WarningInterval = 1_500 * time.Millisecond },
		"MaxPartitions":   func(c *hotpart.Config) { c.MaxPartitions = -1 },
		"Memory":          func(c *hotpart.Config) { c.Memory = -1 },
		"PromoteShare":    func(c *hotpart.Config) { c.PromoteShare = 0.51 },
		"RedactKey":       func(c *hotpart.Config) { c.RedactKey[0] = 1 },
	} {
		config := hotpart.Config{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 60}
		change(&config)
		_, err := hotpart.New(config)
		refused(t, err, hotpart.ErrInvalid, argument)
	}
	_, err := hotpart.New(hotpart.Config{})
	refused(t, err, hotpart.ErrInvalid, "WritesThreshold")
}

func TestCapacityConfigsAreRefusedByName(t *testing.T) {
	for _, threshold := range []float64{0, -1, 0.3, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 1 << 63} {
		_, err := hotpart.NewCapacity(hotpart.CapacityConfig{WritesThreshold: threshold, ReadsThreshold: 1, WindowSeconds: 60})
		refused(t, err, hotpart.ErrInvalid, "WritesThreshold")
	}
	for _, share := range []float64{0, 1.01, math.NaN()} {
		_, err := hotpart.NewForDynamoDB(share, 1, hotpart.CapacityConfig{})
		refused(t, err, hotpart.ErrInvalid, "share")
	}
	for _, processes := range []int{0, -1} {
		_, err := hotpart.NewForDynamoDB(0.8, processes, hotpart.CapacityConfig{})
		refused(t, err, hotpart.ErrInvalid, "processes")
	}
	for _, window := range []int{-1, 4, 3_601} {
		_, err := hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{WindowSeconds: window})
		refused(t, err, hotpart.ErrInvalid, "WindowSeconds")
	}
	_, err := hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{ReadsThreshold: 5})
	refused(t, err, hotpart.ErrInvalid, "ReadsThreshold")
	_, err = hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{WarningInterval: -2})
	refused(t, err, hotpart.ErrInvalid, "WarningInterval")
}

func TestADetectorForDynamoDBTakesAWindow(t *testing.T) {
	for given, window := range map[int]int{0: 60, 5: 5, 3_600: 3_600} {
		d := value(hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{WindowSeconds: given, Logger: discard}))(t)
		want(t, fmt.Sprintf("window of %d", given), d.WindowSeconds(), window)
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestArgumentsAreRefusedByName(t *testing.T) {
	d := made(t, nil)
	long, longKey := strings.Repeat("x", 1_025), strings.Repeat("x", 16_385)
	record := func(r hotpart.Record) error {
		_, err := d.Record(r)
		return err
	}
	first := func(_ any, err error) error { return err }
	for _, each := range []struct {
		err      error
		argument string
	}{
		{first(d.RecordWrite("", "k")), "table"},
		{first(d.RecordRead(long, "k")), "table"},
		{first(d.RecordWrite("t", longKey)), "pk"},
		{first(d.RecordReadBytes("t", []byte(longKey))), "pk"},
		{first(d.WriteCount("", "k")), "table"},
		{first(d.ReadCount("t", longKey)), "pk"},
		{record(hotpart.Record{Table: "t", PK: "k"}), "Amount"},
		{record(hotpart.Record{Table: "t", PK: "k", Amount: -1}), "Amount"},
		{record(hotpart.Record{Table: "t", PK: "k", Amount: 1, Operation: 2}), "operation"},
		{record(hotpart.Record{Table: "t", PK: "k", Amount: 1, Model: long}), "model"},
		{d.SetTableThresholds("", hotpart.Thresholds{}), "table"},
		{d.SetModelThresholds(long, hotpart.Thresholds{}), "model"},
		{d.SetTableThresholds("t", hotpart.Thresholds{Writes: -1}), "Writes"},
		{d.SetTableThresholds("t", hotpart.Thresholds{Reads: -1}), "Reads"},
		{first(d.TableThresholds("")), "table"},
		{first(d.ModelThresholds("")), "model"},
		{first(d.RecordThrottle("", "k", hotpart.Read, hotpart.ReasonKeyRange)), "table"},
		{first(d.RecordThrottle("t", "k", 2, hotpart.ReasonKeyRange)), "operation"},
		{first(d.ThrottleCount("t", "k", hotpart.Read, 5)), "reason"},
		{first(d.ThrottleCount("t", longKey, hotpart.Read, 0)), "pk"},
		{first(d.UnattributedCount("", hotpart.Scans, hotpart.Read)), "table"},
		{first(d.UnattributedCount("t", 6, hotpart.Read)), "kind"},
		{first(d.UnattributedCount("t", hotpart.Scans, -1)), "operation"},
		{d.SetKeySchema("", "id"), "table"},
		{d.ForgetTable(""), "table"},
		{d.SetKeySchema("t", ""), "attribute"},
		{d.SetIndexKeySchema("t", "", "id"), "index"},
		{d.SetIndexKeySchema("t", "i"), "attributes"},
		{d.SetIndexKeySchema("t", "i", "a", "b", "c", "d", "e"), "attributes"},
		{first(d.Observe(hotpart.Exchange{Operation: "Scan", Status: 99})), "Status"},
		{first(d.Observe(hotpart.Exchange{Operation: "Scan", Request: []byte("{}"), Status: 200, Model: long})), "model"},
		{first(d.Hottest(-1)), "n"},
		{first(d.Hottest(1, 7)), "operation"},
		{first(d.Metrics(-1, hotpart.Prometheus)), "n"},
		{first(d.Metrics(1, 9)), "format"},
		{first(d.MetricsWith(hotpart.MetricsOptions{Hottest: -1})), "Hottest"},
		{first(d.MetricsWith(hotpart.MetricsOptions{Least: -1})), "Least"},
		{first(d.MetricsWith(hotpart.MetricsOptions{Format: 2})), "Format"},
		{first(d.Redacted("", "k")), "table"},
		{first(d.Redacted("t", longKey)), "pk"},
		{d.SetTime(-1), "sinceStart"},
		{d.SetTime(math.MaxInt64), "sinceStart"},
	} {
		refused(t, each.err, hotpart.ErrInvalid, each.argument)
	}
	want(t, "records", value(d.Stats())(t).Records, 0)
	_, err := d.Observe(hotpart.Exchange{Operation: "PutItem", Request: []byte("{"), Status: 200})
	refused(t, err, hotpart.ErrJSON, "JSON")
	running := made(t, func(c *hotpart.Config) { c.ManualClock = false })
	refused(t, running.SetTime(1), hotpart.ErrUnsupported, "")
}

func TestHalvesAreExact(t *testing.T) {
	d := value(hotpart.NewCapacity(hotpart.CapacityConfig{WritesThreshold: 1e9, ReadsThreshold: 1e9, WindowSeconds: 60, Logger: discard}))(t)
	defer d.Close()
	for _, amount := range []float64{0, 0.25, 0.7, -0.5, math.NaN(), math.Inf(1)} {
		_, err := d.Record(hotpart.CapacityRecord{Table: "t", PK: "k", Amount: amount})
		refused(t, err, hotpart.ErrInvalid, "Amount")
	}
	value(d.Record(hotpart.CapacityRecord{Table: "t", PK: "k", Operation: hotpart.Read, Amount: 0.5}))(t)
	want(t, "reads", value(d.RecordRead("t", "k"))(t), 1.5)
	want(t, "reads", value(d.ReadCount("t", "k"))(t), 1.5)
	want(t, "writes", value(d.WriteCount("t", "k"))(t), 0)
	want(t, "thresholds", value(d.Thresholds())(t), hotpart.CapacityThresholds{Writes: 1e9, Reads: 1e9})
	want(t, "capacity", d.Capacity(), true)
}

func TestKeysAreAnyBytes(t *testing.T) {
	d := made(t, nil)
	keys := []string{"", "\x00", "\x00\x00", "a\x00b", "\xff\xfe", "é", "🔥", strings.Repeat("k", 16_384)}
	for i, key := range keys {
		for n := range int64(i + 1) {
			want(t, key, value(d.RecordWriteBytes("t", []byte(key)))(t), n+1)
		}
	}
	for i, key := range keys {
		want(t, key, value(d.WriteCount("t", key))(t), int64(i+1))
	}
	want(t, "nil", value(d.RecordWriteBytes("t", nil))(t), 2)
	want(t, "table of any bytes", value(d.RecordReadBytes("\x00\xff", nil))(t), 1)
}

func TestThresholds(t *testing.T) {
	d := made(t, nil)
	want(t, "own", value(d.Thresholds())(t), hotpart.Thresholds{Writes: 3, Reads: 3})
	want(t, "none", value(d.TableThresholds("t"))(t), hotpart.Thresholds{})
	for _, set := range []hotpart.Thresholds{{Writes: 7}, {Reads: math.MaxInt64}, {Writes: 1, Reads: 2}, {}} {
		if err := errors.Join(d.SetTableThresholds("t", set), d.SetModelThresholds("m", set)); err != nil {
			t.Fatal(err)
		}
		want(t, "table", value(d.TableThresholds("t"))(t), set)
		want(t, "model", value(d.ModelThresholds("m"))(t), set)
	}
}

func TestNumberKeys(t *testing.T) {
	for number, key := range map[string]string{
		"1": "1", "1.0": "1", "1e0": "1", "+01.50E+1": "15", "-0": "0", "0e999": "0", "-.5": "-0.5", "5.": "5", "1e-3": "0.001",
		"9.99E+125": "999" + strings.Repeat("0", 123), "1E-130": "0." + strings.Repeat("0", 129) + "1",
		"12345678901234567890123456789012345678": "12345678901234567890123456789012345678",
	} {
		want(t, number, value(hotpart.NumberKey(number))(t), key)
	}
	for _, number := range []string{"", "-", ".", "e1", "1e", "1 ", "0x1", "NaN", "1e126", "1e-131", "1e99999999999", "--1", "1.2.3",
		"123456789012345678901234567890123456789"} {
		_, err := hotpart.NumberKey(number)
		refused(t, err, hotpart.ErrInvalid, "number")
	}
}

func TestMetricsAndHottest(t *testing.T) {
	d := made(t, func(c *hotpart.Config) { c.Redact = true })
	value(d.RecordWrite("t", "secret"))(t)
	for range 2 {
		value(d.RecordRead("t", "secret"))(t)
	}
	hash := value(d.Redacted("t", "secret"))(t)
	want(t, "digits", len(hash), 32)
	for _, format := range []hotpart.Format{hotpart.Prometheus, hotpart.OpenMetrics} {
		metrics := value(d.Metrics(5, format))(t)
		if !strings.Contains(metrics, hash) || strings.Contains(metrics, "secret") {
			t.Error(metrics)
		}
		want(t, "OpenMetrics", strings.HasSuffix(metrics, "# EOF\n"), format == hotpart.OpenMetrics)
	}
	both := value(d.Hottest(5))(t)
	want(t, "partitions", len(both), 2)
	want(t, "writes are nearer their limit", both[0].Operation, hotpart.Write)
	want(t, "one", len(value(d.Hottest(1, hotpart.Read))(t)), 1)
	want(t, "none", len(value(d.Hottest(0))(t)), 0)
}

func TestSchemasThatAreMissingAreNamedAndWhatWaitsIsCountedOnce(t *testing.T) {
	var warned []string
	d := made(t, func(c *hotpart.Config) {
		c.WritesThreshold, c.OnWarning = 2, func(w hotpart.Warning) { warned = append(warned, w.Table) }
	})
	put := func(tables ...string) error {
		var all []string
		for _, table := range tables {
			all = append(all, fmt.Sprintf(`%q:[{"PutRequest":{"Item":{"id":{"S":"a"}}}}]`, table))
		}
		_, err := d.Observe(hotpart.Exchange{Operation: "BatchWriteItem", Status: 200,
			Request: []byte(`{"RequestItems":{` + strings.Join(all, ",") + `}}`)})
		return err
	}
	var names []string
	for n := range 25 {
		names = append(names, fmt.Sprintf("%0255d", n))
	}
	var missing *hotpart.MissingSchemaError
	err := put(names...)
	if !errors.As(err, &missing) || !errors.Is(err, hotpart.ErrMissingSchema) || !slices.Equal(missing.Tables, names) {
		t.Fatal(err)
	}
	if !strings.Contains(err.Error(), names[24]) {
		t.Error(err)
	}
	// It was asked for just now.
	want(t, "second", put(names...), nil)
	want(t, "declared", d.SetKeySchema(names[3], "id"), nil)
	want(t, "writes", value(d.WriteCount(names[3], "a"))(t), 2)
	want(t, "warned of", fmt.Sprint(warned), fmt.Sprint(names[3:4]))
	want(t, "forgotten", d.ForgetTable(names[4]), nil)
	want(t, "unread", value(d.UnattributedCount(names[4], hotpart.Unread, hotpart.Write))(t), 2)
	want(t, "third", put(names[3], names[4]), nil)
	want(t, "writes", value(d.WriteCount(names[3], "a"))(t), 3)
	want(t, "unread", value(d.UnattributedCount(names[4], hotpart.Unread, hotpart.Write))(t), 3)
}

func TestWords(t *testing.T) {
	want(t, "operation", hotpart.Read.String()+hotpart.Operation(9).String(), "readOperation(9)")
	want(t, "rule", hotpart.RuleSustained.String()+hotpart.Rule(-1).String(), "sustainedRule(-1)")
	want(t, "reason", hotpart.ReasonMaxOnDemand.String(), "max_on_demand")
	want(t, "kind", hotpart.IndexUnits.String(), "index_units")
	want(t, "version", hotpart.Version(), "0.1.0")
}

func TestARecordAllocatesNothing(t *testing.T) {
	d, key := made(t, func(c *hotpart.Config) { c.WritesThreshold, c.ReadsThreshold = 1<<60, 1<<60 }), []byte("k")
	for name, record := range map[string]func(){
		"RecordWrite":      func() { d.RecordWrite("t", "k") },
		"RecordRead":       func() { d.RecordRead("t", "k") },
		"RecordWriteBytes": func() { d.RecordWriteBytes("t", key) },
		"RecordReadBytes":  func() { d.RecordReadBytes("t", key) },
		"Record":           func() { d.Record(hotpart.Record{Table: "t", PK: "k", Amount: 2, Model: "m"}) },
		"WriteCount":       func() { d.WriteCount("t", "k") },
		"RecordThrottle":   func() { d.RecordThrottle("t", "k", hotpart.Read, hotpart.ReasonProvisioned) },
		"Observe": func() {
			d.Observe(hotpart.Exchange{Operation: "GetItem", Request: []byte(`{"TableName":"t","Key":{"id":{"S":"k"}}}`), Status: 200})
		},
	} {
		want(t, name, testing.AllocsPerRun(1_000, record), 0)
	}
}

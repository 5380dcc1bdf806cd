package hotpartotel

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"go.opentelemetry.io/otel/attribute"
)

func TestNamesUnitsAndAttributes(t *testing.T) {
	d, read := made(t, func(c *hotpart.Config) { c.WritesThreshold = 3 }), inMemory(t)
	value(Instrument(d, 2, WithMeter(read)))(t)
	writes(t, d, 3, "a")
	writes(t, d, 1, "b")
	value(d.RecordThrottle("t", "a", hotpart.Write, hotpart.ReasonKeyRange))(t)
	if err := d.ForgetTable("unknown"); err != nil {
		t.Fatal(err)
	}
	request := []byte(`{"TableName":"unknown","Item":{"id":{"S":"a"}}}`)
	value(d.Observe(hotpart.Exchange{Operation: "PutItem", Request: request, Response: []byte("{}"), Status: 200}))(t)
	for name, each := range map[string]struct{ unit, points string }{
		"hotpart.partition.demand": {"{operation}",
			"db.collection.name=t,db.system.name=aws.dynamodb,hotpart.operation=write,hotpart.partition.key=a 4"},
		"hotpart.partition.unlisted": {"{operation}", "db.system.name=aws.dynamodb,hotpart.operation=read 0\n" +
			"db.system.name=aws.dynamodb,hotpart.operation=write 1"},
		"hotpart.records":  {"{record}", "db.system.name=aws.dynamodb 2"},
		"hotpart.warnings": {"{warning}", "db.system.name=aws.dynamodb 1"},
		"hotpart.unread":   {"{part}", "db.system.name=aws.dynamodb 1"},
		"hotpart.throttles": {"{throttle}", "db.system.name=aws.dynamodb,hotpart.throttle.reason=account_limit 0\n" +
			"db.system.name=aws.dynamodb,hotpart.throttle.reason=key_range 1\n" +
			"db.system.name=aws.dynamodb,hotpart.throttle.reason=max_on_demand 0\n" +
			"db.system.name=aws.dynamodb,hotpart.throttle.reason=provisioned 0\n" +
			"db.system.name=aws.dynamodb,hotpart.throttle.reason=unknown 0"},
	} {
		metrics := read.metrics()
		want(t, "metrics", len(metrics), 6)
		want(t, "unit of "+name, metrics[name].Unit, each.unit)
		want(t, name, joined(pointsOf(metrics[name])), each.points)
	}
}

func TestCapacityIsInUnitsAndUtilizationToldWhereItIsAskedFor(t *testing.T) {
	d := value(hotpart.NewForDynamoDB(0.8, 1, hotpart.CapacityConfig{ManualClock: true}))(t)
	defer d.Close()
	read := inMemory(t)
	value(Instrument(d, 0.5, WithMeter(read), WithUtilization()))(t)
	value(d.Record(hotpart.CapacityRecord{Table: "t", PK: "a", Amount: 500.5}))(t)
	metrics := read.metrics()
	where := "db.collection.name=t,db.system.name=aws.dynamodb,hotpart.operation=write,hotpart.partition.key=a "
	want(t, "demand", joined(pointsOf(metrics["hotpart.partition.demand"])), where+"500.5")
	want(t, "utilization", joined(pointsOf(metrics["hotpart.partition.utilization"])), where+"0.5")
	for name, unit := range map[string]string{"demand": "{capacity_unit}", "unlisted": "{capacity_unit}", "utilization": "1"} {
		want(t, name, metrics["hotpart.partition."+name].Unit, unit)
	}
}

func TestSetsThatAreStaleAreGone(t *testing.T) {
	d, read := made(t, nil), inMemory(t)
	value(Instrument(d, 0, WithMeter(read)))(t)
	for minute, keys := range [][]string{{"a", "b"}, {"b", "c"}, nil} {
		if err := d.SetTime(time.Duration(minute) * 61 * time.Second); err != nil {
			t.Fatal(err)
		}
		writes(t, d, 1, keys...)
		read.wantKeys(keys...)
	}
}

func numbered(prefix string, n int) (keys []string) {
	for i := range n {
		keys = append(keys, fmt.Sprintf("%s%d", prefix, i))
	}
	return keys
}

func Test990SetsOfEachOperationAreTheMost(t *testing.T) {
	d, read := made(t, nil), inMemory(t)
	value(Instrument(d, 2, WithMeter(read)))(t)
	for _, operation := range []hotpart.Operation{hotpart.Write, hotpart.Read} {
		for n := range int64(1_500) {
			value(d.Record(hotpart.Record{Table: "t", PK: fmt.Sprint(n), Operation: operation, Amount: n + 1}))(t)
		}
	}
	points := read.points("hotpart.partition.demand")
	want(t, "points", len(points), 1_980)
	want(t, "overflow", strings.Contains(joined(points), "otel.metric.overflow"), false)
	want(t, "unlisted", strings.Count(joined(read.points("hotpart.partition.unlisted")), " 510"), 2)
}

func TestWhatComesAndGoesTakesNoSetsFromWhatIsThere(t *testing.T) {
	d, read := made(t, nil), inMemory(t)
	value(Instrument(d, 2, WithMeter(read)))(t)
	for minute := range 5 {
		if err := d.SetTime(time.Duration(minute) * 61 * time.Second); err != nil {
			t.Fatal(err)
		}
		prefix := fmt.Sprint(minute, "-")
		writes(t, d, 2, numbered(prefix, 990)...)
		keys := read.keys()
		want(t, "keys", len(keys), 990)
		for _, pk := range keys {
			if !strings.HasPrefix(pk, prefix) {
				t.Fatal(pk)
			}
		}
	}
}

func TestKeysAreRedactedWhereTheDetectorDoesSo(t *testing.T) {
	d, read := made(t, func(c *hotpart.Config) { c.Redact = true }), inMemory(t)
	value(Instrument(d, 0, WithMeter(read)))(t)
	writes(t, d, 1, "secret")
	read.wantKeys(value(d.Redacted("t", "secret"))(t))
}

func TestKeysAreToldAsTheLibraryWritesThem(t *testing.T) {
	for pk, told := range map[string]string{
		`a"b`: `a"b`, "a\nb": "a\nb", `a\b`: `a\x5Cb`, `a\nb`: `a\x5Cnb`, "\r\u2028\u0085\x00": "\\x0D\u2028\\xC2\\x85\\x00",
		"\xff": `\xFF`, `",operation="read"} 9`: `",operation="read"} 9`, "": "", "schlüssel 🔥": "schlüssel 🔥",
		"\nhotpart_partition_demand{table=\"t\",pk=\"k\",operation=\"read\"} 9": "\nhotpart_partition_demand{table=\"t\",pk=\"k\",operation=\"read\"} 9",
	} {
		d, read := made(t, nil), inMemory(t)
		value(Instrument(d, 0, WithMeter(read)))(t)
		writes(t, d, 1, pk)
		read.wantKeys(told)
	}
}

func TestDetectorsOfOneMeterAreToldApartAndEndApart(t *testing.T) {
	read := inMemory(t)
	eu, us := made(t, nil), made(t, nil)
	value(Instrument(eu, 0, WithMeter(read), WithAttributes(attribute.String("cloud.region", "eu"))))(t)
	ofUS := value(Instrument(us, 0, WithMeter(read), WithAttributes(attribute.String("cloud.region", "us"))))(t)
	writes(t, us, 1, "k")
	const ofEU = "cloud.region=eu,db.system.name=aws.dynamodb 0"
	want(t, "records", joined(read.points("hotpart.records")), ofEU+"\ncloud.region=us,db.system.name=aws.dynamodb 1")
	read.wantKeys("k")
	if err := errors.Join(ofUS.Unregister(), ofUS.Unregister()); err != nil {
		t.Fatal(err)
	}
	want(t, "records", joined(read.points("hotpart.records")), ofEU)
	read.wantKeys()
	value(Instrument(us, 0, WithMeter(read)))(t)
	read.wantKeys("k")
}

func TestThresholdsThatAreRaisedLaterCostNoMetrics(t *testing.T) {
	var log bytes.Buffer
	d := made(t, func(c *hotpart.Config) { c.WritesThreshold, c.ReadsThreshold, c.Memory = 1_000, 1_000, 1<<20 })
	read := inMemory(t)
	value(Instrument(d, 300, WithMeter(read), WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))(t)
	writes(t, d, 400, "k")
	value(d.RecordThrottle("t", "k", hotpart.Write, hotpart.ReasonKeyRange))(t)
	read.wantKeys("k")
	want(t, "logged", log.String(), "")
	// From here on 300 is not over what is counted exactly.
	if err := d.SetTableThresholds("t", hotpart.Thresholds{Writes: 10_000}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		read.wantKeys("k")
		want(t, "unlisted", len(read.points("hotpart.partition.unlisted")), 2)
		want(t, "records", len(read.points("hotpart.records")), 1)
		want(t, "throttles", len(read.points("hotpart.throttles")), 5)
	}
	want(t, "lines", strings.Count(log.String(), "\n"), 1)
	for _, said := range []string{"only the hottest partitions are listed", "Least must be more than the count"} {
		want(t, log.String(), strings.Contains(log.String(), said), true)
	}
	want(t, "failures", value(d.Stats())(t).Failures, 12)
}

func TestWithABoundOnPartitionsTheMostThatIsUnlistedIsNotTold(t *testing.T) {
	d, read := made(t, func(c *hotpart.Config) { c.MaxPartitions = 100 }), inMemory(t)
	value(Instrument(d, 2, WithMeter(read)))(t)
	writes(t, d, 2, "k")
	read.wantKeys("k")
	want(t, "unlisted", len(read.points("hotpart.partition.unlisted")), 0)
}

func TestAFailureIsLoggedOnceAndCounted(t *testing.T) {
	var log bytes.Buffer
	d := made(t, nil)
	o := &observer[int64]{detector: d, config: config{logger: slog.New(slog.NewTextHandler(&log, nil))}}
	for range 3 {
		want(t, "worked", o.worked(hotpart.ErrMemory), false)
	}
	want(t, "worked", o.worked(nil), true)
	want(t, "lines", strings.Count(log.String(), "metrics could not be collected"), 1)
	want(t, "failures", value(d.Stats())(t).Failures, 3)
}

func TestAClosedDetectorIsToldOfNoMore(t *testing.T) {
	var log bytes.Buffer
	d, read := made(t, nil), inMemory(t)
	value(Instrument(d, 0, WithMeter(read), WithLogger(slog.New(slog.NewTextHandler(&log, nil)))))(t)
	writes(t, d, 1, "k")
	read.wantKeys("k")
	d.Close()
	read.wantKeys()
	want(t, "records", len(read.points("hotpart.records")), 0)
	want(t, "logged", log.String(), "")
	_, err := Instrument(d, 0, WithMeter(read))
	want(t, "closed", errors.Is(err, hotpart.ErrClosed), true)
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	read := inMemory(t)
	bounded := made(t, func(c *hotpart.Config) { c.WritesThreshold, c.ReadsThreshold, c.Memory = 1_000, 1_000, 1<<20 })
	for _, each := range []struct {
		err   error
		named string
	}{
		{failed(Instrument(made(t, nil), -1, WithMeter(read))), "Least"},
		{failed(Instrument(made(t, nil), 0, WithMeter(read), WithHottest(-1))), "Hottest"},
		{failed(Instrument(bounded, 250, WithMeter(read))), "Least must be more than the count from which"},
	} {
		if !errors.Is(each.err, hotpart.ErrInvalid) || !strings.Contains(each.err.Error(), each.named) {
			t.Errorf("got %v, want an error that names %s", each.err, each.named)
		}
	}
	want(t, "metrics", len(read.metrics()), 0)
}

func failed(_ any, err error) error { return err }

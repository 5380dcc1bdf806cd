package hotpartotel

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

var ctx = context.Background()

// made is a detector whose clock stands still, and that logs nothing.
func made(t testing.TB, change func(*hotpart.Config)) *hotpart.Detector {
	t.Helper()
	config := hotpart.Config{WritesThreshold: 1e6, ReadsThreshold: 1e6, WindowSeconds: 60, ManualClock: true,
		Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&config)
	}
	d := value(hotpart.New(config))(t)
	t.Cleanup(func() { d.Close() })
	return d
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// value fails the test if there is an error.
func value[T any](got T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
}

// writes has a detector record as many writes of keys.
func writes(t testing.TB, d *hotpart.Detector, amount int64, keys ...string) {
	t.Helper()
	for _, pk := range keys {
		value(d.Record(hotpart.Record{Table: "t", PK: pk, Amount: amount}))(t)
	}
}

// read is a meter, and what a reader reads of its instruments.
type read struct {
	t      testing.TB
	reader sdk.Reader
	metric.Meter
}

func inMemory(t testing.TB) *read {
	t.Helper()
	reader := sdk.NewManualReader()
	provider := sdk.NewMeterProvider(sdk.WithReader(reader))
	t.Cleanup(func() { provider.Shutdown(ctx) })
	return &read{t, reader, provider.Meter("hotpart")}
}

func (r *read) metrics() map[string]metricdata.Metrics {
	r.t.Helper()
	var of metricdata.ResourceMetrics
	if err := r.reader.Collect(ctx, &of); err != nil {
		r.t.Fatal(err)
	}
	found := map[string]metricdata.Metrics{}
	for _, scope := range of.ScopeMetrics {
		for _, each := range scope.Metrics {
			found[each.Name] = each
		}
	}
	return found
}

// points are an instrument's, each as its attributes and its number.
func (r *read) points(name string) []string {
	r.t.Helper()
	return pointsOf(r.metrics()[name])
}

func pointsOf(of metricdata.Metrics) (points []string) {
	switch data := of.Data.(type) {
	case metricdata.Gauge[int64]:
		points = written(data.DataPoints)
	case metricdata.Gauge[float64]:
		points = written(data.DataPoints)
	case metricdata.Sum[int64]:
		points = written(data.DataPoints)
	}
	slices.Sort(points)
	return points
}

func written[N int64 | float64](points []metricdata.DataPoint[N]) (all []string) {
	for _, point := range points {
		all = append(all, fmt.Sprint(point.Attributes.Encoded(attribute.DefaultEncoder()), " ", point.Value))
	}
	return all
}

// keys are those that are told of, in order.
func (r *read) keys() (keys []string) {
	r.t.Helper()
	data, _ := r.metrics()["hotpart.partition.demand"].Data.(metricdata.Gauge[int64])
	for _, point := range data.DataPoints {
		pk, _ := point.Attributes.Value("hotpart.partition.key")
		keys = append(keys, pk.AsString())
	}
	slices.Sort(keys)
	return keys
}

func (r *read) wantKeys(keys ...string) {
	r.t.Helper()
	want(r.t, "keys", fmt.Sprintf("%q", r.keys()), fmt.Sprintf("%q", keys))
}

func joined(lines []string) string { return strings.Join(lines, "\n") }

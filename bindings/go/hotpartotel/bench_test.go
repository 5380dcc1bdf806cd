package hotpartotel

import (
	"testing"

	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// BenchmarkCollection is of as many sets of attributes as there can be.
func BenchmarkCollection(b *testing.B) {
	d, read := made(b, nil), inMemory(b)
	value(Instrument(d, 2, WithMeter(read)))(b)
	for _, pk := range numbered("user-", 990) {
		writes(b, d, 5, pk)
		value(d.RecordRead("t", pk))(b)
		value(d.RecordRead("t", pk))(b)
	}
	var of metricdata.ResourceMetrics
	for b.Loop() {
		if err := read.reader.Collect(ctx, &of); err != nil {
			b.Fatal(err)
		}
	}
}

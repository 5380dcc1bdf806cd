package hotpart_test

import (
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/libhotpart/libhotpart/bindings/go/internal/bench"
)

const table, pk = "events", "user#0000000000042"

func quiet(t testing.TB) *hotpart.Detector {
	t.Helper()
	d, err := hotpart.New(hotpart.Config{
		WritesThreshold: math.MaxInt64, ReadsThreshold: math.MaxInt64, WindowSeconds: 60,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func BenchmarkRecordWrite(b *testing.B) {
	d := quiet(b)
	b.ReportAllocs()
	for b.Loop() {
		d.RecordWrite(table, pk)
	}
}

func BenchmarkRecordWriteBytes(b *testing.B) {
	d, key := quiet(b), []byte(pk)
	b.ReportAllocs()
	for b.Loop() {
		d.RecordWriteBytes(table, key)
	}
}

func BenchmarkRecordInFull(b *testing.B) {
	d, r := quiet(b), hotpart.Record{Table: table, PK: pk, Amount: 3, Model: "Event"}
	b.ReportAllocs()
	for b.Loop() {
		d.Record(r)
	}
}

func BenchmarkRecordWriteParallel(b *testing.B) {
	d := quiet(b)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			d.RecordWrite(table, pk)
		}
	})
}

func BenchmarkEmptyCall(b *testing.B) {
	for b.Loop() {
		bench.Empty(table, pk)
	}
}

func BenchmarkRecordInC(b *testing.B) { bench.Records(table, pk, b.N) }

// TestRatio prints what a record costs beside a bare call of C and the record in C. It judges nothing: another machine's load may
// fall on it.
func TestRatio(t *testing.T) {
	if os.Getenv("HOTPART_RATIO") == "" {
		t.Skip("HOTPART_RATIO is not set")
	}
	ratio(t)
}

// ratio measures the three in turns, so that noise falls on all of them.
func ratio(t *testing.T) {
	const n, rounds = 200_000, 31
	d := quiet(t)
	took := map[string][]float64{}
	measure := func(name string, f func()) {
		start := time.Now()
		f()
		took[name] = append(took[name], float64(time.Since(start).Nanoseconds())/n)
	}
	for range rounds {
		measure("go", func() {
			for range n {
				d.RecordWrite(table, pk)
			}
		})
		measure("call", func() {
			for range n {
				bench.Empty(table, pk)
			}
		})
		measure("c", func() { bench.Records(table, pk, n) })
	}
	median := func(name string) float64 { return slices.Sorted(slices.Values(took[name]))[rounds/2] }
	record, call, c := median("go"), median("call"), median("c")
	allocations := testing.AllocsPerRun(10_000, func() { d.RecordWrite(table, pk) })
	fmt.Printf("RecordWrite %.1f ns; a bare cgo call %.1f ns, the record in C %.1f ns: %.2f times their sum (at most 1.3); %v allocations\n",
		record, call, c, record/(call+c), allocations)
}

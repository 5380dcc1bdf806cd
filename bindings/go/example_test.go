package hotpart_test

import (
	"errors"
	"fmt"
	"log/slog"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

func Example() {
	detector, err := hotpart.New(hotpart.Config{
		WritesThreshold: 3, ReadsThreshold: 9, WindowSeconds: 60,
		OnWarning: func(w hotpart.Warning) { fmt.Println(w) },
		Logger:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	defer detector.Close()
	for range 5 {
		detector.RecordWrite("events", "EVENTS")
	}
	count, _ := detector.WriteCount("events", "EVENTS")
	fmt.Println(count)
	// Output:
	// Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s
	// 5
}

func ExampleNew_thresholdsAreRequired() {
	_, err := hotpart.New(hotpart.Config{WritesThreshold: 500, WindowSeconds: 60})
	fmt.Println(err)
	fmt.Println(errors.Is(err, hotpart.ErrInvalid))
	// Output:
	// hotpart: ReadsThreshold must be positive and less than 2^63, not 0
	// true
}

func ExampleNewForDynamoDB() {
	detector, _ := hotpart.NewForDynamoDB(0.8, 4, hotpart.CapacityConfig{
		OnWarning: func(w hotpart.CapacityWarning) { fmt.Println(w, w.Rule, w.Utilisation) },
		Logger:    slog.New(slog.DiscardHandler), ManualClock: true,
	})
	defer detector.Close()
	detector.Record(hotpart.CapacityRecord{Table: "events", PK: "EVENTS", Operation: hotpart.Read, Amount: 750})
	// Output:
	// Hot partition detected - table="events" pk="EVENTS" had 750 reads in 1s second 1
}

func ExampleDetectorOf_SetTableThresholds() {
	detector, _ := hotpart.New(hotpart.Config{WritesThreshold: 500, ReadsThreshold: 1_500, WindowSeconds: 60})
	defer detector.Close()
	detector.SetTableThresholds("events", hotpart.Thresholds{Writes: 2_000})
	thresholds, _ := detector.TableThresholds("events")
	fmt.Printf("%+v\n", thresholds)
	// Output:
	// {Writes:2000 Reads:0}
}

func ExampleDetectorOf_Bounds() {
	detector, _ := hotpart.New(hotpart.Config{WritesThreshold: 3, ReadsThreshold: 9, WindowSeconds: 60, Memory: 8 << 20,
		Logger: slog.New(slog.DiscardHandler)})
	defer detector.Close()
	for range 5 {
		detector.RecordWrite("events", "EVENTS")
	}
	bounds, _ := detector.Bounds("events", "EVENTS", hotpart.Write)
	fmt.Printf("%+v\n", bounds)
	// Output:
	// {Least:5 Most:5}
}

func ExampleDetectorOf_Hottest() {
	detector, _ := hotpart.New(hotpart.Config{WritesThreshold: 500, ReadsThreshold: 1_500, WindowSeconds: 60})
	defer detector.Close()
	for _, key := range []string{"a", "b", "b", "c", "b", "c"} {
		detector.RecordWrite("events", key)
	}
	hottest, _ := detector.Hottest(2)
	for _, each := range hottest {
		fmt.Println(each.PK, each.Operation, each.Count)
	}
	// Output:
	// b write 3
	// c write 2
}

func ExampleNumberKey() {
	for _, number := range []string{"1", "1.0", "1e2", "-0"} {
		key, _ := hotpart.NumberKey(number)
		fmt.Print(key, " ")
	}
	// Output: 1 1 100 0
}

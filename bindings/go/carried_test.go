package hotpart

import (
	"log/slog"
	"reflect"
	"testing"
)

// The options that the library gets, of a detector and of the preset alike. (Tests can't have C of their own.)
func TestMemoryIsPassedOn(t *testing.T) {
	for _, each := range []struct {
		config       Config
		bytes, share uint64
	}{
		{Config{}, 0, 0},
		{Config{Memory: 64 << 10}, 65_536, 0},
		{Config{Memory: 1 << 40, PromoteShare: 0.25}, 1 << 40, 250},
		{Config{Memory: 8 << 20, PromoteShare: 0.01}, 8 << 20, 10},
		{Config{Memory: 8 << 20, PromoteShare: 0.5}, 8 << 20, 500},
		{Config{Memory: 8 << 20, PromoteShare: 0.0126}, 8 << 20, 13},
	} {
		shared := reflect.ValueOf(each.config.shared)
		options := reflect.New(shared.Type().In(0).Elem())
		if err := shared.Call([]reflect.Value{options})[0]; !err.IsNil() {
			t.Fatal(err)
		}
		bytes, share := options.Elem().FieldByName("filter_bytes").Uint(), options.Elem().FieldByName("promote_permille").Uint()
		if bytes != each.bytes || share != each.share {
			t.Errorf("%+v: got %d bytes and %d", each.config, bytes, share)
		}
	}
}

func TestALineSaysWhatACountIsAtLeast(t *testing.T) {
	const line = `Hot partition detected - table="events" pk="EVENTS" had `
	operations, err := New(Config{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer operations.Close()
	units, err := NewCapacity(CapacityConfig{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 60})
	if err != nil {
		t.Fatal(err)
	}
	defer units.Close()
	var given warning
	given.due.count, given.due.threshold, given.due.window_seconds, given.due.carried = 500, 1, 60, 120

	w := operations.warningOf(operations.owner.Load(), "events", "EVENTS", given.due)
	if got := warningIn[int64](w); got.String() != line+"at least 380 of 500 writes in 60s" || got.Carried != 120 {
		t.Errorf("%v carries %d", got, got.Carried)
	}
	if carried := attribute(w.attributes(), "carried"); !carried.Equal(slog.Uint64Value(120)) {
		t.Errorf("logged: %v", carried)
	}

	given.due.carried = 121
	w = units.warningOf(units.owner.Load(), "events", "EVENTS", given.due)
	if got := warningIn[float64](w); got.String() != line+"at least 189.5 of 250 writes in 60s" || got.Carried != 60.5 {
		t.Errorf("%v carries %v", got, got.Carried)
	}
	if carried := attribute(w.attributes(), "carried"); !carried.Equal(slog.Float64Value(60.5)) {
		t.Errorf("logged: %v", carried)
	}

	given.due.carried = 0
	w = operations.warningOf(operations.owner.Load(), "events", "EVENTS", given.due)
	if w.line != line+"500 writes in 60s" {
		t.Errorf("of an exact count: %v", w.line)
	}
	if carried := attribute(w.attributes(), "carried"); !carried.Equal(slog.Value{}) {
		t.Errorf("logged of an exact count: %v", carried)
	}
}

func attribute(all []slog.Attr, name string) (found slog.Value) {
	for _, each := range all {
		if each.Key == name {
			found = each.Value
		}
	}
	return found
}

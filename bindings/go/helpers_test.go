package hotpart_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

var discard = slog.New(slog.DiscardHandler)

// made is a detector whose clock stands still, and that logs nothing.
func made(t testing.TB, change func(*hotpart.Config)) *hotpart.Detector {
	t.Helper()
	config := hotpart.Config{WritesThreshold: 3, ReadsThreshold: 3, WindowSeconds: 60, ManualClock: true, Logger: discard}
	if change != nil {
		change(&config)
	}
	d, err := hotpart.New(config)
	if err != nil {
		t.Fatal(err)
	}
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

func refused(t testing.TB, err, kind error, argument string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), argument) {
		t.Errorf("got %v, want %v that names %q", err, kind, argument)
	}
}

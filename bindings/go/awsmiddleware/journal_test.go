package awsmiddleware

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// strange is a detector in which everything goes wrong.
type strange struct {
	*counted
	observe func() error
}

func (s strange) Observe(hotpart.Exchange) (int64, error) { return 0, s.observe() }

func TestAnErrorInHereIsLoggedOnceAndReachesNobody(t *testing.T) {
	for what, observe := range map[string]func() error{
		"broken":        func() error { return errors.New("broken") },
		"panic: broken": func() error { panic("broken") },
	} {
		inBothModes(t, func(t *testing.T, d *counted) {
			var w wire
			var l log
			client := w.on(Watch(strange{d, observe}, l.option()))
			for range 3 {
				put(t, client, "events", events)
			}
			want(t, "lines", strings.Join(l.lines(t), ";"), "a request to DynamoDB could not be observed: "+what)
			want(t, "failures", d.stats(t).Failures, 3)
		})
	}
}

// Only the first failure ever was logged, and so it hid the next; by calls that are each watched
// for themselves all were.
func TestEachKindOfFailureIsLoggedOnce(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l, other log
		failures := []error{errors.New("one"), hotpart.ErrJSON, hotpart.ErrMemory, errors.New("one"), nil}
		n := 0
		failing := strange{d, func() error {
			if n++; failures[n%5] == nil {
				panic("four")
			}
			return failures[n%5]
		}}
		client := w.on(Watch(failing, l.option()))
		for range 15 {
			put(t, client, "events", events)
		}
		var lines []string
		for _, why := range []string{hotpart.ErrJSON.Error(), hotpart.ErrMemory.Error(), "one", "panic: four"} {
			lines = append(lines, "a request to DynamoDB could not be observed: "+why)
		}
		want(t, "lines", fmt.Sprint(slices.Sorted(slices.Values(l.lines(t)))), fmt.Sprint(lines))
		// Those that are not known leave room for a failure.
		client = w.on(Watch(d.Detector, WithoutDescribe(), other.option()))
		for n := range 150 {
			put(t, client, fmt.Sprint("table", n), events)
		}
		want(t, "lines", len(other.lines(t)), kindsMax)
		w.answer("PutItem", 200, "no JSON")
		client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events})
		want(t, "lines", len(other.lines(t)), kindsMax+1)
	})
}

// Each port of a connection that was reset made a kind.
func TestANumberInAnErrorMakesNoKind(t *testing.T) {
	d := countedBy(t, hotpart.New)
	var l log
	w := &watcher{detector: d, schemas: newSchemas(60)}
	l.option()(w)
	for _, port := range []string{"54321", "8"} {
		why := "read tcp 127.0.0.1:" + port + "->127.0.0.1:8000: connection reset"
		w.failed(errors.New(why))
		for _, table := range []string{"events1", "events2"} {
			w.undescribed(table, why, false)
		}
	}
	want(t, "lines", len(l.lines(t)), 3)
	want(t, "failures", d.stats(t).Failures, 6)
}

func TestOneCallsWatcherLogsNoKindAgain(t *testing.T) {
	var w wire
	var l log
	d := countedBy(t, hotpart.New)
	client := w.on()
	logger := l.option()
	for range 3 {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events},
			Watch(d.Detector, WithoutDescribe(), logger))
		check(t, err)
	}
	want(t, "lines", len(l.lines(t)), 1)
}

func TestALoggerThatPanicsReachesNobody(t *testing.T) {
	var w wire
	d := countedBy(t, hotpart.New)
	client := w.on(Watch(d.Detector, WithoutDescribe(), WithLogger(slog.New(panics{slog.DiscardHandler}))))
	put(t, client, "events", events)
}

type panics struct{ slog.Handler }

func (panics) Enabled(context.Context, slog.Level) bool { panic("broken") }

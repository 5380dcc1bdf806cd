// Package awsmiddleware has a client of the AWS SDK for DynamoDB tell a detector of every attempt at a request, as it was sent
// and answered:
//
//	client := dynamodb.NewFromConfig(cfg, awsmiddleware.Watch(detector))
//
// No request's result changes, and no error in here reaches the caller: each kind is logged, once.
package awsmiddleware

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// Detector is a [*hotpart.Detector] or a [*hotpart.CapacityDetector].
type Detector interface {
	Capacity() bool
	Closed() bool
	WindowSeconds() int
	Observe(hotpart.Exchange) (actions int64, err error)
	SetKeySchema(table, attribute string) error
	SetIndexKeySchema(table, index string, attributes ...string) error
	ForgetTable(table string) error
	Redacted(table, pk string) (string, error)
	AddFailure()
}

// Option changes how a client is watched.
type Option func(*watcher)

// WithoutDescribe keeps tables from being described. Without it DescribeTable is called for a table
// whose key schema is needed and was not seen in traffic: once, again after a pause if it fails, and
// never again where it is denied. With it what needs the schema waits in the detector until traffic
// shows the schema or it is declared.
func WithoutDescribe() Option { return func(w *watcher) { w.describes = false } }

// WithKeySchema declares the attribute that is the partition key of a table, "events", or the one to four of an index,
// "events/index/by_user". A schema that is refused is logged; the detector's SetKeySchema would return the error.
func WithKeySchema(table string, attributes ...string) Option {
	return func(w *watcher) {
		if err := setKeySchema(w.detector, table, attributes); err != nil {
			w.logTo().Error("hotpart: a key schema was refused", "logger", "hotpart", "table", table, "error", err)
		}
	}
}

// WithModel has the client's records made for a model, whose thresholds win over the tables'.
func WithModel(model string) Option { return func(w *watcher) { w.model = model } }

// WithLogger has what could not be observed, recorded or described logged to logger. Without it: slog.Default().
func WithLogger(logger *slog.Logger) Option { return func(w *watcher) { w.logger = logger } }

// Watch returns an option for dynamodb.NewFromConfig, dynamodb.New, or one call of a client. To
// watch a client again with the same detector changes the options. A detector that was closed is
// told of nothing.
//
// For a detector of capacity requests ask for all of ReturnConsumedCapacity, and results have what
// the caller asked for: nothing, or the total. A transaction whose caller gave a ClientRequestToken
// is left as it is.
func Watch(detector Detector, options ...Option) func(*dynamodb.Options) {
	w := &watcher{detector: detector, describes: true, id: fmt.Sprintf("hotpart:%p", detector), schemas: schemasOf(detector)}
	for _, option := range options {
		option(w)
	}
	return func(o *dynamodb.Options) {
		// Later options may still change them: they are looked at when a table is to be described.
		a := &attempt{watcher: w, ask: ask{w.id}}
		if w.describes {
			a.describer = sync.OnceValue(func() *dynamodb.Client { return w.clientOf(o) })
		}
		o.APIOptions = append(o.APIOptions, a.add)
	}
}

// A watcher is what a client's middleware knows.
type watcher struct {
	detector  Detector
	describes bool
	model     string
	logger    *slog.Logger
	// recorder writes attempts; nil: nobody does.
	recorder *recorder
	// id tells watchers of one detector from those of others.
	id      string
	schemas *schemas
}

// add puts what watches an operation into its stack.
func (a *attempt) add(stack *middleware.Stack) error {
	if a.detector.Closed() {
		return nil
	}
	// Closest to the wire: what the SDK does with an answer it does after us, and each of its attempts comes by.
	if _, ok := stack.Deserialize.Get(a.id); ok {
		_, err := stack.Deserialize.Swap(a.id, a)
		return err
	}
	if err := stack.Deserialize.Add(a, middleware.After); err != nil {
		return err
	}
	if a.detector.Capacity() && hotpart.TellsCapacity(stack.ID()) {
		if hasToken(stack.ID()) {
			if err := stack.Initialize.Add(&token{a.id}, middleware.Before); err != nil {
				return err
			}
		}
		return stack.Serialize.Add(&a.ask, middleware.Before)
	}
	return nil
}

func (w *watcher) logTo() *slog.Logger {
	if w.logger != nil {
		return w.logger
	}
	return slog.Default()
}

func setKeySchema(detector Detector, table string, attributes []string) error {
	if table, index, ok := strings.Cut(table, "/index/"); ok {
		return detector.SetIndexKeySchema(table, index, attributes...)
	}
	if len(attributes) != 1 {
		return fmt.Errorf("%w: a table's partition key is one attribute, not %d", hotpart.ErrInvalid, len(attributes))
	}
	return detector.SetKeySchema(table, attributes[0])
}

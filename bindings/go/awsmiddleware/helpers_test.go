package awsmiddleware

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

var ctx = context.Background()

// counted is a detector of either kind, whose clock stands still.
type counted struct {
	Detector
	writes, reads func(table, pk string) float64
	// hotModel makes each write of a model hot.
	hotModel func(model string) error
	// since is how long its clock has run.
	since time.Duration
	tallies
}

type tallies interface {
	ThrottleCount(table, pk string, operation hotpart.Operation, reason hotpart.Reason) (int64, error)
	UnattributedCount(table string, kind hotpart.Unattributed, operation hotpart.Operation) (float64, error)
	Stats() (hotpart.Stats, error)
	SetTime(time.Duration) error
	Close() error
}

func countedBy[N hotpart.Amount](t testing.TB, make func(hotpart.ConfigOf[N]) (*hotpart.DetectorOf[N], error)) *counted {
	t.Helper()
	d, err := make(hotpart.ConfigOf[N]{
		WritesThreshold: 1 << 40, ReadsThreshold: 1 << 40, WindowSeconds: 60, ManualClock: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	count := func(get func(table, pk string) (N, error)) func(table, pk string) float64 {
		return func(table, pk string) float64 {
			n, err := get(table, pk)
			if err != nil {
				t.Error(err)
			}
			return float64(n)
		}
	}
	hotModel := func(model string) error { return d.SetModelThresholds(model, hotpart.ThresholdsOf[N]{Writes: 1}) }
	return &counted{Detector: any(d).(Detector), writes: count(d.WriteCount), reads: count(d.ReadCount), hotModel: hotModel, tallies: any(d).(tallies)}
}

func units(t testing.TB) *counted { return countedBy(t, hotpart.NewCapacity) }

// inBothModes runs a test with a detector of operations, and with one of capacity.
func inBothModes(t *testing.T, test func(t *testing.T, d *counted)) {
	t.Run("operations", func(t *testing.T) { test(t, countedBy(t, hotpart.New)) })
	t.Run("capacity", func(t *testing.T) { test(t, units(t)) })
}

func (c *counted) stats(t testing.TB) hotpart.Stats {
	t.Helper()
	stats, err := c.Stats()
	check(t, err)
	return stats
}

func (c *counted) throttles(t testing.TB, table, pk string, operation hotpart.Operation, reason hotpart.Reason) int64 {
	t.Helper()
	n, err := c.ThrottleCount(table, pk, operation, reason)
	check(t, err)
	return n
}

func (c *counted) unattributed(t testing.TB, table string, kind hotpart.Unattributed, operation hotpart.Operation) float64 {
	t.Helper()
	n, err := c.UnattributedCount(table, kind, operation)
	check(t, err)
	return n
}

// either is what is expected in capacity mode, or else.
func (c *counted) either(capacity, operations float64) float64 {
	if c.Capacity() {
		return capacity
	}
	return operations
}

// clientTo is a client of what runs on loopback, which does not wait before it tries again. It
// reuses no connection that was idle for long: dynalite closes those after five seconds, maybe as a
// request comes, whose attempt then counts beside its retry.
func clientTo(endpoint string, options ...func(*dynamodb.Options)) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       "us-east-1",
		Credentials:  credentials.NewStaticCredentialsProvider("test", "test", ""),
		BaseEndpoint: &endpoint,
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.IdleConnTimeout = 2 * time.Second
		}),
		Retryer: retry.NewStandard(func(o *retry.StandardOptions) {
			o.MaxAttempts, o.MaxBackoff, o.RateLimiter = 3, 1, ratelimit.None
		}),
	}, options...)
}

// A wire is where requests go that go nowhere: what they send is kept, and what they get is told.
type wire struct {
	mutex   sync.Mutex
	sent    []sent
	answers map[string]answer
	// before is called before an operation is answered.
	before func(operation string, body map[string]any)
}

type sent struct {
	operation string
	body      map[string]any
}

type answer struct {
	status int
	body   string
}

func (w *wire) Do(request *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(request.Header.Get("X-Amz-Target"), ".")
	var body map[string]any
	if err := json.NewDecoder(request.Body).Decode(&body); err != nil {
		return nil, err
	}
	if w.before != nil {
		w.before(operation, body)
	}
	if err := request.Context().Err(); err != nil {
		return nil, err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.sent = append(w.sent, sent{operation, body})
	a, ok := w.answers[operation]
	if !ok {
		a = answer{200, "{}"}
	}
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

func (w *wire) answer(operation string, status int, body string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.answers == nil {
		w.answers = map[string]answer{}
	}
	w.answers[operation] = answer{status, body}
}

func (w *wire) operations() (names []string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, one := range w.sent {
		names = append(names, one.operation)
	}
	return names
}

func (w *wire) describes() (n int) {
	for _, name := range w.operations() {
		if name == "DescribeTable" {
			n++
		}
	}
	return n
}

func (w *wire) last() map[string]any { return w.sent[len(w.sent)-1].body }

// on is a client of the wire's.
func (w *wire) on(options ...func(*dynamodb.Options)) *dynamodb.Client {
	return clientTo("http://127.0.0.1:1", append(options, func(o *dynamodb.Options) { o.HTTPClient = w })...)
}

// A log keeps what is logged.
type log struct {
	mutex sync.Mutex
	bytes.Buffer
}

func (l *log) Write(line []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.Buffer.Write(line)
}

func (l *log) option() Option {
	return WithLogger(slog.New(slog.NewJSONHandler(l, nil)))
}

func (l *log) lines(t testing.TB) (lines []string) {
	t.Helper()
	l.mutex.Lock()
	defer l.mutex.Unlock()
	for line := range strings.Lines(l.String()) {
		var record struct{ Msg string }
		check(t, json.Unmarshal([]byte(line), &record))
		lines = append(lines, record.Msg)
	}
	return lines
}

func text(value string) types.AttributeValue { return &types.AttributeValueMemberS{Value: value} }

func digits(value string) types.AttributeValue { return &types.AttributeValueMemberN{Value: value} }

type item = map[string]types.AttributeValue

func put(t testing.TB, client *dynamodb.Client, table string, i item) *dynamodb.PutItemOutput {
	t.Helper()
	out, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: i})
	check(t, err)
	return out
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func want[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// code is what DynamoDB refused a request with.
func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

var str = aws.String

package awsmiddleware

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// unanswered has a client put, which fails, and returns how many writes were counted.
func unanswered(t *testing.T, ctx context.Context, d *counted, endpoint string, i item, options ...func(*dynamodb.Options)) float64 {
	t.Helper()
	var lines log
	client := clientTo(endpoint, append(options, Watch(d.Detector, known(), lines.option()))...)
	if _, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: i}); err == nil {
		t.Error("no error")
	}
	want(t, "lines", len(lines.lines(t)), 0)
	return d.writes("events", "k")
}

// by is a client's own transport.
func by(transport http.RoundTripper) func(*dynamodb.Options) {
	return func(o *dynamodb.Options) { o.HTTPClient = &http.Client{Transport: transport} }
}

type tripper func(*http.Request) (*http.Response, error)

func (t tripper) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// refused is where nobody listens.
const refused = "http://127.0.0.1:1"

func nobody(*http.Request) (*url.URL, error) { return url.Parse(refused) }

// 500 refused connections were logged as a hot partition.
func TestAttemptsThatNeverLeftAreNotCounted(t *testing.T) {
	dials := func(dial func(ctx context.Context) error) func(*dynamodb.Options) {
		return by(&http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return nil, dial(ctx) }})
	}
	logs := by(tripper(func(r *http.Request) (*http.Response, error) {
		if dump, err := httputil.DumpRequestOut(r, true); err != nil || !strings.Contains(string(dump), "events") {
			return nil, errors.New("not dumped")
		}
		return http.DefaultTransport.RoundTrip(r)
	}))
	inBothModes(t, func(t *testing.T, d *counted) {
		none := func(what string, n float64) {
			t.Helper()
			want(t, what, n, 0)
		}
		none("refused", unanswered(t, ctx, d, refused, events))
		none("refused, and logged before", unanswered(t, ctx, d, refused, events, logs))
		none("no name, and logged before", unanswered(t, ctx, d, refused, events, by(tripper(func(r *http.Request) (*http.Response, error) {
			io.Copy(io.Discard, r.Body)
			return nil, &net.DNSError{Name: "events"}
		}))))
		none("by no proxy", unanswered(t, ctx, d, "http://nobody.invalid", events, by(&http.Transport{Proxy: nobody})))
		none("a name that is none", unanswered(t, ctx, d, "http://nobody.invalid", events))
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		none("cancelled before", unanswered(t, cancelled, d, refused, events))
		cancelled, cancel = context.WithCancel(ctx)
		none("cancelled while it connected", unanswered(t, cancelled, d, refused, events, dials(func(ctx context.Context) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		})))
		plain := httptest.NewServer(http.NotFoundHandler())
		defer plain.Close()
		none("no TLS", unanswered(t, ctx, d, strings.Replace(plain.URL, "http", "https", 1), events))
		none("a client's own failure", unanswered(t, ctx, d, refused, events, func(o *dynamodb.Options) {
			o.HTTPClient = doer(func(*http.Request) (*http.Response, error) { return nil, errors.New("no") })
		}))
		half := listen(t, func(c net.Conn) { io.CopyN(io.Discard, c, 1_000) })
		none("cut off", unanswered(t, ctx, d, half, item{"id": text("k"), "x": text(strings.Repeat("x", 16<<20))}))
		want(t, "estimated", d.stats(t).EstimatedUnits, 0)
	})
}

// listen is a server that does so much with each connection, and then closes it.
func listen(t *testing.T, serve func(net.Conn)) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				serve(connection)
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestAttemptsThatMayHaveRunAreCounted(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		hangsUp := listen(t, func(c net.Conn) { c.Read(make([]byte, 10_000)) })
		want(t, "three lost answers", unanswered(t, ctx, d, hangsUp, events), 3)
		holds := listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
		short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		defer cancel()
		want(t, "cancelled while it ran", unanswered(t, short, d, holds, events), 4)
		own := by(&http.Transport{ResponseHeaderTimeout: 50 * time.Millisecond})
		want(t, "three without an answer in time", unanswered(t, ctx, d, holds, events, own), 7)
		want(t, "estimated", d.stats(t).EstimatedUnits, d.either(7, 0))
	})
}

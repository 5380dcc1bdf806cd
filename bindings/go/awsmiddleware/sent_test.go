package awsmiddleware

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	model "github.com/aws/aws-sdk-go-v2/service/dynamodb/schemas"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/aws/smithy-go/transport/http/protocol/rpcv2"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// A listener answers always the same, and keeps the bodies that it got.
type listener struct {
	answer
	mutex  sync.Mutex
	bodies []string
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if len(body) > 0 {
		l.bodies = append(l.bodies, string(body))
	}
	w.WriteHeader(l.status)
	io.WriteString(w, l.body)
}

func (l *listener) got() []string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.bodies
}

// listening runs a test with a server, in both modes.
func listening(t *testing.T, a answer, test func(t *testing.T, d *counted, l *listener, endpoint string)) {
	inBothModes(t, func(t *testing.T, d *counted) {
		l := &listener{answer: a}
		server := httptest.NewServer(l)
		defer server.Close()
		test(t, d, l, server.URL)
	})
}

// finally adds a middleware of a user's that each attempt passes after it was signed.
func finally(handle func(*smithyhttp.Request, func(*smithyhttp.Request) error) error) func(*dynamodb.Options) {
	own := func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
		out middleware.FinalizeOutput, metadata middleware.Metadata, err error,
	) {
		err = handle(in.Request.(*smithyhttp.Request), func(request *smithyhttp.Request) error {
			in.Request = request
			out, metadata, err = next.HandleFinalize(ctx, in)
			return err
		})
		return out, metadata, err
	}
	return func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("own", own), middleware.After)
		})
	}
}

// It was rewound for it: three whole bodies were sent, where one is, and the second and third were
// empty in what was observed.
func TestARetryThatDoesNotRewindEndsAsUnwatched(t *testing.T) {
	listening(t, answer{500, `{"__type":"InternalServerError"}`}, func(t *testing.T, d *counted, l *listener, endpoint string) {
		var lines log
		var errs []string
		retries := finally(func(request *smithyhttp.Request, next func(*smithyhttp.Request) error) (err error) {
			for range 3 {
				if err = next(request); err != nil {
					// By which of its ends the connection breaks is a matter of time.
					what, _, _ := strings.Cut(err.Error(), ", request send failed")
					errs = append(errs, what)
				}
			}
			return err
		})
		// Nothing is added to a request that asks for its capacity by itself.
		asks := &dynamodb.PutItemInput{TableName: str("events"), Item: ours, ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes}
		once := func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }
		clientTo(endpoint, retries, once).PutItem(ctx, asks)
		want(t, "bodies", len(l.got()), 1)
		unwatched := errs
		errs = nil
		clientTo(endpoint, Watch(d.Detector, known(), lines.option()), retries, once).PutItem(ctx, asks)
		want(t, "bodies", len(l.got()), 2)
		if !reflect.DeepEqual(errs, unwatched) {
			t.Errorf("got  %q\nwant %q", errs, unwatched)
		}
		want(t, "writes", d.writes("events", "k"), 1)
		want(t, "lines", len(lines.lines(t)), 0)
	})
}

// The SDK gives a logged body on as a stream that can be read once, which was not observed, nor was
// that said.
func TestAClientWhoseBodiesAreLoggedIsWatched(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(throttle("TableWriteKeyRangeThroughputExceeded", arn), ok(object{}))
		logged := func(o *dynamodb.Options) {
			o.ClientLogMode, o.Logger = aws.LogRequestWithBody|aws.LogResponseWithBody, logging.Nop{}
		}
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: ours}, logged)
		check(t, err)
		want(t, "throttles", d.stats(t).Throttles, [5]int64{1: 1})
		want(t, "writes", d.writes("events", "k"), 1)
	})
}

// Streams that a middleware of a user's puts in the place of the SDK's.
func TestBodiesOfOtherKinds(t *testing.T) {
	type seeker struct{ io.ReadSeeker }
	type reader struct{ io.Reader }
	for name, made := range map[string]func([]byte) io.Reader{
		"seekable": func(all []byte) io.Reader { return seeker{bytes.NewReader(all)} },
		"once":     func(all []byte) io.Reader { return reader{bytes.NewReader(all)} },
		"counted":  func(all []byte) io.Reader { return bytes.NewBuffer(all) },
		"from the middle": func(all []byte) io.Reader {
			stream := bytes.NewReader(append([]byte("no JSON"), all...))
			stream.Seek(7, io.SeekStart)
			return stream
		},
		"pipe": func(all []byte) io.Reader {
			out, in := io.Pipe()
			go func() {
				in.Write(all)
				in.Close()
			}()
			return out
		},
	} {
		t.Run(name, func(t *testing.T) {
			listening(t, answer{200, "{}"}, func(t *testing.T, d *counted, l *listener, endpoint string) {
				var lines log
				others := finally(func(request *smithyhttp.Request, next func(*smithyhttp.Request) error) error {
					all, err := io.ReadAll(request.GetStream())
					check(t, err)
					if request, err = request.SetStream(made(all)); err != nil {
						return err
					}
					return next(request)
				})
				client := clientTo(endpoint, Watch(d.Detector, known(), lines.option()), others)
				for range 2 {
					check(t, write(client, "events"))
				}
				want(t, "bodies", len(l.got()), 2)
				want(t, "whole", strings.HasPrefix(l.got()[0], `{"`), true)
				if name == "pipe" {
					want(t, "lines", fmt.Sprint(lines.lines(t)), "[a client of DynamoDB is not watched: the bodies of its requests can be read only once]")
					return
				}
				want(t, "lines", len(lines.lines(t)), 0)
				want(t, "writes", d.writes("events", "k"), 2)
			})
		})
	}
}

func TestAClientOfAnotherProtocolIsSaidOnce(t *testing.T) {
	var lines log
	d := countedBy(t, hotpart.New)
	l := &listener{answer: answer{500, ""}}
	server := httptest.NewServer(l)
	defer server.Close()
	client := clientTo(server.URL, Watch(d.Detector, known(), lines.option()), func(o *dynamodb.Options) {
		o.Protocol = rpcv2.NewCBOR(model.DynamoDB_20120810)
	})
	for range 3 {
		write(client, "events")
	}
	want(t, "bodies", len(l.got()), 9)
	want(t, "lines", fmt.Sprint(lines.lines(t)),
		"[a client of DynamoDB is not watched: its requests have no header X-Amz-Target, so they are not in DynamoDB's JSON]")
}

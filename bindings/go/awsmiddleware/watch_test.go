package awsmiddleware

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

func known() Option { return WithKeySchema("events", "id") }

const consumed = `{"ConsumedCapacity":{"TableName":"events","CapacityUnits":7.5}}`

func TestWhatIsAskedForInCapacityModeIsTakenOutAgain(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("PutItem", 200, consumed)
		client := w.on(Watch(d.Detector, known()))
		input := &dynamodb.PutItemInput{TableName: str("events"), Item: events}
		out, err := client.PutItem(ctx, input)
		check(t, err)
		want(t, "the caller's own input", input.ReturnConsumedCapacity, "")
		if d.Capacity() {
			want(t, "asked", w.last()["ReturnConsumedCapacity"], any("INDEXES"))
			want(t, "taken out", out.ConsumedCapacity == nil, true)
			want(t, "writes", d.writes("events", "k"), 7.5)
		} else {
			want(t, "asked", w.last()["ReturnConsumedCapacity"], nil)
		}
		// What the caller asks for is the caller's.
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityIndexes
		out, err = client.PutItem(ctx, input)
		check(t, err)
		want(t, "units", *out.ConsumedCapacity.CapacityUnits, 7.5)
		want(t, "asked", w.last()["ReturnConsumedCapacity"], any("INDEXES"))
		input.ReturnConsumedCapacity = types.ReturnConsumedCapacityNone
		out, err = client.PutItem(ctx, input)
		check(t, err)
		if d.Capacity() {
			want(t, "asked", w.last()["ReturnConsumedCapacity"], any("INDEXES"))
			want(t, "taken out", out.ConsumedCapacity == nil, true)
		}
	})
}

func TestOperationsThatKnowNoCapacityAreNotAskedForIt(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		client := w.on(Watch(d.Detector))
		_, err := client.ListTables(ctx, nil)
		check(t, err)
		_, err = client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: str("events")})
		check(t, err)
		for _, one := range w.sent {
			want(t, one.operation, one.body["ReturnConsumedCapacity"], nil)
		}
		_, err = client.Scan(ctx, &dynamodb.ScanInput{TableName: str("events")})
		check(t, err)
		want(t, "scans", d.unattributed(t, "events", hotpart.Scans, hotpart.Read), 1)
		want(t, "unknown: ListTables", d.stats(t).UnknownOperations, 1)
	})
}

// Each operation that is asked has the parameter and the member, and none that has both is forgotten but one of another kind.
func TestTheOperationsThatTellTheirCapacity(t *testing.T) {
	client := reflect.TypeFor[*dynamodb.Client]()
	for i := range client.NumMethod() {
		method := client.Method(i)
		if method.Type.NumIn() < 3 || method.Type.NumOut() != 2 || method.Type.In(2).Kind() != reflect.Pointer {
			continue
		}
		_, asks := method.Type.In(2).Elem().FieldByName("ReturnConsumedCapacity")
		_, tells := method.Type.Out(0).Elem().FieldByName("ConsumedCapacity")
		is := asks && tells && method.Name != "SearchVectors"
		want(t, method.Name, hotpart.TellsCapacity(method.Name), is)
		parameters, result := reflect.New(method.Type.In(2).Elem()), reflect.New(method.Type.Out(0).Elem())
		ours, own := copied(parameters.Interface())
		want(t, method.Name, own != nil, is)
		one, several := capacityIn(result.Interface())
		want(t, method.Name, one != nil || several != nil, is)
		if is {
			*own = "INDEXES"
			want(t, method.Name, reflect.TypeOf(ours), parameters.Type())
			want(t, method.Name, member(ours, "ReturnConsumedCapacity").String()+member(parameters.Interface(), "ReturnConsumedCapacity").String(), "INDEXES")
		}
		// Without parameters the SDK says what is wrong with that.
		ours, _ = copied(reflect.Zero(parameters.Type()).Interface())
		want(t, method.Name, ours, nil)
		_, token := method.Type.In(2).Elem().FieldByName("ClientRequestToken")
		want(t, method.Name, hasToken(method.Name), is && token)
		if is && token {
			member(parameters.Interface(), "ClientRequestToken").Set(reflect.ValueOf(str("mine")))
			want(t, method.Name, *tokenOf(parameters.Interface()), "mine")
		}
	}
}

func TestAModelsThresholdsHoldForWhatItsClientDoes(t *testing.T) {
	var seen []hotpart.Warning
	d, err := hotpart.New(hotpart.Config{
		WritesThreshold: 100, ReadsThreshold: 100, WindowSeconds: 60, Logger: slog.New(slog.DiscardHandler),
		OnWarning: func(w hotpart.Warning) { seen = append(seen, w) },
	})
	check(t, err)
	defer d.Close()
	check(t, d.SetModelThresholds("Event", hotpart.Thresholds{Writes: 2}))
	var w wire
	client := w.on(Watch(d, known(), WithModel("Event")))
	for range 3 {
		put(t, client, "events", events)
	}
	want(t, "warnings", len(seen), 1)
	want(t, "count", seen[0].Count, 2)
	want(t, "threshold", seen[0].Threshold, 2)
}

func TestToWatchAgainChangesTheOptions(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		other := units(t)
		client := w.on(Watch(d.Detector, known()), Watch(d.Detector), Watch(other.Detector, known()))
		put(t, client, "events", events)
		want(t, "writes", d.writes("events", "k"), 1)
		want(t, "the other's", other.writes("events", "k"), 1)
		check(t, d.hotModel("Event"))
		// Of one call, too.
		for _, option := range []func(*dynamodb.Options){Watch(d.Detector), Watch(d.Detector, WithModel("Event"))} {
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events}, option)
			check(t, err)
		}
		want(t, "writes", d.writes("events", "k"), 3)
		want(t, "warnings", d.stats(t).Warnings, 1)
	})
}

func TestAClosedDetectorIsLeftAlone(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		w.answer("PutItem", 200, consumed)
		client := w.on(Watch(d.Detector, l.option()))
		d.Close()
		out := put(t, client, "events", events)
		want(t, "nobody asked for it, and nobody took it out", out.ConsumedCapacity != nil, true)
		want(t, "lines", len(l.lines(t)), 0)
	})
}

func TestADetectorThatIsClosedMeanwhile(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		w.answer("PutItem", 200, consumed)
		client := w.on(Watch(d.Detector, l.option()))
		w.before = func(string, map[string]any) { d.Close() }
		out := put(t, client, "events", events)
		want(t, "as the answer was told", out.ConsumedCapacity == nil, d.Capacity())
		want(t, "lines", len(l.lines(t)), 0)
	})
}

func TestAKeySchemaThatIsRefusedIsLogged(t *testing.T) {
	var l log
	d := countedBy(t, hotpart.New)
	Watch(d.Detector, l.option(), WithKeySchema("events", "a", "b"), WithKeySchema("events/index/", "a"), WithKeySchema("events/index/i"))
	want(t, "lines", len(l.lines(t)), 3)
}

func TestAnErrorOfDynamoDBsIsWhatItWas(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("PutItem", 400, `{"__type":"a#ConditionalCheckFailedException","message":"no","Item":{"id":{"S":"k"},"n":{"N":"1"}}}`)
		var found []*types.ConditionalCheckFailedException
		for _, client := range []*dynamodb.Client{w.on(), w.on(Watch(d.Detector, known()))} {
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events})
			var failed *types.ConditionalCheckFailedException
			if !errors.As(err, &failed) {
				t.Fatal(err)
			}
			found = append(found, failed)
		}
		want(t, "equal", fmt.Sprint(found[0].Error(), len(found[0].Item)), fmt.Sprint(found[1].Error(), len(found[1].Item)))
		want(t, "writes", d.writes("events", "k"), 1)
	})
}

func TestACompressedAnswerIsUnpacked(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		fmt.Fprint(zip, `{"Item":{"id":{"S":"k"}},"ConsumedCapacity":{"TableName":"events","CapacityUnits":4.5}}`)
		zip.Close()
		server := doer(func(*http.Request) (*http.Response, error) {
			header := http.Header{"Content-Encoding": {"gzip"}, "X-Amz-Crc32": {fmt.Sprint(crc32.ChecksumIEEE(packed.Bytes()))}}
			return &http.Response{StatusCode: 200, Header: header, Body: io.NopCloser(bytes.NewReader(packed.Bytes())), ContentLength: -1}, nil
		})
		client := clientTo("http://127.0.0.1:1", Watch(d.Detector, known()), func(o *dynamodb.Options) {
			o.HTTPClient, o.EnableAcceptEncodingGzip = server, true
		})
		out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("events"), Key: item{"id": text("k")}})
		check(t, err)
		want(t, "attributes", len(out.Item), 1)
		want(t, "reads", d.reads("events", "k"), d.either(4.5, 1))
	})
}

// lines is a logger of the SDK's.
type lines struct{ all []string }

func (l *lines) Logf(classification logging.Classification, format string, values ...any) {
	l.all = append(l.all, fmt.Sprintf("%s "+format, append([]any{classification}, values...)...))
}

// The SDK compares the checksum with what came, packed, when it closes the body, and logs it where
// they differ.
func TestACompressedAnswersChecksumIsComparedAsUnwatched(t *testing.T) {
	for _, each := range []struct {
		status   int
		wrong    uint32
		unpacked bool
		reads    float64
	}{{200, 0, true, 4.5}, {200, 1, true, 4.5}, {200, 0, false, 4.5}, {400, 0, true, 0}, {400, 1, true, 0}, {500, 1, true, 1.5}} {
		answer := `{"Item":{"id":{"S":"k"}},"ConsumedCapacity":{"TableName":"events","CapacityUnits":4.5}}`
		if each.status != 200 {
			answer = `{"__type":"com.amazonaws.dynamodb.v20120810#SomeException","message":"no"}`
		}
		var packed bytes.Buffer
		zip := gzip.NewWriter(&packed)
		fmt.Fprint(zip, answer)
		zip.Close()
		inBothModes(t, func(t *testing.T, d *counted) {
			sent := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				sent++
				w.Header().Set("Content-Encoding", "gzip")
				w.Header().Set("X-Amz-Crc32", fmt.Sprint(crc32.ChecksumIEEE(packed.Bytes())+each.wrong))
				w.WriteHeader(each.status)
				w.Write(packed.Bytes())
			}))
			defer server.Close()
			get := func(options ...func(*dynamodb.Options)) string {
				var logged lines
				client := clientTo(server.URL, append(options, func(o *dynamodb.Options) {
					o.EnableAcceptEncodingGzip, o.Logger = each.unpacked, &logged
				})...)
				out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("events"), Key: item{"id": text("k")},
					ReturnConsumedCapacity: types.ReturnConsumedCapacityIndexes})
				if err == nil {
					out.ResultMetadata = middleware.Metadata{}
				}
				line := fmt.Sprintf("%d sent, %v, %v, %q", sent, out != nil && len(out.Item) == 1, err, logged.all)
				sent = 0
				return line
			}
			unwatched := get()
			want(t, "is logged", strings.Contains(unwatched, "checksum"), each.wrong != 0)
			want(t, fmt.Sprint(each.status, each.wrong), get(Watch(d.Detector, known())), unwatched)
			want(t, "reads", d.reads("events", "k"), d.either(each.reads, map[int]float64{200: 1, 400: 0, 500: 3}[each.status]))
		})
	}
}

func TestAnAnswerThatBreaksOffMayHaveRun(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		tries, closed := 0, 0
		server := doer(func(*http.Request) (*http.Response, error) {
			tries++
			body := io.MultiReader(strings.NewReader(`{"Attributes":`), failing{io.ErrUnexpectedEOF})
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: broken{body, closer(func() { closed++ })}, ContentLength: 100}, nil
		})
		var messages []string
		for _, options := range [][]func(*dynamodb.Options){nil, {Watch(d.Detector, known())}} {
			client := clientTo("http://127.0.0.1:1", append(options, func(o *dynamodb.Options) { o.HTTPClient = server })...)
			_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events})
			if err == nil {
				t.Fatal("no error")
			}
			messages = append(messages, err.Error())
		}
		want(t, "message", messages[1], messages[0])
		want(t, "every body is closed", closed, tries)
		want(t, "writes", d.writes("events", "k"), float64(tries/2))
	})
}

type broken struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

type closer func()

func (c closer) Close() error {
	c()
	return nil
}

func TestOursComesAfterTheSDKs(t *testing.T) {
	d := units(t)
	var stack *middleware.Stack
	var w wire
	client := w.on(Watch(d.Detector, known()), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			stack = s
			return nil
		})
	})
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events})
	check(t, err)
	last := stack.Deserialize.List()
	want(t, "last", strings.HasPrefix(last[len(last)-1], "hotpart:"), true)
	want(t, "first", strings.HasPrefix(stack.Serialize.List()[0], "hotpart:"), true)
}

// It asked for as much memory as the answer said that it had.
func TestAnAnswerThatSaysItIsLongerThanItIs(t *testing.T) {
	d := countedBy(t, hotpart.New)
	var w wire
	client := w.on(Watch(d.Detector, WithKeySchema("events", "id")), func(o *dynamodb.Options) {
		inner := o.HTTPClient
		o.HTTPClient = smithyhttp.ClientDoFunc(func(request *http.Request) (*http.Response, error) {
			response, err := inner.Do(request)
			if response != nil {
				response.ContentLength = 1 << 46
			}
			return response, err
		})
	})
	put(t, client, "events", events)
	want(t, "writes", d.writes("events", "k"), 1)
}

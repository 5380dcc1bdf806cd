// The race detector drops at random what a pool is given, and makes every call slower.

//go:build !race

package awsmiddleware

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// putters are clients that put an item of so many bytes: unwatched, watched by a detector of
// operations, unwatched and asking for the capacity, and watched by a detector of capacity.
func putters(t *testing.T, size int, to func(...func(*dynamodb.Options)) *dynamodb.Client) []func() {
	var made []func()
	for _, each := range []struct {
		options []func(*dynamodb.Options)
		asks    types.ReturnConsumedCapacity
	}{
		{},
		{options: []func(*dynamodb.Options){Watch(countedBy(t, hotpart.New).Detector, known())}},
		{asks: types.ReturnConsumedCapacityIndexes},
		{options: []func(*dynamodb.Options){Watch(units(t).Detector, known())}},
	} {
		client, input := to(each.options...), &dynamodb.PutItemInput{TableName: str("events"), ReturnConsumedCapacity: each.asks,
			Item: item{"id": text("k"), "x": text(strings.Repeat("x", size))}}
		made = append(made, func() {
			_, err := client.PutItem(ctx, input)
			check(t, err)
		})
	}
	return made
}

// Each request was copied, and its answer's buffer had room for half a kilobyte, however short it
// is.
func TestWatchingAllocatesLittleWhateverIsSent(t *testing.T) {
	for _, size := range []int{100, 200_000} {
		answered := doer(func(r *http.Request) (*http.Response, error) {
			io.Copy(io.Discard, r.Body)
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(consumed)), ContentLength: int64(len(consumed))}, nil
		})
		allocated := func(put func()) (objects, bytes float64) {
			const n = 200
			// A collection empties the SDK's pools, so a measure that met one would count their refilling.
			runtime.GC()
			defer debug.SetGCPercent(debug.SetGCPercent(-1))
			put()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range n {
				put()
			}
			runtime.ReadMemStats(&after)
			return float64(after.Mallocs-before.Mallocs) / n, float64(after.TotalAlloc-before.TotalAlloc) / n
		}
		puts := putters(t, size, func(options ...func(*dynamodb.Options)) *dynamodb.Client {
			return clientTo("http://127.0.0.1:1", append(options, func(o *dynamodb.Options) { o.HTTPClient = answered })...)
		})
		for i := 0; i < len(puts); i += 2 {
			// The first of the two also warms what the SDK keeps.
			allocated(puts[i])
			objects, bytes := allocated(puts[i])
			watchedObjects, watchedBytes := allocated(puts[i+1])
			if more := watchedObjects - objects; more > 8 {
				t.Errorf("%d bytes: %v objects more", size, more)
			}
			t.Logf("%d bytes: %v more objects, %v more bytes", size, watchedObjects-objects, watchedBytes-bytes)
			if more := watchedBytes - bytes; more > 500 {
				t.Errorf("%d bytes: %v bytes more", size, more)
			}
		}
	}
}

// TestOverhead prints what watching costs beside a put to a server on loopback. It judges nothing:
// another machine's load may fall on it.
func TestOverhead(t *testing.T) {
	if os.Getenv("HOTPART_RATIO") == "" {
		t.Skip("HOTPART_RATIO is not set")
	}
	const rounds = 10_000
	// It tells the capacity to who asks, as DynamoDB does.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("INDEXES")) {
			io.WriteString(w, `{"ConsumedCapacity":{"CapacityUnits":1.0,"Table":{"CapacityUnits":1.0},"TableName":"events"}}`)
		} else {
			io.WriteString(w, "{}")
		}
	}))
	defer server.Close()
	puts := putters(t, 1_000, func(options ...func(*dynamodb.Options)) *dynamodb.Client { return clientTo(server.URL, options...) })
	took := make([][]time.Duration, len(puts))
	// In turns, so that noise falls on all of them, and in any order, so that none follows always the
	// same one.
	for range rounds {
		for _, i := range rand.Perm(len(puts)) {
			start := time.Now()
			puts[i]()
			took[i] = append(took[i], time.Since(start))
		}
	}
	median := func(all []time.Duration) time.Duration {
		all = slices.Sorted(slices.Values(all))
		return all[len(all)/2]
	}
	// By round: another machine's load comes and goes.
	more := func(i, than int) string {
		var more []time.Duration
		for round, one := range took[i] {
			more = append(more, one-took[than][round])
		}
		most := median(more)
		return fmt.Sprintf("%v (%.1f %%) more", most.Round(100*time.Nanosecond), 100*float64(most)/float64(median(took[than])))
	}
	fmt.Printf("a put of 1 KB takes %v, one that asks for its capacity %s; watched by a detector of operations it takes %s, "+
		"by one of capacity %s, and %s than one that asks\n", median(took[0]), more(2, 0), more(1, 0), more(3, 0), more(3, 2))
}

package awsmiddleware

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

var events = item{"id": text("k"), "n": digits("1")}

const (
	description = `{"Table":{"TableName":"events","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}`
	denied      = `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"no"}`
	gone        = `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no"}`
)

func TestATableIsDescribedWhenItIsNeededAndOnce(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 200, description)
		client := w.on(Watch(d.Detector))
		for range 3 {
			put(t, client, "events", events)
		}
		want(t, "sent", strings.Join(w.operations(), " "), "PutItem DescribeTable PutItem PutItem")
		want(t, "writes", d.writes("events", "k"), 3)
	})
}

func TestATableThatTrafficHasShownIsNotDescribed(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		client := w.on(Watch(d.Detector))
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: str("events"), Key: item{"id": text("k")}})
		check(t, err)
		put(t, client, "events", events)
		want(t, "sent", strings.Join(w.operations(), " "), "DeleteItem PutItem")
		want(t, "writes", d.writes("events", "k"), 2)
	})
}

// puts has goroutines put while a table is described.
func puts(t *testing.T, w *wire, client func() *dynamodb.Client, goroutines, each int, i item) {
	w.answer("DescribeTable", 200, description)
	w.before = func(operation string, _ map[string]any) {
		if operation != "DescribeTable" {
			return
		}
		var done sync.WaitGroup
		for range goroutines {
			done.Go(func() {
				for range each {
					put(t, client(), "events", i)
				}
			})
		}
		done.Wait()
	}
}

func TestWhatComesWhileATableIsDescribedIsCountedToo(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		client := w.on(Watch(d.Detector, l.option()))
		large := item{"id": text("k"), "x": text(strings.Repeat("x", 5_000))}
		puts(t, &w, func() *dynamodb.Client { return client }, 4, 750, large)
		put(t, client, "events", events)
		all := 3_000*d.either(5, 1) + 1
		eventually(t, "all are counted", func() bool { return d.writes("events", "k") == all })
		want(t, "describes", w.describes(), 1)
		want(t, "lines", len(l.lines(t)), 0)
	})
}

func TestConcurrentFirstUse(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 200, description)
		w.before = func(operation string, _ map[string]any) {
			if operation == "DescribeTable" {
				time.Sleep(20 * time.Millisecond)
			}
		}
		client := w.on(Watch(d.Detector))
		var done sync.WaitGroup
		for range 16 {
			done.Go(func() {
				for range 20 {
					put(t, client, "events", events)
				}
			})
		}
		done.Wait()
		eventually(t, "all are counted", func() bool { return d.writes("events", "k") == 320 })
		want(t, "describes", w.describes(), 1)
	})
}

func TestADetectorThatIsGoneTakesAlongWhatWasAsked(t *testing.T) {
	kept := func() (n int) {
		all.Range(func(any, any) bool { n++; return true })
		return n
	}
	for range 100 {
		d, err := hotpart.New(hotpart.Config{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 1})
		check(t, err)
		Watch(d)
	}
	for range 100 {
		runtime.GC()
		if time.Sleep(time.Millisecond); kept() < 50 {
			return
		}
	}
	t.Errorf("%d are kept", kept())
}

func TestWithoutDescribe(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		client := w.on(Watch(d.Detector, WithoutDescribe(), l.option()))
		for _, table := range []string{"events", "other", "events", "other"} {
			put(t, client, table, events)
		}
		want(t, "describes", w.describes(), 0)
		want(t, "lines", fmt.Sprint(l.lines(t)), fmt.Sprintf("[%s %s]", isNotKnown("events"), isNotKnown("other")))
		want(t, "failures", d.stats(t).Failures, 2)
		// Traffic shows the key.
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: str("events"), Key: item{"id": text("k")}})
		check(t, err)
		want(t, "writes", d.writes("events", "k"), 3)
	})
}

// It was not described for a minute, as the other client had been asked.
func TestATableThatOneClientDoesNotDescribeIsDescribedByAnother(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 200, description)
		put(t, w.on(Watch(d.Detector, WithoutDescribe())), "events", events)
		want(t, "describes", w.describes(), 0)
		put(t, w.on(Watch(d.Detector)), "events", events)
		want(t, "describes", w.describes(), 1)
		want(t, "writes", d.writes("events", "k"), 2)
	})
}

// isNotKnown is what is logged of a table that is not to be described.
func isNotKnown(table string) string {
	return fmt.Sprintf(`the key schema of table %q is needed and the table is not to be described: its requests wait until it is known, `+
		`or are not counted; pass WithKeySchema(%[1]q, its partition key)`, table)
}

func TestATableIsDescribedOnlyWhenDynamoDBAnswers(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 200, description)
		w.answer("PutItem", 500, `{"__type":"InternalServerError"}`)
		client := w.on(Watch(d.Detector))
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events})
		want(t, "code", code(err), "InternalServerError")
		want(t, "describes", w.describes(), 0)
		w.answer("PutItem", 200, "{}")
		put(t, client, "events", events)
		want(t, "describes", w.describes(), 1)
		want(t, "writes: the first three may have run", d.writes("events", "k"), 4)
	})
}

func TestARequestOnSeveralUnknownTablesDescribesThemAll(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.before = func(operation string, body map[string]any) {
			if operation == "DescribeTable" {
				w.answer("DescribeTable", 200, strings.Replace(description, "events", body["TableName"].(string), 1))
			}
		}
		client, tables := w.on(Watch(d.Detector)), []string{"aaa", "bbb", "ccc"}
		requests := map[string][]types.WriteRequest{}
		for _, table := range tables {
			requests[table] = []types.WriteRequest{{PutRequest: &types.PutRequest{Item: events}}}
		}
		for range 3 {
			_, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: requests})
			check(t, err)
		}
		want(t, "describes", w.describes(), 3)
		for _, table := range tables {
			want(t, table, d.writes(table, "k"), 3)
		}
	})
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for range 3_000 {
		if holds() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error(what)
}

func TestATableIsDescribedThoughItsRequestIsGivenUp(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 200, description)
		client := w.on(Watch(d.Detector))
		canceled, cancel := context.WithCancel(ctx)
		w.before = func(operation string, _ map[string]any) {
			if operation == "DescribeTable" {
				cancel()
			}
		}
		_, err := client.PutItem(canceled, &dynamodb.PutItemInput{TableName: str("events"), Item: events})
		check(t, err)
		eventually(t, "the first is counted", func() bool { return d.writes("events", "k") == 1 })
		put(t, client, "events", events)
		want(t, "writes", d.writes("events", "k"), 2)
		want(t, "describes", w.describes(), 1)
	})
}

func TestATableOfAnotherAccountIsDescribedByItsARN(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		arn := "arn:aws:dynamodb:us-east-1:999999999999:table/"
		w.before = func(operation string, body map[string]any) {
			if operation == "DescribeTable" {
				name := strings.TrimPrefix(body["TableName"].(string), arn)
				w.answer("DescribeTable", 200, strings.Replace(description, "events", name, 1))
			}
		}
		client := w.on(Watch(d.Detector))
		put(t, client, arn+"events", events)
		want(t, "described", w.sent[1].body["TableName"], any(arn+"events"))
		want(t, "writes", d.writes("events", "k"), 1)
		// In a statement it is quoted, and the quotes are escaped.
		_, err := client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{
			Statement: str(`SELECT * FROM "` + arn + `other" WHERE id = 'k' AND n = 1`)})
		check(t, err)
		want(t, "described", w.last()["TableName"], any(arn+"other"))
		want(t, "reads", d.reads("other", "k"), d.either(0.5, 1))
	})
}

func TestAnIndexThatWasMadeSinceIsLearntWithinAMinute(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		w.answer("DescribeTable", 200, description)
		w.answer("Query", 200, `{"Items":[],"Count":0,"ScannedCount":0}`)
		client := w.on(Watch(d.Detector, l.option()))
		put(t, client, "events", events)
		query := func() {
			_, err := client.Query(ctx, &dynamodb.QueryInput{
				TableName: str("events"), IndexName: str("by_group"), KeyConditionExpression: str("a = :a AND b = :b"),
				ExpressionAttributeValues: item{":a": text("x"), ":b": text("y")},
			})
			check(t, err)
		}
		for range 3 {
			query()
		}
		want(t, "describes", w.describes(), 2)
		want(t, "unread: the description has no such index", d.stats(t).Unread, 1)
		later(t, d, 30*time.Second)
		query()
		later(t, d, 30*time.Second)
		w.answer("DescribeTable", 200, strings.Replace(description, `"KeySchema"`,
			`"GlobalSecondaryIndexes":[{"IndexName":"by_group","KeySchema":[{"AttributeName":"b","KeyType":"HASH"}]}],"KeySchema"`, 1))
		for range 3 {
			query()
		}
		want(t, "describes", w.describes(), 3)
		want(t, "reads, those that waited too", d.reads("events/index/by_group", "y"), d.either(3, 6))
		want(t, "lines", len(l.lines(t)), 0)
	})
}

func TestATableMadeAnewWithAnotherKeyIsLearntAtOnce(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 200, description)
		client := w.on(Watch(d.Detector))
		put(t, client, "events", events)
		w.answer("DescribeTable", 200, strings.Replace(description, `"id"`, `"other"`, 1))
		put(t, client, "events", item{"other": text("k")})
		want(t, "writes", d.writes("events", "k"), 2)
	})
}

func TestTheDescriberHasTheOptionsOfTheClient(t *testing.T) {
	var w wire
	w.answer("DescribeTable", 200, description)
	d := countedBy(t, hotpart.New)
	var agents []string
	// What comes after Watch holds for it too.
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1"}, Watch(d.Detector), func(o *dynamodb.Options) {
		o.HTTPClient = doer(func(r *http.Request) (*http.Response, error) {
			agents = append(agents, r.Header.Get("User-Agent"))
			return w.Do(r)
		})
		o.AppID, o.BaseEndpoint = "mine", str("http://127.0.0.1:1")
	})
	put(t, client, "events", events)
	want(t, "requests", len(agents), 2)
	if slices.ContainsFunc(agents, func(agent string) bool { return !strings.Contains(agent, "app/mine") }) {
		t.Error(agents)
	}
}

type doer func(*http.Request) (*http.Response, error)

func (d doer) Do(r *http.Request) (*http.Response, error) { return d(r) }

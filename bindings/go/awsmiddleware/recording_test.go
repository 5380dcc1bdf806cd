package awsmiddleware

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/DeRuina/timberjack"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// A line is one of a recording.
type line struct {
	TimeMs     int64 `json:"time_ms"`
	Operation  string
	Request    json.RawMessage
	Response   json.RawMessage
	HTTPStatus int `json:"http_status"`
	Model      string
}

// Lines are what a recording has, each of which must be whole.
func linesIn(t testing.TB, recorded string) (lines []line) {
	t.Helper()
	for text := range strings.Lines(recorded) {
		if !strings.HasSuffix(text, "}\n") {
			t.Fatalf("%q is no whole line", text)
		}
		var l line
		check(t, json.Unmarshal([]byte(text), &l))
		lines = append(lines, l)
	}
	return lines
}

// writes is a writer that keeps what each Write got, and is for one goroutine at a time.
type writes struct{ all []string }

func (w *writes) Write(one []byte) (int, error) {
	w.all = append(w.all, string(one))
	return len(one), nil
}

func TestEachAttemptIsRecordedAsOneWrite(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var to writes
		var w wire
		w.answer("DescribeTable", 200, `{"Table":{"TableName":"events","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}`)
		w.answer("PutItem", 400, `{"__type":"a#ProvisionedThroughputExceededException","message":"no"}`)
		puts := 0
		w.before = func(operation string, _ map[string]any) {
			if puts++; puts == 2 {
				w.answer("PutItem", 200, consumed)
			}
		}
		client := w.on(Watch(d.Detector, WithModel("Order"), WithRecording(&to)))
		out := put(t, client, "events", events)
		want(t, "what nobody asked for is taken out", out.ConsumedCapacity == nil, d.Capacity())
		var all []string
		for _, l := range linesIn(t, strings.Join(to.all, "")) {
			all = append(all, fmt.Sprint(l.Operation, " ", l.HTTPStatus, " ", l.Model))
		}
		want(t, "lines", strings.Join(all, ", "), "PutItem 400 Order, DescribeTable 200 Order, PutItem 200 Order")
		want(t, "writes", len(to.all), 3)
		last := linesIn(t, to.all[2])[0]
		want(t, "the answer, as it came", string(last.Response), consumed)
		want(t, "the request, as it was sent", strings.Contains(string(last.Request), `"ReturnConsumedCapacity":"INDEXES"`), d.Capacity())
		// To watch again changes the options.
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events}, Watch(d.Detector))
		check(t, err)
		want(t, "writes", len(to.all), 3)
		w.before = func(string, map[string]any) { d.Close() }
		for range 2 {
			put(t, client, "events", events)
		}
		want(t, "writes, of a detector that was closed meanwhile", len(to.all), 3)
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(one []byte) (int, error) { return w(one) }

func TestAWriterThatFailsDisturbsNobody(t *testing.T) {
	for said, each := range map[string]io.Writer{
		"no room 1":        writer(func([]byte) (int, error) { return 0, errors.New("no room 1") }),
		"short write":      writer(func([]byte) (int, error) { return 1, nil }),
		"panic: a haze":    writer(func([]byte) (int, error) { panic("a haze") }),
		"invalid argument": (*os.File)(nil),
	} {
		inBothModes(t, func(t *testing.T, d *counted) {
			var w wire
			var l log
			client := w.on(Watch(d.Detector, known(), l.option(), WithRecording(each)))
			for range 3 {
				put(t, client, "events", events)
			}
			want(t, "writes", d.writes("events", "k"), 3)
			want(t, "failures", d.stats(t).Failures, 3)
			want(t, "lines", strings.Join(l.lines(t), "\n"), "a request to DynamoDB could not be recorded: "+said)
		})
	}
}

func TestNoWriterIsNoRecording(t *testing.T) {
	d := countedBy(t, hotpart.New)
	var w wire
	put(t, w.on(Watch(d.Detector, known(), WithRecording(nil))), "events", events)
	want(t, "failures", d.stats(t).Failures, 0)
}

// Under the race detector it is seen that the writer is used by one at a time.
func TestClientsShareAWriter(t *testing.T) {
	var to writes
	var w wire
	var all sync.WaitGroup
	for range 4 {
		d := countedBy(t, hotpart.New)
		client := w.on(Watch(d.Detector, known()))
		all.Go(func() {
			for range 50 {
				_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: str("events"), Item: events}, Watch(d.Detector, WithRecording(&to)))
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	want(t, "lines", len(linesIn(t, strings.Join(to.all, ""))), 200)
	first, second := mutexOf(&to), mutexOf(&to)
	want(t, "its mutex", second, first)
	// One that can't be compared has one, too.
	mutexOf(io.MultiWriter(&to))
	mutexOf(struct {
		io.Writer
		_ []int
	}{Writer: &to})
}

func TestAFileBeginsAnewBeforeItGetsTooLong(t *testing.T) {
	folder := t.TempDir()
	file := &timberjack.Logger{Filename: filepath.Join(folder, "recording.jsonl"), MaxSize: 1, MaxBackups: 3, FileMode: 0o600}
	d := countedBy(t, hotpart.New)
	var w wire
	client := w.on(Watch(d.Detector, known(), WithRecording(file)))
	for i := range 12 {
		put(t, client, "events", item{"id": text(fmt.Sprint("k", i)), "x": text(strings.Repeat("x", 200_000))})
	}
	check(t, file.Close())
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	check(t, err)
	want(t, "files", len(names), 3)
	lines := 0
	for _, name := range names {
		all, err := os.ReadFile(name)
		check(t, err)
		lines += len(linesIn(t, string(all)))
		info, err := os.Stat(name)
		check(t, err)
		want(t, "mode", info.Mode().Perm(), 0o600)
		want(t, "fits", info.Size() <= 1<<20, true)
	}
	want(t, "lines", lines, 12)
}

// traffic is what a client does of each kind; two of its puts are throttled.
func traffic(t *testing.T, d *hotpart.Detector, to io.Writer) {
	t.Helper()
	f := &fake{}
	client := recordedBy(t, f, d, to)
	describe := func(table string) answer {
		return ok(object{"Table": object{"TableName": table, "KeySchema": key("id"),
			"GlobalSecondaryIndexes": []object{{"IndexName": "by_g", "KeySchema": key("g")}}}})
	}
	f.will(throttle("TableWriteKeyRangeThroughputExceeded", arn), describe("events"), throttle("TableWriteKeyRangeThroughputExceeded", arn), ok(object{}))
	check(t, write(client, "events"))
	f.will(ok(object{"Item": object{"id": object{"S": "k"}}}), ok(object{"Items": []object{}}))
	_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("events"), Key: item{"id": text("k")}})
	check(t, err)
	_, err = client.Query(ctx, &dynamodb.QueryInput{TableName: str("events"), KeyConditionExpression: str("id = :id"),
		ExpressionAttributeValues: item{":id": text("q")}})
	check(t, err)
	put := func(id string) types.WriteRequest {
		return types.WriteRequest{PutRequest: &types.PutRequest{Item: item{"id": text(id)}}}
	}
	// The other table's key is learnt from this.
	f.will(ok(object{}), ok(object{}))
	_, err = client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
		"events": {put("k"), put("l")}, "other": {{DeleteRequest: &types.DeleteRequest{Key: item{"id": digits("1.0")}}}}}})
	check(t, err)
	_, err = client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: str("events"), Item: item{"id": text("k")}}},
		{Update: &types.Update{TableName: str("other"), Key: item{"id": digits("1")}, UpdateExpression: str("REMOVE a")}}}})
	check(t, err)
	f.will(ok(object{"Items": []object{}}), ok(object{}), ok(object{"Items": []object{}}))
	for _, statement := range []string{`SELECT * FROM "events" WHERE id = 'it''s'`, `INSERT INTO "other" VALUE {'id': -1.50, 'a': 'b'}`} {
		_, err = client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: &statement})
		check(t, err)
	}
	_, err = client.Scan(ctx, &dynamodb.ScanInput{TableName: str("events")})
	check(t, err)
	want(t, "answers that nobody asked for", f.left(), 0)
}

// totals are what a detector counted, by what its partitions are called.
func totals(t *testing.T, d *hotpart.Detector, call func(table, pk string) string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, operation := range []hotpart.Operation{hotpart.Write, hotpart.Read} {
		hottest, err := d.Hottest(100, operation)
		check(t, err)
		for _, p := range hottest {
			all[fmt.Sprint(operation, " ", p.Table, " ", call(p.Table, p.PK))] = fmt.Sprint(p.Count, " ", p.Throttles)
		}
	}
	return all
}

func itself(_, pk string) string { return pk }

func TestARecordingTellsAllThatWasCounted(t *testing.T) {
	for _, redact := range []bool{false, true} {
		t.Run(fmt.Sprintf("redacted=%t", redact), func(t *testing.T) {
			made := func(redact bool) *hotpart.Detector {
				d, err := hotpart.New(hotpart.Config{WritesThreshold: 1 << 40, ReadsThreshold: 1 << 40, WindowSeconds: 60,
					Redact: redact, Logger: slog.New(slog.DiscardHandler)})
				check(t, err)
				t.Cleanup(func() { d.Close() })
				return d
			}
			var recorded bytes.Buffer
			d := made(redact)
			traffic(t, d, &recorded)
			call := itself
			if redact {
				// An index's partition is called as its table's are: a body does not say which index a value is of.
				call = func(table, pk string) string {
					table, _, _ = strings.Cut(table, "/index/")
					digits, err := d.Redacted(table, pk)
					check(t, err)
					return digits
				}
				for _, value := range []string{`"k"`, `"l"`, `'k'`, `"q"`, `"x"`, "it''s", "1.5", "'b'"} {
					want(t, value, strings.Contains(recorded.String(), value), false)
				}
			}
			counted := totals(t, d, call)
			want(t, "partitions", len(counted), 8)

			again := made(false)
			for _, l := range linesIn(t, recorded.String()) {
				e := hotpart.Exchange{Operation: l.Operation, Request: l.Request, Status: l.HTTPStatus}
				if string(l.Response) != "null" {
					e.Response = l.Response
				}
				if _, err := again.Observe(e); err != nil && !errors.Is(err, hotpart.ErrMissingSchema) {
					t.Error(err)
				}
			}
			if got := totals(t, again, itself); !maps.Equal(got, counted) {
				t.Errorf("another detector counts %v, not %v", got, counted)
			}
			reports(t, recorded.Bytes(), counted)
		})
	}
}

// reports asks the command for the counts, if there is one.
func reports(t *testing.T, recorded []byte, counted map[string]string) {
	t.Helper()
	command := os.Getenv("HOTPART_COMMAND")
	if command == "" {
		t.Log("skipped: HOTPART_COMMAND does not say where the command is")
		return
	}
	asked := exec.Command(command, "report", "--json", "--top", "100", "-")
	asked.Stdin, asked.Stderr = bytes.NewReader(recorded), os.Stderr
	told, err := asked.Output()
	check(t, err)
	var report struct {
		Operations []struct {
			Operation string
			Hottest   []struct {
				Table, Index, PK string
				Count, Throttles int64
			}
		}
	}
	check(t, json.Unmarshal(told, &report))
	got := map[string]string{}
	for _, of := range report.Operations {
		for _, p := range of.Hottest {
			if p.Index != "" {
				p.Table += "/index/" + p.Index
			}
			got[fmt.Sprint(of.Operation, " ", p.Table, " ", p.PK)] = fmt.Sprint(p.Count, " ", p.Throttles)
		}
	}
	if !maps.Equal(got, counted) {
		t.Errorf("the command reports %v, not %v", got, counted)
	}
}

func recordedBy(t *testing.T, f *fake, d *hotpart.Detector, to io.Writer) *dynamodb.Client {
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return clientTo(server.URL, Watch(d, WithRecording(to)))
}

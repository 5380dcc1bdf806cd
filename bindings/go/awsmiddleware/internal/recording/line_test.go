package recording

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// An exchange is one of those that all languages share; a body that is null is none.
type exchange struct {
	Operation  string
	Request    *string
	Response   *string
	HTTPStatus int `json:"http_status"`
	Model      string
}

func (e exchange) own() hotpart.Exchange {
	return hotpart.Exchange{Operation: e.Operation, Request: body(e.Request), Response: body(e.Response), Status: e.HTTPStatus, Model: e.Model}
}

func body(text *string) []byte {
	if text == nil {
		return nil
	}
	return []byte(*text)
}

func redacting(t *testing.T, secret string) *hotpart.Detector {
	t.Helper()
	config := hotpart.Config{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 60, Redact: true}
	if _, err := hex.Decode(config.RedactKey[:], []byte(secret)); err != nil {
		t.Fatal(err)
	}
	d, err := hotpart.New(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// without is a line as JSON without its time, which must be this.
func without(t *testing.T, line []byte, at time.Time) any {
	t.Helper()
	if !bytes.HasSuffix(line, []byte("}\n")) || bytes.ContainsAny(line[:len(line)-1], "\r\n") {
		t.Errorf("it is not one line: %q", line)
	}
	var all map[string]any
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&all); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	if all["time_ms"] != json.Number("1772445841000") {
		t.Errorf("its time is %v, not %v", all["time_ms"], at.UnixMilli())
	}
	delete(all, "time_ms")
	return all
}

// object is what a vector expects, which is an object or a text of one.
func object(t *testing.T, expected json.RawMessage) any {
	t.Helper()
	var inner string
	if json.Unmarshal(expected, &inner) == nil {
		expected = json.RawMessage(inner)
	}
	decoder := json.NewDecoder(bytes.NewReader(expected))
	decoder.UseNumber()
	var all map[string]any
	if err := decoder.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestTheLinesThatAllLanguagesShare(t *testing.T) {
	text, err := os.ReadFile("../../../../recording/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		Name           string
		Exchange       exchange
		RedactKey      string `json:"redact_key"`
		Line, Redacted json.RawMessage
	}
	if err := json.Unmarshal(text, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors) < 30 {
		t.Fatalf("there are %d", len(vectors))
	}
	at := time.UnixMilli(1_772_445_841_000)
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			for _, each := range []struct {
				redact   Redact
				expected json.RawMessage
			}{{nil, v.Line}, {redacting(t, v.RedactKey).Redacted, v.Redacted}} {
				line, err := Line(at, v.Exchange.own(), each.redact)
				if err != nil {
					t.Fatal(err)
				}
				if got, expected := without(t, line, at), object(t, each.expected); !reflect.DeepEqual(got, expected) {
					t.Errorf("redacted: %t\ngot  %v\nwant %v", each.redact != nil, got, expected)
				}
			}
		})
	}
}

func TestBodiesStandInALineAsTheyCame(t *testing.T) {
	for body, expected := range map[string]string{
		`{ "x" : 1.50, "big": 12345678901234567890 }`: `{ "x" : 1.50, "big": 12345678901234567890 }`,
		"{\"a\":\r\n1}":    `{"a":  1}`,
		"":                 `null`,
		`[1]`:              `"[1]"`,
		`{"a":`:            `"{\"a\":"`,
		`{} {}`:            `"{} {}"`,
		"{\"a\":\"\xff\"}": `"{\"a\":\"` + "\\ufffd" + `\"}"`,
	} {
		line, err := Line(time.Now(), hotpart.Exchange{Operation: "GetItem", Request: []byte("{}"), Response: []byte(body), Status: 200}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(line), `,"response":`+expected+`,"http_status":200}`) {
			t.Errorf("%q is written as %s", body, line)
		}
	}
}

// Redacting fails where the detector has been closed meanwhile.
func TestNothingIsWrittenThatCouldNotBeRedacted(t *testing.T) {
	d := redacting(t, "000102030405060708090a0b0c0d0e0f")
	d.Close()
	line, err := Line(time.Now(), hotpart.Exchange{Operation: "GetItem", Request: []byte(`{"Key":{"id":{"S":"secret"}}}`)}, d.Redacted)
	if line != nil || err == nil {
		t.Errorf("%s, %v", line, err)
	}
}

func TestStatements(t *testing.T) {
	for statement, expected := range map[string]string{
		`SELECT * FROM t WHERE a = 'x' AND b=-5 AND c IN ( -1.5e+3 , .5)`: `SELECT * FROM t WHERE a = 'S:x' AND b='N:-5' AND c IN ( 'N:-1.5e+3' , 'N:.5')`,
		`UPDATE "t5" SET n = n - 1, m = a5 + 0xff`:                        `UPDATE "t5" SET n = n - 'N:1', m = a5 + 'N:0xff'`,
		`INSERT INTO t VALUE {'it''s' : 'it''s', "n": 1}`:                 `INSERT INTO t VALUE {'it''s' : 'S:it's', "n": 'N:1'}`,
		`SELECT 'open''`:                     `SELECT 'S:open''`,
		`SELECT "open 5`:                     `SELECT 'S:open 5'`,
		"-- 'x\nSELECT /* 5 */ 'é' /* 'open": " \nSELECT   'S:é'  ",
		`''`:                                 `'S:'`,
	} {
		if got := withoutValues(statement, func(tag, text string) string { return tag + ":" + text }); got != expected {
			t.Errorf("%s\ngot  %s\nwant %s", statement, got, expected)
		}
	}
	for statement, table := range map[string]string{
		`select a from "t""5"."i"`: `t"5`, `UPDATE t SET a = 'FROM x'`: "t", `-- FROM x
INSERT INTO $t VALUE {}`: "$t", `SELECT 1`: "", `FROM`: "", `FROM 'x' a`: "",
	} {
		if got := tableIn(statement); got != table {
			t.Errorf("%s is on %q", statement, got)
		}
	}
}

package recording

import (
	"fmt"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// An item of eleven attributes and 1 KB.
func BenchmarkLine(b *testing.B) {
	attributes := []string{`"id":{"S":"EVENTS"}`}
	for i := range 10 {
		attributes = append(attributes, fmt.Sprintf(`"a%d":{"S":"%s"}`, i, strings.Repeat("x", 90)))
	}
	request := []byte(`{"TableName":"events","Item":{` + strings.Join(attributes, ",") + `}}`)
	e := hotpart.Exchange{Operation: "DynamoDB_20120810.PutItem", Request: request, Response: []byte("{}"), Status: 200}
	d, err := hotpart.New(hotpart.Config{WritesThreshold: 1, ReadsThreshold: 1, WindowSeconds: 60, Redact: true})
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for name, redact := range map[string]Redact{"plain": nil, "redacted": d.Redacted} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Line(time.Now(), e, redact); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Package recording makes lines of recordings: an attempt each, as JSON that the command hotpart reads.
package recording

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// A Redact gives what stands for a key in a detector's logs and metrics.
type Redact func(table, key string) (string, error)

// Line is an attempt's at a time, with its end. With a Redact no values are in it.
func Line(at time.Time, e hotpart.Exchange, redact Redact) ([]byte, error) {
	var request, response []byte
	if redact == nil {
		request, response = asItIs(e.Request), asItIs(e.Response)
	} else {
		var err error
		if request, response, err = redacted(e.Request, e.Response, redact); err != nil {
			return nil, err
		}
	}
	line := make([]byte, 0, len(request)+len(response)+len(e.Operation)+len(e.Model)+128)
	line = append(line, `{"time_ms":`...)
	line = strconv.AppendInt(line, at.UnixMilli(), 10)
	line = append(line, `,"operation":`...)
	line = append(line, quoted(strings.TrimPrefix(e.Operation, "DynamoDB_20120810."))...)
	line = append(line, `,"request":`...)
	line = append(line, request...)
	line = append(line, `,"response":`...)
	line = append(line, response...)
	line = append(line, `,"http_status":`...)
	line = strconv.AppendInt(line, int64(e.Status), 10)
	if e.Model != "" {
		line = append(line, `,"model":`...)
		line = append(line, quoted(e.Model)...)
	}
	return append(line, "}\n"...), nil
}

var null = []byte("null")

// asItIs is a body as JSON without ends of lines: itself if it is an object, else its text.
func asItIs(body []byte) []byte {
	switch {
	case len(body) == 0:
		return null
	case !isObject(body):
		return quoted(string(body))
	case bytes.ContainsAny(body, "\r\n"):
		// They are between its parts: in a text they are escaped.
		return bytes.Map(func(r rune) rune {
			if r == '\r' || r == '\n' {
				return ' '
			}
			return r
		}, body)
	}
	return body
}

// isObject tells whether a body is a JSON object.
func isObject(body []byte) bool {
	first := bytes.TrimLeft(body, " \t\r\n")
	return len(first) > 0 && first[0] == '{' && utf8.Valid(body) && json.Valid(body)
}

func quoted(text string) []byte {
	// A text can always be written.
	all, _ := json.Marshal(text)
	return all
}

package recording

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

const (
	// keyMax is the longest key of DynamoDB's: a longer value needs no name.
	keyMax = 2_048
	// tableMax is the longest name of a table.
	tableMax = 1_024
	// UnknownTable is that of values of which nothing tells it.
	UnknownTable = "?"
)

var (
	// byTable are members of a body whose own members are called as tables are.
	byTable = []string{"RequestItems", "Responses", "UnprocessedItems", "UnprocessedKeys"}
	// A request's lists, and an answer's, that have something for each part of a request.
	asked, answered = []string{"TransactItems", "TransactStatements", "Statements"}, []string{"Responses", "CancellationReasons"}
	scalars, sets   = []string{"S", "N", "B"}, []string{"SS", "NS", "BS"}
)

type members = map[string]any

// redacted are a request's and its answer's bodies as JSON without the values in them: each is replaced by what stands for
// such a key in the detector's logs and metrics. A body that is no JSON object is left out.
func redacted(request, response []byte, redact Redact) (sent, came []byte, err error) {
	asks, answers := membersOf(request), membersOf(response)
	// Before the request is changed.
	table, parts := tableOf(asks, UnknownTable), partsOf(asks)
	r := redaction{redact: redact}
	sent = r.body(asks, UnknownTable, nil)
	came = r.body(answers, table, parts)
	return sent, came, r.failure
}

// membersOf is a body that is a JSON object, or nil.
func membersOf(body []byte) (all members) {
	if !isObject(body) {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if decoder.Decode(&all) != nil {
		return nil
	}
	return all
}

// A redaction is one attempt's, under way.
type redaction struct {
	redact Redact
	// failure is the first that redact had.
	failure error
}

// body is a body as JSON. Its table and its parts' are these where it does not say.
func (r *redaction) body(body members, table string, parts []string) []byte {
	if body == nil {
		return null
	}
	table = tableOf(body, table)
	kind, _ := body["__type"].(string)
	canceled := strings.Contains(kind, "TransactionCanceledException")
	for name, value := range body {
		if all, ok := value.(members); ok && slices.Contains(byTable, name) {
			for of, each := range all {
				all[of] = r.value(each, known(of))
			}
		} else if all, ok := value.([]any); ok && slices.Contains(answered, name) {
			for i, each := range all {
				if i < len(parts) {
					all[i] = r.value(each, parts[i])
				} else {
					all[i] = r.value(each, table)
				}
			}
		} else if _, ok := value.(string); !ok || !canceled || name != "message" && name != "Message" {
			// Those texts list codes, which may be all that tells of a transaction's parts.
			body[name] = r.member(name, value, table)
		}
	}
	// What was JSON can be written.
	all, _ := json.Marshal(body)
	return all
}

// value is a value without those in it, which may be changed in their places.
func (r *redaction) value(value any, table string) any {
	switch value := value.(type) {
	case []any:
		for i, each := range value {
			value[i] = r.value(each, table)
		}
	case members:
		if attribute := r.attribute(value, table); attribute != nil {
			return attribute
		}
		table = tableOf(value, table)
		for name, each := range value {
			value[name] = r.member(name, each, table)
		}
	}
	return value
}

func (r *redaction) member(name string, value any, table string) any {
	if all, ok := value.(members); ok {
		return r.value(all, table)
	}
	if value != nil && (slices.Contains(scalars, name) || slices.Contains(sets, name)) {
		// Of a value that DynamoDB takes for none.
		return "*"
	}
	if text, ok := value.(string); ok {
		switch name {
		case "Statement":
			return withoutValues(text, func(tag, text string) string { return r.standIn(table, tag, text) })
		case "NextToken":
			// It tells the key that a page ended at.
			return "*"
		case "message", "Message":
			// It may repeat what was sent.
			return ""
		}
	}
	return r.value(value, table)
}

// attribute is what replaces an attribute's value; nil: it is none, or a list or a map.
func (r *redaction) attribute(value members, table string) any {
	if len(value) != 1 {
		return nil
	}
	for tag, content := range value {
		if text, ok := content.(string); ok && slices.Contains(scalars, tag) {
			return members{"S": r.standIn(table, tag, text)}
		}
		if all, ok := content.([]any); ok && slices.Contains(sets, tag) {
			stand := make([]string, len(all))
			for i, each := range all {
				text, ok := each.(string)
				if !ok {
					return nil
				}
				stand[i] = r.standIn(table, tag[:1], text)
			}
			return members{"SS": stand}
		}
	}
	return nil
}

// standIn is what stands for a value.
func (r *redaction) standIn(table, tag, text string) string {
	key := text
	switch tag {
	case "N":
		if canonical, err := hotpart.NumberKey(text); err == nil && canonical != "" {
			key = canonical
		}
	case "B":
		key = decoded(text)
	}
	if key == "" || len(key) > keyMax {
		return strings.Repeat("*", len(key))
	}
	digits, err := r.redact(table, key)
	if r.failure == nil {
		r.failure = err
	}
	return digits
}

// decoded is what base64 stands for, with its padding or without, or the text itself if it is none.
func decoded(text string) string {
	encoding, bare := base64.RawStdEncoding, strings.TrimRight(text, "=")
	key, err := encoding.DecodeString(bare)
	// Ends of lines and bits that are over would be let pass.
	if err != nil || encoding.EncodeToString(key) != bare {
		return text
	}
	return string(key)
}

// tableOf is the table that an object says its members are of, or that around it.
func tableOf(object members, around string) string {
	if table, ok := object["TableName"].(string); ok {
		return known(table)
	}
	if statement, ok := object["Statement"].(string); ok {
		return known(tableIn(statement))
	}
	return around
}

// partsOf are the tables of a request's parts, which its answer has in their order.
func partsOf(request members) (tables []string) {
	for _, name := range asked {
		parts, ok := request[name].([]any)
		if !ok {
			continue
		}
		for _, part := range parts {
			all, _ := part.(members)
			table := UnknownTable
			// Of what is asked for it is the only one.
			for _, inner := range all {
				if inner, ok := inner.(members); ok {
					table = tableOf(inner, UnknownTable)
				}
			}
			tables = append(tables, tableOf(all, table))
		}
		return tables
	}
	return nil
}

// known is a table's name, of an ARN the one in it. What can be no name stands for none.
func known(table string) string {
	if _, local, ok := strings.Cut(table, ":table/"); ok && strings.HasPrefix(table, "arn:") {
		table, _, _ = strings.Cut(local, "/")
	}
	if table == "" || len(table) > tableMax {
		return UnknownTable
	}
	return table
}

package hotpartotel

import (
	"iter"
	"strings"
)

// A family of the library's metrics that is told.
type family int

const (
	demand family = iota
	unlisted
	share
	families
)

var names = map[string]family{
	"hotpart_partition_demand":            demand,
	"hotpart_partition_unlisted_most":     unlisted,
	"hotpart_partition_utilisation_ratio": share,
}

// A sample of the library's metrics. Of what is unlisted there is no table and no key.
type sample struct {
	family                      family
	table, pk, operation, value string
}

// listedIn returns what a text for Prometheus says of partitions. So which they are, and what stands for a key, is the
// library's choice.
func listedIn(text string) iter.Seq[sample] {
	return func(yield func(sample) bool) {
		for line := range strings.SplitSeq(text, "\n") {
			name, rest, found := strings.Cut(line, "{")
			family, known := names[name]
			if !found || !known {
				continue
			}
			s := sample{family: family}
			for rest != "" && rest[0] != '}' {
				var label, value string
				label, rest, _ = strings.Cut(strings.TrimPrefix(rest, ","), `="`)
				value, rest = quoted(rest)
				switch label {
				case "table":
					s.table = value
				case "pk":
					s.pk = value
				case "operation":
					s.operation = value
				}
			}
			s.value = strings.TrimPrefix(rest, "} ")
			if !yield(s) {
				return
			}
		}
	}
}

// quoted returns a label's value up to its closing quote, without Prometheus's three escapes, and what comes after that.
func quoted(text string) (value, rest string) {
	end := strings.IndexAny(text, `"\`)
	if end >= 0 && text[end] == '"' {
		return text[:end], text[end+1:]
	}
	var plain strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return plain.String(), text[i+1:]
		case c == '\\' && i+1 < len(text):
			i++
			if text[i] == 'n' {
				plain.WriteByte('\n')
			} else {
				plain.WriteByte(text[i])
			}
		default:
			plain.WriteByte(c)
		}
	}
	return plain.String(), ""
}

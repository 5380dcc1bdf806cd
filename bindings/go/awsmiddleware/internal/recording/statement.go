package recording

import (
	"iter"
	"strings"
	"unicode/utf8"
)

// A kind is one of the tokens of PartiQL that matter to a recording.
type kind int

const (
	other kind = iota
	comment
	name
	// attribute is a text before a colon, which is the name of a member.
	attribute
	literal
	word
	number
)

// space is what may be between tokens.
const space = " \t\n\v\f\r"

// tokens are those of a statement, one after the other. A quote that is not closed goes on to the end, and what begins with
// a digit as far as it may.
func tokens(statement string) iter.Seq2[kind, string] {
	return func(yield func(kind, string) bool) {
		for at := 0; at < len(statement); {
			kind, end := token(statement, at)
			if !yield(kind, statement[at:end]) {
				return
			}
			at = end
		}
	}
}

// token is the kind of the token that begins at a place, and its end.
func token(statement string, at int) (kind, int) {
	rest := statement[at:]
	switch first := rest[0]; {
	case strings.HasPrefix(rest, "--"):
		return comment, at + until(rest, strings.IndexAny(rest, "\r\n"))
	case strings.HasPrefix(rest, "/*"):
		end := strings.Index(rest[2:], "*/")
		if end >= 0 {
			end += 4
		}
		return comment, at + until(rest, end)
	case first == '"' || first == '\'':
		n := closed(rest)
		switch {
		case n < 0:
			return literal, len(statement)
		case first == '"':
			return name, at + n
		case strings.HasPrefix(strings.TrimLeft(rest[n:], space), ":"):
			return attribute, at + n
		}
		return literal, at + n
	case isInWord(first) && !isDigit(first):
		end := strings.IndexFunc(rest, func(r rune) bool { return r < utf8.RuneSelf && !isInWord(byte(r)) })
		return word, at + until(rest, end)
	}
	if n := signed(statement, at); n > 0 {
		return number, at + n
	}
	_, n := utf8.DecodeRuneInString(rest)
	return other, at + n
}

// closed is how long a quoted text is, in which a doubled quote is a part of it, or -1: it is not closed.
func closed(quoted string) int {
	quote := quoted[0]
	for i := 1; i < len(quoted); i++ {
		switch {
		case quoted[i] != quote:
		case i+1 < len(quoted) && quoted[i+1] == quote:
			i++
		default:
			return i + 1
		}
	}
	return -1
}

// signed is how long a number is that begins at a place, 0 if none does. A minus is its own behind what no value ends with.
func signed(statement string, at int) int {
	rest := statement[at:]
	if at > 0 && strings.IndexByte("=<>([{,:", statement[at-1]) >= 0 {
		minus := strings.TrimLeft(rest, space)
		if n := digits(strings.TrimPrefix(minus, "-")); n > 0 && strings.HasPrefix(minus, "-") {
			return len(rest) - len(minus) + 1 + n
		}
	}
	return digits(rest)
}

// digits is how long a number without a sign is.
func digits(text string) int {
	start := len(text) - len(strings.TrimPrefix(text, "."))
	if start >= len(text) || !isDigit(text[start]) {
		return 0
	}
	end := start
	for end < len(text) {
		isExponent := end+2 < len(text) && strings.IndexByte("eE", text[end]) >= 0 &&
			strings.IndexByte("+-", text[end+1]) >= 0 && isDigit(text[end+2])
		switch {
		case isExponent:
			end += 3
		case isInWord(text[end]) || text[end] == '.':
			end++
		default:
			return end
		}
	}
	return end
}

func until(text string, end int) int {
	if end < 0 {
		return len(text)
	}
	return end
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// isInWord tells whether a name without quotes may have this byte.
func isInWord(b byte) bool {
	return isDigit(b) || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b == '_' || b == '$' || b >= utf8.RuneSelf
}

// tableIn is the table that a statement is on: the name after its first FROM, INTO or UPDATE, or "".
func tableIn(statement string) string {
	named := false
	for kind, text := range tokens(statement) {
		switch {
		case kind == comment || kind == other:
			continue
		case named && kind == name:
			return strings.ReplaceAll(text[1:len(text)-1], `""`, `"`)
		case named && kind == word:
			return text
		}
		upper := strings.ToUpper(text)
		named = kind == word && (upper == "FROM" || upper == "INTO" || upper == "UPDATE")
	}
	return ""
}

// withoutValues is a statement whose texts and numbers are replaced, and whose comments, which may hold values, are left out.
func withoutValues(statement string, standIn func(tag, text string) string) string {
	var out strings.Builder
	put := func(tag, text string) { out.WriteString("'" + standIn(tag, text) + "'") }
	for kind, text := range tokens(statement) {
		switch kind {
		case comment:
			out.WriteByte(' ')
		case literal:
			inner := text[1:]
			if len(text) > 1 && text[0] == '\'' && strings.HasSuffix(text, "'") {
				inner = inner[:len(inner)-1]
			}
			put("S", strings.ReplaceAll(inner, "''", "'"))
		case number:
			own := strings.TrimLeft(text, space)
			out.WriteString(text[:len(text)-len(own)])
			put("N", own)
		default:
			out.WriteString(text)
		}
	}
	return out.String()
}

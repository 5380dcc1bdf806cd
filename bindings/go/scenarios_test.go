package hotpart

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Calls that all faces of the library answer alike: see the file's own head.
func TestScenarios(t *testing.T) {
	for _, s := range scenarios(t) {
		t.Run(s.name, func(t *testing.T) { (&runner{T: t}).run(s.lines) })
	}
}

type scenario struct {
	name  string
	lines []numbered
}

type numbered struct {
	number int
	text   string
}

func scenarios(t *testing.T) (found []scenario) {
	file, err := os.Open("../../tests/scenarios.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for number := 1; lines.Scan(); number++ {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "scenario "); ok {
			found = append(found, scenario{name: name})
		} else if line != "" && line[0] != '#' {
			last := &found[len(found)-1]
			last.lines = append(last.lines, numbered{number, line})
		}
	}
	if err := lines.Err(); err != nil || len(found) == 0 {
		t.Fatal("no scenarios", err)
	}
	return found
}

// A counter is a detector of either kind, whose amounts are words.
type counter interface {
	record(operation Operation, table, pk, amount, model string) (string, error)
	count(operation Operation, table, pk string) (string, error)
	bounds(operation Operation, table, pk string) (string, error)
	setThresholds(kind, name, writes, reads string) error
	thresholds(kind, name string) (string, error)
	hottest(n int, operation Operation) ([]string, error)
	shared() *core
}

// A runner runs one scenario. seen is what the last call gave: warnings, lines and hot partitions, in the file's words.
type runner struct {
	*testing.T
	counter
	seen              []string
	request, response []byte
}

func (r *runner) run(lines []numbered) {
	var expected []string
	for i, line := range lines {
		what, rest, _ := strings.Cut(line.text, " ")
		switch what {
		case "warn", "line", "hot":
			expected = append(expected, line.text)
		default:
			call, result, _ := strings.Cut(rest, " -> ")
			if got := r.call(what, call); got != result {
				r.Fatalf("line %d: %s: got %q", line.number, line.text, got)
			}
		}
		last := i+1 == len(lines)
		if last || !slices.Contains([]string{"warn", "line", "hot"}, strings.Fields(lines[i+1].text)[0]) {
			if !slices.Equal(r.seen, expected) {
				r.Fatalf("by line %d:\ngot  %q\nwant %q", line.number, r.seen, expected)
			}
			r.seen, expected = nil, nil
		}
	}
}

func (r *runner) call(what, call string) string {
	if what == "request" || what == "response" {
		*map[string]*[]byte{"request": &r.request, "response": &r.response}[what] = []byte(call)
		return ""
	}
	var words []string
	options := map[string]string{}
	for _, word := range strings.Fields(call) {
		if name, value, ok := strings.Cut(word, "="); ok {
			options[name] = value
		} else {
			words = append(words, decoded(word))
		}
	}
	result, err := r.do(what, words, options)
	var missing *MissingSchemaError
	switch {
	case errors.As(err, &missing):
		return "missing " + strings.Join(missing.Tables, " ")
	case errors.Is(err, ErrInvalid) || errors.Is(err, ErrJSON):
		return "invalid"
	case err != nil:
		r.Fatal(what, call, err)
	}
	return result
}

func (r *runner) do(what string, words []string, options map[string]string) (string, error) {
	switch what {
	case "detector", "dynamodb":
		return "", r.detector(options)
	case "at":
		seconds, _ := strconv.ParseFloat(words[0], 64)
		return "", r.shared().SetTime(time.Duration(math.Round(seconds*1_000)) * time.Millisecond)
	case "write", "read":
		var result string
		var err error
		for range number(options["times"], 1) {
			result, err = r.record(operation(what), words[0], words[1], options["amount"], options["model"])
		}
		return result, err
	case "count":
		return r.count(operation(words[0]), words[1], words[2])
	case "bounds":
		return r.bounds(operation(words[0]), words[1], words[2])
	case "table", "model":
		return "", r.setThresholds(what, words[0], options["writes"], options["reads"])
	case "thresholds":
		return r.thresholds(words[0], words[1])
	case "throttle":
		return plainly(r.shared().RecordThrottle(words[1], words[2], operation(words[0]), reason(words[3])))
	case "throttles":
		return plainly(r.shared().ThrottleCount(words[1], words[2], operation(words[0]), reason(words[3])))
	case "schema":
		if attributes := strings.Split(words[1], ","); options["index"] != "" {
			return "", r.shared().SetIndexKeySchema(words[0], options["index"], attributes...)
		}
		return "", r.shared().SetKeySchema(words[0], words[1])
	case "observe":
		e := Exchange{Operation: words[0], Request: r.request, Response: r.response, Status: number(words[1], 0), Model: options["model"]}
		r.request, r.response = nil, nil
		return plainly(r.shared().Observe(e))
	case "unattributed":
		kind := named(Scans, Unread, words[1])
		return plainly(r.shared().UnattributedCount(words[0], kind, operation(words[2])))
	case "redacted":
		return r.shared().Redacted(words[0], words[1])
	case "hottest":
		hot, err := r.hottest(number(words[0], 0), operation(words[1]))
		r.seen = append(r.seen, hot...)
		return "", err
	case "stat":
		stats, err := r.shared().Stats()
		numbers := map[string]int64{"warnings": stats.Warnings, "suppressed": stats.Suppressed, "records": stats.Records,
			"partitions": stats.Partitions, "replaced": stats.Replaced, "unread": stats.Unread}
		return fmt.Sprint(numbers[words[0]]), err
	case "clear":
		return "", r.shared().Clear()
	}
	return "", fmt.Errorf("unknown: %s", what)
}

func (r *runner) detector(options map[string]string) (err error) {
	if options["share"] != "" {
		share, _ := strconv.ParseFloat(options["share"], 64)
		config, err := config[float64](r, options)
		if err != nil {
			return err
		}
		d, err := NewForDynamoDB(share, number(options["processes"], 1), config)
		r.counter = face[float64]{d}
		return err
	}
	if options["capacity"] != "" {
		r.counter, err = own(r, options, NewCapacity)
	} else {
		r.counter, err = own(r, options, New)
	}
	return err
}

func own[N Amount](r *runner, options map[string]string, make func(ConfigOf[N]) (*DetectorOf[N], error)) (counter, error) {
	c, err := config[N](r, options)
	if err != nil {
		return nil, err
	}
	for name, to := range map[string]*N{
		"writes": &c.WritesThreshold, "reads": &c.ReadsThreshold, "writes_per_second": &c.WritesPerSecond,
		"reads_per_second": &c.ReadsPerSecond, "writes_sustained": &c.WritesSustained, "reads_sustained": &c.ReadsSustained,
	} {
		*to = amount[N](options[name])
	}
	c.WindowSeconds, c.Processes = number(options["window"], 0), number(options["processes"], 0)
	d, err := make(c)
	return face[N]{d}, err
}

func config[N Amount](r *runner, options map[string]string) (c ConfigOf[N], err error) {
	c = ConfigOf[N]{
		OnWarning: func(w WarningOf[N]) {
			r.seen = append(r.seen, fmt.Sprintf("warn %v %s %s count=%s threshold=%s window=%d suppressed=%d peak=%s rule=%v utilisation=%s",
				w.Operation, encoded(w.Table), encoded(w.PK), shown(w.Count), shown(w.Threshold), w.WindowSeconds, w.Suppressed,
				shown(w.Peak), w.Rule, shown(w.Utilisation))+carried(w.Carried), "line "+w.String())
		},
		// That the log's line is the warning's is tested elsewhere.
		Logger:          slog.New(slog.DiscardHandler),
		ManualClock:     true,
		WarnOfThrottles: options["throttles"] != "",
		MaxPartitions:   number(options["bound"], 0),
		Memory:          int64(number(options["memory"], 0)),
		Redact:          options["redact"] != "",
	}
	if interval := options["interval"]; interval != "" {
		if c.WarningInterval = time.Duration(number(interval, 0)) * time.Second; c.WarningInterval == 0 {
			c.WarningInterval = EveryRecord
		}
	}
	_, err = hex.Decode(c.RedactKey[:], []byte(options["redact"]))
	return c, err
}

type face[N Amount] struct{ *DetectorOf[N] }

func (f face[N]) shared() *core { return &f.core }

func (f face[N]) record(operation Operation, table, pk, word, model string) (string, error) {
	if word == "" && model == "" {
		if operation == Write {
			return plainly(f.RecordWrite(table, pk))
		}
		return plainly(f.RecordRead(table, pk))
	}
	if word == "" {
		word = "1"
	}
	return plainly(f.Record(RecordOf[N]{Table: table, PK: pk, Operation: operation, Amount: amount[N](word), Model: model}))
}

func (f face[N]) count(operation Operation, table, pk string) (string, error) {
	if operation == Write {
		return plainly(f.WriteCount(table, pk))
	}
	return plainly(f.ReadCount(table, pk))
}

func (f face[N]) bounds(operation Operation, table, pk string) (string, error) {
	b, err := f.Bounds(table, pk, operation)
	return shown(b.Least) + " " + shown(b.Most), err
}

func (f face[N]) setThresholds(kind, name, writes, reads string) error {
	t := ThresholdsOf[N]{amount[N](writes), amount[N](reads)}
	if kind == "table" {
		return f.SetTableThresholds(name, t)
	}
	return f.SetModelThresholds(name, t)
}

func (f face[N]) thresholds(kind, name string) (string, error) {
	get := map[string]func(string) (ThresholdsOf[N], error){"table": f.TableThresholds, "model": f.ModelThresholds}[kind]
	t, err := get(name)
	words := strings.Fields(shown(t.Writes) + " " + shown(t.Reads))
	for i := range words {
		if words[i] == "0" {
			words[i] = "-"
		}
	}
	return strings.Join(words, " "), err
}

func (f face[N]) hottest(n int, operation Operation) (lines []string, err error) {
	found, err := f.Hottest(n, operation)
	for _, h := range found {
		lines = append(lines, fmt.Sprintf("hot %s %s count=%s throttles=%d demand=%s peak=%s utilisation=%s", encoded(h.Table),
			encoded(h.PK), shown(h.Count), h.Throttles, shown(h.Demand), shown(h.Peak), shown(h.Utilisation))+carried(h.Carried))
	}
	return lines, err
}

// carried is what is carried, where it is not 0.
func carried[N Amount](n N) string {
	if n == 0 {
		return ""
	}
	return " carried=" + shown(n)
}

func plainly[N Amount](n N, err error) (string, error) { return shown(n), err }

func shown[N Amount](n N) string { return strconv.FormatFloat(float64(n), 'f', -1, 64) }

// amount is a number; what is inherited, or not there, is 0.
func amount[N Amount](word string) N {
	n, _ := strconv.ParseFloat(word, 64)
	return N(n)
}

func number(word string, otherwise int) int {
	if word == "" {
		return otherwise
	}
	n, err := strconv.Atoi(word)
	if err != nil {
		panic(err)
	}
	return n
}

func operation(word string) Operation { return named(Write, Read, word) }

func reason(word string) Reason { return named(ReasonUnknown, ReasonMaxOnDemand, word) }

func named[T interface {
	~int32
	fmt.Stringer
}](first, last T, name string) T {
	for one := first; one <= last; one++ {
		if one.String() == name {
			return one
		}
	}
	panic(name)
}

func decoded(word string) string {
	if word == `""` {
		return ""
	}
	// Numbers have no type of their own among keys.
	text, err := url.PathUnescape(strings.TrimPrefix(word, "#"))
	if err != nil {
		panic(err)
	}
	return text
}

// encoded is a text as the file writes it.
func encoded(text string) string {
	if text == "" {
		return `""`
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		if c <= ' ' || c > '~' || c == '%' {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

package awsmiddleware

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// Tables that can't be described, or not soon.

func TestATableThatMayNotBeDescribedIsNeverAskedForAgain(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		w.answer("DescribeTable", 400, denied)
		client := w.on(Watch(d.Detector, l.option()))
		for range 3 {
			put(t, client, "events", events)
		}
		later(t, d, 61*time.Second)
		put(t, client, "events", events)
		want(t, "describes", w.describes(), 1)
		want(t, "unread", d.unattributed(t, "events", hotpart.Unread, hotpart.Write), 1)
		want(t, "unread in all", d.stats(t).Unread, 4)
		want(t, "failures", d.stats(t).Failures, 1)
		saidOfDescribing(t, &l, "AccessDeniedException")
		// Its key is known after all.
		check(t, d.SetKeySchema("events", "id"))
		put(t, client, "events", events)
		want(t, "writes", d.writes("events", "k"), 1)
	})
}

// saidOfDescribing is all that is logged of a table that could not be described.
func saidOfDescribing(t *testing.T, l *log, why string) {
	t.Helper()
	lines := l.lines(t)
	if len(lines) != 1 || !strings.Contains(lines[0], "DescribeTable failed ("+why+")") || !strings.Contains(lines[0], `WithKeySchema("events"`) {
		t.Errorf("%q", lines)
	}
}

// later lets so much time pass, for the detector too.
func later(t *testing.T, d *counted, by time.Duration) {
	t.Helper()
	s := schemasOf(d.Detector)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	now, since := s.now().Add(by), d.since+by
	s.now, d.since = func() time.Time { return now }, since
	check(t, d.SetTime(since))
}

func TestATableThatCouldNotBeDescribedIsAskedForAgainByAnyAttempt(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		var l log
		w.answer("DescribeTable", 400, gone)
		client := w.on(Watch(d.Detector, l.option(), WithKeySchema("other", "id")))
		later(t, d, 0)
		put(t, client, "events", events)
		failures := int64(1)
		// After a second, two, four...
		for _, pause := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			put(t, client, "other", events)
			later(t, d, pause-1)
			put(t, client, "other", events)
			want(t, "describes", int64(w.describes()), failures)
			later(t, d, 1)
			put(t, client, "other", events)
			failures++
			eventually(t, "it has failed again", func() bool { return settled(d) && d.stats(t).Failures == failures })
		}
		w.answer("DescribeTable", 200, description)
		later(t, d, 8*time.Second)
		put(t, client, "other", events)
		eventually(t, "it is counted", func() bool { return d.writes("events", "k") == 1 })
		want(t, "failures", d.stats(t).Failures, failures)
		saidOfDescribing(t, &l, "ResourceNotFoundException")
	})
}

// settled tells whether nobody describes a table.
func settled(d *counted) bool {
	s := schemasOf(d.Detector)
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, w := range s.wanted {
		if w.asking {
			return false
		}
	}
	return true
}

// A table that is gone was asked for for ever.
func TestATableThatCanNeverBeDescribedIsAskedForWhileItIsUsed(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		w.answer("DescribeTable", 400, gone)
		client := w.on(Watch(d.Detector, WithKeySchema("other", "id")))
		put(t, client, "events", events)
		tried := func() int {
			for range 20 {
				later(t, d, again*10)
				put(t, client, "other", events)
				eventually(t, "it has failed", func() bool { return settled(d) })
			}
			return w.describes()
		}
		before := tried()
		if before < 4 || before > 9 {
			t.Error(before)
		}
		want(t, "describes", tried(), before)
		put(t, client, "events", events)
		want(t, "describes", w.describes(), before+1)
	})
}

func TestNobodyWaitsForADescriptionThatHasFailedBefore(t *testing.T) {
	d := countedBy(t, hotpart.New)
	var w wire
	hold := make(chan struct{})
	w.answer("DescribeTable", 400, gone)
	client := w.on(Watch(d.Detector))
	put(t, client, "events", events)
	w.before = func(operation string, _ map[string]any) {
		if operation == "DescribeTable" {
			w.answer("DescribeTable", 200, description)
			<-hold
		}
	}
	later(t, d, again)
	began := time.Now()
	put(t, client, "events", events)
	if took := time.Since(began); took > patience*9/10 {
		t.Error(took)
	}
	close(hold)
	eventually(t, "both are counted", func() bool { return d.writes("events", "k") == 2 })
}

// Another table's description waited for it, or was never made.
func TestADescriptionThatIsGivenUpCostsOtherTablesNothing(t *testing.T) {
	// Which comes first is not told.
	for range 10 {
		d := countedBy(t, hotpart.New)
		var w wire
		w.answer("DescribeTable", 200, description)
		w.before = func(operation string, body map[string]any) {
			if operation == "DescribeTable" && body["TableName"] == "other" {
				runtime.Goexit()
			}
		}
		client := w.on(Watch(d.Detector, WithLogger(slog.New(slog.DiscardHandler))))
		schemasOf(d.Detector).want("other", "other")
		put(t, client, "events", events)
		eventually(t, "it is counted", func() bool { return d.writes("events", "k") == 1 && settled(d) })
	}
}

// The attempts that waited were lost.
func TestADescriptionThatIsGivenUpIsAskedForByTheNextAttempt(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		client := w.on(Watch(d.Detector, WithKeySchema("other", "id")))
		for _, gives := range []func(){func() { panic("broken") }, runtime.Goexit} {
			w.before = func(operation string, _ map[string]any) {
				if operation == "DescribeTable" {
					gives()
				}
			}
			put(t, client, "events", events)
			eventually(t, "it is given up", func() bool { return settled(d) })
			later(t, d, 2*again)
		}
		w.before = nil
		w.answer("DescribeTable", 200, description)
		put(t, client, "other", events)
		eventually(t, "both are counted", func() bool { return d.writes("events", "k") == 2 })
		want(t, "failures", d.stats(t).Failures, 2)
	})
}

func TestATableThatIsDescribedIsNotTakenByAnother(t *testing.T) {
	s := newSchemas(60)
	s.want("events", "events")
	now := time.Now()
	s.now = func() time.Time { return now }
	taken := s.take()
	want(t, "taken", len(taken), 1)
	want(t, "by another", len(s.take()), 0)
	s.putOff(taken[0])
	want(t, "at once", len(s.take()), 0)
	now = now.Add(again)
	want(t, "then", len(s.take()), 1)
	for range 70 {
		s.putOff(taken[0])
	}
	want(t, "the longest pause", taken[0].after.Sub(now), againMax)
}

func TestWhatOneClientWasDeniedAnotherDoesNotAsk(t *testing.T) {
	d := countedBy(t, hotpart.New)
	for n := range 3 {
		var w wire
		w.answer("DescribeTable", 400, denied)
		put(t, w.on(Watch(d.Detector)), "events", events)
		want(t, "describes", w.describes(), map[bool]int{true: 1}[n == 0])
	}
}

func TestATableThatIsNotDescribedForLongKeepsNoRequestForLong(t *testing.T) {
	d := countedBy(t, hotpart.New)
	hold := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.Header.Get("X-Amz-Target"), "DescribeTable") {
			<-hold
			io.WriteString(w, description)
			return
		}
		io.WriteString(w, "{}")
	}))
	defer server.Close()
	client := clientTo(server.URL, Watch(d.Detector))
	put(t, client, "events", events)
	want(t, "writes", d.writes("events", "k"), 0)
	close(hold)
	eventually(t, "it is counted when the table is described", func() bool { return d.writes("events", "k") == 1 })
}

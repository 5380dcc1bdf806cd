package awsmiddleware

import (
	"fmt"
	"hash/maphash"
	"io"
	"reflect"
	"sync"
	"time"

	hotpart "github.com/libhotpart/libhotpart/bindings/go"
	"github.com/libhotpart/libhotpart/bindings/go/awsmiddleware/internal/recording"
)

// WithRecording has each attempt that the detector is told of written to w, its request and its answer in one line of JSON,
// for the command hotpart to read. Each line is one Write. A writer gets one at a time, also from several clients; the request
// waits for it. The caller closes w, once no request is under way. A Write that fails is logged, once a kind, and counted in
// Stats.Failures.
//
// A recording holds all that was sent and answered. Where the detector redacts keys each value of an attribute is a hash, as
// Redacted returns for such a key. Names of tables and attributes, expressions and capacity stay.
func WithRecording(w io.Writer) Option {
	return func(watcher *watcher) {
		watcher.recorder = nil
		// A closed detector is told of nothing.
		if digits, err := watcher.detector.Redacted(recording.UnknownTable, ""); err == nil && w != nil {
			watcher.recorder = &recorder{to: w, mutex: mutexOf(w), redacts: digits != ""}
		}
	}
}

// A recorder writes a client's attempts.
type recorder struct {
	to      io.Writer
	mutex   *sync.Mutex
	redacts bool
}

// Writers share mutexes, as nobody says when a writer is done with. That of a writer is always the same.
var (
	mutexes [64]sync.Mutex
	seed    = maphash.MakeSeed()
)

func mutexOf(w io.Writer) *sync.Mutex {
	if !reflect.ValueOf(w).Comparable() {
		return &mutexes[0]
	}
	return &mutexes[maphash.Comparable(seed, w)%uint64(len(mutexes))]
}

// record writes an attempt. Nothing that goes wrong here is the caller's.
func (w *watcher) record(e hotpart.Exchange) {
	defer func() {
		if failure := recover(); failure != nil {
			w.unrecorded(fmt.Errorf("panic: %v", failure))
		}
	}()
	if w.detector.Closed() {
		return
	}
	redact := w.detector.Redacted
	if !w.recorder.redacts {
		redact = nil
	}
	line, err := recording.Line(time.Now(), e, redact)
	if err == nil {
		err = w.recorder.write(line)
	}
	if err != nil {
		w.unrecorded(err)
	}
}

func (r *recorder) write(line []byte) error {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	n, err := r.to.Write(line)
	if err == nil && n < len(line) {
		return io.ErrShortWrite
	}
	return err
}

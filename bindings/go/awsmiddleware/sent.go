package awsmiddleware

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"

	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// A body is a request's, as an attempt sends it.
type body interface {
	// bytes are those that it has, until the attempt is over.
	bytes() []byte
	// left tells whether all of it was handed to the transport.
	left() bool
}

// bodyOf is the body of a request, and the request that is to be sent for it. No body is one that
// can't be seen. The error is a stream's that does not go back, of which a part would be sent.
func bodyOf(request *smithyhttp.Request) (body, *smithyhttp.Request, error) {
	switch stream := request.GetStream().(type) {
	case io.ReadSeeker:
		if seen, err := peek(stream); seen != nil || err != nil {
			return seen, request, err
		}
	case *io.PipeReader:
		// The SDK sends it in another way than what it does not know.
	case io.Reader:
		seen := &teed{stream: stream, expected: request.ContentLength}
		if again, err := request.SetStream(seen); err == nil {
			return seen, again, nil
		}
	}
	return nil, request, nil
}

// peeked is a body whose stream can go back.
type peeked struct {
	all    []byte
	stream io.Seeker
	start  int64
}

// peek looks at what is still to be read of a stream, which stays where it is: somebody's own retry
// may not rewind it, and sends what is left then.
func peek(stream io.ReadSeeker) (body, error) {
	start, err := stream.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, nil
	}
	p := &peeked{stream: stream, start: start}
	if reader, ok := stream.(*bytes.Reader); ok {
		// The SDK's own: it shows its bytes without a copy.
		reader.WriteTo(p)
	} else {
		p.all, err = io.ReadAll(stream)
	}
	if _, back := stream.Seek(start, io.SeekStart); back != nil || err != nil {
		return nil, back
	}
	return p, nil
}

// Write takes all that a bytes.Reader has.
func (p *peeked) Write(all []byte) (int, error) {
	p.all = all
	return len(all), nil
}

func (p *peeked) bytes() []byte { return p.all }

func (p *peeked) left() bool {
	end, err := p.stream.Seek(0, io.SeekCurrent)
	return err != nil || end-p.start >= int64(len(p.all))
}

// teed is a body whose stream can be read once, as the SDK's is that logs it. It is seen when the
// transport reads it.
type teed struct {
	mutex    sync.Mutex
	stream   io.Reader
	all      []byte
	ended    bool
	expected int64
}

func (t *teed) Read(to []byte) (int, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	n, err := t.stream.Read(to)
	t.all = append(t.all, to[:n]...)
	t.ended = t.ended || err == io.EOF
	return n, err
}

func (t *teed) bytes() []byte {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.all
}

func (t *teed) left() bool {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.ended || t.expected >= 0 && int64(len(t.all)) >= t.expected
}

// mayHaveRun tells whether DynamoDB may have got a request that it has not answered: it runs none
// that it has not got whole.
func mayHaveRun(sent body, failure error) bool {
	var name *net.DNSError
	var network *net.OpError
	if errors.As(failure, &name) || errors.As(failure, &network) && (network.Op == "dial" || network.Op == "proxyconnect") {
		// Somebody has read it, to log it perhaps, but there was no connection.
		return false
	}
	return sent.left()
}

package awsmiddleware

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// An attempt is the middleware that each attempt at a request passes last, and its answer first.
type attempt struct {
	*watcher
	describer func() *dynamodb.Client
}

func (a *attempt) ID() string { return a.id }

func (a *attempt) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	request, _ := in.Request.(*smithyhttp.Request)
	var sent []byte
	if request != nil {
		// Before it is sent: the transport may go on reading it after its answer.
		var err error
		if sent, err = a.sent(request); err != nil {
			return middleware.DeserializeOutput{}, middleware.Metadata{}, err
		}
	}
	out, metadata, err := next.HandleDeserialize(ctx, in)
	if sent != nil {
		response, _ := out.RawResponse.(*smithyhttp.Response)
		a.observe(ctx, request.Header.Get("X-Amz-Target"), sent, response)
	}
	return out, metadata, err
}

// largest is how much memory is asked for before anything of it has come: who says how long it is may be mistaken.
const largest = 1 << 20

// sent is the request's body, or nil if that can't be read twice, or is of a protocol that is not DynamoDB's JSON. The error is
// the stream's own, which could not be sent then.
func (a *attempt) sent(request *smithyhttp.Request) ([]byte, error) {
	stream := request.GetStream()
	if stream == nil || !request.IsStreamSeekable() || request.Header.Get("X-Amz-Target") == "" {
		return nil, nil
	}
	sent := bytes.NewBuffer(make([]byte, 0, min(max(request.ContentLength, 0), largest)+bytes.MinRead))
	if _, err := sent.ReadFrom(stream); err != nil {
		return nil, err
	}
	return sent.Bytes(), request.RewindStream()
}

// observe tells the detector of an attempt. Nothing that goes wrong here is the caller's.
func (a *attempt) observe(ctx context.Context, target string, sent []byte, response *smithyhttp.Response) {
	defer func() {
		if failure := recover(); failure != nil {
			a.failed(fmt.Errorf("panic: %v", failure))
		}
	}()
	e := hotpart.Exchange{Operation: target, Request: sent, Model: a.model}
	if response != nil && response.Response != nil {
		if body, whole := received(response); whole {
			e.Status, e.Response = response.StatusCode, body
		}
	}
	missing, err := a.tell(e)
	if err != nil {
		a.failed(err)
	} else if missing != "" {
		a.describeAside(ctx, missing, e)
	}
}

// received is the answer's body, which is put back as it was, and whether it came whole.
func received(response *smithyhttp.Response) (body []byte, whole bool) {
	if response.Body == nil {
		return nil, true
	}
	raw := bytes.NewBuffer(make([]byte, 0, min(max(response.ContentLength, 0), largest)+bytes.MinRead))
	_, err := raw.ReadFrom(response.Body)
	again := io.Reader(bytes.NewReader(raw.Bytes()))
	if err != nil {
		again = io.MultiReader(again, failing{err})
	}
	response.Body = reread{again, response.Body}
	if err != nil {
		return nil, false
	}
	if !strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
		return raw.Bytes(), true
	}
	// The SDK unpacks it after us.
	unzip, err := gzip.NewReader(bytes.NewReader(raw.Bytes()))
	if err != nil {
		return nil, false
	}
	body, err = io.ReadAll(unzip)
	return body, err == nil
}

// reread is a body that was read, to be read again; closing it closes the one that came.
type reread struct {
	io.Reader
	io.Closer
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// tell tells the detector of an attempt, and returns the table whose key schema it needs first, if so.
func (w *watcher) tell(e hotpart.Exchange) (missing string, err error) {
	_, err = w.detector.Observe(e)
	var schema *hotpart.MissingSchemaError
	if errors.As(err, &schema) {
		return schema.Table, nil
	}
	if errors.Is(err, hotpart.ErrClosed) {
		return "", nil
	}
	return "", err
}

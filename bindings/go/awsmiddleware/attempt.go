package awsmiddleware

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// An attempt is the middleware that each attempt at a request passes last, and its answer first.
type attempt struct {
	*watcher
	// describer makes a client that describes tables; nil: they are not described.
	describer func() *dynamodb.Client
	ask       ask
}

func (a *attempt) ID() string { return a.id }

func (a *attempt) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (middleware.DeserializeOutput, middleware.Metadata, error) {
	request, _ := in.Request.(*smithyhttp.Request)
	if request == nil || request.Header.Get("X-Amz-Target") == "" {
		a.unseen("its requests have no header X-Amz-Target, so they are not in DynamoDB's JSON")
		return next.HandleDeserialize(ctx, in)
	}
	// Before it is sent: the transport may go on reading it after its answer.
	sent, request, err := bodyOf(request)
	if err != nil {
		return middleware.DeserializeOutput{}, middleware.Metadata{}, err
	}
	in.Request = request
	if sent == nil {
		a.unseen("the bodies of its requests can be read only once")
		return next.HandleDeserialize(ctx, in)
	}
	out, metadata, err := next.HandleDeserialize(ctx, in)
	a.observe(ctx, request.Header.Get("X-Amz-Target"), sent, out.RawResponse, err)
	return out, metadata, err
}

// observe tells the detector of an attempt. Nothing that goes wrong here is the caller's.
func (a *attempt) observe(ctx context.Context, target string, sent body, answer any, failure error) {
	defer func() {
		if failure := recover(); failure != nil {
			a.failed(fmt.Errorf("panic: %v", failure))
		}
	}()
	e := hotpart.Exchange{Operation: target, Request: sent.bytes(), Model: a.model}
	if len(e.Request) == 0 {
		// A retry that did not rewind its body has asked DynamoDB for nothing.
		return
	}
	response, _ := answer.(*smithyhttp.Response)
	if response == nil || response.Response == nil || response.StatusCode == 0 {
		if !mayHaveRun(sent, failure) {
			return
		}
	} else if body, whole := received(response); whole {
		e.Status, e.Response = response.StatusCode, body
	}
	if a.recorder != nil {
		a.record(e)
	}
	if _, err := a.detector.Observe(e); err != nil {
		a.refused(err, e.Request)
	}
	// An attempt that was not answered has other troubles.
	if a.describer != nil && 0 < e.Status && e.Status < 500 {
		if tables := a.schemas.take(); tables != nil {
			a.describeAside(ctx, tables)
		}
	}
}

// refused: the detector has not recorded all of an attempt. What it lacks a key schema for waits in
// there, until the table is described.
func (a *attempt) refused(err error, request []byte) {
	var missing *hotpart.MissingSchemaError
	if !errors.As(err, &missing) {
		a.failed(err)
		return
	}
	for _, table := range missing.Tables {
		// Another client of the detector may describe it, and is not asked for a minute.
		a.schemas.want(table, nameIn(request, table))
		if !a.describes {
			a.undescribed(table, "the table is not to be described", false)
		}
	}
}

// largest is how much memory is asked for before anything of it has come: who says how long it is
// may be mistaken.
const largest = 1 << 20

// received is the answer's body, which is put back as it was, and whether it came whole.
func received(response *smithyhttp.Response) (body []byte, whole bool) {
	if response.Body == nil {
		return nil, true
	}
	length := response.ContentLength
	if length < 0 {
		length = 511
	}
	// With room for one byte more, where its end is found.
	body, err := readAll(response.Body, make([]byte, 0, 1+min(length, largest)))
	again := &reread{Closer: response.Body, failure: err}
	again.rest.Reset(body)
	response.Body = again
	if err != nil {
		return nil, false
	}
	if !strings.EqualFold(response.Header.Get("Content-Encoding"), "gzip") {
		return body, true
	}
	// The SDK unpacks it after us.
	unzip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, false
	}
	body, err = io.ReadAll(unzip)
	return body, err == nil
}

// readAll is io.ReadAll, into memory that is there.
func readAll(from io.Reader, to []byte) ([]byte, error) {
	for {
		n, err := from.Read(to[len(to):cap(to)])
		to = to[:len(to)+n]
		if err == io.EOF {
			return to, nil
		}
		if err != nil {
			return to, err
		}
		if len(to) == cap(to) {
			to = slices.Grow(to, len(to))
		}
	}
}

// reread is a body that was read, to be read again, up to the failure that it had; closing it
// closes the one that came.
type reread struct {
	io.Closer
	rest    bytes.Reader
	failure error
}

func (r *reread) Read(to []byte) (int, error) {
	if r.rest.Len() == 0 && r.failure != nil {
		return 0, r.failure
	}
	return r.rest.Read(to)
}

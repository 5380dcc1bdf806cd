package awsmiddleware

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// clientOf is a client made of the same options, and so watched as well: thus the detector learns what it is answered.
func clientOf(options *dynamodb.Options) *dynamodb.Client {
	return dynamodb.New(*options, func(o *dynamodb.Options) { o.Protocol = options.Protocol })
}

// A lack is an attempt that can't be observed before a table's key schema is known.
type lack struct {
	table string
	e     hotpart.Exchange
}

// What an answered request waits for at most, and what describing a table may take.
const patience, limit = time.Second, time.Minute

// describeAside describes what an attempt lacks. The request waits for that, but not for long: it has its answer.
func (a *attempt) describeAside(ctx context.Context, table string, e hotpart.Exchange) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if failure := recover(); failure != nil {
				a.failed(fmt.Errorf("panic: %v", failure))
			}
		}()
		aside, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
		defer cancel()
		a.describe(aside, a.describer, table, e)
	}()
	waiting := time.NewTimer(patience)
	defer waiting.Stop()
	select {
	case <-done:
	case <-waiting.C:
	case <-ctx.Done():
	}
}

// describe finds out the key schema that an attempt lacks, and then tells of what has waited for that; which may need another
// table's schema next.
func (w *watcher) describe(ctx context.Context, client func() *dynamodb.Client, table string, e hotpart.Exchange) {
	for todo := []lack{{table, e}}; len(todo) > 0; {
		next := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if w.schemas.known(next.table) {
			// It may have been described meanwhile.
			missing, err := w.tell(next.e)
			if err != nil {
				w.failed(err)
			}
			if missing == "" {
				continue
			}
			if missing != next.table {
				todo = append(todo, lack{missing, next.e})
				continue
			}
		}
		if !w.describes {
			w.unknown(next.table, "")
			continue
		}
		switch w.schemas.wants(next.table, next.e, next.e.Status == http.StatusOK) {
		case itDescribes:
			for _, waited := range w.lookUp(ctx, client(), next) {
				todo = append(todo, lack{next.table, waited})
			}
		case itIsLost:
			// An index that has been made since, or there is none.
			w.unknown(next.table, first(indexName, next.e.Request))
		case isFull:
			w.log(fmt.Sprintf("too many requests wait for the key schema of table %q: some are not counted", next.table))
		}
	}
}

// lookUp describes a table, and returns what has waited for that.
func (w *watcher) lookUp(ctx context.Context, client *dynamodb.Client, l lack) []hotpart.Exchange {
	name := l.table
	// A table of another account has no other name than its ARN.
	if arn := first(regexp.MustCompile(`"(arn:[^"\\]*:table/`+regexp.QuoteMeta(l.table)+`)["/]`), l.e.Request); arn != "" {
		name = arn
	}
	_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &name})
	switch {
	case err == nil:
		return w.schemas.described(l.table)
	case ctx.Err() != nil:
		w.schemas.abandoned(l.table)
	default:
		code := err.Error()
		var api smithy.APIError
		if errors.As(err, &api) {
			code = api.ErrorCode()
		}
		w.schemas.refused(l.table, denials[code])
		w.log(fmt.Sprintf("the key schema of table %q is needed and DescribeTable failed (%s): its requests are not counted; "+
			"pass WithKeySchema(%[1]q, its partition key)", l.table, code))
	}
	return nil
}

var denials = map[string]bool{"AccessDeniedException": true, "AccessDenied": true, "UnauthorizedOperation": true}

var indexName = regexp.MustCompile(`"IndexName"\s*:\s*"([^"\\]+)"`)

// first is the first group of a match in a request, or "".
func first(pattern *regexp.Regexp, request []byte) string {
	if match := pattern.FindSubmatch(request); match != nil {
		return string(match[1])
	}
	return ""
}

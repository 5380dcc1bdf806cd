package awsmiddleware

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
)

// clientOf is a client made of the same options, and so watched as well: thus the detector learns
// what it is answered. Its own attempts have no table described.
func (w *watcher) clientOf(options *dynamodb.Options) *dynamodb.Client {
	return dynamodb.New(*options, func(o *dynamodb.Options) {
		o.Protocol = options.Protocol
		o.APIOptions = append(o.APIOptions, (&attempt{watcher: w}).add)
	})
}

// patience is how long an answered request waits at most, limit how long describing a table may take.
const patience, limit = time.Second, time.Minute

// describeAside describes tables. The request waits for that, but not for long: it has its answer.
// It does not wait for what has failed before.
func (a *attempt) describeAside(ctx context.Context, tables []*wanted) {
	var first sync.WaitGroup
	for _, table := range tables {
		describe := func() { a.describe(context.WithoutCancel(ctx), table) }
		if table.failures == 0 {
			first.Go(describe)
		} else {
			go describe()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		first.Wait()
	}()
	waiting := time.NewTimer(patience)
	defer waiting.Stop()
	select {
	case <-done:
	case <-waiting.C:
	case <-ctx.Done():
	}
}

// describe describes a table. The attempt that does so is observed, by which what waits is
// recorded.
func (a *attempt) describe(ctx context.Context, table *wanted) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := errors.New("it was given up")
	defer func() {
		if failure := recover(); failure != nil {
			err = fmt.Errorf("panic: %v", failure)
		}
		if err == nil {
			a.schemas.drop(table)
			return
		}
		code := codeOf(err)
		a.undescribed(table.table, fmt.Sprintf("DescribeTable failed (%s)", code), denials[code])
		if !denials[code] {
			a.schemas.putOff(table)
			return
		}
		a.schemas.drop(table)
		if err := a.detector.ForgetTable(table.table); err != nil {
			a.failed(err)
		}
	}()
	_, err = a.describer().DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table.name})
}

var denials = map[string]bool{"AccessDeniedException": true, "AccessDenied": true, "UnauthorizedOperation": true}

// codeOf is what DynamoDB refused a request with, or else the error's text.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

// nameIn is what a request calls a table: a table of another account has no other name than its
// ARN.
func nameIn(request []byte, table string) string {
	arn := regexp.MustCompile(`"(arn:[^"\\]*:table/` + regexp.QuoteMeta(table) + `)["/\\]`).FindSubmatch(request)
	if arn != nil {
		return string(arn[1])
	}
	return table
}

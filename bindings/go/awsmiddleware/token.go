package awsmiddleware

import (
	"context"
	"runtime"
	"sync"

	"github.com/aws/smithy-go/middleware"
)

// DynamoDB knows a transaction that comes twice by its token, and refuses it where its parameters
// are others. Who gives one may have sent the transaction by another client, or may yet: it is left
// as it is.

// ownToken is what a request's context has whose caller gave a token.
type ownToken struct{}

// A token looks, before the SDK gives one, whether the caller did.
type token struct{ id string }

func (t *token) ID() string { return t.id }

func (t *token) HandleInitialize(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	own := tokenOf(in.Parameters)
	if own != nil && !isGiven(own) {
		ctx = context.WithValue(ctx, ownToken{}, true)
	}
	return next.HandleInitialize(ctx, in)
}

// hasToken tells whether an operation's requests have a token.
func hasToken(operation string) bool {
	return operation == "TransactWriteItems" || operation == "ExecuteTransaction"
}

// given are the tokens that the SDK gave, until they are collected: it leaves them in the caller's
// input, who may send that again. The first time it has asked for the capacity, so it asks again.
var given sync.Map

func give(token *string) {
	if _, known := given.LoadOrStore(*token, nil); !known {
		runtime.AddCleanup(token, func(text string) { given.Delete(text) }, *token)
	}
}

func isGiven(token *string) bool {
	_, ok := given.Load(*token)
	return ok
}

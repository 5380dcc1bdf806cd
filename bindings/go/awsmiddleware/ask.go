package awsmiddleware

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// ask has a request ask for all of the capacity that it takes, and leaves in its result what its
// caller asked for. It comes before the SDK writes the request.
type ask struct{ id string }

func (a *ask) ID() string { return a.id }

func (a *ask) HandleSerialize(
	ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
) (middleware.SerializeOutput, middleware.Metadata, error) {
	ours, asks := copied(in.Parameters)
	if asks == nil || !isToAsk(ctx, *asks, in.Parameters) {
		return next.HandleSerialize(ctx, in)
	}
	own := *asks
	*asks = types.ReturnConsumedCapacityIndexes
	in.Parameters = ours
	out, metadata, err := next.HandleSerialize(ctx, in)
	leave(out.Result, own)
	return out, metadata, err
}

// isToAsk tells whether a request is to ask for all, whose caller asks for this.
func isToAsk(ctx context.Context, own types.ReturnConsumedCapacity, parameters any) bool {
	if own != "" && own != types.ReturnConsumedCapacityNone && own != types.ReturnConsumedCapacityTotal {
		return false
	}
	if token := tokenOf(parameters); token != nil {
		if ctx.Value(ownToken{}) != nil {
			return false
		}
		give(token)
	}
	return true
}

// leave leaves of what a result tells of the capacity what its caller asked for: the total, or
// nothing.
func leave(result any, own types.ReturnConsumedCapacity) {
	switch one, several := capacityIn(result); {
	case own == types.ReturnConsumedCapacityTotal && one != nil:
		if *one != nil {
			leaveTotal(*one)
		}
	case own == types.ReturnConsumedCapacityTotal && several != nil:
		for i := range *several {
			leaveTotal(&(*several)[i])
		}
	case one != nil:
		*one = nil
	case several != nil:
		*several = nil
	}
}

func leaveTotal(of *types.ConsumedCapacity) {
	of.Table, of.LocalSecondaryIndexes, of.GlobalSecondaryIndexes = nil, nil, nil
}

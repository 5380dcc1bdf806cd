package awsmiddleware

import (
	"context"
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// ask has a request ask for all of the capacity that it takes, and leaves in its result what its
// caller asked for. It comes before the SDK writes the request.
type ask struct {
	id string
	// hasToken: its requests have a token.
	hasToken bool
}

func (a *ask) ID() string { return a.id }

func (a *ask) HandleSerialize(
	ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
) (middleware.SerializeOutput, middleware.Metadata, error) {
	asking, own := asking(in.Parameters)
	if asking == nil || a.hasToken && ctx.Value(ownToken{}) != nil {
		return next.HandleSerialize(ctx, in)
	}
	if a.hasToken {
		if token := tokenOf(in.Parameters); token != nil {
			give(token)
		}
	}
	in.Parameters = asking
	out, metadata, err := next.HandleSerialize(ctx, in)
	if result := member(out.Result, "ConsumedCapacity"); result.IsValid() && own == types.ReturnConsumedCapacityTotal {
		totals(result)
	} else if result.IsValid() {
		result.SetZero()
	}
	return out, metadata, err
}

// asking is a copy of a caller's parameters that asks for all, if they don't, and what they ask for.
func asking(parameters any) (any, types.ReturnConsumedCapacity) {
	asked := member(parameters, "ReturnConsumedCapacity")
	if !asked.IsValid() || asked.Kind() != reflect.String {
		return nil, ""
	}
	own := types.ReturnConsumedCapacity(asked.String())
	if own != "" && own != types.ReturnConsumedCapacityNone && own != types.ReturnConsumedCapacityTotal {
		return nil, own
	}
	theirs := reflect.ValueOf(parameters).Elem()
	ours := reflect.New(theirs.Type())
	ours.Elem().Set(theirs)
	member(ours.Interface(), "ReturnConsumedCapacity").SetString(string(types.ReturnConsumedCapacityIndexes))
	return ours.Interface(), own
}

// totals leaves of what a result says of capacity what it says where only the total is asked for.
func totals(result reflect.Value) {
	switch consumed := result.Interface().(type) {
	case *types.ConsumedCapacity:
		total(consumed)
	case []types.ConsumedCapacity:
		for i := range consumed {
			total(&consumed[i])
		}
	}
}

func total(consumed *types.ConsumedCapacity) {
	if consumed != nil {
		consumed.Table, consumed.LocalSecondaryIndexes, consumed.GlobalSecondaryIndexes = nil, nil, nil
	}
}

// A place is where a member of a type was looked for. It takes long by its name, in every request.
type place struct {
	of   reflect.Type
	name string
}

// places are the members' indexes, or nil where there is none. The SDK has so many types, and no
// more.
var places sync.Map

// member is a field of what a pointer points to, or no value.
func member(pointer any, name string) reflect.Value {
	value := reflect.ValueOf(pointer)
	if value.Kind() != reflect.Pointer || value.IsNil() || value.Elem().Kind() != reflect.Struct {
		return reflect.Value{}
	}
	value = value.Elem()
	index, known := places.Load(place{value.Type(), name})
	if !known {
		field, _ := value.Type().FieldByName(name)
		index, _ = places.LoadOrStore(place{value.Type(), name}, field.Index)
	}
	if index := index.([]int); len(index) == 1 {
		return value.Field(index[0])
	}
	return reflect.Value{}
}

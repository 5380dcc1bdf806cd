package awsmiddleware

import (
	"context"
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// ask has a request ask for the capacity it takes, and takes that out of its result again. It comes
// before the SDK writes the request.
type ask struct{ id string }

func (a *ask) ID() string { return a.id }

func (a *ask) HandleSerialize(
	ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler,
) (middleware.SerializeOutput, middleware.Metadata, error) {
	asking, ok := asking(in.Parameters)
	if !ok {
		return next.HandleSerialize(ctx, in)
	}
	in.Parameters = asking
	out, metadata, err := next.HandleSerialize(ctx, in)
	if result := member(out.Result, "ConsumedCapacity"); result.IsValid() {
		result.SetZero()
	}
	return out, metadata, err
}

// asking is a copy of a caller's parameters that asks, if they don't.
func asking(parameters any) (any, bool) {
	asked := member(parameters, "ReturnConsumedCapacity")
	if !asked.IsValid() || asked.Kind() != reflect.String {
		return nil, false
	}
	if own := types.ReturnConsumedCapacity(asked.String()); own != "" && own != types.ReturnConsumedCapacityNone {
		return nil, false
	}
	theirs := reflect.ValueOf(parameters).Elem()
	ours := reflect.New(theirs.Type())
	ours.Elem().Set(theirs)
	member(ours.Interface(), "ReturnConsumedCapacity").SetString(string(types.ReturnConsumedCapacityIndexes))
	return ours.Interface(), true
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

package awsmiddleware

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// A session is a client of an emulator with a table of its own, and what it should have counted.
type session struct {
	*testing.T
	d      *counted
	client *dynamodb.Client
	table  string
	// moto's capacity is a stub: it does not add up, and calls a global index local.
	stub     bool
	expected map[partition]float64
	// units are those that the answers told; the caller asks for them in every request that can.
	units     float64
	described int
}

type partition struct {
	operation hotpart.Operation
	table, pk string
}

var tables atomic.Int64

func newTable() string { return fmt.Sprintf("t%dx%d", tables.Add(1), time.Now().UnixNano()) }

func newSession(t *testing.T, name string, d *counted, options ...func(*dynamodb.Options)) *session {
	s := &session{T: t, d: d, table: newTable(), stub: name == "moto", expected: map[partition]float64{}}
	s.client = clientTo(endpoint(t, name), append(options, func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("session", s.watch), middleware.After)
		})
	})...)
	return s
}

// member is a field of what a pointer points to, or no value.
func member(pointer any, name string) reflect.Value {
	if value := reflect.ValueOf(pointer); value.Kind() == reflect.Pointer && !value.IsNil() {
		return value.Elem().FieldByName(name)
	}
	return reflect.Value{}
}

// watch has each request ask for the capacity, and sums up what the answers tell.
func (s *session) watch(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	if asked := member(in.Parameters, "ReturnConsumedCapacity"); asked.IsValid() && asked.String() == "" {
		asked.SetString("INDEXES")
	}
	if _, ok := in.Parameters.(*dynamodb.DescribeTableInput); ok {
		s.described++
	}
	out, metadata, err := next.HandleInitialize(ctx, in)
	if told := member(out.Result, "ConsumedCapacity"); told.IsValid() {
		if told.Kind() == reflect.Slice {
			for _, one := range told.Interface().([]types.ConsumedCapacity) {
				s.units += *one.CapacityUnits
			}
		} else if !told.IsNil() {
			s.units += *told.Interface().(*types.ConsumedCapacity).CapacityUnits
		}
	}
	return out, metadata, err
}

func keys(names ...string) (schema []types.KeySchemaElement) {
	for i, name := range names {
		schema = append(schema, types.KeySchemaElement{AttributeName: str(name), KeyType: []types.KeyType{"HASH", "RANGE"}[i]})
	}
	return schema
}

// create makes the table, of the key (id, n), by a client; indexes: with a local one by l, and a global one by g.
func (s *session) create(client *dynamodb.Client, indexes bool) *session {
	s.Helper()
	input := &dynamodb.CreateTableInput{
		TableName: &s.table, KeySchema: keys("id", "n"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: str("id"), AttributeType: "S"}, {AttributeName: str("n"), AttributeType: "N"}},
	}
	if indexes {
		input.AttributeDefinitions = append(input.AttributeDefinitions,
			types.AttributeDefinition{AttributeName: str("l"), AttributeType: "S"}, types.AttributeDefinition{AttributeName: str("g"), AttributeType: "S"})
		everything := &types.Projection{ProjectionType: types.ProjectionTypeAll}
		input.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: str("by_l"), KeySchema: keys("id", "l"), Projection: everything}}
		input.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{IndexName: str("by_g"), KeySchema: keys("g"), Projection: everything}}
	}
	_, err := client.CreateTable(ctx, input)
	check(s, err)
	exists(s, client, s.table)
	s.described = 0
	return s
}

func exists(t testing.TB, client *dynamodb.Client, table string) {
	t.Helper()
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	check(t, waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: &table}, time.Minute))
}

func (s *session) wrote(pk string, n float64) { s.expected[partition{hotpart.Write, s.table, pk}] += n }

// indexed: an item was written that has the key x of the index by_g.
func (s *session) indexed() { s.expected[partition{hotpart.Write, s.table + "/index/by_g", "x"}]++ }

func (s *session) read(pk string, n float64) { s.expected[partition{hotpart.Read, s.table, pk}] += n }

func (s *session) count(p partition) float64 {
	if p.operation == hotpart.Write {
		return s.d.writes(p.table, p.pk)
	}
	return s.d.reads(p.table, p.pk)
}

// check compares operations one by one, and units by their sum.
func (s *session) check() {
	s.Helper()
	stats := s.d.stats(s)
	if !s.d.Capacity() {
		partitions := map[[2]string]bool{}
		for p, n := range s.expected {
			want(s, fmt.Sprint(p), s.count(p), n)
			partitions[[2]string{p.table, p.pk}] = true
		}
		want(s, "partitions", stats.Partitions, int64(len(partitions)))
		return
	}
	if s.stub {
		return
	}
	index := s.table + "/index/by_g"
	for _, operation := range []hotpart.Operation{hotpart.Write, hotpart.Read} {
		s.expected[partition{operation, index, "x"}] += 0
	}
	sum := stats.Unattributed[hotpart.IndexUnits] + stats.Unattributed[hotpart.ScanUnits] - stats.EstimatedUnits
	for p := range s.expected {
		sum += s.count(p)
	}
	want(s, "units", sum, s.units)
}

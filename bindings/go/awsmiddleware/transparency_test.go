package awsmiddleware

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
)

// A watched client answers what any client answers, whatever it is asked through.

// same runs calls by an unwatched and by a watched client on a table of 40 items under two keys.
func same(t *testing.T, names []string, calls func(t *testing.T, client *dynamodb.Client, table string) []any) {
	byEach(t, names, func(t *testing.T, name string, d *counted) {
		plain, watched := clientTo(endpoint(t, name)), clientTo(endpoint(t, name), Watch(d.Detector))
		s := newSession(t, name, d)
		s.create(plain, false)
		for n := range 40 {
			i := at(fmt.Sprintf("k%d", n%2), n)
			i["b"] = &types.AttributeValueMemberB{Value: []byte{byte(n), 255}}
			i["s"] = &types.AttributeValueMemberSS{Value: []string{"a", fmt.Sprint(n)}}
			put(t, plain, s.table, i)
		}
		expected, got := calls(t, plain, s.table), calls(t, watched, s.table)
		if !reflect.DeepEqual(expected, got) {
			for i := range expected {
				if !reflect.DeepEqual(expected[i], got[i]) {
					t.Errorf("%d: got  %+v\nwant %+v", i, got[i], expected[i])
				}
			}
		}
		if stats := d.stats(t); stats.Records == 0 && stats.Unattributed[0] == 0 {
			t.Error("nothing was counted")
		}
	})
}

// bare is a result without what differs from one request to the next.
func bare[T any](result *T, err error) any {
	if err != nil {
		return code(err)
	}
	reflect.ValueOf(result).Elem().FieldByName("ResultMetadata").Set(reflect.ValueOf(middleware.Metadata{}))
	return result
}

// moto tells the capacity unasked, now and then, once it was asked for it.
func TestResults(t *testing.T) {
	same(t, []string{"dynalite", "dynoxide"}, func(t *testing.T, client *dynamodb.Client, table string) []any {
		one := &dynamodb.GetItemInput{TableName: &table, Key: at("k1", 3)}
		return []any{
			bare(client.GetItem(ctx, one)),
			bare(client.Query(ctx, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: str("id = :v"),
				ExpressionAttributeValues: item{":v": text("k0")}, Limit: &[]int32{5}[0]})),
			bare(client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
				table: {Keys: []item{at("k1", 1)}}}})),
			bare(client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &table, Key: at("k1", 5), ReturnValues: types.ReturnValueAllNew,
				UpdateExpression: str("SET v = :v"), ExpressionAttributeValues: item{":v": text("1")}})),
			bare(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: at("put", 1), ReturnConsumedCapacity: "TOTAL"})),
			bare(client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: at("k1", 1), ConditionExpression: str("attribute_not_exists(id)")})),
			bare(client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("nobody"), Key: at("a", 1)})),
			// The other client begins with what this one has found.
			bare(client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &table, Key: at("put", 1)})),
		}
	})
}

func TestPaginators(t *testing.T) {
	same(t, everyone, func(t *testing.T, client *dynamodb.Client, table string) (pages []any) {
		for _, own := range []types.ReturnConsumedCapacity{"", "TOTAL"} {
			limit := int32(7)
			query := dynamodb.NewQueryPaginator(client, &dynamodb.QueryInput{TableName: &table, KeyConditionExpression: str("id = :k"),
				ExpressionAttributeValues: item{":k": text("k1")}, Limit: &limit, ReturnConsumedCapacity: own})
			for query.HasMorePages() {
				page, err := query.NextPage(ctx)
				check(t, err)
				want(t, "told", page.ConsumedCapacity != nil, own != "")
				pages = append(pages, bare(page, nil))
			}
			scan := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table, Limit: &limit, ReturnConsumedCapacity: own})
			for scan.HasMorePages() {
				page, err := scan.NextPage(ctx)
				check(t, err)
				pages = append(pages, bare(page, nil))
			}
		}
		if len(pages) < 16 {
			t.Errorf("%d pages", len(pages))
		}
		return pages
	})
}

func TestWaiters(t *testing.T) {
	byEach(t, everyone, func(t *testing.T, name string, d *counted) {
		s := newSession(t, name, d)
		s.create(clientTo(endpoint(t, name)), false)
		watched := clientTo(endpoint(t, name), Watch(d.Detector))
		exists(t, watched, s.table)
		waiter := dynamodb.NewTableNotExistsWaiter(watched)
		check(t, waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: str(newTable())}, 60e9))
		// The waiter has shown the schema.
		put(t, watched, s.table, at("a", 1))
		want(t, "writes", d.writes(s.table, "a") > 0, true)
	})
}

package awsmiddleware

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// A fake is a DynamoDB that answers what it is told to, in turn, for what no emulator answers. A status of 0 drops the
// connection.
type fake struct {
	mutex   sync.Mutex
	answers []answer
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	f.mutex.Lock()
	defer f.mutex.Unlock()
	a := f.answers[0]
	if f.answers = f.answers[1:]; a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.WriteHeader(a.status)
	io.WriteString(w, a.body)
}

func (f *fake) will(answers ...answer) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.answers = append(f.answers, answers...)
}

func (f *fake) left() int {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return len(f.answers)
}

type object = map[string]any

func ok(body object) answer {
	text, _ := json.Marshal(body)
	return answer{200, string(text)}
}

func refusal(name string, members object) answer {
	all := object{"__type": "com.amazonaws.dynamodb.v20120810#" + name, "message": "as told"}
	maps.Copy(all, members)
	return answer{400, ok(all).body}
}

func throttle(reason, resource string) answer {
	return refusal("ProvisionedThroughputExceededException", object{
		"ThrottlingReasons": []object{{"reason": reason, "resource": resource}}})
}

const arn = "arn:aws:dynamodb:us-east-1:123456789012:table/events"

var ours = item{"id": text("k"), "g": text("x")}

// faked runs a test in both modes with a client of a fake, which knows the table "events".
func faked(t *testing.T, test func(t *testing.T, d *counted, f *fake, client *dynamodb.Client)) {
	inBothModes(t, func(t *testing.T, d *counted) {
		f := &fake{}
		server := httptest.NewServer(f)
		defer server.Close()
		client := clientTo(server.URL, Watch(d.Detector, WithoutDescribe()))
		f.will(ok(object{"Table": object{"TableName": "events", "KeySchema": key("id"),
			"GlobalSecondaryIndexes": []object{{"IndexName": "by_g", "KeySchema": key("g")}}}}))
		_, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: str("events")})
		check(t, err)
		test(t, d, f, client)
		want(t, "answers that nobody asked for", f.left(), 0)
	})
}

func key(attribute string) []object { return []object{{"AttributeName": attribute, "KeyType": "HASH"}} }

func write(client *dynamodb.Client, table string) error {
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: ours})
	return err
}

func TestEachAttemptThatIsThrottledCountsByItsReason(t *testing.T) {
	for kind, reason := range map[string]hotpart.Reason{
		"KeyRangeThroughputExceeded": hotpart.ReasonKeyRange, "ProvisionedThroughputExceeded": hotpart.ReasonProvisioned,
		"AccountLimitExceeded": hotpart.ReasonAccountLimit, "MaxOnDemandThroughputExceeded": hotpart.ReasonMaxOnDemand,
	} {
		for _, resource := range []string{"Table", "Index"} {
			for _, operation := range []string{"Write", "Read"} {
				t.Run(resource+operation+kind, func(t *testing.T) {
					faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
						named, table, pk := arn, "events", "k"
						if resource == "Index" {
							named, table, pk = arn+"/index/by_g", "events/index/by_g", "x"
						}
						for range 3 {
							f.will(throttle(resource+operation+kind, named))
						}
						op, err := hotpart.Read, error(nil)
						switch {
						case operation == "Write":
							op, err = hotpart.Write, write(client, "events")
						case resource == "Table":
							_, err = client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("events"), Key: item{"id": text("k")}})
						default:
							_, err = client.Query(ctx, &dynamodb.QueryInput{TableName: str("events"), IndexName: str("by_g"),
								KeyConditionExpression: str("g = :v"), ExpressionAttributeValues: item{":v": text("x")}})
						}
						want(t, "code", code(err), "ProvisionedThroughputExceededException")
						want(t, "throttles", d.throttles(t, table, pk, op, reason), 3)
						stats := d.stats(t)
						want(t, "in all", stats.Throttles[reason], 3)
						want(t, "partitions", stats.Partitions, 0)
					})
				})
			}
		}
	}
}

func TestARetryThatSucceedsIsOneOperation(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(refusal("ProvisionedThroughputExceededException", nil), throttle("TableWriteKeyRangeThroughputExceeded", arn), ok(object{}))
		check(t, write(client, "events"))
		want(t, "unknown", d.throttles(t, "events", "k", hotpart.Write, hotpart.ReasonUnknown), 1)
		want(t, "key range", d.throttles(t, "events", "k", hotpart.Write, hotpart.ReasonKeyRange), 1)
		want(t, "writes", d.writes("events", "k"), 1)
	})
}

// The rules of 2026, which older releases of the SDK have by this variable: four attempts, and a
// longer pause after a throttle.
func TestTheRetriesOf2026(t *testing.T) {
	t.Setenv("AWS_NEW_RETRIES_2026", "true")
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		throttled := throttle("TableWriteKeyRangeThroughputExceeded", arn)
		f.will(throttled, throttled, throttled, ok(object{}))
		options := []func(*dynamodb.Options){Watch(d.Detector, known())}
		if !d.Capacity() {
			// Once without the pause; the other client is as the SDK makes it.
			options = append(options, func(o *dynamodb.Options) {
				o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) {
					o.MaxAttempts, o.Backoff = 4, retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
				})
			})
		}
		own := dynamodb.New(dynamodb.Options{Region: "us-east-1", BaseEndpoint: client.Options().BaseEndpoint}, options...)
		check(t, write(own, "events"))
		want(t, "throttles", d.throttles(t, "events", "k", hotpart.Write, hotpart.ReasonKeyRange), 3)
		want(t, "in all", d.stats(t).Throttles[hotpart.ReasonKeyRange], 3)
		want(t, "writes", d.writes("events", "k"), 1)
	})
}

func TestFaultsAndLostAnswersMayHaveRun(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(answer{500, `{"__type":"InternalServerError"}`}, answer{503, "<html>"}, answer{})
		if write(client, "events") == nil {
			t.Error("no error")
		}
		want(t, "writes", d.writes("events", "k"), 3)
	})
}

func TestALostAttemptIsCountedBesideItsRetry(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(answer{}, ok(object{"ConsumedCapacity": object{"TableName": "events", "CapacityUnits": 12.5}}))
		_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("events"), Key: item{"id": text("k")}})
		check(t, err)
		want(t, "reads", d.reads("events", "k"), d.either(13, 2))
		want(t, "estimated", d.stats(t).EstimatedUnits, d.either(0.5, 0))
	})
}

func TestACancelledTransaction(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(refusal("TransactionCanceledException", object{"CancellationReasons": []object{
			{"Code": "ThrottlingError", "Message": "x"}, {"Code": "ConditionalCheckFailed"}}}))
		_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: str("events"), Item: ours}},
			{ConditionCheck: &types.ConditionCheck{TableName: str("events"), Key: item{"id": text("l")}, ConditionExpression: str("a = b")}},
		}})
		want(t, "code", code(err), "TransactionCanceledException")
		want(t, "throttles", d.throttles(t, "events", "k", hotpart.Write, hotpart.ReasonUnknown), 1)
		want(t, "the other", d.writes("events", "l"), d.either(2, 1))
		want(t, "the throttled", d.writes("events", "k"), 0)
	})
}

func TestAReplayedTransactionReads(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(ok(object{"ConsumedCapacity": []object{{"TableName": "events", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}}}))
		out, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			TransactItems:          []types.TransactWriteItem{{Put: &types.Put{TableName: str("events"), Item: ours}}},
			ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
		})
		check(t, err)
		want(t, "told", len(out.ConsumedCapacity), 1)
		want(t, "reads", d.reads("events", "k"), d.either(2, 1))
		want(t, "writes", d.writes("events", "k"), 0)
	})
}

func TestARNsAreReducedToTheirTables(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(ok(object{"ConsumedCapacity": object{"TableName": arn, "CapacityUnits": 5.0}}))
		check(t, write(client, arn))
		// Of a total the item's index takes what the item is estimated at.
		want(t, "writes", d.writes("events", "k"), d.either(4, 1))
		want(t, "of the index", d.writes("events/index/by_g", "x"), 1)
	})
}

func TestThrottlesHideInAnswersOfBatches(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(ok(object{"Responses": []object{{"Error": object{"Code": "ThrottlingError", "Message": "x"}}, {}}}))
		_, err := client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: []types.BatchStatementRequest{
			{Statement: str("SELECT * FROM events WHERE id = 'k'")}, {Statement: str("SELECT * FROM events WHERE id = 'l'")},
		}})
		check(t, err)
		want(t, "throttles", d.throttles(t, "events", "k", hotpart.Read, hotpart.ReasonUnknown), 1)
		want(t, "the throttled", d.reads("events", "k"), 0)
		want(t, "the other", d.reads("events", "l"), d.either(0.5, 1))
	})
}

func TestUnprocessedItemsAreTallied(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		f.will(answer{200, `{"UnprocessedItems":{"events":[{"PutRequest":{"Item":{"id":{"S":"k"},"g":{"S":"x"}}}}]}}`})
		out, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"events": {
			{PutRequest: &types.PutRequest{Item: ours}}, {DeleteRequest: &types.DeleteRequest{Key: item{"id": text("l")}}},
		}}})
		check(t, err)
		want(t, "returned", len(out.UnprocessedItems["events"]), 1)
		want(t, "unprocessed", d.unattributed(t, "events", hotpart.Unprocessed, hotpart.Write), 1)
		want(t, "the unprocessed", d.writes("events", "k"), 0)
		want(t, "the other", d.writes("events", "l"), 1)
	})
}

func TestAFailedConditionCostsByTheItemThatIsThere(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		there := object{"id": object{"S": "k"}, "x": object{"S": strings.Repeat("x", 3_000)}}
		f.will(refusal("ConditionalCheckFailedException", object{"Item": there}))
		want(t, "code", code(write(client, "events")), "ConditionalCheckFailedException")
		want(t, "writes", d.writes("events", "k"), d.either(3, 1))
	})
}

func TestAnIndexsThrottleWithoutItsKeyIsTheIndexs(t *testing.T) {
	faked(t, func(t *testing.T, d *counted, f *fake, client *dynamodb.Client) {
		for range 3 {
			f.will(throttle("IndexWriteKeyRangeThroughputExceeded", arn+"/index/by_g"))
		}
		_, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: str("events"), Key: item{"id": text("k")}})
		want(t, "code", code(err), "ProvisionedThroughputExceededException")
		want(t, "throttles", d.unattributed(t, "events/index/by_g", hotpart.Throttles, hotpart.Write), 3)
		want(t, "of partitions", d.stats(t).Throttles, [5]int64{})
	})
}

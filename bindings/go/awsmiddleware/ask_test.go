package awsmiddleware

import (
	"fmt"
	"reflect"
	"runtime"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Who asked for the total had no partition of a global index counted.
func TestWhoAsksForTheTotalIsAnsweredTheTotalAndHasIndexesCounted(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		one := `{"TableName":"events","CapacityUnits":7.5,"WriteCapacityUnits":7.5%s}`
		total := fmt.Sprintf(one, "")
		detailed := fmt.Sprintf(one, `,"Table":{"CapacityUnits":5.0},"LocalSecondaryIndexes":{"by_l":{"CapacityUnits":0.5}},`+
			`"GlobalSecondaryIndexes":{"by_g":{"CapacityUnits":2.0}}`)
		w.before = func(operation string, body map[string]any) {
			tells := map[any]string{"TOTAL": total, "INDEXES": detailed}[body["ReturnConsumedCapacity"]]
			if operation == "BatchWriteItem" {
				tells = "[" + tells + "]"
			}
			w.answer(operation, 200, `{"ConsumedCapacity":`+tells+`}`)
		}
		watched := w.on(Watch(d.Detector, known(), WithKeySchema("events/index/by_g", "g")))
		var results [2][]any
		for i, client := range []*dynamodb.Client{w.on(), watched} {
			single := &dynamodb.PutItemInput{TableName: str("events"), Item: ours, ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
			several := &dynamodb.BatchWriteItemInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
				RequestItems: map[string][]types.WriteRequest{"events": {{PutRequest: &types.PutRequest{Item: ours}}}}}
			results[i] = []any{bare(client.PutItem(ctx, single)), bare(client.BatchWriteItem(ctx, several))}
			want(t, "the caller's own input", single.ReturnConsumedCapacity+several.ReturnConsumedCapacity, "TOTALTOTAL")
		}
		if !reflect.DeepEqual(results[0], results[1]) {
			t.Errorf("got  %+v\nwant %+v", results[1], results[0])
		}
		want(t, "writes", d.writes("events", "k"), d.either(11, 2))
		want(t, "of the index", d.writes("events/index/by_g", "x"), d.either(4, 2))
	})
}

// A transaction that asks for its capacity is another one than the same that does not, and DynamoDB
// refuses it by its token.
func TestATransactionWithItsCallersTokenIsSentAsItIs(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		client := w.on(Watch(d.Detector, known()))
		for _, own := range []types.ReturnConsumedCapacity{"", "NONE", "TOTAL"} {
			var asked any
			if own != "" {
				asked = string(own)
			}
			_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
				ClientRequestToken: str("mine"), ReturnConsumedCapacity: own,
				TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: str("events"), Item: ours}}},
			})
			check(t, err)
			want(t, "asked", w.last()["ReturnConsumedCapacity"], asked)
			want(t, "token", w.last()["ClientRequestToken"], any("mine"))
			_, err = client.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{
				ClientRequestToken: str("mine"), ReturnConsumedCapacity: own,
				TransactStatements: []types.ParameterizedStatement{{Statement: str("DELETE FROM events WHERE id = 'k'")}},
			})
			check(t, err)
			want(t, "asked", w.last()["ReturnConsumedCapacity"], asked)
		}
		want(t, "writes", d.writes("events", "k"), d.either(12, 6))
	})
}

// The SDK leaves the token that it gives in the caller's input.
func TestATransactionThatIsSentAgainIsTheSame(t *testing.T) {
	inBothModes(t, func(t *testing.T, d *counted) {
		var w wire
		client := w.on(Watch(d.Detector, known()), Watch(units(t).Detector, known()))
		input := &dynamodb.TransactWriteItemsInput{
			TransactItems: []types.TransactWriteItem{{Put: &types.Put{TableName: str("events"), Item: ours}}},
		}
		for range 3 {
			_, err := client.TransactWriteItems(ctx, input)
			check(t, err)
			want(t, "asked", w.last()["ReturnConsumedCapacity"], any("INDEXES"))
		}
		for _, again := range w.sent[1:] {
			want(t, "sent again", fmt.Sprint(again), fmt.Sprint(w.sent[0]))
		}
		if _, ok := given.Load(*input.ClientRequestToken); !ok {
			t.Error("not remembered")
		}
		token := *input.ClientRequestToken
		runtime.KeepAlive(input)
		input = nil
		eventually(t, "it is forgotten with its input", func() bool {
			runtime.GC()
			time.Sleep(time.Millisecond)
			_, ok := given.Load(token)
			return !ok
		})
	})
}

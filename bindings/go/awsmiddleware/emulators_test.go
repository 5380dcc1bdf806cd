package awsmiddleware

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"
	hotpart "github.com/libhotpart/libhotpart/bindings/go"
)

// Every operation by the real SDK against emulators: what is counted is what was sent.

func at(pk string, n int, more ...string) item {
	made := item{"id": text(pk), "n": digits(fmt.Sprint(n))}
	for i := 0; i < len(more); i += 2 {
		made[more[i]] = text(more[i+1])
	}
	return made
}

// operations runs a test with a table that the watched client has made.
func operations(t *testing.T, names []string, test func(s *session)) {
	byEach(t, names, func(t *testing.T, name string, d *counted) {
		s := newSession(t, name, d, Watch(d.Detector))
		test(s.create(s.client, true))
		s.check()
	})
}

func TestItems(t *testing.T) {
	operations(t, everyone, func(s *session) {
		put(s, s.client, s.table, at("a", 1, "g", "x", "l", "y"))
		s.wrote("a", 1)
		s.indexed()
		for _, consistent := range []bool{false, true} {
			_, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: at("a", 1), ConsistentRead: &consistent})
			check(s, err)
		}
		s.read("a", 2)
		_, err := s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: at("missing", 1)})
		check(s, err)
		s.read("missing", 1)
		_, err = s.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{TableName: &s.table, Key: at("b", 1),
			UpdateExpression: str("SET v = :v"), ExpressionAttributeValues: item{":v": text("1")}})
		check(s, err)
		s.wrote("b", 1)
		_, err = s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: at("a", 1)})
		check(s, err)
		s.wrote("a", 1)
	})
}

func TestBatches(t *testing.T) {
	operations(t, everyone, func(s *session) {
		batch := func(writes ...types.WriteRequest) {
			_, err := s.client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{s.table: writes}})
			check(s, err)
		}
		put := func(pk string, n int) types.WriteRequest {
			return types.WriteRequest{PutRequest: &types.PutRequest{Item: at(pk, n)}}
		}
		batch(put("a", 1), put("a", 2), put("b", 1))
		s.wrote("a", 2)
		s.wrote("b", 1)
		out, err := s.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{
			s.table: {Keys: []item{at("a", 1), at("a", 2), at("b", 1), at("c", 1)}}}})
		check(s, err)
		want(s, "items", len(out.Responses[s.table]), 3)
		s.read("a", 2)
		s.read("b", 1)
		s.read("c", 1)
		batch(types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: at("a", 1)}})
		s.wrote("a", 1)
	})
}

func TestQueriesAndScans(t *testing.T) {
	operations(t, everyone, func(s *session) {
		put(s, s.client, s.table, at("a", 1, "g", "x", "l", "y"))
		s.wrote("a", 1)
		s.indexed()
		query := func(in dynamodb.QueryInput, count int32) {
			s.Helper()
			in.TableName = &s.table
			out, err := s.client.Query(ctx, &in)
			check(s, err)
			want(s, "count", out.Count, count)
		}
		a := item{":v": text("a")}
		query(dynamodb.QueryInput{KeyConditionExpression: str("id = :v"), ExpressionAttributeValues: a}, 1)
		query(dynamodb.QueryInput{KeyConditionExpression: str("(#i = :v) AND (n BETWEEN :w AND :x)"),
			ExpressionAttributeNames:  map[string]string{"#i": "id"},
			ExpressionAttributeValues: item{":v": text("a"), ":w": digits("0"), ":x": digits("9")}}, 1)
		query(dynamodb.QueryInput{KeyConditions: map[string]types.Condition{
			"id": {AttributeValueList: []types.AttributeValue{text("a")}, ComparisonOperator: "EQ"}}}, 1)
		query(dynamodb.QueryInput{IndexName: str("by_l"), KeyConditionExpression: str("id = :v AND l = :y"),
			ExpressionAttributeValues: item{":v": text("a"), ":y": text("y")}}, 1)
		s.read("a", 4)
		query(dynamodb.QueryInput{IndexName: str("by_g"), KeyConditionExpression: str("g = :v"),
			ExpressionAttributeValues: item{":v": text("x")}}, 1)
		s.expected[partition{hotpart.Read, s.table + "/index/by_g", "x"}]++
		query(dynamodb.QueryInput{KeyConditionExpression: str("id = :v"), ExpressionAttributeValues: item{":v": text("no")}}, 0)
		s.read("no", 1)
		_, err := s.client.Scan(ctx, &dynamodb.ScanInput{TableName: &s.table})
		check(s, err)
		want(s, "scans", s.d.unattributed(s, s.table, hotpart.Scans, hotpart.Read), 1)
	})
}

func TestEachPageIsARead(t *testing.T) {
	operations(t, everyone, func(s *session) {
		for n := range 5 {
			put(s, s.client, s.table, at("a", n))
		}
		s.wrote("a", 5)
		pages := dynamodb.NewQueryPaginator(s.client, &dynamodb.QueryInput{TableName: &s.table, Limit: &[]int32{2}[0],
			KeyConditionExpression: str("id = :v"), ExpressionAttributeValues: item{":v": text("a")}})
		found := 0
		for n := 0.0; pages.HasMorePages(); n++ {
			page, err := pages.NextPage(ctx)
			check(s, err)
			found += len(page.Items)
			s.read("a", 1)
		}
		want(s, "items", found, 5)
	})
}

func TestRefusals(t *testing.T) {
	operations(t, everyone, func(s *session) {
		put(s, s.client, s.table, at("a", 1))
		s.wrote("a", 1)
		_, err := s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: at("a", 1), ConditionExpression: str("attribute_not_exists(id)")})
		want(s, "code", code(err), "ConditionalCheckFailedException")
		s.wrote("a", 1)
		_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: item{"id": text("bad")}})
		want(s, "code", code(err), "ValidationException")
		_, err = s.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: str("nobody"), Key: at("a", 1)})
		want(s, "code", code(err), "ResourceNotFoundException")
	})
}

func TestTransactions(t *testing.T) {
	operations(t, newer, func(s *session) {
		put(s, s.client, s.table, at("c", 1))
		s.wrote("c", 1)
		check := func(pk string) types.TransactWriteItem {
			return types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{TableName: &s.table, Key: at(pk, 1),
				ConditionExpression: str("attribute_exists(id)")}}
		}
		_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: &s.table, Item: at("a", 1)}},
			{Update: &types.Update{TableName: &s.table, Key: at("a", 2), UpdateExpression: str("SET v = :v"),
				ExpressionAttributeValues: item{":v": text("1")}}},
			{Delete: &types.Delete{TableName: &s.table, Key: at("b", 1)}},
			check("c"),
		}})
		want(s, "error", err, nil)
		s.wrote("a", 2)
		s.wrote("b", 1)
		s.wrote("c", 1)
		var gets []types.TransactGetItem
		for _, pk := range []string{"a", "b"} {
			gets = append(gets, types.TransactGetItem{Get: &types.Get{TableName: &s.table, Key: at(pk, 1)}})
			s.read(pk, 1)
		}
		_, err = s.client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: gets})
		want(s, "error", err, nil)
		_, err = s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: &s.table, Item: at("d", 1)}}, check("e")}})
		want(s, "code", code(err), "TransactionCanceledException")
		s.wrote("d", 1)
		s.wrote("e", 1)
	})
}

func TestPartiQL(t *testing.T) {
	operations(t, newer, func(s *session) {
		run := func(statement string, parameters ...types.AttributeValue) *dynamodb.ExecuteStatementOutput {
			s.Helper()
			statement = strings.ReplaceAll(statement, "TABLE", `"`+s.table+`"`)
			out, err := s.client.ExecuteStatement(ctx, &dynamodb.ExecuteStatementInput{Statement: &statement, Parameters: parameters})
			check(s, err)
			return out
		}
		run("INSERT INTO TABLE VALUE {'id': 'a', 'n': 1, 'g': 'x'}")
		run("UPDATE TABLE SET v = ? WHERE id = ? AND n = ?", text("no"), text("a"), digits("1"))
		s.wrote("a", 2)
		s.indexed()
		want(s, "items", len(run("SELECT * FROM TABLE WHERE id = ?", text("a")).Items), 1)
		s.read("a", 1)
		run("SELECT * FROM TABLE")
		var batch []types.BatchStatementRequest
		for _, pk := range []string{"a", "b"} {
			batch = append(batch, types.BatchStatementRequest{Statement: str("SELECT * FROM " + s.table + " WHERE id = ? AND n = ?"),
				Parameters: []types.AttributeValue{text(pk), digits("1")}})
			s.read(pk, 1)
		}
		_, err := s.client.BatchExecuteStatement(ctx, &dynamodb.BatchExecuteStatementInput{Statements: batch})
		check(s, err)
		want(s, "scans", s.d.unattributed(s, s.table, hotpart.Scans, hotpart.Read), 1)
		if s.stub {
			// moto answers a transaction of statements that write with 500.
			return
		}
		_, err = s.client.ExecuteTransaction(ctx, &dynamodb.ExecuteTransactionInput{TransactStatements: []types.ParameterizedStatement{
			{Statement: str(`DELETE FROM "` + s.table + `" WHERE id = ? AND n = ?`), Parameters: []types.AttributeValue{text("a"), digits("1")}},
			{Statement: str(`INSERT INTO "` + s.table + `" VALUE {'id': 'c', 'n': 1}`)},
		}})
		check(s, err)
		s.wrote("a", 1)
		s.wrote("c", 1)
	})
}

func TestATableThatIsNotKnownIsDescribedOnce(t *testing.T) {
	byEach(t, everyone, func(t *testing.T, name string, d *counted) {
		s := newSession(t, name, d, Watch(d.Detector))
		s.create(clientTo(endpoint(t, name)), true)
		for n := range 3 {
			put(t, s.client, s.table, at("a", n))
			s.wrote("a", 1)
		}
		want(t, "describes", s.described, 1)
		s.check()
	})
}

// dynalite wants provisioned throughput for a new index.
func TestATableIsLearntFromWhatChangesIt(t *testing.T) {
	byEach(t, newer, func(t *testing.T, name string, d *counted) {
		s := newSession(t, name, d, Watch(d.Detector))
		s.create(s.client, false)
		_, err := s.client.UpdateTable(ctx, &dynamodb.UpdateTableInput{
			TableName:            &s.table,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: str("g"), AttributeType: "S"}},
			GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
				IndexName: str("by_g"), KeySchema: keys("g"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}}}},
		})
		check(t, err)
		put(t, s.client, s.table, at("a", 1))
		s.wrote("a", 1)
		s.check()
		want(t, "describes", s.described, 0)
	})
}

// An attempt that got no answer may have run, and is counted by an estimate beside its retry: on a
// busy machine there was one, of 0.5 units. All others are exact.
func TestDynalitesUnitsAreExact(t *testing.T) {
	d := units(t)
	s := newSession(t, "dynalite", d, Watch(d.Detector))
	s.create(s.client, false)
	plain := clientTo(endpoint(t, "dynalite"), Watch(d.Detector))
	large := at("a", 1, "x", strings.Repeat("x", 100_000))
	repeated := 0
	told := func() float64 {
		return d.writes(s.table, "a") + d.reads(s.table, "a") - d.stats(t).EstimatedUnits
	}
	attempts := func(metadata middleware.Metadata) {
		all, _ := retry.GetAttemptResults(metadata)
		repeated += len(all.Results) - 1
	}
	out := put(t, plain, s.table, large)
	attempts(out.ResultMetadata)
	want(t, "taken out", out.ConsumedCapacity == nil, true)
	want(t, "told of writes", told(), 98)
	get := func(consistent bool, asks types.ReturnConsumedCapacity) *types.ConsumedCapacity {
		out, err := plain.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: at("a", 1), ConsistentRead: &consistent,
			ReturnConsumedCapacity: asks})
		check(t, err)
		attempts(out.ResultMetadata)
		want(t, "attributes", len(out.Item), 3)
		return out.ConsumedCapacity
	}
	want(t, "taken out", get(true, "") == nil, true)
	want(t, "taken out", get(false, "NONE") == nil, true)
	want(t, "told of reads, too", told(), 98+25+12.5)
	want(t, "told", *get(false, "TOTAL").CapacityUnits, 12.5)
	want(t, "told of reads, too", told(), 98+50)
	if repeated == 0 {
		want(t, "estimated", d.stats(t).EstimatedUnits, 0)
	}
}

func TestDynoxideSplitsIndexesAndDoublesTransactions(t *testing.T) {
	d := units(t)
	s := newSession(t, "dynoxide", d, Watch(d.Detector))
	s.create(s.client, true)
	put(t, s.client, s.table, at("a", 1, "g", "x", "l", "y"))
	want(t, "the table and its local index", d.writes(s.table, "a"), 2)
	want(t, "the global index", d.writes(s.table+"/index/by_g", "x"), 1)
	_, err := s.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
		{Put: &types.Put{TableName: &s.table, Item: at("b", 1)}}}})
	check(t, err)
	want(t, "doubled", d.writes(s.table, "b"), 2)
	_, err = s.client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: at("a", 1)})
	check(t, err)
	want(t, "an index's key is not known", d.unattributed(t, s.table+"/index/by_g", hotpart.IndexUnits, hotpart.Write), 1)
}

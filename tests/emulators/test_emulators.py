"""Every operation by the real boto3 against emulators: what is counted is what was sent."""

import collections
import uuid

import botocore.exceptions
import pytest

from hotpart import INDEX_UNITS, READ, SCAN_UNITS, SCANS, WRITE
from watched import client, watch

ALL = ["dynalite", "dynoxide", "moto"]
# dynalite knows neither transactions nor PartiQL.
NEWER = ["dynoxide", "moto"]


class Session:
    """A client of an emulator with a table of its own, and what it should have counted."""

    def __init__(self, endpoint, detector, stub=False):
        # moto's capacity is a stub: it does not add up, and calls a global index local.
        self.detector, self.stub = detector, stub
        self.client = client(endpoint)
        self.asked = watch(self.client, detector, endpoint)
        self.table = "t" + uuid.uuid4().hex[:8]
        self.expected = collections.Counter()
        self.units = 0.0
        self.client.meta.events.register("after-call.dynamodb", self._answered)

    def _answered(self, parsed, **_):
        consumed = parsed.get("ConsumedCapacity", [])
        for one in consumed if isinstance(consumed, list) else [consumed]:
            self.units += one["CapacityUnits"]

    def create(self, indexes=True):
        definition = {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}
        more = {}
        if indexes:
            definition += {"AttributeName": "l", "AttributeType": "S"}, {"AttributeName": "g", "AttributeType": "S"}
            everything = {"ProjectionType": "ALL"}
            more = {
                "LocalSecondaryIndexes": [
                    {"IndexName": "by_l", "KeySchema": _keys("id", "l"), "Projection": everything}
                ],
                "GlobalSecondaryIndexes": [{"IndexName": "by_g", "KeySchema": _keys("g"), "Projection": everything}],
            }
        self.client.create_table(
            TableName=self.table,
            AttributeDefinitions=list(definition),
            KeySchema=_keys("id", "n"),
            BillingMode="PAY_PER_REQUEST",
            **more,
        )
        self.client.get_waiter("table_exists").wait(TableName=self.table, WaiterConfig={"Delay": 1})
        return self

    def wrote(self, pk, n=1):
        self.expected[WRITE, self.table, pk] += n

    def read(self, pk, n=1, index=None):
        self.expected[READ, self.table + (f"/index/{index}" if index else ""), pk] += n

    def call(self, operation, **parameters):
        return getattr(self.client, operation)(ReturnConsumedCapacity="INDEXES", **parameters)

    def check(self):
        """Operations one by one; units by their sum, which the answers tell."""
        counted = {key: self.detector.count(*key) for key in self.expected}
        if not self.detector.capacity:
            assert counted == dict(self.expected)
            assert self.detector.statistics().partitions == len({key[1:] for key in self.expected})
            return
        if self.stub:
            return
        statistics = self.detector.statistics()
        global_index = sum(self.detector.count(op, f"{self.table}/index/by_g", "x") for op in (READ, WRITE))
        known = (READ, f"{self.table}/index/by_g", "x") in self.expected
        queried = self.detector.count(READ, f"{self.table}/index/by_g", "x") if known else 0
        stray = statistics.unattributed[INDEX_UNITS] + statistics.unattributed[SCAN_UNITS]
        assert sum(counted.values()) + global_index - queried + stray - statistics.estimated_half_units == 2 * self.units


def _keys(hash, range=None):
    keys = [{"AttributeName": hash, "KeyType": "HASH"}]
    return keys + ([{"AttributeName": range, "KeyType": "RANGE"}] if range else [])


def key(pk, n=1):
    return {"id": {"S": pk}, "n": {"N": str(n)}}


@pytest.fixture
def session(request, endpoints, detector):
    return Session(endpoints(request.param), detector, request.param == "moto").create()


@pytest.mark.parametrize("session", ALL, indirect=True)
def test_items(session):
    t = session.table
    session.call("put_item", TableName=t, Item=key("a") | {"g": {"S": "x"}, "l": {"S": "y"}})
    session.wrote("a")
    session.call("get_item", TableName=t, Key=key("a"))
    session.call("get_item", TableName=t, Key=key("a"), ConsistentRead=True)
    session.read("a", 2)
    session.call("get_item", TableName=t, Key=key("missing"))
    session.read("missing")
    session.call("update_item", TableName=t, Key=key("b"), UpdateExpression="SET v = :v",
                 ExpressionAttributeValues={":v": {"S": "1"}})
    session.wrote("b")
    session.call("delete_item", TableName=t, Key=key("a"))
    session.wrote("a")
    session.check()


@pytest.mark.parametrize("session", ALL, indirect=True)
def test_batches(session):
    t = session.table
    put = [{"PutRequest": {"Item": key(pk, n)}} for pk, n in [("a", 1), ("a", 2), ("b", 1)]]
    session.call("batch_write_item", RequestItems={t: put})
    session.wrote("a", 2)
    session.wrote("b")
    session.call("batch_get_item", RequestItems={t: {"Keys": [key("a", 1), key("a", 2), key("b"), key("c")]}})
    session.read("a", 2)
    session.read("b")
    session.read("c")
    session.call("batch_write_item", RequestItems={t: [{"DeleteRequest": {"Key": key("a", 1)}}]})
    session.wrote("a")
    session.check()


@pytest.mark.parametrize("session", ALL, indirect=True)
def test_queries_and_scans(session):
    t, values = session.table, {":v": {"S": "a"}}
    session.call("put_item", TableName=t, Item=key("a") | {"g": {"S": "x"}, "l": {"S": "y"}})
    session.wrote("a")
    session.call("query", TableName=t, KeyConditionExpression="id = :v", ExpressionAttributeValues=values)
    session.call("query", TableName=t, KeyConditionExpression="(#i = :v) AND (n BETWEEN :w AND :x)",
                 ExpressionAttributeNames={"#i": "id"},
                 ExpressionAttributeValues=values | {":w": {"N": "0"}, ":x": {"N": "9"}})
    session.call("query", TableName=t, KeyConditions={
        "id": {"AttributeValueList": [{"S": "a"}], "ComparisonOperator": "EQ"}})
    session.call("query", TableName=t, IndexName="by_l", KeyConditionExpression="id = :v AND l = :y",
                 ExpressionAttributeValues=values | {":y": {"S": "y"}})
    session.read("a", 4)
    found = session.call("query", TableName=t, IndexName="by_g", KeyConditionExpression="g = :v",
                         ExpressionAttributeValues={":v": {"S": "x"}})
    assert found["Count"] == 1
    session.read("x", index="by_g")
    session.call("query", TableName=t, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": {"S": "no"}})
    session.read("no")
    session.call("scan", TableName=t)
    session.check()
    assert session.detector.unattributed(READ, t, SCANS) == 1


@pytest.mark.parametrize("session", ALL, indirect=True)
def test_refusals(session):
    t = session.table
    session.call("put_item", TableName=t, Item=key("a"))
    session.wrote("a")
    with pytest.raises(session.client.exceptions.ConditionalCheckFailedException):
        session.call("put_item", TableName=t, Item=key("a"), ConditionExpression="attribute_not_exists(id)")
    session.wrote("a")
    with pytest.raises(botocore.exceptions.ClientError):
        session.call("put_item", TableName=t, Item={"id": {"S": "bad"}})
    with pytest.raises(session.client.exceptions.ResourceNotFoundException):
        session.call("get_item", TableName="nobody", Key=key("a"))
    session.check()


@pytest.mark.parametrize("session", NEWER, indirect=True)
def test_transactions(session):
    t = session.table
    session.call("put_item", TableName=t, Item=key("c"))
    session.wrote("c")
    session.call("transact_write_items", TransactItems=[
        {"Put": {"TableName": t, "Item": key("a")}},
        {"Update": {"TableName": t, "Key": key("a", 2), "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": {"S": "1"}}}},
        {"Delete": {"TableName": t, "Key": key("b")}},
        {"ConditionCheck": {"TableName": t, "Key": key("c"), "ConditionExpression": "attribute_exists(id)"}},
    ])
    session.wrote("a", 2)
    session.wrote("b")
    session.wrote("c")
    session.call("transact_get_items", TransactItems=[{"Get": {"TableName": t, "Key": key(pk)}} for pk in "ab"])
    session.read("a")
    session.read("b")
    with pytest.raises(session.client.exceptions.TransactionCanceledException):
        session.call("transact_write_items", TransactItems=[
            {"Put": {"TableName": t, "Item": key("d")}},
            {"ConditionCheck": {"TableName": t, "Key": key("e"), "ConditionExpression": "attribute_exists(id)"}},
        ])
    session.wrote("d")
    session.wrote("e")
    session.check()


@pytest.mark.parametrize("session", NEWER, indirect=True)
def test_partiql(session):
    t = session.table
    session.call("execute_statement", Statement=f"INSERT INTO \"{t}\" VALUE {{'id': 'a', 'n': 1, 'g': 'x'}}")
    session.wrote("a")
    session.call("execute_statement", Statement=f'UPDATE "{t}" SET v = ? WHERE id = ? AND n = ?',
                 Parameters=[{"S": "no"}, {"S": "a"}, {"N": "1"}])
    session.wrote("a")
    found = session.call("execute_statement", Statement=f'SELECT * FROM "{t}" WHERE id = ?', Parameters=[{"S": "a"}])
    assert len(found["Items"]) == 1
    session.read("a")
    session.call("execute_statement", Statement=f'SELECT * FROM "{t}"')
    session.call("batch_execute_statement", Statements=[
        {"Statement": f"SELECT * FROM {t} WHERE id = ? AND n = ?", "Parameters": [{"S": pk}, {"N": "1"}]}
        for pk in "ab"])
    session.read("a")
    session.read("b")
    # moto answers a transaction of statements that write with 500.
    if not session.stub:
        session.call("execute_transaction", TransactStatements=[
            {"Statement": f'DELETE FROM "{t}" WHERE id = ? AND n = ?', "Parameters": [{"S": "a"}, {"N": "1"}]},
            {"Statement": f"INSERT INTO \"{t}\" VALUE {{'id': 'c', 'n': 1}}"}])
        session.wrote("a")
        session.wrote("c")
    session.check()
    assert session.detector.unattributed(READ, t, SCANS) == 1


@pytest.mark.parametrize("name", ALL)
def test_a_table_that_is_not_known_is_described_once(endpoints, detector, name):
    made = Session(endpoints(name), detector)
    made.client.meta.events.unregister("needs-retry.dynamodb")
    stranger = client(endpoints(name))
    made.client, before = stranger, made.client
    made.create()
    made.client = before
    for n in range(3):
        made.call("put_item", TableName=made.table, Item=key("a", n))
        made.wrote("a")
    assert made.asked == [made.table]
    made.check()


# dynalite wants provisioned throughput for a new index.
@pytest.mark.parametrize("name", NEWER)
def test_a_table_is_learnt_from_what_changes_it(endpoints, detector, name):
    session = Session(endpoints(name), detector).create(indexes=False)
    session.client.update_table(
        TableName=session.table,
        AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": "by_g", "KeySchema": _keys("g"), "Projection": {"ProjectionType": "ALL"}}}],
    )
    session.client.describe_table(TableName=session.table)
    session.call("put_item", TableName=session.table, Item=key("a"))
    session.wrote("a")
    session.check()
    assert session.asked == []


def test_dynalite_s_units_are_exact(endpoints):
    import hotpart

    detector = hotpart.Detector(capacity=True)
    session = Session(endpoints("dynalite"), detector).create(indexes=False)
    t, large = session.table, key("a") | {"x": {"S": "x" * 100_000}}
    session.call("put_item", TableName=t, Item=large)
    assert detector.count(WRITE, t, "a") == 2 * 98
    session.call("get_item", TableName=t, Key=key("a"), ConsistentRead=True)
    assert detector.count(READ, t, "a") == 2 * 25
    session.call("get_item", TableName=t, Key=key("a"))
    assert detector.count(READ, t, "a") == 2 * 25 + 25
    assert detector.statistics().estimated_half_units == 0
    # Estimates of a put and of reads with their items agree with what it answers.
    for operation, halves in (("put_item", 196), ("get_item", 25)):
        before = detector.statistics().estimated_half_units
        item = {"Item": large} if operation == "put_item" else {"Key": key("a")}
        getattr(session.client, operation)(TableName=t, **item)
        assert detector.statistics().estimated_half_units - before == halves
    detector.close()


def test_dynoxide_splits_indexes_and_doubles_transactions(endpoints):
    import hotpart

    detector = hotpart.Detector(capacity=True)
    session = Session(endpoints("dynoxide"), detector).create()
    t = session.table
    session.call("put_item", TableName=t, Item=key("a") | {"g": {"S": "x"}, "l": {"S": "y"}})
    assert detector.count(WRITE, t, "a") == 2 * 2, "the table and its local index"
    assert detector.count(WRITE, f"{t}/index/by_g", "x") == 2
    session.call("transact_write_items", TransactItems=[{"Put": {"TableName": t, "Item": key("b")}}])
    assert detector.count(WRITE, t, "b") == 2 * 2
    session.call("delete_item", TableName=t, Key=key("a"))
    assert detector.unattributed(WRITE, f"{t}/index/by_g", INDEX_UNITS) == 2
    detector.close()

"""Every operation by the real boto3 against emulators: what is counted is what was sent."""

import collections
import uuid

import botocore.exceptions
import pytest
from clients import client, count
from clients import resource as resource_of

import hotpart

ALL = ["dynalite", "dynoxide", "moto"]
# dynalite knows neither transactions nor PartiQL.
NEWER = ["dynoxide", "moto"]


class Session:
    """A client of an emulator with a table of its own, and what it should have counted."""

    def __init__(self, endpoint, detector, stub=False):
        # moto's capacity is a stub: it does not add up, and calls a global index local.
        self.detector, self.stub = detector, stub
        # What the detector asked for by itself, and what DynamoDB was asked for in all.
        self.client = hotpart.instrument(client(endpoint), detector)
        self.described = []
        self.client.meta.events.register("before-call.dynamodb.DescribeTable", self._describes)
        self.table = "t" + uuid.uuid4().hex[:8]
        self.expected = collections.Counter()
        self.units = 0.0
        self.client.meta.events.register("after-call.dynamodb", self._answered)

    def _describes(self, params, **_):
        self.described.append(params["body"])

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

    def wrote(self, pk, n=1, index=None):
        self.expected["write", self._resource(index), pk] += n

    def read(self, pk, n=1, index=None):
        self.expected["read", self._resource(index), pk] += n

    def _resource(self, index):
        return self.table + (f"/index/{index}" if index else "")

    def call(self, operation, **parameters):
        return getattr(self.client, operation)(ReturnConsumedCapacity="INDEXES", **parameters)

    def check(self):
        """Operations one by one; units by their sum, which the answers tell."""
        counted = {key: count(self.detector, *key) for key in self.expected}
        if not self.detector.capacity:
            assert counted == dict(self.expected)
            assert self.detector.stats().partitions == len({key[1:] for key in self.expected})
            return
        if self.stub:
            return
        statistics = self.detector.stats()
        index = [(operation, self._resource("by_g"), "x") for operation in ("read", "write")]
        more = sum(count(self.detector, *key) for key in index if key not in self.expected)
        stray = statistics.unattributed["index_units"] + statistics.unattributed["scan_units"]
        assert sum(counted.values()) + more + stray - statistics.estimated_units == self.units


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
    session.wrote("x", index="by_g")
    session.call("get_item", TableName=t, Key=key("a"))
    session.call("get_item", TableName=t, Key=key("a"), ConsistentRead=True)
    session.read("a", 2)
    session.call("get_item", TableName=t, Key=key("missing"))
    session.read("missing")
    session.call(
        "update_item",
        TableName=t,
        Key=key("b"),
        UpdateExpression="SET v = :v",
        ExpressionAttributeValues={":v": {"S": "1"}},
    )
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
    session.wrote("x", index="by_g")
    session.call("query", TableName=t, KeyConditionExpression="id = :v", ExpressionAttributeValues=values)
    session.call(
        "query",
        TableName=t,
        KeyConditionExpression="(#i = :v) AND (n BETWEEN :w AND :x)",
        ExpressionAttributeNames={"#i": "id"},
        ExpressionAttributeValues=values | {":w": {"N": "0"}, ":x": {"N": "9"}},
    )
    session.call(
        "query", TableName=t, KeyConditions={"id": {"AttributeValueList": [{"S": "a"}], "ComparisonOperator": "EQ"}}
    )
    session.call(
        "query",
        TableName=t,
        IndexName="by_l",
        KeyConditionExpression="id = :v AND l = :y",
        ExpressionAttributeValues=values | {":y": {"S": "y"}},
    )
    session.read("a", 4)
    found = session.call(
        "query",
        TableName=t,
        IndexName="by_g",
        KeyConditionExpression="g = :v",
        ExpressionAttributeValues={":v": {"S": "x"}},
    )
    assert found["Count"] == 1
    session.read("x", index="by_g")
    session.call("query", TableName=t, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": {"S": "no"}})
    session.read("no")
    session.call("scan", TableName=t)
    session.check()
    assert session.detector.get_unattributed_count(t, "scans") == 1


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
    session.call(
        "transact_write_items",
        TransactItems=[
            {"Put": {"TableName": t, "Item": key("a")}},
            {
                "Update": {
                    "TableName": t,
                    "Key": key("a", 2),
                    "UpdateExpression": "SET v = :v",
                    "ExpressionAttributeValues": {":v": {"S": "1"}},
                }
            },
            {"Delete": {"TableName": t, "Key": key("b")}},
            {"ConditionCheck": {"TableName": t, "Key": key("c"), "ConditionExpression": "attribute_exists(id)"}},
        ],
    )
    session.wrote("a", 2)
    session.wrote("b")
    session.wrote("c")
    session.call("transact_get_items", TransactItems=[{"Get": {"TableName": t, "Key": key(pk)}} for pk in "ab"])
    session.read("a")
    session.read("b")
    with pytest.raises(session.client.exceptions.TransactionCanceledException):
        session.call(
            "transact_write_items",
            TransactItems=[
                {"Put": {"TableName": t, "Item": key("d")}},
                {"ConditionCheck": {"TableName": t, "Key": key("e"), "ConditionExpression": "attribute_exists(id)"}},
            ],
        )
    session.wrote("d")
    session.wrote("e")
    session.check()


@pytest.mark.parametrize("session", NEWER, indirect=True)
def test_partiql(session):
    t = session.table
    session.call("execute_statement", Statement=f"INSERT INTO \"{t}\" VALUE {{'id': 'a', 'n': 1, 'g': 'x'}}")
    session.wrote("a")
    session.wrote("x", index="by_g")
    session.call(
        "execute_statement",
        Statement=f'UPDATE "{t}" SET v = ? WHERE id = ? AND n = ?',
        Parameters=[{"S": "no"}, {"S": "a"}, {"N": "1"}],
    )
    session.wrote("a")
    found = session.call("execute_statement", Statement=f'SELECT * FROM "{t}" WHERE id = ?', Parameters=[{"S": "a"}])
    assert len(found["Items"]) == 1
    session.read("a")
    session.call("execute_statement", Statement=f'SELECT * FROM "{t}"')
    session.call(
        "batch_execute_statement",
        Statements=[
            {"Statement": f"SELECT * FROM {t} WHERE id = ? AND n = ?", "Parameters": [{"S": pk}, {"N": "1"}]}
            for pk in "ab"
        ],
    )
    session.read("a")
    session.read("b")
    # moto answers a transaction of statements that write with 500.
    if not session.stub:
        session.call(
            "execute_transaction",
            TransactStatements=[
                {"Statement": f'DELETE FROM "{t}" WHERE id = ? AND n = ?', "Parameters": [{"S": "a"}, {"N": "1"}]},
                {"Statement": f"INSERT INTO \"{t}\" VALUE {{'id': 'c', 'n': 1}}"},
            ],
        )
        session.wrote("a")
        session.wrote("c")
    session.check()
    assert session.detector.get_unattributed_count(t, "scans") == 1


@pytest.mark.parametrize("name", ALL)
def test_a_table_that_is_not_known_is_described_once(endpoints, detector, name):
    made = Session(endpoints(name), detector, name == "moto")
    hotpart.uninstrument(made.client)
    made.create()
    made.described.clear()
    hotpart.instrument(made.client, detector)
    for n in range(3):
        made.call("put_item", TableName=made.table, Item=key("a", n))
        made.wrote("a")
    assert len(made.described) == 1
    made.check()


# dynalite wants provisioned throughput for a new index.
@pytest.mark.parametrize("name", NEWER)
def test_a_table_is_learnt_from_what_changes_it(endpoints, detector, name):
    session = Session(endpoints(name), detector, name == "moto").create(indexes=False)
    session.client.update_table(
        TableName=session.table,
        AttributeDefinitions=[{"AttributeName": "g", "AttributeType": "S"}],
        GlobalSecondaryIndexUpdates=[
            {"Create": {"IndexName": "by_g", "KeySchema": _keys("g"), "Projection": {"ProjectionType": "ALL"}}}
        ],
    )
    session.client.describe_table(TableName=session.table)
    session.described.clear()
    session.call("put_item", TableName=session.table, Item=key("a"))
    session.wrote("a")
    session.check()
    assert session.described == []


@pytest.fixture
def units():
    with hotpart.HotPartitionDetector(2**60, 2**60, 60, capacity=True, manual_clock=True) as detector:
        yield detector


def test_dynalite_s_units_are_exact(endpoints, units):
    session = Session(endpoints("dynalite"), units).create(indexes=False)
    t, large = session.table, key("a") | {"x": {"S": "x" * 100_000}}
    session.call("put_item", TableName=t, Item=large)
    assert units.get_write_count(t, "a") == 98
    session.call("get_item", TableName=t, Key=key("a"), ConsistentRead=True)
    assert units.get_read_count(t, "a") == 25
    session.call("get_item", TableName=t, Key=key("a"))
    assert units.get_read_count(t, "a") == 25 + 12.5
    assert units.stats().estimated_units == 0


def test_capacity_is_asked_for_and_taken_out_again(endpoints, units):
    session = Session(endpoints("dynalite"), units).create(indexes=False)
    t, large = session.table, key("a") | {"x": {"S": "x" * 100_000}}
    assert "ConsumedCapacity" not in session.client.put_item(TableName=t, Item=large)
    assert units.get_write_count(t, "a") == 98
    assert "ConsumedCapacity" not in session.client.get_item(TableName=t, Key=key("a"), ReturnConsumedCapacity="NONE")
    assert units.get_read_count(t, "a") == 12.5
    answer = session.client.get_item(TableName=t, Key=key("a"), ReturnConsumedCapacity="TOTAL")
    assert answer["ConsumedCapacity"] == {"TableName": t, "CapacityUnits": 12.5}
    assert (units.get_read_count(t, "a"), units.stats().estimated_units) == (25, 0)
    # As another client sees it, nothing has changed.
    assert client(endpoints("dynalite")).get_item(TableName=t, Key=key("a"))["Item"] == large


def test_dynoxide_splits_indexes_and_doubles_transactions(endpoints, units):
    session = Session(endpoints("dynoxide"), units).create()
    t = session.table
    session.client.put_item(TableName=t, Item=key("a") | {"g": {"S": "x"}, "l": {"S": "y"}})
    assert units.get_write_count(t, "a") == 2, "the table and its local index"
    assert units.get_write_count(f"{t}/index/by_g", "x") == 1
    session.client.transact_write_items(TransactItems=[{"Put": {"TableName": t, "Item": key("b")}}])
    assert units.get_write_count(t, "b") == 2
    session.client.delete_item(TableName=t, Key=key("a"))
    assert units.get_unattributed_count(f"{t}/index/by_g", "index_units", "write") == 1


@pytest.mark.parametrize("name", NEWER)
def test_a_resource_is_watched_by_its_client(endpoints, detector, name):
    session = Session(endpoints(name), detector).create(indexes=False)
    resource = hotpart.instrument(resource_of(endpoints(name)), detector)
    table = resource.Table(session.table)
    table.put_item(Item={"id": "a", "n": 1, "b": b"\0\xff"})
    assert table.get_item(Key={"id": "a", "n": 1})["Item"]["n"] == 1
    with table.batch_writer() as batch:
        for n in range(30):
            batch.put_item(Item={"id": "b", "n": n})
    found = list(
        resource.meta.client.get_paginator("query").paginate(
            TableName=session.table, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": "b"}
        )
    )
    assert sum(page["Count"] for page in found) == 30
    written = detector.get_write_count(session.table, "b")
    # moto's capacity does not add up.
    assert written == 30 or (name == "moto" and detector.capacity)
    assert detector.get_read_count(session.table, "b") > 0


@pytest.mark.parametrize("name", ALL)
def test_answers_that_are_cut_down_say_as_much(endpoints, detector, name):
    session = Session(endpoints(name), detector, name == "moto").create(indexes=False)
    t = session.table
    for n in range(4):
        session.call("put_item", TableName=t, Item=key("a", n) | {"x": {"S": "x" * 9_000}})
        session.wrote("a")
    session.call("query", TableName=t, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": {"S": "a"}})
    session.read("a")
    session.call("batch_get_item", RequestItems={t: {"Keys": [key("a", n) for n in range(4)]}})
    session.read("a", 4)
    session.check()
    # Without being asked for the capacity, too.
    before = detector.get_read_count(t, "a")
    answer = session.client.query(
        TableName=t, KeyConditionExpression="id = :v", ExpressionAttributeValues={":v": {"S": "a"}}
    )
    assert answer["Count"] == 4 and "ConsumedCapacity" not in answer
    assert detector.get_read_count(t, "a") - before >= (4 if detector.capacity and name != "moto" else 1)

"""Capacity: what a detector that counts units asks for, and what its callers get of that."""

import copy
import uuid

import botocore.exceptions
import pytest
from clients import client
from wire import ITEM, Wire

import hotpart
from hotpart import HotPartitionDetector

UNITS = {"CapacityUnits": 1.0, "WriteCapacityUnits": 1.0}
TOTAL = {"TableName": "events", "CapacityUnits": 3.0, "WriteCapacityUnits": 3.0}
INDEXES = TOTAL | {
    "Table": UNITS,
    "LocalSecondaryIndexes": {"by_l": UNITS},
    "GlobalSecondaryIndexes": {"by_user": UNITS},
}
USER = ITEM | {"user": {"S": "u"}}
CALLS = {
    "put_item": {"TableName": "events", "Item": USER},
    "batch_write_item": {"RequestItems": {"events": [{"PutRequest": {"Item": USER}}]}},
    "transact_write_items": {"TransactItems": [{"Put": {"TableName": "events", "Item": USER}}]},
}


@pytest.fixture
def units():
    with HotPartitionDetector(2**60, 2**60, 60, capacity=True, manual_clock=True) as detector:
        yield detector


def made(detector, large=False):
    wire = Wire(detector, tables={"events": "id", "events/index/by_user": "user"})
    more = {"Padding": "x" * 20_000} if large else {}
    for call in CALLS:
        operation = "".join(word.title() for word in call.split("_"))
        told = INDEXES if call == "put_item" else [INDEXES]
        wire.answers[operation] = more | {"ConsumedCapacity": told}
    return wire


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize("call", CALLS)
def test_who_asks_for_the_total_gets_it_and_the_indexes_are_counted(units, call, large):
    """Of a bare total a global index's part was not known."""
    wire = made(units, large)
    answer = getattr(wire.client, call)(**CALLS[call], ReturnConsumedCapacity="TOTAL")
    assert wire.sent[-1][1]["ReturnConsumedCapacity"] == "INDEXES"
    assert answer["ConsumedCapacity"] == (TOTAL if call == "put_item" else [TOTAL])
    assert units.get_write_count("events", "k") == 2, "the table's and its local index's"
    assert units.get_write_count("events/index/by_user", "u") == 1
    answer = getattr(wire.client, call)(**CALLS[call], ReturnConsumedCapacity="INDEXES")
    assert answer["ConsumedCapacity"] == (INDEXES if call == "put_item" else [INDEXES])


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_two_detectors_count_the_same_of_what_one_asked_for(units, large):
    wire, call = made(units, large), "batch_write_item"
    with HotPartitionDetector(2**60, 2**60, 60, capacity=True, manual_clock=True) as other:
        tables = {"events": "id", "events/index/by_user": "user"}
        hotpart.instrument(wire.client, other, tables=tables)
        for own, shown in (("TOTAL", [TOTAL]), ("INDEXES", [INDEXES]), ("NONE", None)):
            answer = getattr(wire.client, call)(**CALLS[call], ReturnConsumedCapacity=own)
            assert answer.get("ConsumedCapacity") == shown
        for one in (units, other):
            assert one.get_write_count("events/index/by_user", "u") == 3


def test_the_total_is_given_back_though_it_is_undone_meanwhile(units):
    wire = made(units)

    def undo(**_):
        hotpart.uninstrument(wire.client)

    wire.client.meta.events.register_first("before-send.dynamodb", undo)
    assert wire.client.put_item(**CALLS["put_item"], ReturnConsumedCapacity="TOTAL")["ConsumedCapacity"] == TOTAL


def test_a_text_that_looks_like_it_is_left_alone(units):
    wire = made(units)
    item = ITEM | {"x": {"S": '"ReturnConsumedCapacity": "TOTAL"'}, "ReturnConsumedCapacity": {"S": "TOTAL"}}
    assert "ConsumedCapacity" not in wire.client.put_item(TableName="events", Item=item)
    assert wire.sent[-1][1] == {"TableName": "events", "Item": item, "ReturnConsumedCapacity": "INDEXES"}


KEY = [{"AttributeName": "id", "KeyType": "HASH"}]
BY_USER = {
    "IndexName": "by_user",
    "KeySchema": [{"AttributeName": "user", "KeyType": "HASH"}],
    "Projection": {"ProjectionType": "ALL"},
}
# dynalite says provisioned throughput is needed for an index.
NEWER = ["dynoxide", "moto"]


def table(plain, indexes=True):
    name = "t" + uuid.uuid4().hex[:8]
    more = {"GlobalSecondaryIndexes": [BY_USER]} if indexes else {}
    definitions = [{"AttributeName": each, "AttributeType": "S"} for each in ("id", *(["user"] if indexes else []))]
    plain.create_table(
        TableName=name, KeySchema=KEY, AttributeDefinitions=definitions, BillingMode="PAY_PER_REQUEST", **more
    )
    return name


def test_the_total_is_what_the_emulator_shows_unwatched(endpoints, units):
    endpoint = endpoints("dynoxide")
    plain = client(endpoint)
    watched, name = hotpart.instrument(client(endpoint), units), table(plain)
    calls = copy.deepcopy(CALLS)
    calls["put_item"]["TableName"] = name
    calls["batch_write_item"]["RequestItems"] = {name: calls["batch_write_item"]["RequestItems"]["events"]}
    calls["transact_write_items"]["TransactItems"][0]["Put"]["TableName"] = name
    for call, given in calls.items():
        # The second of each overwrites what is there.
        getattr(plain, call)(**given)
        told = [getattr(one, call)(**given, ReturnConsumedCapacity="TOTAL") for one in (plain, watched)]
        assert told[0]["ConsumedCapacity"] == told[1]["ConsumedCapacity"]


def test_1_200_puts_on_one_key_of_an_index_are_seen_by_pynamodb_s_total(endpoints, units):
    attributes = pytest.importorskip("pynamodb.attributes")
    indexes, models = pytest.importorskip("pynamodb.indexes"), pytest.importorskip("pynamodb.models")

    class ByUser(indexes.GlobalSecondaryIndex):
        class Meta:
            index_name, projection = "by_user", indexes.AllProjection()

        user = attributes.UnicodeAttribute(hash_key=True)

    class Event(models.Model):
        class Meta:
            table_name, host, region = "t" + uuid.uuid4().hex[:8], endpoints("dynoxide"), "us-east-1"
            aws_access_key_id = aws_secret_access_key = "test"
            billing_mode = "PAY_PER_REQUEST"

        id = attributes.UnicodeAttribute(hash_key=True)
        user = attributes.UnicodeAttribute()
        by_user = ByUser()

    # As the README has it.
    hotpart.instrument(Event._get_connection().connection.client, units)
    Event.create_table()
    for n in range(1_200):
        Event(f"k{n}", user="u").save()
    assert [event.id for event in Event.by_user.query("u", limit=1)]
    assert Event.get("k7").user == "u"
    where = f"{Event.Meta.table_name}/index/by_user"
    assert units.get_write_count(where, "u") == 1_200
    (hottest,) = units.hottest(1, "write")
    assert (hottest.table, hottest.pk, hottest.demand) == (where, "u", 1_200)
    assert units.stats().estimated_units == 0


@pytest.mark.parametrize("own", [{}, {"ReturnConsumedCapacity": "TOTAL"}], ids=["none", "total"])
def test_a_transaction_with_the_caller_s_token_is_the_same_request(detector, own):
    """DynamoDB refuses a token that comes again with other parameters."""
    plain, watched = Wire(detector), Wire(detector, tables={"events": "id"})
    hotpart.uninstrument(plain.client)
    for one in (plain, watched):
        one.client.transact_write_items(**CALLS["transact_write_items"], ClientRequestToken="mine", **own)
        statements = [{"Statement": "DELETE FROM events WHERE id='k'"}]
        one.client.execute_transaction(TransactStatements=statements, ClientRequestToken="mine", **own)
    assert plain.sent == watched.sent
    # Two writes are one key's: DynamoDB takes two units for each in a transaction.
    assert detector.get_write_count("events", "k") == (4 if detector.capacity else 2)
    # The token that botocore gives is nobody else's.
    watched.client.transact_write_items(**CALLS["transact_write_items"], **own)
    sent = watched.sent[-1][1]
    assert len(sent["ClientRequestToken"]) == 36
    assert sent.get("ReturnConsumedCapacity") == ("INDEXES" if detector.capacity else own.get("ReturnConsumedCapacity"))


def test_a_token_is_good_in_both_modes_and_without_us(endpoints, units):
    endpoint, token = endpoints("dynoxide"), uuid.uuid4().hex
    with HotPartitionDetector(2**60, 2**60, 60, manual_clock=True) as operations:
        clients = [client(endpoint) for _ in range(3)]
        name = table(clients[0], indexes=False)
        for one, detector in zip(clients, (None, operations, units), strict=True):
            if detector is not None:
                hotpart.instrument(one, detector, tables={name: "id"})
        put = {"Put": {"TableName": name, "Item": ITEM}}
        for one in clients:
            one.transact_write_items(TransactItems=[put], ClientRequestToken=token)
        assert (operations.get_write_count(name, "k"), units.get_write_count(name, "k")) == (1, 2)
        other = {"Put": {"TableName": name, "Item": ITEM | {"n": {"N": "2"}}}}
        with pytest.raises(botocore.exceptions.ClientError, match="IdempotentParameterMismatch"):
            clients[2].transact_write_items(TransactItems=[other], ClientRequestToken=token)

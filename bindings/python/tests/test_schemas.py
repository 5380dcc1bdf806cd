"""Key schemas: learnt from traffic, or by a DescribeTable; and what comes until they are known."""

import threading

import botocore.exceptions
import pytest
from wire import DENIED, DESCRIPTION, ITEM, Wire, describes, description, put

import hotpart

# So that a minute later all is there still.
WINDOW = 3_600


def test_a_table_is_described_when_it_is_needed_and_once(detector):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DESCRIPTION
    for _ in range(3):
        wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations() == ["PutItem", "DescribeTable", "PutItem", "PutItem"]
    assert detector.get_write_count("events", "k") == 3


def test_a_table_that_traffic_has_shown_is_not_described(detector):
    wire = Wire(detector)
    wire.client.delete_item(TableName="events", Key={"id": {"S": "k"}})
    wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations() == ["DeleteItem", "PutItem"]
    assert detector.get_write_count("events", "k") == 2


def test_what_comes_while_a_table_is_described_is_counted_too(detector):
    wire, threads = Wire(detector), []

    def answer(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            threads.extend(threading.Thread(target=put) for _ in range(4))
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]

    def put():
        wire.client.put_item(TableName="events", Item=ITEM)

    wire.client.meta.events.register_first("before-send.dynamodb", answer)
    wire.answers["DescribeTable"] = DESCRIPTION
    put()
    assert wire.operations().count("DescribeTable") == 1
    assert detector.get_write_count("events", "k") == 5


def test_describe_false_describes_nothing(detector, caplog):
    wire = Wire(detector, describe=False)
    for table in ("events", "other", "events", "other"):
        wire.client.put_item(TableName=table, Item=ITEM)
    assert wire.operations() == ["PutItem"] * 4
    assert [record.getMessage() for record in caplog.records] == [
        f"the key schema of table '{table}' is needed and the table is not to be described: its requests wait until "
        f"it is known, or are not counted; pass tables={{'{table}': its partition key}} to instrument"
        for table in ("events", "other")
    ]


def test_a_table_is_described_only_when_dynamodb_answers(detector):
    wire = Wire(detector)
    wire.answers |= {"DescribeTable": DESCRIPTION, "PutItem": (500, {"__type": "InternalServerError"})}
    with pytest.raises(botocore.exceptions.ClientError):
        wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations() == ["PutItem"]
    wire.answers["PutItem"] = {}
    wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations() == ["PutItem", "PutItem", "DescribeTable"]
    assert detector.get_write_count("events", "k") == 2, "the first may have run"


def test_who_is_throttled_or_fails_its_condition_from_the_start_is_counted(detector):
    """DynamoDB has answered, though with 400."""
    wire = Wire(detector)
    no = 400, {"__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "no"}
    wire.answers |= {"DescribeTable": DESCRIPTION, "PutItem": no}
    with pytest.raises(botocore.exceptions.ClientError):
        put(wire)
    assert wire.operations() == ["PutItem", "DescribeTable"]
    assert detector.get_write_count("events", "k") == 1


def test_a_request_on_several_unknown_tables_describes_them_all(detector):
    wire, tables, asked = Wire(detector), ("aaa", "bbb", "ccc"), []
    describes(wire, lambda table: asked.append(table) or description(table))
    for _ in range(3):
        wire.client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": ITEM}}] for table in tables})
    assert sorted(asked) == ["aaa", "bbb", "ccc"]
    assert [detector.get_write_count(table, "k") for table in tables] == [3, 3, 3]


def test_what_a_warning_observes_asks_for_tables_of_its_own():
    """The tables that its request asks for are those that the library asked for then."""

    def observes(warning):
        if warning.pk == "hot":
            with pytest.raises(hotpart.MissingSchemaError) as missing:
                detector.observe("PutItem", b'{"TableName":"theirs","Item":{"id":{"S":"k"}}}')
            assert missing.value.tables == ("theirs",)

    detector = hotpart.HotPartitionDetector(1, 1, 60, on_warning=observes, logger=None)
    wire, asked = Wire(detector, tables={"known": "id"}), []
    describes(wire, lambda table: asked.append(table) or description(table))
    batch = {"known": [{"PutRequest": {"Item": {"id": {"S": "hot"}}}}], "new": [{"PutRequest": {"Item": ITEM}}]}
    wire.client.batch_write_item(RequestItems=batch)
    assert (asked, detector.get_write_count("new", "k")) == (["new"], 1)


def test_what_waits_is_counted_and_warned_of_when_its_key_is_declared():
    seen = []
    detector = hotpart.HotPartitionDetector(3, 3, 60, on_warning=seen.append, logger=None)
    wire = Wire(detector, describe=False)
    for _ in range(4):
        put(wire)
    assert (seen, detector.get_write_count("events", "k")) == ([], 0)
    hotpart.instrument(wire.client, detector, tables={"events": "id"})
    assert [(warning.pk, warning.count) for warning in seen] == [("k", 3)]
    assert detector.get_write_count("events", "k") == 4


@pytest.mark.parametrize("partiql", [False, True], ids=["put", "statement"])
def test_a_table_of_another_account_is_described_by_its_arn(detector, partiql):
    wire, arn = Wire(detector), "arn:aws:dynamodb:us-east-1:999999999999:table/events"
    wire.answers["DescribeTable"] = DESCRIPTION
    if partiql:
        wire.client.execute_statement(Statement=f"INSERT INTO \"{arn}\" VALUE {{'id': 'k'}}")
    else:
        put(wire, arn)
    assert wire.sent[1] == ("DescribeTable", {"TableName": arn})
    assert detector.get_write_count("events", "k") == 1


BY_GROUP = {
    "TableName": "events",
    "IndexName": "by_group",
    "KeyConditionExpression": "a = :a AND b = :b",
    "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"S": "y"}},
}
INDEX = {"IndexName": "by_group", "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}]}


def test_an_index_that_was_made_since_is_learnt_within_a_minute(detector, later):
    wire = Wire(detector)
    wire.answers |= {"DescribeTable": DESCRIPTION, "Query": {"Items": [], "Count": 0, "ScannedCount": 0}}
    wire.client.put_item(TableName="events", Item=ITEM)
    for _ in range(3):
        wire.client.query(**BY_GROUP)
    assert wire.operations().count("DescribeTable") == 2, "at its first, and then not for a minute"
    assert detector.get_unattributed_count("events", "unread", "read") == 1, "and two wait"
    later()
    wire.answers["DescribeTable"] = {"Table": DESCRIPTION["Table"] | {"GlobalSecondaryIndexes": [INDEX]}}
    for _ in range(3):
        wire.client.query(**BY_GROUP)
    assert wire.operations().count("DescribeTable") == 3
    # Estimated, as the answers tell no capacity: a page of no items costs half a unit.
    assert detector.get_read_count("events/index/by_group", "y") == (2.5 if detector.capacity else 5)


def test_a_table_made_anew_with_another_key_is_learnt_within_a_minute(detector, later):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.put_item(TableName="events", Item=ITEM)
    key = [{"AttributeName": "other", "KeyType": "HASH"}]
    wire.answers["DescribeTable"] = {"Table": {"TableName": "events", "KeySchema": key}}
    later()
    wire.client.put_item(TableName="events", Item={"other": {"S": "k"}})
    assert detector.get_write_count("events", "k") == 2


def test_what_is_denied_later_is_not_asked_for_again(detector, later):
    wire = Wire(detector)
    wire.answers |= {"DescribeTable": DESCRIPTION, "Query": {"Items": [], "Count": 0, "ScannedCount": 0}}
    wire.client.put_item(TableName="events", Item=ITEM)
    wire.answers["DescribeTable"] = DENIED
    for _ in range(3):
        later()
        wire.client.query(**BY_GROUP)
    assert wire.operations().count("DescribeTable") == 2


def test_thousands_of_attempts_wait_for_a_description(detector, caplog):
    wire, n = Wire(detector), 3_000

    def puts():
        for _ in range(n // 4):
            wire.client.put_item(TableName="events", Item=ITEM | {"x": {"S": "x" * 5_000}})

    def answer(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            threads = [threading.Thread(target=puts) for _ in range(4)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]

    wire.client.meta.events.register_first("before-send.dynamodb", answer)
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations().count("DescribeTable") == 1
    each = 5 if detector.capacity else 1
    assert detector.get_write_count("events", "k") == n * each + 1
    assert not caplog.records


def test_tables_that_strangers_name_are_not_kept_without_bound(detector):
    wire = Wire(detector)
    wire.answers |= {"PutItem": (500, {"__type": "InternalServerError"})}
    for n in range(1_100):
        with pytest.raises(botocore.exceptions.ClientError):
            put(wire, f"table{n}")
    (watcher,) = hotpart._instrument._watchers[wire.client]
    assert len(watcher._schemas.wanted) == 1_000

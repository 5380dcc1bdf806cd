"""Key schemas: learnt from traffic, or by one DescribeTable; and what comes while that is under way."""

import json
import threading
import time

import botocore.awsrequest
import botocore.exceptions
import botocore.stub
import pytest
from wire import DESCRIPTION, ITEM, Wire

import hotpart


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


DENIED = 400, {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}
GONE = 400, {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"}


@pytest.mark.parametrize(("refusal", "again"), [(DENIED, 1), (GONE, 2)])
def test_a_table_that_may_not_be_described_is_never_asked_for_again(detector, caplog, monkeypatch, refusal, again):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = refusal
    for _ in range(3):
        wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations().count("DescribeTable") == 1
    (record,) = caplog.records
    assert "DescribeTable failed" in record.getMessage() and "tables={'events'" in record.getMessage()
    real = hotpart._schemas.time.monotonic
    monkeypatch.setattr("hotpart._schemas.time.monotonic", lambda: real() + 3_600)
    wire.client.put_item(TableName="events", Item=ITEM)
    assert wire.operations().count("DescribeTable") == again


def test_describe_false_describes_nothing(detector, caplog):
    wire = Wire(detector, describe=False)
    for table in ("events", "other", "events", "other"):
        wire.client.put_item(TableName=table, Item=ITEM)
    assert wire.operations() == ["PutItem"] * 4
    assert [record.getMessage() for record in caplog.records] == [
        f"a request to DynamoDB could not be observed: the key schema of table '{table}' is not known"
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


def test_a_request_on_several_unknown_tables_describes_them_all(detector):
    wire, tables = Wire(detector), ("aaa", "bbb", "ccc")
    asked = []

    def describe(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            table = json.loads(request.body)["TableName"]
            asked.append(table)
            wire.answers["DescribeTable"] = {"Table": DESCRIPTION["Table"] | {"TableName": table}}

    wire.client.meta.events.register_first("before-send.dynamodb", describe)
    for _ in range(3):
        wire.client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": ITEM}}] for table in tables})
    assert sorted(asked) == ["aaa", "bbb", "ccc"]
    assert [detector.get_write_count(table, "k") for table in tables] == [3, 3, 3]


def test_a_describe_that_is_interrupted_is_made_by_the_next(detector):
    wire = Wire(detector)

    def interrupt(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            raise KeyboardInterrupt

    wire.client.meta.events.register_first("before-send.dynamodb", interrupt)
    with pytest.raises(KeyboardInterrupt):
        wire.client.put_item(TableName="events", Item=ITEM)
    wire.client.meta.events.unregister("before-send.dynamodb", interrupt)
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == 2


def test_nothing_is_kept_of_a_table_that_may_not_be_described(detector):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DENIED
    for _ in range(30):
        wire.client.put_item(TableName="events", Item=ITEM | {"x": {"S": "x" * 100_000}})
    asked = detector._schemas._asked["events"]
    assert (len(asked.waiting), asked.bytes) == (0, 0)


def test_what_one_client_was_denied_another_does_not_ask(detector, caplog):
    for _ in range(3):
        wire = Wire(detector)
        wire.answers["DescribeTable"] = DENIED
        wire.client.put_item(TableName="events", Item=ITEM)
        assert wire.operations().count("DescribeTable") == (1 if _ == 0 else 0)
        hotpart.uninstrument(wire.client)
    assert len(caplog.records) == 1


def test_a_table_of_another_account_is_described_by_its_arn(detector):
    wire, arn = Wire(detector), "arn:aws:dynamodb:us-east-1:999999999999:table/events"
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.put_item(TableName=arn, Item=ITEM)
    assert wire.sent[1] == ("DescribeTable", {"TableName": arn})
    assert detector.get_write_count("events", "k") == 1


@pytest.fixture
def later(monkeypatch):
    """Lets a minute pass, for schemas."""
    real, past = time.monotonic, [0]

    def pass_on():
        past[0] += 61

    monkeypatch.setattr("hotpart._schemas.time.monotonic", lambda: real() + past[0])
    return pass_on


BY_GROUP = {
    "TableName": "events",
    "IndexName": "by_group",
    "KeyConditionExpression": "a = :a AND b = :b",
    "ExpressionAttributeValues": {":a": {"S": "x"}, ":b": {"S": "y"}},
}
INDEX = {"IndexName": "by_group", "KeySchema": [{"AttributeName": "b", "KeyType": "HASH"}]}


def test_an_index_that_was_made_since_is_learnt_within_a_minute(detector, caplog, later):
    wire = Wire(detector)
    wire.answers |= {"DescribeTable": DESCRIPTION, "Query": {"Items": [], "Count": 0, "ScannedCount": 0}}
    wire.client.put_item(TableName="events", Item=ITEM)
    for _ in range(3):
        wire.client.query(**BY_GROUP)
    assert wire.operations().count("DescribeTable") == 1
    assert [record.getMessage() for record in caplog.records] == [
        "a request to DynamoDB could not be observed: the key schema of index 'by_group' of table 'events' is not known"
    ]
    later()
    wire.answers["DescribeTable"] = {"Table": DESCRIPTION["Table"] | {"GlobalSecondaryIndexes": [INDEX]}}
    for _ in range(3):
        wire.client.query(**BY_GROUP)
    assert wire.operations().count("DescribeTable") == 2
    assert detector.get_read_count("events/index/by_group", "y") > 0


def test_a_table_made_anew_with_another_key_is_learnt_within_a_minute(detector, later):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.put_item(TableName="events", Item=ITEM)
    key = [{"AttributeName": "other", "KeyType": "HASH"}]
    wire.answers["DescribeTable"] = {"Table": {"TableName": "events", "KeySchema": key}}
    later()
    wire.client.put_item(TableName="events", Item={"other": {"S": "k"}})
    assert detector.get_write_count("events", "k") == 2


def test_what_is_denied_later_is_not_asked_for_again(detector, caplog, later):
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


def test_what_can_t_wait_is_said_once(detector, caplog, monkeypatch):
    monkeypatch.setattr("hotpart._schemas._WAITING_MAX", 2)
    wire = Wire(detector)

    def answer(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            for _ in range(3):
                wire.client.put_item(TableName="events", Item=ITEM)

    wire.client.meta.events.register_first("before-send.dynamodb", answer)
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == 2
    assert [record.getMessage() for record in caplog.records] == [
        "too many requests wait for the key schema of table 'events': some are not counted"
    ]


def test_an_interrupt_among_attempts_that_have_waited_loses_none():
    told = []

    def interrupts(warning):
        told.append(warning.pk)
        if warning.pk == "k2":
            raise KeyboardInterrupt

    detector = hotpart.HotPartitionDetector(1, 1, 60, on_warning=interrupts, logger=None)
    wire = Wire(detector)

    def answer(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            for n in range(5):
                wire.client.put_item(TableName="events", Item={"id": {"S": f"k{n}"}})

    wire.client.meta.events.register_first("before-send.dynamodb", answer)
    wire.answers["DescribeTable"] = DESCRIPTION
    with pytest.raises(KeyboardInterrupt):
        wire.client.put_item(TableName="events", Item=ITEM)
    assert [detector.get_write_count("events", pk) for pk in ("k", "k0", "k1", "k2", "k3", "k4")] == [1] * 6
    assert sorted(told) == ["k", "k0", "k1", "k2", "k3", "k4"]


def test_one_that_begins_to_wait_when_it_is_described_already_counts(detector, monkeypatch):
    """Between its look at who is asking and its waiting, the one who asks has the answer."""
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DESCRIPTION
    wait = hotpart._schemas.Schemas._wait
    may_wait, waited = threading.Event(), threading.Event()

    def late(self, table, asked, attempt):
        if threading.current_thread().name == "late":
            waited.set()
            assert may_wait.wait(10)
        wait(self, table, asked, attempt)

    def put():
        wire.client.put_item(TableName="events", Item=ITEM)

    def answer(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            thread.start()
            assert waited.wait(10)

    thread = threading.Thread(target=put, name="late")
    monkeypatch.setattr(hotpart._schemas.Schemas, "_wait", late)
    wire.client.meta.events.register_first("before-send.dynamodb", answer)
    put()
    may_wait.set()
    thread.join()
    assert detector.get_write_count("events", "k") == 2
    assert not detector._schemas._asked["events"].waiting

"""Key schemas: learnt from traffic, or by a DescribeTable; and what comes until they are known."""

import json
import random
import threading
import time

import botocore.exceptions
import pytest
from wire import DESCRIPTION, ITEM, Wire

import hotpart


@pytest.fixture(params=[False, True], ids=["operations", "capacity"])
def detector(request):
    """Counts operations, and then units, for an hour, so that a minute later all is there still."""
    with hotpart.HotPartitionDetector(2**60, 2**60, 3_600, capacity=request.param, manual_clock=True) as detector:
        yield detector


@pytest.fixture
def later(detector, monkeypatch):
    """Lets seconds pass, for the library and here."""
    real, past = time.monotonic, [0]

    def pass_on(seconds=61):
        past[0] += seconds
        detector.set_time(past[0])

    monkeypatch.setattr("hotpart._schemas.time.monotonic", lambda: real() + past[0])
    return pass_on


def put(wire, table="events", **attributes):
    wire.client.put_item(TableName=table, Item=ITEM | attributes)


def describes(wire, answer):
    """Has each DescribeTable answered by what ``answer`` returns for a table's name, or raises."""

    def describe(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            wire.answers["DescribeTable"] = answer(json.loads(request.body)["TableName"])

    wire.client.meta.events.register_first("before-send.dynamodb", describe)


def description(table):
    return {"Table": DESCRIPTION["Table"] | {"TableName": table}}


def unread(detector, table="events"):
    return detector.get_unattributed_count(table, "unread", "write")


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


def test_a_table_that_may_not_be_described_is_never_asked_for_again(detector, caplog, later):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DENIED
    for _ in range(3):
        put(wire)
        later()
    assert wire.operations().count("DescribeTable") == 1
    (record,) = caplog.records
    assert "DescribeTable failed (AccessDeniedException)" in record.getMessage()
    assert "are not counted; pass tables={'events'" in record.getMessage()
    assert unread(detector) == 3
    assert detector.stats().failures == 1
    # Until its key is known after all.
    detector.set_key_schema("events", "id")
    put(wire)
    assert (unread(detector), detector.get_write_count("events", "k")) == (3, 1)


def test_what_waits_for_a_describe_that_failed_is_counted_by_a_later_one(detector, caplog, later):
    wire, answers = Wire(detector), [GONE, GONE, GONE, DESCRIPTION]
    describes(wire, lambda table: answers.pop(0))
    for _ in range(3):
        put(wire)
    assert len(answers) == 3, "not at once"
    later(1)
    # By a request on whatever table: nothing comes on that one any more.
    for _ in range(3):
        wire.client.delete_item(TableName="other", Key={"id": {"S": "k"}})
    assert len(answers) == 2
    later(1)
    wire.client.list_tables()
    assert len(answers) == 2, "the next pause is longer"
    later(1)
    wire.client.list_tables()
    later(4)
    wire.client.list_tables()
    assert (answers, detector.get_write_count("events", "k")) == ([], 3)
    assert unread(detector) == 0
    (record,) = caplog.records
    assert "DescribeTable failed (ResourceNotFoundException): its requests wait" in record.getMessage()
    assert detector.stats().failures == 3, "each is counted, and one is logged"
    for _ in range(3):
        later()
        put(wire)
    assert wire.operations().count("DescribeTable") == 4


def test_a_table_that_is_gone_for_good_is_given_up(detector, later):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = GONE
    put(wire)
    for _ in range(200):
        later(30)
        wire.client.list_tables()
    asked = wire.operations().count("DescribeTable")
    assert asked < 100, "not more than once a minute"
    for _ in range(200):
        later(30)
        wire.client.list_tables()
    assert wire.operations().count("DescribeTable") == asked
    (watcher,) = hotpart._instrument._watchers[wire.client]
    assert not watcher._schemas.wanted
    # What comes on it after that has the library ask again.
    wire.answers["DescribeTable"] = DESCRIPTION
    put(wire)
    assert detector.get_write_count("events", "k") == 1


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


def test_one_table_that_may_not_be_described_costs_the_others_nothing(detector):
    wire, tables = Wire(detector), ("aaa", "bbb", "ccc")
    describes(wire, lambda table: DENIED if table == "bbb" else description(table))
    wire.client.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": ITEM}}] for table in tables})
    assert [detector.get_write_count(table, "k") for table in tables] == [1, 0, 1]
    assert [unread(detector, table) for table in tables] == [0, 1, 0]


@pytest.mark.parametrize("by", ["put", "other"])
def test_a_describe_that_is_interrupted_is_made_by_the_next(detector, by):
    wire = Wire(detector)

    def interrupt(table):
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(wire.client, "describe_table", lambda TableName: interrupt(TableName))
        with pytest.raises(KeyboardInterrupt):
            put(wire)
    wire.answers["DescribeTable"] = DESCRIPTION
    if by == "put":
        put(wire)
    else:
        wire.client.list_tables()
    assert detector.get_write_count("events", "k") == (2 if by == "put" else 1)
    assert detector.stats().failures == 0


def test_who_gives_no_time_for_a_describe_is_not_interrupted_each_time(detector, monkeypatch, later):
    wire, tried = Wire(detector), []

    def interrupt(TableName):
        tried.append(TableName)
        raise KeyboardInterrupt

    monkeypatch.setattr(wire.client, "describe_table", interrupt)
    for n in range(20):
        try:
            put(wire)
        except KeyboardInterrupt:
            assert n < 2
    assert len(tried) == 2
    later(1)
    with pytest.raises(KeyboardInterrupt):
        put(wire)


def test_an_interrupt_by_a_warning_leaves_its_request_s_tables_to_the_next():
    def interrupts(warning):
        if warning.pk == "hot":
            raise KeyboardInterrupt

    detector = hotpart.HotPartitionDetector(1, 1, 60, on_warning=interrupts, logger=None)
    wire = Wire(detector, tables={"known": "id"})
    describes(wire, description)
    with pytest.raises(KeyboardInterrupt):
        wire.client.batch_write_item(
            RequestItems={
                "known": [{"PutRequest": {"Item": {"id": {"S": "hot"}}}}],
                "new": [{"PutRequest": {"Item": ITEM}}],
            }
        )
    wire.client.list_tables()
    assert detector.get_write_count("new", "k") == 1


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


def test_to_instrument_again_goes_on_with_what_was_to_be_described(detector, monkeypatch):
    wire = Wire(detector)

    def interrupt(TableName):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(wire.client, "describe_table", interrupt)
        put(wire)
    wire.answers["DescribeTable"] = DESCRIPTION
    hotpart.instrument(wire.client, detector)
    wire.client.list_tables()
    assert detector.get_write_count("events", "k") == 1


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


def test_nothing_is_kept_of_a_table_that_may_not_be_described(detector):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DENIED
    for _ in range(30):
        put(wire, x={"S": "x" * 100_000})
    assert unread(detector) == 30
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.describe_table(TableName="events")
    assert detector.get_write_count("events", "k") == 0


def test_what_one_client_was_denied_another_does_not_ask(detector, caplog):
    for _ in range(3):
        wire = Wire(detector)
        wire.answers["DescribeTable"] = DENIED
        wire.client.put_item(TableName="events", Item=ITEM)
        assert wire.operations().count("DescribeTable") == (1 if _ == 0 else 0)
        hotpart.uninstrument(wire.client)
    assert len(caplog.records) == 1


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


def test_an_interrupt_among_attempts_that_have_waited_loses_none():
    told = []

    def interrupts(warning):
        told.append(warning.pk)
        if warning.pk == "k2":
            raise KeyboardInterrupt

    detector = hotpart.HotPartitionDetector(1, 1, 60, on_warning=interrupts, logger=None)
    wire = Wire(detector)

    def answer(table):
        for n in range(5):
            put(wire, id={"S": f"k{n}"})
        return DESCRIPTION

    describes(wire, answer)
    with pytest.raises(KeyboardInterrupt):
        put(wire)
    assert [detector.get_write_count("events", pk) for pk in ("k", "k0", "k1", "k2", "k3", "k4")] == [1] * 6
    assert told == ["k", "k0", "k1", "k2"]
    # The rest is told with the thread's next warning.
    put(wire, id={"S": "next"})
    assert told == ["k", "k0", "k1", "k2", "k3", "k4", "next"]


def test_tables_that_strangers_name_are_not_kept_without_bound(detector):
    wire = Wire(detector)
    wire.answers |= {"PutItem": (500, {"__type": "InternalServerError"})}
    for n in range(1_100):
        with pytest.raises(botocore.exceptions.ClientError):
            put(wire, f"table{n}")
    (watcher,) = hotpart._instrument._watchers[wire.client]
    assert len(watcher._schemas.wanted) == 1_000


def test_whatever_becomes_of_describes_nothing_is_lost_and_nothing_counted_twice(detector, later):
    """Threads put and delete on tables of which most descriptions fail, or are interrupted."""
    wire, tables = Wire(detector), [f"table{n}" for n in range(10)]
    interrupted, describe_table = [], wire.client.describe_table

    class Stop(BaseException):
        pass

    def describe(TableName):
        chance = random.random()
        if chance < 0.3:
            raise Stop
        if chance < 0.6:
            raise OSError("lost")
        wire.answers["DescribeTable"] = description(TableName)
        return describe_table(TableName=TableName)

    def work(seed):
        for n in range(200):
            if n % 20 == 0:
                later(1)
            try:
                put(wire, tables[(n * 7 + seed) % 10])
            except Stop:
                interrupted.append(seed)

    # The answers of different tables must not be mixed up.
    lock = threading.RLock()

    def locked(TableName):
        with lock:
            return describe(TableName)

    random.seed(5)
    wire.client.describe_table = locked
    threads = [threading.Thread(target=work, args=[seed]) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    wire.client.describe_table = describe_table
    describes(wire, description)
    later()
    wire.client.list_tables()
    assert [detector.get_write_count(table, "k") for table in tables] == [80] * 10
    assert detector.stats().unread == 0 and interrupted

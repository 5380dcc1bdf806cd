"""Tables of which a description fails, is denied or is interrupted: what waits is not lost."""

import contextlib
import random
import threading

import clients
import fake
import pytest
from wire import DENIED, DESCRIPTION, GONE, ITEM, Wire, describes, description, put, unread

import hotpart

# So that a minute later all is there still.
WINDOW = 3_600


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


def test_what_waits_for_a_describe_that_got_no_answer_is_counted_by_a_later_one(detector, caplog, later):
    server = fake.Fake()
    # Nor did the second, whose pause is longer.
    server.answers += [(200, {}), None, (200, {}), None, (200, {}), fake.description("events")]
    try:
        client = hotpart.instrument(clients.client(server.endpoint), detector)
        client.put_item(TableName="events", Item=ITEM)
        for seconds in (1, 2):
            later(seconds)
            client.list_tables()
    finally:
        server.close()
    assert detector.get_write_count("events", "k") == 1
    assert detector.stats().failures == 2
    (record,) = caplog.records
    assert "DescribeTable failed (ConnectionClosedError): its requests wait" in record.getMessage()


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


def _interrupted(TableName):
    # Not by a signal: where tests run in the background, SIGINT may be ignored.
    raise KeyboardInterrupt


def test_to_instrument_again_goes_on_with_what_was_to_be_described(detector, monkeypatch):
    wire = Wire(detector)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(wire.client, "describe_table", _interrupted)
        put(wire)
    wire.answers["DescribeTable"] = DESCRIPTION
    hotpart.instrument(wire.client, detector)
    wire.client.list_tables()
    assert detector.get_write_count("events", "k") == 1


def test_nothing_is_kept_of_a_table_that_may_not_be_described(detector):
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DENIED
    for _ in range(30):
        put(wire, x={"S": "x" * 100_000})
    assert unread(detector) == 30
    wire.answers["DescribeTable"] = DESCRIPTION
    wire.client.describe_table(TableName="events")
    assert detector.get_write_count("events", "k") == 0


@pytest.mark.parametrize("first", ["describes none", "fails", "is interrupted"])
def test_what_one_client_does_not_describe_another_of_the_detector_does(detector, monkeypatch, later, first):
    one, other = Wire(detector, describe=first != "describes none"), Wire(detector)
    one.answers["DescribeTable"], other.answers["DescribeTable"] = GONE, DESCRIPTION
    with contextlib.ExitStack() as stack:
        if first == "is interrupted":
            stack.enter_context(pytest.raises(KeyboardInterrupt))
            stack.callback(monkeypatch.setattr, one.client, "describe_table", one.client.describe_table)
            monkeypatch.setattr(one.client, "describe_table", _interrupted)
        put(one)
    # The library asks once a minute; and the one is never used again.
    later(1)
    other.client.list_tables()
    assert other.operations() == ["ListTables", "DescribeTable"]
    assert detector.get_write_count("events", "k") == 1


def test_what_one_client_was_denied_another_does_not_ask(detector, caplog):
    for _ in range(3):
        wire = Wire(detector)
        wire.answers["DescribeTable"] = DENIED
        wire.client.put_item(TableName="events", Item=ITEM)
        assert wire.operations().count("DescribeTable") == (1 if _ == 0 else 0)
        hotpart.uninstrument(wire.client)
    assert len(caplog.records) == 1


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

"""Watching a client: nothing changes for its callers, whatever happens in here."""

import json
import logging
import sys
import threading

import botocore.awsrequest
import botocore.exceptions
import botocore.stub
import fake
import pytest
from clients import client
from wire import ITEM, Wire

import hotpart
from hotpart import HotPartitionDetector


@pytest.fixture
def wire(detector):
    return Wire(detector, tables={"events": "id", "events/index/by_ab": ["a", "b"]})


def test_an_answer_is_what_it_was(detector, wire):
    plain = Wire(detector)
    hotpart.uninstrument(plain.client)
    for one in (wire, plain):
        one.answers["GetItem"] = {"Item": ITEM | {"b": {"B": "AP8="}}}
    ask = {"TableName": "events", "Key": {"id": {"S": "k"}}}
    assert wire.client.get_item(**ask) == plain.client.get_item(**ask)
    assert detector.get_read_count("events", "k") > 0


def test_what_is_asked_for_in_capacity_mode_is_taken_out_again(detector, wire):
    consumed = {"TableName": "events", "CapacityUnits": 7.5}
    wire.answers["PutItem"] = {"ConsumedCapacity": consumed}
    put = {"TableName": "events", "Item": ITEM}
    answer = wire.client.put_item(**put)
    asked = wire.sent[-1][1].get("ReturnConsumedCapacity")
    if detector.capacity:
        assert (asked, "ConsumedCapacity" in answer) == ("INDEXES", False)
        assert detector.get_write_count("events", "k") == 7.5
    else:
        assert asked is None
    # What the caller asks for is the caller's.
    for own in ("TOTAL", "INDEXES"):
        assert wire.client.put_item(**put, ReturnConsumedCapacity=own)["ConsumedCapacity"] == consumed
        assert wire.sent[-1][1]["ReturnConsumedCapacity"] == ("INDEXES" if detector.capacity else own)
    if detector.capacity:
        assert "ConsumedCapacity" not in wire.client.put_item(**put, ReturnConsumedCapacity="NONE")
        assert wire.sent[-1][1]["ReturnConsumedCapacity"] == "INDEXES"
    # An attribute of that name is none of ours.
    item = ITEM | {"ReturnConsumedCapacity": {"S": "TOTAL"}, "x": {"S": '"ReturnConsumedCapacity": "TOTAL"'}}
    wire.client.put_item(TableName="events", Item=item)
    assert wire.sent[-1][1]["Item"] == item
    assert ("ReturnConsumedCapacity" in wire.sent[-1][1]) == detector.capacity


def test_operations_that_know_no_capacity_are_not_asked_for_it(detector, wire):
    wire.client.list_tables()
    wire.client.describe_table(TableName="events")
    assert all("ReturnConsumedCapacity" not in body for _, body in wire.sent)
    wire.client.scan(TableName="events")
    assert ("ReturnConsumedCapacity" in wire.sent[-1][1]) == detector.capacity
    assert detector.stats().unknown_operations == 1, "ListTables"


def test_an_error_in_here_is_logged_once_and_reaches_nobody(detector, wire, caplog, monkeypatch):
    def broken(*_):
        raise RuntimeError("broken")

    for watcher in hotpart._instrument._watchers[wire.client]:
        monkeypatch.setattr(watcher, "_observe_due", broken)
    for _ in range(3):
        assert wire.client.put_item(TableName="events", Item=ITEM)["ResponseMetadata"]["HTTPStatusCode"] == 200
    (record,) = caplog.records
    assert record.name == "hotpart" and "broken" in caplog.text


def test_each_kind_of_error_in_here_is_logged_once(detector, wire, caplog, monkeypatch):
    """The first must not hide the others, nor must each client say it again."""
    (watcher,) = hotpart._instrument._watchers[wire.client]
    observe, raises = watcher._observe_due, []

    def broken(*given):
        raised = raises.pop()
        if raised == "refused":
            return observe(given[0], given[1], b"[", *given[3:])
        if raised == "full":
            return hotpart._abi.ERR_MEMORY
        raise raised

    def put():
        wire.client.put_item(TableName="events", Item=ITEM)

    monkeypatch.setattr(watcher, "_observe_due", broken)
    for n in range(3):
        for raised in (RuntimeError(f"broken {n}"), KeyError(n), "refused", "full"):
            raises.append(raised)
            put()
    errors = [record.exc_info[0] for record in caplog.records]
    assert errors == [RuntimeError, KeyError, ValueError, MemoryError]
    assert "not the JSON" in caplog.records[2].getMessage()
    assert detector.stats().failures == 12, "and all are counted"
    # Another client of the same detector has the same to say.
    hotpart.instrument(wire.client, detector, tables={"events": "id"})
    (watcher,) = hotpart._instrument._watchers[wire.client]
    monkeypatch.setattr(watcher, "_observe_due", broken)
    raises.append(KeyError(4))
    put()
    assert len(caplog.records) == 4
    # Tables whose key is not known are many, and leave room for what is not of that kind.
    hotpart.instrument(wire.client, detector, describe=False)
    for n in range(150):
        wire.client.put_item(TableName=f"table{n}", Item=ITEM)
    assert len(caplog.records) == 104
    assert detector.stats().failures == 163

    def other(*_):
        raise OSError("another")

    monkeypatch.setattr("hotpart._instrument.observe_due", other)
    hotpart.instrument(wire.client, detector, tables={"events": "id"})
    put()
    assert caplog.records[-1].exc_info[0] is OSError


def test_a_request_that_is_not_in_dynamodb_s_json_is_heard_of(detector, wire, caplog):
    hotpart.uninstrument(wire.client)

    def speaks_otherwise(request_dict, **_):
        del request_dict["headers"]["X-Amz-Target"]

    wire.client.meta.events.register_first("needs-retry.dynamodb", speaks_otherwise)
    hotpart.instrument(wire.client, detector)
    for _ in range(2):
        wire.client.put_item(TableName="events", Item=ITEM)
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "could not be observed: it has no header X-Amz-Target, so it is not in DynamoDB's JSON"
    )
    assert detector.stats().failures == 2


def test_failures_of_many_threads_are_all_counted(detector, wire, monkeypatch):
    interval = sys.getswitchinterval()
    (watcher,) = hotpart._instrument._watchers[wire.client]

    def fail():
        for _ in range(2_000):
            watcher._failures.log(KeyError("broken"))

    threads = [threading.Thread(target=fail) for _ in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
    finally:
        sys.setswitchinterval(interval)
    assert detector.stats().failures == 8_000


def test_an_exception_of_dynamodb_s_is_what_it_was(detector, wire):
    plain, responses = Wire(detector), []
    hotpart.uninstrument(plain.client)
    for one in (wire, plain):
        one.answers["PutItem"] = 400, {"__type": "a#ConditionalCheckFailedException", "message": "no", "Item": ITEM}
        with pytest.raises(one.client.exceptions.ConditionalCheckFailedException) as raised:
            one.client.put_item(TableName="events", Item=ITEM)
        responses.append(raised.value.response)
    assert responses[0] == responses[1]
    assert detector.get_write_count("events", "k") == 1


def test_a_model_s_thresholds_hold_for_what_its_client_does():
    seen = []
    detector = HotPartitionDetector(100, 100, 60, on_warning=seen.append, logger=None)
    detector.set_model_thresholds("Event", writes_threshold=2)
    wire = Wire(detector, tables={"events": "id"}, model="Event")
    for _ in range(3):
        wire.client.put_item(TableName="events", Item=ITEM)
    assert [(warning.count, warning.threshold) for warning in seen] == [(2, 2)]


def test_uninstrument_undoes_it(detector, wire):
    put = {"TableName": "events", "Item": ITEM}
    other = HotPartitionDetector(100, 100, 60)
    hotpart.instrument(wire.client, other, tables={"events": "id"})
    # Twice is once.
    hotpart.instrument(wire.client, other)
    wire.client.put_item(**put)
    assert (detector.get_write_count("events", "k"), other.get_write_count("events", "k")) == (1, 1)
    assert hotpart.uninstrument(wire.client, detector) is wire.client
    wire.client.put_item(**put)
    assert (detector.get_write_count("events", "k"), other.get_write_count("events", "k")) == (1, 2)
    hotpart.uninstrument(wire.client)
    wire.client.put_item(**put)
    assert other.get_write_count("events", "k") == 2
    assert "ReturnConsumedCapacity" not in wire.sent[-1][1]


def test_a_closed_detector_is_left_alone(detector, wire, caplog):
    detector.close()
    wire.answers["PutItem"] = {"ConsumedCapacity": {"TableName": "events", "CapacityUnits": 1.0}}
    answer = wire.client.put_item(TableName="events", Item=ITEM)
    assert "ConsumedCapacity" in answer, "nobody asked for it, and nobody took it out"
    assert caplog.records == []


def test_stubber_works_as_before(detector, wire):
    with botocore.stub.Stubber(wire.client) as stubber:
        stubber.add_response("put_item", {}, {"TableName": "events", "Item": ITEM})
        stubber.add_client_error("put_item", "ProvisionedThroughputExceededException")
        wire.client.put_item(TableName="events", Item=ITEM)
        with pytest.raises(botocore.exceptions.ClientError):
            wire.client.put_item(TableName="events", Item=ITEM)
        stubber.assert_no_pending_responses()
    assert wire.sent == []
    assert detector.stats().records == 0, "nothing was sent"


def test_mock_aws_works_and_is_counted(detector):
    moto = pytest.importorskip("moto")
    boto3 = pytest.importorskip("boto3")
    with moto.mock_aws():
        who = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        mocked = hotpart.instrument(boto3.client("dynamodb", **who), detector)
        mocked.create_table(
            TableName="events",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )
        mocked.put_item(TableName="events", Item=ITEM)
        assert mocked.get_item(TableName="events", Key={"id": {"S": "k"}})["Item"] == ITEM
    assert detector.get_write_count("events", "k") == 1


def test_large_answers_are_cut_down_and_say_as_much(detector, wire, monkeypatch):
    told = []
    (watcher,) = hotpart._instrument._watchers[wire.client]
    observe = watcher._observe_due
    monkeypatch.setattr(watcher, "_observe_due", lambda *given: told.append(given[3]) or observe(*given))
    large = {"S": "x" * 20_000}
    returned = {"events": [{"PutRequest": {"Item": ITEM | {"b": {"B": "AP8="}}}}]}
    consumed = [{"TableName": "events", "CapacityUnits": 21.0}]
    wire.answers["BatchWriteItem"] = {
        "UnprocessedItems": returned,
        "ItemCollectionMetrics": {"events": [{"ItemCollectionKey": {"id": large}}]},
        "ConsumedCapacity": consumed,
    }
    other = {"PutRequest": {"Item": {"id": {"S": "l"}, "x": large}}}
    wire.client.batch_write_item(
        RequestItems={"events": [{"PutRequest": {"Item": ITEM | {"b": {"B": b"\0\xff"}}}}, other]}
    )
    assert len(told[-1]) < 1_000
    assert json.loads(told[-1]) == {"UnprocessedItems": returned, "ConsumedCapacity": consumed}
    assert detector.get_unattributed_count("events", "unprocessed", "write") == 1
    assert detector.get_write_count("events", "l") == (21 if detector.capacity else 1)
    # Without the capacity all of it is needed, to tell what was read.
    wire.answers["GetItem"] = {"Item": {"id": {"S": "k"}, "x": large}}
    wire.client.get_item(TableName="events", Key={"id": {"S": "k"}}, ConsistentRead=True)
    assert (len(told[-1]) > 20_000) == detector.capacity
    assert detector.get_read_count("events", "k") == (5 if detector.capacity else 1)


@pytest.mark.parametrize("wrong", ["dynamodb", None, object()])
def test_only_dynamodb_s_clients_are_watched(wrong):
    with pytest.raises(TypeError, match="client must be"):
        hotpart.instrument(wrong, HotPartitionDetector(1, 1, 60))


def test_other_services_are_refused():
    boto3 = pytest.importorskip("boto3")
    sts = boto3.client("sts", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(TypeError, match="dynamodb"):
        hotpart.instrument(sts, HotPartitionDetector(1, 1, 60))


def test_the_log_line_of_the_first_example(caplog):
    detector = HotPartitionDetector(writes_threshold=3, reads_threshold=1500, window_seconds=60)
    wire = Wire(detector, tables={"events": "id"})
    with caplog.at_level(logging.WARNING):
        for _ in range(4):
            wire.client.put_item(TableName="events", Item={"id": {"S": "EVENTS"}})
    assert [record.getMessage() for record in caplog.records] == [
        'Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s'
    ]


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("attempts", [1, 3])
def test_every_attempt_is_seen_in_every_mode_of_retries(detector, monkeypatch, mode, attempts):
    monkeypatch.setattr("time.sleep", lambda _: None)
    server = fake.Fake()
    server.answers += [None] * attempts
    lost = client(server.endpoint, attempts, mode)
    hotpart.instrument(lost, detector, tables={"events": "id"})
    with pytest.raises(botocore.exceptions.ConnectionClosedError):
        lost.put_item(TableName="events", Item=ITEM)
    server.close()
    assert detector.get_write_count("events", "k") == attempts
    # Nobody listens any more, so nothing is sent.
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        lost.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == attempts


def test_to_instrument_again_changes_the_options(detector, wire):
    detector.set_model_thresholds("Event", writes_threshold=1)
    hotpart.instrument(wire.client, detector, model="Event")
    wire.client.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == 1, "and not 2"
    assert detector.stats().suppressed + detector.stats().warnings == 1, "by the model's threshold"
    with pytest.raises(TypeError, match="model"):
        hotpart.instrument(wire.client, detector, model=3)


def test_a_model_may_have_any_name(detector, wire):
    for model in ("Event", "Event\0s", "\0"):
        detector.set_model_thresholds(model, writes_threshold=1)
        hotpart.instrument(wire.client, detector, model=model)
        suppressed = detector.stats().warnings
        wire.client.put_item(TableName="events", Item={"id": {"S": model}})
        assert detector.stats().warnings == suppressed + 1
    detector.observe("PutItem", b'{"TableName":"events","Item":{"id":{"S":"k"}}}', model="Event\0s")
    assert detector.stats().warnings == 4
    with pytest.raises(ValueError, match="JSON"):
        detector.observe("PutItem", b'{"TableName":"events","Item":{"id":{"S":"k"}}}\0')


def test_what_was_asked_for_is_taken_out_though_it_is_undone_meanwhile(detector, wire):
    wire.answers["PutItem"] = {"ConsumedCapacity": {"TableName": "events", "CapacityUnits": 1.0}}

    def undo(**_):
        hotpart.uninstrument(wire.client)

    wire.client.meta.events.register_first("before-send.dynamodb", undo)
    answer = wire.client.put_item(TableName="events", Item=ITEM)
    assert ("ConsumedCapacity" in answer) == (not detector.capacity), "as the answer was told"


def test_what_another_handler_answers_in_the_network_s_place_stays_as_it_is(detector, wire):
    consumed = {"TableName": "events", "CapacityUnits": 1.0}

    def answer(**_):
        return botocore.awsrequest.AWSResponse("http://cached", 200, {}, None), {"ConsumedCapacity": consumed}

    # Before ours, which is told all the same.
    wire.client.meta.events.register_first("before-call.dynamodb", answer)
    assert wire.client.put_item(TableName="events", Item=ITEM) == {"ConsumedCapacity": consumed}
    assert (wire.sent, detector.stats().records) == ([], 0)


def test_a_client_forgets_a_detector_that_was_closed(wire, detector):
    for _ in range(3):
        closed = HotPartitionDetector(1, 1, 60, capacity=True)
        hotpart.instrument(wire.client, closed)
        closed.close()
    wire.client.put_item(TableName="events", Item=ITEM)
    wire.client.put_item(TableName="events", Item=ITEM)
    assert [watcher.detector for watcher in hotpart._instrument._watchers[wire.client]] == [detector]
    assert detector.get_write_count("events", "k") == 2


def test_another_protocol_is_left_alone(detector, wire):
    params, context = {"body": b"\xbfiTableName", "headers": {}}, {}
    for watcher in hotpart._instrument._watchers[wire.client]:
        watcher._ask(model=type("Model", (), {"name": "PutItem"}), params=params, context=context)
    assert (params["body"], context) == (b"\xbfiTableName", {})


@pytest.mark.parametrize("options", [{"tables": ["events"]}, {"tables": {3: "id"}}, {"tables": {"events": 3}}])
def test_options_are_refused_by_name(detector, options):
    with pytest.raises(TypeError, match=r"tables|attributes"):
        Wire(detector, **options)
    with pytest.raises(TypeError, match="describe"):
        Wire(detector, describe="no")
    with pytest.raises(ValueError, match="tables"):
        Wire(detector, tables={"events/index/": "user"})


def test_only_an_open_detector_is_told():
    with pytest.raises(TypeError, match="detector"):
        Wire("detector")
    detector = HotPartitionDetector(1, 1, 60)
    detector.close()
    with pytest.raises(hotpart.ClosedError):
        Wire(detector)


def test_two_threads_instrument_once(detector):
    for _ in range(20):
        wire = Wire(detector)
        threads = [threading.Thread(target=hotpart.instrument, args=(wire.client, detector)) for _ in range(4)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        assert len(hotpart._instrument._watchers[wire.client]) == 1

"""Through the real boto3: throttles, cancelled transactions, ARNs, faults and lost answers."""

import botocore.exceptions
import pytest

import fake
from hotpart import ACCOUNT_LIMIT, KEY_RANGE, MAX_ON_DEMAND, PROVISIONED, READ, STRAY_THROTTLES, UNKNOWN, UNPROCESSED, WRITE
from watched import client, describe, watch

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/events"
REASONS = {
    "KeyRangeThroughputExceeded": KEY_RANGE,
    "ProvisionedThroughputExceeded": PROVISIONED,
    "AccountLimitExceeded": ACCOUNT_LIMIT,
    "MaxOnDemandThroughputExceeded": MAX_ON_DEMAND,
}
ITEM = {"id": {"S": "k"}, "g": {"S": "x"}}


@pytest.fixture
def server():
    server = fake.Fake()
    yield server
    assert server.answers == [], "every answer was asked for"
    server.close()


@pytest.fixture
def watched(server, detector, monkeypatch):
    """A client of the fake's that gives up after its third attempt, and does not wait before it tries again."""
    monkeypatch.setattr("time.sleep", lambda _: None)
    server.answers.append(fake.description("events"))
    describe(server.endpoint, detector, "events")
    watched = client(server.endpoint, attempts=3)
    watch(watched, detector, server.endpoint)
    return watched


def refused(call, **parameters):
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        call(**parameters)
    return raised.value.response["Error"]["Code"]


@pytest.mark.parametrize("kind", REASONS)
@pytest.mark.parametrize("operation", ["Write", "Read"])
@pytest.mark.parametrize("resource", ["Table", "Index"])
def test_each_attempt_that_is_throttled_counts_by_its_reason(server, watched, detector, kind, operation, resource):
    arn = ARN if resource == "Table" else ARN + "/index/by_g"
    server.answers += [fake.throttle((f"{resource}{operation}{kind}", arn))] * 3
    if operation == "Write":
        refused(watched.put_item, TableName="events", Item=ITEM)
    elif resource == "Table":
        refused(watched.get_item, TableName="events", Key={"id": {"S": "k"}})
    else:
        refused(watched.query, TableName="events", IndexName="by_g", KeyConditionExpression="g = :v",
                ExpressionAttributeValues={":v": {"S": "x"}})
    where = ("events", "k") if resource == "Table" else ("events/index/by_g", "x")
    op = WRITE if operation == "Write" else READ
    assert detector.throttles(op, *where, REASONS[kind]) == 3
    assert sum(detector.statistics().throttles) == 3
    assert detector.statistics().partitions == 0


def test_a_retry_that_succeeds_is_one_operation(server, watched, detector):
    server.answers += [fake.throttle(), fake.throttle(("TableWriteKeyRangeThroughputExceeded", ARN)), (200, {})]
    watched.put_item(TableName="events", Item=ITEM)
    assert detector.throttles(WRITE, "events", "k", UNKNOWN) == 1
    assert detector.throttles(WRITE, "events", "k", KEY_RANGE) == 1
    assert detector.count(WRITE, "events", "k") == (2 if detector.capacity else 1)


def test_faults_and_lost_answers_may_have_run(server, watched, detector):
    server.answers += [(500, {"__type": "InternalServerError"}), (503, b"<html>"), None]
    with pytest.raises((botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)):
        watched.put_item(TableName="events", Item=ITEM)
    assert detector.count(WRITE, "events", "k") == 3 * (2 if detector.capacity else 1)


def test_a_cancelled_transaction(server, watched, detector):
    put = {"Put": {"TableName": "events", "Item": ITEM}}
    check = {"ConditionCheck": {"TableName": "events", "Key": {"id": {"S": "l"}}, "ConditionExpression": "a = b"}}
    reasons = [{"Code": "ThrottlingError", "Message": "x"}, {"Code": "ConditionalCheckFailed"}]
    server.answers.append(fake.error("TransactionCanceledException", CancellationReasons=reasons))
    refused(watched.transact_write_items, TransactItems=[put, check])
    assert detector.throttles(WRITE, "events", "k", UNKNOWN) == 1
    assert detector.count(WRITE, "events", "l") == (4 if detector.capacity else 1)
    assert detector.count(WRITE, "events", "k") == 0


def test_a_replayed_transaction_reads(server, watched, detector):
    took = [{"TableName": "events", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]
    server.answers.append((200, {"ConsumedCapacity": took}))
    watched.transact_write_items(
        TransactItems=[{"Put": {"TableName": "events", "Item": ITEM}}], ClientRequestToken="t", ReturnConsumedCapacity="TOTAL"
    )
    assert detector.count(READ, "events", "k") == (4 if detector.capacity else 1)
    assert detector.count(WRITE, "events", "k") == 0


def test_arns_are_reduced_to_their_tables(server, watched, detector):
    server.answers.append((200, {"ConsumedCapacity": {"TableName": ARN, "CapacityUnits": 5.0}}))
    watched.put_item(TableName=ARN, Item=ITEM, ReturnConsumedCapacity="TOTAL")
    assert detector.count(WRITE, "events", "k") == (10 if detector.capacity else 1)


def test_throttles_hide_in_answers_of_batches(server, watched, detector):
    server.answers.append((200, {"Responses": [{"Error": {"Code": "ThrottlingError", "Message": "x"}}, {}]}))
    watched.batch_execute_statement(Statements=[
        {"Statement": "SELECT * FROM events WHERE id = 'k'"}, {"Statement": "SELECT * FROM events WHERE id = 'l'"}])
    assert detector.throttles(READ, "events", "k", UNKNOWN) == 1
    assert (detector.count(READ, "events", "k"), detector.count(READ, "events", "l")) == (0, 1)


def test_unprocessed_items_are_tallied(server, watched, detector):
    asked = {"events": [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": {"id": {"S": "l"}}}}]}
    server.answers.append((200, {"UnprocessedItems": {"events": asked["events"][:1]}}))
    watched.batch_write_item(RequestItems=asked)
    assert detector.unattributed(WRITE, "events", UNPROCESSED) == 1
    assert detector.count(WRITE, "events", "k") == 0
    assert detector.count(WRITE, "events", "l") == (2 if detector.capacity else 1)


def test_a_failed_condition_costs_by_the_item_that_is_there(server, watched, detector):
    item = {"id": {"S": "k"}, "x": {"S": "x" * 3000}}
    server.answers.append(fake.error("ConditionalCheckFailedException", Item=item))
    refused(watched.put_item, TableName="events", Item=ITEM, ConditionExpression="attribute_not_exists(id)")
    assert detector.count(WRITE, "events", "k") == (6 if detector.capacity else 1)


def test_an_index_s_throttle_without_its_key_is_the_index_s(server, watched, detector):
    server.answers += [fake.throttle(("IndexWriteKeyRangeThroughputExceeded", ARN + "/index/by_g"))] * 3
    refused(watched.delete_item, TableName="events", Key={"id": {"S": "k"}})
    assert detector.unattributed(WRITE, "events/index/by_g", STRAY_THROTTLES) == 3
    assert sum(detector.statistics().throttles) == 0

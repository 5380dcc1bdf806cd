"""Through the real boto3: throttles, cancelled transactions, ARNs, faults and lost answers."""

import botocore.exceptions
import fake
import pytest
from clients import client

import hotpart

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/events"
REASONS = {
    "KeyRangeThroughputExceeded": "key_range",
    "ProvisionedThroughputExceeded": "provisioned",
    "AccountLimitExceeded": "account_limit",
    "MaxOnDemandThroughputExceeded": "max_on_demand",
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
    watched = hotpart.instrument(client(server.endpoint, attempts=3), detector, describe=False)
    server.answers.append(fake.description("events"))
    watched.describe_table(TableName="events")
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
        refused(
            watched.query,
            TableName="events",
            IndexName="by_g",
            KeyConditionExpression="g = :v",
            ExpressionAttributeValues={":v": {"S": "x"}},
        )
    where = ("events", "k") if resource == "Table" else ("events/index/by_g", "x")
    op = operation.lower()
    assert detector.get_throttle_count(*where, op, REASONS[kind]) == 3
    assert sum(detector.stats().throttles.values()) == 3
    assert detector.stats().partitions == 0


def test_a_retry_that_succeeds_is_one_operation(server, watched, detector):
    server.answers += [fake.throttle(), fake.throttle(("TableWriteKeyRangeThroughputExceeded", ARN)), (200, {})]
    watched.put_item(TableName="events", Item=ITEM)
    assert detector.get_throttle_count("events", "k", "write", "unknown") == 1
    assert detector.get_throttle_count("events", "k", "write", "key_range") == 1
    assert detector.get_write_count("events", "k") == 1


def test_faults_and_lost_answers_may_have_run(server, watched, detector):
    server.answers += [(500, {"__type": "InternalServerError"}), (503, b"<html>"), None]
    with pytest.raises((botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)):
        watched.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == 3


def test_a_cancelled_transaction(server, watched, detector):
    put = {"Put": {"TableName": "events", "Item": ITEM}}
    check = {"ConditionCheck": {"TableName": "events", "Key": {"id": {"S": "l"}}, "ConditionExpression": "a = b"}}
    reasons = [{"Code": "ThrottlingError", "Message": "x"}, {"Code": "ConditionalCheckFailed"}]
    server.answers.append(fake.error("TransactionCanceledException", CancellationReasons=reasons))
    refused(watched.transact_write_items, TransactItems=[put, check])
    assert detector.get_throttle_count("events", "k", "write", "unknown") == 1
    assert detector.get_write_count("events", "l") == (2 if detector.capacity else 1)
    assert detector.get_write_count("events", "k") == 0


def test_a_replayed_transaction_reads(server, watched, detector):
    took = [{"TableName": "events", "CapacityUnits": 2.0, "ReadCapacityUnits": 2.0}]
    server.answers.append((200, {"ConsumedCapacity": took}))
    watched.transact_write_items(
        TransactItems=[{"Put": {"TableName": "events", "Item": ITEM}}],
        ClientRequestToken="t",
        ReturnConsumedCapacity="TOTAL",
    )
    assert detector.get_read_count("events", "k") == (2 if detector.capacity else 1)
    assert detector.get_write_count("events", "k") == 0


def test_arns_are_reduced_to_their_tables(server, watched, detector):
    server.answers.append((200, {"ConsumedCapacity": {"TableName": ARN, "CapacityUnits": 5.0}}))
    watched.put_item(TableName=ARN, Item=ITEM, ReturnConsumedCapacity="TOTAL")
    # Of a total the item's index takes what the item is estimated at.
    assert detector.get_write_count("events", "k") == (4 if detector.capacity else 1)
    assert detector.get_write_count("events/index/by_g", "x") == 1


def test_throttles_hide_in_answers_of_batches(server, watched, detector):
    server.answers.append((200, {"Responses": [{"Error": {"Code": "ThrottlingError", "Message": "x"}}, {}]}))
    watched.batch_execute_statement(
        Statements=[
            {"Statement": "SELECT * FROM events WHERE id = 'k'"},
            {"Statement": "SELECT * FROM events WHERE id = 'l'"},
        ]
    )
    assert detector.get_throttle_count("events", "k", "read", "unknown") == 1
    assert (detector.get_read_count("events", "k"), detector.get_read_count("events", "l")) == (
        0,
        0.5 if detector.capacity else 1,
    )


def test_unprocessed_items_are_tallied(server, watched, detector):
    asked = {"events": [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": {"id": {"S": "l"}}}}]}
    server.answers.append((200, {"UnprocessedItems": {"events": asked["events"][:1]}}))
    watched.batch_write_item(RequestItems=asked)
    assert detector.get_unattributed_count("events", "unprocessed", "write") == 1
    assert detector.get_write_count("events", "k") == 0
    assert detector.get_write_count("events", "l") == 1


def test_a_failed_condition_costs_by_the_item_that_is_there(server, watched, detector):
    item = {"id": {"S": "k"}, "x": {"S": "x" * 3000}}
    server.answers.append(fake.error("ConditionalCheckFailedException", Item=item))
    refused(watched.put_item, TableName="events", Item=ITEM, ConditionExpression="attribute_not_exists(id)")
    assert detector.get_write_count("events", "k") == (3 if detector.capacity else 1)


def test_an_index_s_throttle_without_its_key_is_the_index_s(server, watched, detector):
    server.answers += [fake.throttle(("IndexWriteKeyRangeThroughputExceeded", ARN + "/index/by_g"))] * 3
    refused(watched.delete_item, TableName="events", Key={"id": {"S": "k"}})
    assert detector.get_unattributed_count("events/index/by_g", "throttles", "write") == 3
    assert sum(detector.stats().throttles.values()) == 0

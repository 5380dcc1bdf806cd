"""A recording counts as its detector did: by another detector, and by the command."""

import json
import os
import subprocess

import botocore.exceptions
import fake
import pytest
from clients import client
from test_recording import TABLES, lines

import hotpart
from hotpart import HotPartitionDetector

SECRET = bytes(range(16))
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/events"
KEYS = [("events", "k"), ("events", "l"), ("events", "1"), ("other", "k"), ("other", "l")]


def traffic(watched, server):
    """Traffic with an answer to each."""
    item, other = {"id": {"S": "k"}, "n": {"N": "1"}}, {"id": {"S": "l"}, "n": {"N": "2"}}
    key = {"id": {"S": "k"}}

    def ask(answer, operation, **given):
        server.answers.append(answer if isinstance(answer, tuple) else (200, answer))
        try:
            getattr(watched, operation)(**given)
        except botocore.exceptions.ClientError:
            assert isinstance(answer, tuple)

    for _ in range(3):
        ask({}, "put_item", TableName="events", Item=item)
    ask({}, "put_item", TableName=ARN, Item=item)
    ask({}, "put_item", TableName="events", Item={"id": {"N": "1.0"}})
    ask({"Item": item}, "get_item", TableName="events", Key=key)
    condition = {"KeyConditionExpression": "id = :k", "ExpressionAttributeValues": {":k": {"S": "k"}}}
    ask({"Items": [item, item], "Count": 2}, "query", TableName="events", **condition)
    writes = {"events": [{"PutRequest": {"Item": item}}, {"PutRequest": {"Item": other}}]}
    writes["other"] = [{"DeleteRequest": {"Key": key}}]
    ask({"UnprocessedItems": {"other": writes["other"]}}, "batch_write_item", RequestItems=writes)
    reads = {"events": {"Keys": [key, {"id": {"S": "l"}}]}, "other": {"Keys": [key]}}
    ask({"Responses": {"events": [item], "other": []}}, "batch_get_item", RequestItems=reads)
    items = [{"Put": {"TableName": "events", "Item": item}}, {"Delete": {"TableName": "other", "Key": key}}]
    ask({}, "transact_write_items", TransactItems=items)
    codes = [{"Code": "ThrottlingError"}, {"Code": "None"}]
    cancelled = fake.error("TransactionCanceledException", CancellationReasons=codes)
    ask(cancelled, "transact_write_items", TransactItems=items)
    throttled = fake.throttle(("TableWriteKeyRangeThroughputExceeded", ARN))
    ask(throttled, "put_item", TableName="events", Item=item)
    ask(fake.error("ConditionalCheckFailedException", Item=item), "put_item", TableName="events", Item=item)
    ask((502, b"<html>\nk</html>"), "delete_item", TableName="other", Key={"id": {"S": "l"}})
    ask({"Items": [item]}, "execute_statement", Statement="SELECT * FROM \"events\" WHERE id = 'k' AND n > -1.5")
    ask({}, "execute_statement", Statement="INSERT INTO other VALUE {'id': 'k', 'n': 1}")
    one = {"Statement": "UPDATE events SET n = n - 1 WHERE id = ?", "Parameters": [{"S": "l"}]}
    two = {"Statement": "DELETE FROM other WHERE id = 'l' -- it's"}
    ask(
        {"Responses": [{"TableName": "events"}, {"TableName": "other"}]},
        "batch_execute_statement",
        Statements=[one, two],
    )
    ask({"Items": []}, "scan", TableName="other")
    assert server.answers == []


def counts(detector, name=lambda table, pk: pk):
    return {
        (table, pk): (
            detector.get_write_count(table, name(table, pk)),
            detector.get_read_count(table, name(table, pk)),
            *(detector.get_throttle_count(table, name(table, pk), "write", why) for why in ("key_range", "unknown")),
        )
        for table, pk in KEYS
    }


@pytest.mark.parametrize("redact", [False, SECRET], ids=["whole", "redacted"])
def test_a_recording_counts_as_the_detector_did(tmp_path, open_files, redact):
    path, server = tmp_path / "recording.jsonl", fake.Fake()
    detector = HotPartitionDetector(2**60, 2**60, 3_600, redact=redact)
    watched = hotpart.instrument(client(server.endpoint), detector, tables=TABLES, record_to=path)
    traffic(watched, server)
    server.close()
    hotpart.uninstrument(watched)
    counted = counts(detector)
    assert counted[("events", "k")] == (7, 4, 1, 1) and counted[("events", "1")] == (1, 0, 0, 0)
    assert detector.stats().failures == 0
    recorded = lines(path)
    assert len(recorded) == 18
    if redact:
        text = path.read_text(encoding="utf-8")
        assert '"k"' not in text and "'k'" not in text and "'l'" not in text and "html" not in text

    # Another detector, which is told of it, and has the redacted names for keys.
    again = HotPartitionDetector(2**60, 2**60, 3_600)
    for table, key in TABLES.items():
        again.set_key_schema(table, key)
    for one in recorded:
        bodies = [one[name] for name in ("request", "response")]
        bodies = [
            body if body is None else (body if isinstance(body, str) else json.dumps(body)).encode() for body in bodies
        ]
        again.observe(one["operation"], *bodies, one["http_status"])

    def name(table, pk):
        return detector.redacted(table, pk) or pk

    assert counts(again, name) == counted
    for what in ("scans", "unprocessed", "unread"):
        for table in TABLES:
            for operation in ("read", "write"):
                of = table, what, operation
                assert again.get_unattributed_count(*of) == detector.get_unattributed_count(*of), of

    command = os.environ.get("HOTPART_COMMAND")
    if not command:
        pytest.skip("HOTPART_COMMAND does not say where the command is: it is not asked to count the recording")
    keys = [f"--key={table}={key}" for table, key in TABLES.items()]
    report = json.loads(subprocess.check_output([command, "report", "--json", "--quiet", *keys, path]))
    assert (report["records"]["records"], report["records"]["bad"]) == (len(recorded), 0)
    told = {
        (operation["operation"], hot["table"], hot["pk"]): (hot["count"], hot["throttles"])
        for operation in report["operations"]
        for hot in operation["hottest"]
    }
    expected = {}
    # Of a partition's throttles it lists those for its key range.
    for (table, pk), (writes, reads, throttles, _) in counted.items():
        expected["write", table, name(table, pk)] = writes, throttles
        expected["read", table, name(table, pk)] = reads, 0
    assert told == {of: both for of, both in expected.items() if any(both)}

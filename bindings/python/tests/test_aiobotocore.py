"""aiobotocore's clients; in an environment of their own, as they pin botocore."""

import asyncio
import json
import pathlib
import re
import textwrap
import uuid

import pytest

session = pytest.importorskip("aiobotocore.session")

import aiobotocore  # noqa: E402
import botocore.exceptions  # noqa: E402
import fake  # noqa: E402
import servers  # noqa: E402
from aiobotocore.config import AioConfig  # noqa: E402
from aiobotocore.httpsession import AIOHTTPSession  # noqa: E402
from aiobotocore.httpxsession import HttpxSession  # noqa: E402
from conftest import free_port  # noqa: E402

import hotpart  # noqa: E402

WHO = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
KEY = {"AttributeName": "id", "KeyType": "HASH"}
ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/events"


def client(endpoint, **config):
    config = AioConfig(retries={"mode": "standard", **config}, read_timeout=20)
    return session.get_session().create_client("dynamodb", endpoint_url=endpoint, config=config, **WHO)


def item(pk, n=1):
    return {"id": {"S": pk}, "x": {"S": "x" * n}}


@pytest.fixture(autouse=True)
def patience(request, monkeypatch):
    """Long enough for a busy machine: one test alone is of how long that is."""
    if "keeps_no_request_for_long" not in request.node.name:
        monkeypatch.setattr("hotpart._instrument._PATIENCE", 30)


def test_the_readme_s_lines(endpoints, detector, monkeypatch):
    """As they stand there, with an item put by the client that they watch."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoints("dynalite"))
    for name, value in WHO.items():
        monkeypatch.setenv({"region_name": "AWS_DEFAULT_REGION"}.get(name, name.upper()), value)
    readme = (pathlib.Path(__file__).parent.parent / "README.md").read_text()
    lines = re.search(r"\*\*aiobotocore\*\*.*?```python\n(.*?)```", readme, re.DOTALL)[1]
    table = "t" + uuid.uuid4().hex[:8]

    async def put(client):
        attributes = [{"AttributeName": "id", "AttributeType": "S"}]
        await client.create_table(
            TableName=table, KeySchema=[KEY], BillingMode="PAY_PER_REQUEST", AttributeDefinitions=attributes
        )
        await client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
        await client.put_item(TableName=table, Item=item("a"))

    names = {"aiobotocore": aiobotocore, "hotpart": hotpart, "detector": detector, "put": put}
    exec(f"async def run():\n{textwrap.indent(lines, '    ')}        await put(client)", names)
    asyncio.run(names["run"]())
    assert detector.get_write_count(table, "a") == 1


@pytest.mark.parametrize("name", ["dynalite", "dynoxide"])
def test_every_request_counts(endpoints, detector, name):
    async def traffic():
        table = "t" + uuid.uuid4().hex[:8]
        async with client(endpoints(name)) as dynamodb:
            await dynamodb.create_table(
                TableName=table,
                KeySchema=[KEY],
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            )
            await dynamodb.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
            # Instrumented after that, so the table must be described.
            assert hotpart.instrument(dynamodb, detector) is dynamodb
            await asyncio.gather(*(dynamodb.put_item(TableName=table, Item=item("a", 9_000)) for _ in range(8)))
            assert detector.get_write_count(table, "a") == (72 if detector.capacity else 8)
            answer = await dynamodb.get_item(TableName=table, Key={"id": {"S": "a"}}, ConsistentRead=True)
            assert len(answer["Item"]["x"]["S"]) == 9_000 and "ConsumedCapacity" not in answer
            assert detector.get_read_count(table, "a") == (3 if detector.capacity else 1)
            answer = await dynamodb.query(
                TableName=table,
                KeyConditionExpression="id = :v",
                ExpressionAttributeValues={":v": {"S": "a"}},
                ReturnConsumedCapacity="TOTAL",
            )
            assert answer["ConsumedCapacity"]["CapacityUnits"] == 1.5
            assert detector.get_read_count(table, "a") == (4.5 if detector.capacity else 2)
            await dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": item(pk)}} for pk in "bc"]})
            assert detector.get_write_count(table, "b") == 1
            hotpart.uninstrument(dynamodb)
            await dynamodb.put_item(TableName=table, Item=item("b"))
            assert detector.get_write_count(table, "b") == 1
            assert detector.stats().estimated_units == 0

    asyncio.run(traffic())


def test_attempts_throttles_and_lost_answers(detector, monkeypatch):
    server = fake.Fake()

    async def traffic():
        async with client(server.endpoint, total_max_attempts=3) as dynamodb:
            hotpart.instrument(dynamodb, detector, describe=False, tables={"events": "id"})
            server.answers += [fake.throttle(("TableWriteKeyRangeThroughputExceeded", ARN)), (500, {}), (200, {})]
            await dynamodb.put_item(TableName="events", Item=item("k"))
            server.answers += [fake.throttle()] * 3
            with pytest.raises(botocore.exceptions.ClientError):
                await dynamodb.put_item(TableName="events", Item=item("k"))
            server.answers += [None] * 3
            with pytest.raises(botocore.exceptions.BotoCoreError):
                await dynamodb.put_item(TableName="events", Item=item("lost"))

    real = asyncio.sleep
    monkeypatch.setattr("asyncio.sleep", lambda *_: real(0))
    try:
        asyncio.run(traffic())
    finally:
        server.close()
    assert detector.get_write_count("events", "k") == 2, "the one that failed may have run"
    assert detector.get_throttle_count("events", "k", "write", "key_range") == 1
    assert detector.get_throttle_count("events", "k", "write", "unknown") == 3
    assert detector.get_write_count("events", "lost") >= 1


def test_every_attempt_is_recorded(detector, tmp_path):
    server, path = fake.Fake(), tmp_path / "recording"

    async def traffic():
        async with client(server.endpoint, total_max_attempts=2) as dynamodb:
            hotpart.instrument(dynamodb, detector, tables={"events": "id"}, model="Event", record_to=path)
            server.answers += [fake.throttle(("TableWriteKeyRangeThroughputExceeded", ARN)), (200, {})]
            await dynamodb.put_item(TableName="events", Item=item("k"))
            server.answers.append((200, {"Item": item("k", 20_000)}))
            await dynamodb.get_item(TableName="events", Key={"id": {"S": "k"}})
            hotpart.uninstrument(dynamodb)

    try:
        asyncio.run(traffic())
    finally:
        server.close()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(line["operation"], line["http_status"], line["model"]) for line in lines] == [
        ("PutItem", 400, "Event"),
        ("PutItem", 200, "Event"),
        ("GetItem", 200, "Event"),
    ]
    assert lines[1]["request"]["Item"] == item("k") and lines[2]["response"]["Item"] == item("k", 20_000)
    assert detector.stats().failures == 0


def test_a_table_that_may_not_be_described(detector, caplog):
    server = fake.Fake()

    async def traffic():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            server.answers += [(200, {}), fake.error("AccessDeniedException"), (200, {})]
            for _ in range(2):
                await dynamodb.put_item(TableName="events", Item=item("k"))

    try:
        asyncio.run(traffic())
        assert server.answers == []
    finally:
        server.close()
    assert len([record for record in caplog.records if record.name == "hotpart"]) == 1
    assert "DescribeTable failed (AccessDeniedException)" in caplog.text


@pytest.mark.parametrize("by", ["put", "other"])
def test_a_describe_that_is_cancelled_is_made_by_the_next(detector, by):
    """On whatever table, as nothing may come on that one any more."""
    server = fake.Fake()

    async def cancelled():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            described = asyncio.Event()

            async def slow(**_):
                described.set()
                await asyncio.sleep(60)

            dynamodb.describe_table = slow
            server.answers.append((200, {}))
            put = asyncio.ensure_future(dynamodb.put_item(TableName="events", Item=item("k")))
            await asyncio.wait_for(described.wait(), 30)
            put.cancel()
            with pytest.raises(asyncio.CancelledError):
                await put

    async def traffic():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            server.answers += [(200, {}), fake.description("events")]
            if by == "put":
                await dynamodb.put_item(TableName="events", Item=item("k"))
            else:
                await dynamodb.delete_item(TableName="other", Key={"id": {"S": "k"}})

    try:
        # With the loop ends what is under way in it.
        asyncio.run(cancelled())
        asyncio.run(traffic())
    finally:
        server.close()
    assert detector.get_write_count("events", "k") == (2 if by == "put" else 1)
    assert detector.stats().failures == 0


@pytest.mark.parametrize("given_up", [False, True])
def test_a_table_that_is_not_described_for_long_keeps_no_request_for_long(detector, given_up):
    """Its answer was lost to who gave it less time."""
    server = fake.Fake()

    async def traffic():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            real, on = dynamodb.describe_table, asyncio.Event()

            async def slow(**given):
                await on.wait()
                await real(**given)

            dynamodb.describe_table = slow
            server.answers.append((200, {}))
            put = dynamodb.put_item(TableName="events", Item=item("k"))
            if given_up:
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(put, 0.5)
            else:
                await asyncio.wait_for(put, 10)
            assert detector.get_write_count("events", "k") == 0
            # Nobody has to come for it to be counted.
            server.answers.append(fake.description("events"))
            on.set()
            while not detector.get_write_count("events", "k"):
                await asyncio.sleep(0.01)

    try:
        asyncio.run(asyncio.wait_for(traffic(), 30))
    finally:
        server.close()
    assert detector.stats().failures == 0


def test_nobody_waits_for_a_description_that_has_failed_before(detector, monkeypatch):
    server = fake.Fake()
    monkeypatch.setattr("hotpart._schemas._PAUSE", 0.01)

    async def traffic():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            server.answers += [(200, {}), fake.error("ResourceNotFoundException"), (200, {})]
            await dynamodb.put_item(TableName="events", Item=item("k"))

            async def never(**_):
                await asyncio.Event().wait()

            dynamodb.describe_table = never
            await asyncio.sleep(0.1)
            await asyncio.wait_for(dynamodb.put_item(TableName="events", Item=item("k")), 20)

    try:
        asyncio.run(traffic())
    finally:
        server.close()


def test_what_comes_while_a_table_is_described_is_counted_too(detector):
    server = fake.Fake()

    async def traffic():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            real, described = dynamodb.describe_table, []

            async def slow(**given):
                described.append(given)
                await asyncio.gather(*(dynamodb.put_item(TableName="events", Item=item("k")) for _ in range(20)))
                server.answers.append(fake.description("events"))
                await real(**given)

            dynamodb.describe_table = slow
            server.answers += [(200, {})] * 21
            await dynamodb.put_item(TableName="events", Item=item("k"))
            assert described == [{"TableName": "events"}]

    try:
        asyncio.run(traffic())
    finally:
        server.close()
    assert detector.get_write_count("events", "k") == 21


def test_a_request_on_several_unknown_tables_describes_them_all(detector):
    server, tables = fake.Fake(), ("aaa", "bbb", "ccc")

    async def traffic():
        async with client(server.endpoint, total_max_attempts=1) as dynamodb:
            hotpart.instrument(dynamodb, detector)
            real, asked = dynamodb.describe_table, []

            async def describe(TableName):
                asked.append(TableName)
                server.answers.append(
                    fake.error("ResourceNotFoundException") if len(asked) == 2 else fake.description(TableName)
                )
                return await real(TableName=TableName)

            dynamodb.describe_table = describe
            server.answers.append((200, {}))
            batch = {table: [{"PutRequest": {"Item": item("k")}}] for table in tables}
            await dynamodb.batch_write_item(RequestItems=batch)
            assert sorted(asked) == list(tables)
            return asked[1]

    try:
        failed = asyncio.run(traffic())
    finally:
        server.close()
    assert [detector.get_write_count(table, "k") for table in tables] == [int(table != failed) for table in tables]
    assert detector.stats().failures == 1


@pytest.fixture(params=[AIOHTTPSession, HttpxSession])
def put(request, detector):
    """Puts an item once, in vain, and returns what was counted."""

    async def traffic(endpoint, config):
        config = AioConfig(retries={"total_max_attempts": 1}, http_session_cls=request.param, **config)
        made = session.get_session().create_client(
            "dynamodb", endpoint_url=endpoint, config=config, verify=False, **WHO
        )
        async with made as dynamodb:
            hotpart.instrument(dynamodb, detector, tables={"events": "id"})
            with pytest.raises(botocore.exceptions.BotoCoreError):
                await dynamodb.put_item(TableName="events", Item=item("k"))

    def put(endpoint, **config):
        before = detector.get_write_count("events", "k")
        asyncio.run(traffic(endpoint, config))
        return detector.get_write_count("events", "k") - before

    return put


def test_what_never_left_is_no_write(put):
    assert put(f"http://127.0.0.1:{free_port()}") == 0, "refused"
    assert put("http://nobody.invalid:8000") == 0, "not resolved"
    with servers.full() as port:
        assert put(f"http://127.0.0.1:{port}", connect_timeout=0.3) == 0, "not connected in time"
    for serve in (servers.resets, servers.refuses_to_connect):
        with servers.server(serve) as port:
            assert put(f"https://127.0.0.1:{port}") == 0, "a handshake that fails"
    proxy = f"http://127.0.0.1:{free_port()}"
    assert put("http://dynamodb.invalid", proxies={"http": proxy}) == 0, "a proxy that is not reached"
    with servers.server(servers.refuses_to_connect) as port:
        proxy = f"http://127.0.0.1:{port}"
        assert put("https://dynamodb.invalid", proxies={"https": proxy}) == 0, "a proxy that refuses"


def test_what_breaks_off_after_it_was_sent_may_have_run(put):
    with servers.server(servers.resets) as port:
        assert put(f"http://127.0.0.1:{port}") == 1
        assert put(f"http://127.0.0.1:{port}", proxies={"http": f"http://127.0.0.1:{port}"}) == 1
    with servers.server(servers.silent) as port:
        assert put(f"http://127.0.0.1:{port}", read_timeout=0.3) == 1


def test_an_interrupted_read_is_no_refusal_though_the_caller_handles_one(detector, put):
    try:
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="theirs", error=ConnectionRefusedError())
    except botocore.exceptions.EndpointConnectionError:
        with servers.server(servers.resets) as port:
            assert put(f"http://127.0.0.1:{port}") == 1

"""As a drop-in for pydynox 1.8's detector, in pydynox itself."""

import asyncio
import random
import re
import uuid

import pytest

pydynox = pytest.importorskip("pydynox")

from pydynox.diagnostics import HotPartitionDetector as Theirs  # noqa: E402

from hotpart import HotPartitionDetector as Ours  # noqa: E402


def drop_in(*arguments, **options):
    return Ours(*arguments, **options, logger="pydynox.diagnostics", warning_interval_seconds=0)


@pytest.fixture(params=[Theirs, drop_in], ids=["pydynox", "hotpart"])
def made(request):
    return request.param


def test_its_constructor_and_properties(made):
    detector = made(writes_threshold=500, reads_threshold=1_500, window_seconds=60)
    assert (detector.writes_threshold, detector.reads_threshold, detector.window_seconds) == (500, 1_500, 60)


def test_its_thresholds(made):
    detector = made(500, 1_500, 60)
    detector.set_table_thresholds("events", writes_threshold=2_000)
    assert (detector._get_writes_threshold("events"), detector._get_reads_threshold("events")) == (2_000, 1_500)
    detector.set_table_thresholds("events", writes_threshold=None, reads_threshold=5_000)
    assert (detector._get_writes_threshold("events"), detector._get_reads_threshold("events")) == (500, 5_000)
    assert detector._get_writes_threshold("other") == 500


def test_the_same_calls_give_the_same_counts_and_lines(caplog):
    rng, seen = random.Random(11), []
    calls = [(rng.choice(["record_write", "record_read"]), rng.choice("tu"), rng.choice("abc")) for _ in range(500)]
    for made in (Theirs, drop_in):
        caplog.clear()
        detector = made(20, 30, 60)
        detector.set_table_thresholds("u", writes_threshold=10)
        for call, table, pk in calls:
            getattr(detector, call)(table, pk)
        counts = [
            get(table, pk)
            for get in (detector.get_write_count, detector.get_read_count)
            for table in "tu"
            for pk in "abc"
        ]
        assert {record.name for record in caplog.records} == {"pydynox.diagnostics"}
        detector.clear()
        assert detector.get_write_count("t", "a") == 0 and detector._get_writes_threshold("u") == 20
        seen.append((counts, [record.getMessage() for record in caplog.records]))
    assert seen[0] == seen[1]
    assert re.fullmatch(r'Hot partition detected - table="\w" pk="\w" had \d+ (writes|reads) in 60s', seen[0][1][0])


def test_its_client_and_its_models_take_it(endpoints):
    detector = drop_in(500, 1_500, 60)
    client = pydynox.DynamoDBClient(
        endpoint_url=endpoints("dynoxide"),
        region="us-east-1",
        access_key="test",
        secret_key="test",
        diagnostics=detector,
    )
    table = "t" + uuid.uuid4().hex[:8]

    class User(pydynox.Model):
        model_config = pydynox.ModelConfig(table=table, client=client, hot_partition_writes=3, hot_partition_reads=7)
        pk = pydynox.attributes.StringAttribute(partition_key=True)

    async def traffic():
        await client.create_table(table, partition_key=("pk", "S"))
        for _ in range(4):
            await User(pk="a").save()
        assert (await User.get(pk="a")).pk == "a"

    asyncio.run(traffic())
    assert detector.get_write_count(table, "a") == 4
    assert detector.get_read_count(table, "a") == 1
    assert (detector._get_writes_threshold(table), detector._get_reads_threshold(table)) == (3, 7)

"""A sample for type checkers. Not run."""

import logging
import pathlib
from decimal import Decimal

from typing_extensions import assert_type

import hotpart
from hotpart import (
    Bounds,
    ClosedMinute,
    HotPartition,
    HotPartitionDetector,
    HotPartitionWarning,
    Statistics,
    fleet_least,
    otel,
)
from hotpart.cloudwatch import MinuteLines
from hotpart.testing import ManualDetector


def warned(warning: HotPartitionWarning) -> None:
    assert_type(warning.count, float)
    assert_type(warning.carried, float)
    print(warning.table, warning.pk, str(warning))


operations = HotPartitionDetector(writes_threshold=500, reads_threshold=1500, window_seconds=60, on_warning=warned)
assert_type(operations, HotPartitionDetector[int])
assert_type(operations.record_write("events", "EVENTS"), int)
assert_type(operations.record_read("events", b"EVENTS", 2, model="Event"), int)
assert_type(operations.get_write_count("events", Decimal("1.5")), int)
assert_type(operations.get_table_thresholds("events"), tuple[int | None, int | None])
assert_type(operations.hottest(3, "write"), list[HotPartition])
assert_type(operations.hottest_closed("write", 3), ClosedMinute)
assert_type(operations.stats(), Statistics)
assert_type(operations.stats().filter_load, float)
assert_type(operations.metrics(), str)
assert_type(operations.metrics(least=fleet_least(60_000, processes=50), demand_only=True), str)

units = HotPartitionDetector(500.5, 1500, 60, capacity=True, logger=logging.getLogger("mine"), max_partitions=10_000)
assert_type(units, HotPartitionDetector[float])
assert_type(units.get_read_count("events", 7), float)

limits = HotPartitionDetector.for_dynamodb(share=0.8, processes=4, redact=True, memory="8MiB")
assert_type(limits, HotPartitionDetector[float])
assert_type(limits.bounds("events", "EVENTS", "write"), Bounds)
assert_type(limits.metrics(least=0.5), str)

fixed = HotPartitionDetector(500, 1500, 60, memory=8 * 2**20, promote_share=0.25)
assert_type(fixed.bounds("events", "EVENTS", "read").least, float)

with otel.instrument(limits, least=0.5, attributes={"cloud.region": "eu-central-1"}) as instrumented:
    assert_type(instrumented, otel.Instrumented)


def a_detector_of_either_kind(detector: HotPartitionDetector) -> None:
    detector.record_write("events", "EVENTS")


a_detector_of_either_kind(operations)
a_detector_of_either_kind(limits)

with HotPartitionDetector(500, 1500, 60) as inside:
    inside.set_table_thresholds("events", writes_threshold=2_000)


class Client:
    """As boto3-stubs has them."""


client = hotpart.instrument(Client(), operations, tables={"events": "id", "events/index/by_ab": ["a", "b"]})
assert_type(client, Client)
assert_type(hotpart.instrument(client, operations, record_to=pathlib.Path("requests.jsonl")), Client)
assert_type(hotpart.instrument(client, operations, record_to=logging.StreamHandler()), Client)
assert_type(hotpart.uninstrument(client), Client)

ManualDetector(3).advance(1.5)

lines = MinuteLines(operations, 100, least=300, write=print, dimensions={"service": "orders"})
assert_type(lines.flush(), int)


@lines.handler
def handler(event: dict[str, str], context: object) -> str:
    return event["id"]


assert_type(handler({}, None), str)

"""The collector, with the real prometheus_client."""

import pytest

prometheus_client = pytest.importorskip("prometheus_client")

from hotpart import HotPartitionDetector  # noqa: E402
from hotpart.prometheus import HotpartCollector  # noqa: E402


def test_a_registry_collects_the_detector():
    detector = HotPartitionDetector(100, 100, 60, capacity=True)
    registry = prometheus_client.CollectorRegistry()
    registry.register(HotpartCollector(detector, hottest=1))
    detector.record_read("events", 'a"b\\c\nd', 12.5)
    detector.record_read("events", "other", 1)
    value = registry.get_sample_value
    assert value("hotpart_records_total") == 2
    of = {"table": "events", "pk": 'a"b\\x5Cc\nd', "operation": "read"}
    assert value("hotpart_partition_units", of) == 12.5
    assert value("hotpart_partition_units", of | {"pk": "other"}) is None
    assert b"hotpart_partition_units{" in prometheus_client.generate_latest(registry)
    detector.close()
    assert value("hotpart_records_total") is None


def test_several_detectors_are_told_apart_by_their_names():
    detectors = {region: HotPartitionDetector(100, 100, 60) for region in ("eu", "us")}
    registry = prometheus_client.CollectorRegistry()
    registry.register(HotpartCollector(detectors))
    detectors["us"].record_write("t", "k")
    values = [registry.get_sample_value("hotpart_records_total", {"detector": region}) for region in detectors]
    assert values == [0, 1]
    text = prometheus_client.generate_latest(registry).decode()
    assert text.count("# TYPE hotpart_records_total counter") == 1


def test_what_has_the_least_is_collected_and_of_it_the_demand_alone():
    detector = HotPartitionDetector(100, 100, 60)
    registry = prometheus_client.CollectorRegistry()
    registry.register(HotpartCollector(detector, hottest=1, least=2, demand_only=True))
    for pk, writes in {"a": 3, "b": 2, "c": 1}.items():
        detector.record_write("t", pk, writes)
    of = {"table": "t", "operation": "write"}
    demands = [registry.get_sample_value("hotpart_partition_demand", of | {"pk": pk}) for pk in "abc"]
    assert demands == [3, 2, None]
    assert registry.get_sample_value("hotpart_partition_unlisted_most", {"operation": "write"}) == 1
    assert registry.get_sample_value("hotpart_partition_peak", of | {"pk": "a"}) is None


def test_what_a_detector_refuses_is_said_when_the_collector_is_made():
    bounded = HotPartitionDetector(1_000, 1_000, 60, memory="1MiB")
    HotpartCollector({"one": HotPartitionDetector(1_000, 1_000, 60), "two": bounded}, least=251)
    with pytest.raises(ValueError, match=r"^least must be more than the count from which"):
        HotpartCollector({"one": HotPartitionDetector(1_000, 1_000, 60), "two": bounded}, least=250)


def test_thresholds_that_are_raised_later_cost_the_program_no_metrics(caplog):
    detector = HotPartitionDetector(4_000, 4_000, 60, memory="1MiB")
    registry = prometheus_client.CollectorRegistry()
    registry.register(HotpartCollector(detector, least=1_100, demand_only=True))
    detector.record_write("t", "hot", 3_000)
    detector.set_table_thresholds("t", 8_000, 8_000)
    value = registry.get_sample_value
    assert value("hotpart_partition_demand", {"table": "t", "pk": "hot", "operation": "write"}) >= 3_000
    assert value("hotpart_partition_unlisted_most", {"operation": "write"}) >= 1_999
    assert caplog.text.count("only the 100 hottest partitions are listed: least must be more than") == 1

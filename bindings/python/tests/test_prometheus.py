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
    of = {"table": "events", "pk": r"a\x22b\x5Cc\x0Ad", "operation": "read"}
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

"""The instruments of OpenTelemetry, read in memory by the real SDK."""

import logging
import subprocess
import sys

import pytest

pytest.importorskip("opentelemetry.sdk")

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    InMemoryMetricReader,
    MetricExporter,
    MetricExportResult,
    PeriodicExportingMetricReader,
)

from hotpart import HotPartitionDetector, otel
from hotpart.testing import ManualDetector

DYNAMODB = {"db.system.name": "aws.dynamodb"}


class Meter:
    """A meter and what its instruments tell."""

    def __init__(self):
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider([self.reader])
        self.meter = self.provider.get_meter("hotpart")

    def metrics(self):
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name: metric for scope in scopes for metric in scope.metrics}

    def points(self, name):
        metric = self.metrics().get(name)
        return [(dict(point.attributes), point.value) for point in metric.data.data_points] if metric else []

    def keys(self, operation="write"):
        points = self.points("hotpart.partition.demand")
        return sorted(of["hotpart.partition.key"] for of, _ in points if of["hotpart.operation"] == operation)


@pytest.fixture
def meter():
    meter = Meter()
    yield meter
    meter.provider.shutdown()


def test_names_units_and_attributes(meter):
    detector = ManualDetector(3)
    otel.instrument(detector, meter.meter, least=2)
    for pk, writes in {"a": 3, "b": 1}.items():
        detector.record_write("events", pk, writes)
    detector.record_throttle("events", "a", "write", "key_range")
    detector.forget_table("unknown")
    detector.observe("PutItem", b'{"TableName":"unknown","Item":{"id":{"S":"a"}}}', b"{}")
    metrics = meter.metrics()
    told = {
        name: (
            metric.unit,
            type(metric.data).__name__,
            {tuple(p.attributes.items()): p.value for p in metric.data.data_points},
        )
        for name, metric in metrics.items()
    }
    assert told["hotpart.partition.demand"] == (
        "{operation}",
        "Gauge",
        {
            (
                *DYNAMODB.items(),
                ("db.collection.name", "events"),
                ("hotpart.partition.key", "a"),
                ("hotpart.operation", "write"),
            ): 4
        },
    )
    assert told["hotpart.partition.unlisted"] == (
        "{operation}",
        "Gauge",
        {(*DYNAMODB.items(), ("hotpart.operation", operation)): n for operation, n in {"write": 1, "read": 0}.items()},
    )
    assert told["hotpart.records"] == ("{record}", "Sum", {tuple(DYNAMODB.items()): 2})
    assert told["hotpart.warnings"] == ("{warning}", "Sum", {tuple(DYNAMODB.items()): 1})
    unit, kind, throttles = told["hotpart.throttles"]
    assert (unit, kind) == ("{throttle}", "Sum") and metrics["hotpart.throttles"].data.is_monotonic
    assert {dict(of)["hotpart.throttle.reason"]: n for of, n in throttles.items()} == detector.stats().throttles
    assert told["hotpart.unread"] == ("{part}", "Sum", {tuple(DYNAMODB.items()): 1})
    assert len(told) == 6


def test_capacity_is_in_units_and_utilization_told_where_it_is_asked_for(meter):
    detector = HotPartitionDetector.for_dynamodb(manual_clock=True)
    otel.instrument(detector, meter.meter, least=0.5, utilization=True)
    detector.record_write("events", "a", 500.5)
    metrics = meter.metrics()
    assert metrics["hotpart.partition.demand"].unit == metrics["hotpart.partition.unlisted"].unit == "{capacity_unit}"
    [(_, demand)], [(of, share)] = (
        meter.points("hotpart.partition.demand"),
        meter.points("hotpart.partition.utilization"),
    )
    assert demand == 500.5 and share == pytest.approx(0.5, abs=0.001)
    assert of["hotpart.partition.key"] == "a" and metrics["hotpart.partition.utilization"].unit == "1"


def test_sets_that_are_stale_are_gone(meter):
    detector = ManualDetector()
    otel.instrument(detector, meter.meter)
    for keys in ("ab", "bc"):
        for pk in keys:
            detector.record_write("t", pk)
        assert meter.keys() == list(keys)
        detector.advance(61)
    assert meter.keys() == []


def test_990_sets_of_each_operation_are_the_most(meter):
    detector = ManualDetector(10**6, 10**6)
    otel.instrument(detector, meter.meter, least=2)
    for n in range(1, 1_501):
        detector.record_write("t", str(n), n)
        detector.record_read("t", str(n), n)
    points = meter.points("hotpart.partition.demand")
    assert len(points) == 1_980 and not any("otel.metric.overflow" in of for of, _ in points)
    assert min(demand for _, demand in points) == 511
    assert [most for _, most in meter.points("hotpart.partition.unlisted")] == [510, 510]


def test_keys_are_redacted_where_the_detector_does_so(meter):
    detector = ManualDetector(redact=b"0123456789abcdef")
    otel.instrument(detector, meter.meter)
    detector.record_write("t", "secret")
    assert meter.keys() == [detector.redacted("t", "secret")]


@pytest.mark.parametrize(
    ("pk", "told"),
    [
        ('a"b', 'a"b'),
        ("a\nb", "a\nb"),
        ("a\\b", "a\\x5Cb"),
        ("a\\nb", "a\\x5Cnb"),
        ("\r\u2028\x85\0", "\\x0D\u2028\\xC2\\x85\\x00"),
        (b"\xff", "\\xFF"),
        ('",operation="read"} 9', '",operation="read"} 9'),
        ("", ""),
        ("schlüssel 🔥", "schlüssel 🔥"),
    ],
)
def test_keys_are_told_as_the_library_writes_them(meter, pk, told):
    detector = ManualDetector()
    otel.instrument(detector, meter.meter)
    detector.record_write("t", pk)
    assert meter.keys() == [told]


def test_a_collection_reads_the_detector_once(meter, monkeypatch):
    detector, calls = ManualDetector(), []
    otel.instrument(detector, meter.meter, utilization=True)
    for name in ("metrics", "stats"):
        real = getattr(detector, name)
        monkeypatch.setattr(
            detector, name, lambda *a, real=real, name=name, **k: (calls.append(name), real(*a, **k))[1]
        )
    for _ in range(2):
        meter.metrics()
        assert sorted(calls) == ["metrics", "stats"]
        calls.clear()


def test_what_two_readers_have_is_of_their_own_collections():
    kept, first, detector = Kept(), InMemoryMetricReader(), ManualDetector()
    second = PeriodicExportingMetricReader(kept, export_interval_millis=float("inf"))
    provider = MeterProvider([first, second])
    otel.instrument(detector, provider.get_meter("hotpart"))
    detector.record_write("t", "k")
    assert first.get_metrics_data() is not None
    second.force_flush()
    provider.shutdown()
    assert sorted(kept.names) == [
        "hotpart.partition.demand",
        "hotpart.partition.unlisted",
        "hotpart.records",
        "hotpart.throttles",
        "hotpart.unread",
        "hotpart.warnings",
    ]


def test_detectors_of_one_meter_are_told_apart_and_end_apart(meter, caplog):
    detectors = {region: ManualDetector() for region in ("eu", "us")}
    made = {
        region: otel.instrument(detector, meter.meter, attributes={"cloud.region": region})
        for region, detector in detectors.items()
    }
    detectors["us"].record_write("t", "k")
    records = [(of["cloud.region"], n) for of, n in meter.points("hotpart.records")]
    assert records == [("eu", 0), ("us", 1)] and meter.keys() == ["k"]
    made["us"].close()
    made["us"].close()
    assert [of["cloud.region"] for of, _ in meter.points("hotpart.records")] == ["eu"] and meter.keys() == []
    with otel.instrument(detectors["us"], meter.meter):
        assert meter.keys() == ["k"], "it can begin anew"
    assert meter.keys() == []
    assert caplog.text == ""


def test_detectors_of_operations_and_of_capacity_share_a_meter(meter):
    for capacity in (False, True):
        detector = ManualDetector(capacity=capacity)
        otel.instrument(detector, meter.meter, attributes={"mine": str(capacity)})
        detector.record_write("t", "k")
    assert [n for _, n in meter.points("hotpart.records")] == [1, 1]
    data = meter.reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    demands = [(m.unit, p.value) for m in data if m.name == "hotpart.partition.demand" for p in m.data.data_points]
    assert demands == [("{operation}", 1), ("{capacity_unit}", 1.0)]


def test_a_failure_costs_nothing_but_itself_and_is_logged_once(meter, monkeypatch, caplog):
    broken, whole = ManualDetector(), ManualDetector()
    for region, detector in {"eu": broken, "us": whole}.items():
        otel.instrument(detector, meter.meter, attributes={"cloud.region": region})
        detector.record_write("t", region)

    def fail(*_, **__):
        raise MemoryError("there is none")

    monkeypatch.setattr(broken, "metrics", fail)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert meter.keys() == ["us"]
            assert len(meter.points("hotpart.records")) == 2
    assert [record.message for record in caplog.records] == ["metrics could not be collected: there is none"]
    assert broken.stats().failures == 12, "of two instruments in six collections"


def test_a_closed_detector_is_told_of_no_more(meter, caplog):
    detector = ManualDetector()
    otel.instrument(detector, meter.meter)
    detector.record_write("t", "k")
    assert meter.keys() == ["k"]
    detector.close()
    assert meter.keys() == [] and meter.points("hotpart.records") == [] and caplog.text == ""


@pytest.mark.parametrize(
    ("given", "error", "named"),
    [
        ({"least": 0}, ValueError, "least"),
        ({"least": 1.5}, TypeError, "least"),
        ({"hottest": -1}, ValueError, "hottest"),
        ({"utilization": 1}, TypeError, "utilization"),
    ],
)
def test_what_is_wrong_is_named(meter, given, error, named):
    with pytest.raises(error, match=f"^{named} must be"):
        otel.instrument(ManualDetector(), meter.meter, **given)
    with pytest.raises(TypeError, match=r"^detector must be"):
        otel.instrument("detector", meter.meter)
    with pytest.raises(ValueError, match=r"^least must be more than the count from which"):
        otel.instrument(ManualDetector(1_000, 1_000, memory="1MiB"), meter.meter, least=250)
    assert meter.metrics() == {}


def test_thresholds_that_are_raised_later_cost_no_metrics(meter, caplog):
    detector = ManualDetector(4_000, 4_000, memory="1MiB")
    otel.instrument(detector, meter.meter, least=1_100)
    detector.record_write("t", "hot", amount=3_000)
    detector.record_throttle("t", "hot", "write", "key_range")
    detector.set_table_thresholds("t", 8_000, 8_000)  # 1,100 is no longer over what is counted exactly.
    for _ in range(3):
        assert [most >= 1_999 for _, most in meter.points("hotpart.partition.unlisted")] == [True, True]
        assert [sum(n for _, n in meter.points(f"hotpart.{of}")) for of in ("records", "throttles")] == [1, 1]
        assert meter.keys() == ["hot"]
    assert caplog.text.count("only the 100 hottest partitions are listed: least must be more than the count") == 1


def test_with_a_bound_on_partitions_what_is_unlisted_is_not_told(meter):
    detector = ManualDetector(max_partitions=100)
    otel.instrument(detector, meter.meter, least=2)
    detector.record_write("t", "k", 2)
    assert meter.keys() == ["k"] and meter.points("hotpart.partition.unlisted") == []


# The provider may be set after the detectors are made: each then has a meter that becomes the one meter.
BEFORE = """
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from hotpart import HotPartitionDetector, otel
for n in range(2):
    detector = HotPartitionDetector(9, 9, 60)
    detector.record_write("t", str(n))
    otel.instrument(detector, attributes={"n": n})
reader = InMemoryMetricReader()
metrics.set_meter_provider(MeterProvider([reader]))
[scope] = reader.get_metrics_data().resource_metrics[0].scope_metrics
print(sorted(p.attributes["n"] for m in scope.metrics for p in m.data.data_points if m.name == "hotpart.partition.demand"))
"""


def test_the_provider_may_be_set_later():
    done = subprocess.run([sys.executable, "-c", BEFORE], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[0, 1]\n", "")


class Kept(MetricExporter):
    """Keeps the partitions that were exported last."""

    def export(self, metrics_data, timeout_millis=10_000, **_):
        self.names = [m.name for r in metrics_data.resource_metrics for s in r.scope_metrics for m in s.metrics]
        self.resources = [r.resource for r in metrics_data.resource_metrics]
        found = [m for r in metrics_data.resource_metrics for s in r.scope_metrics for m in s.metrics]
        points = [(m.unit, p) for m in found if m.name == "hotpart.partition.demand" for p in m.data.data_points]
        self.points = [(unit, dict(p.attributes), p.value) for unit, p in points]
        return MetricExportResult.SUCCESS

    def force_flush(self, timeout_millis=10_000):
        return True

    def shutdown(self, timeout_millis=30_000, **_):
        pass


@pytest.fixture
def through():
    """A meter, the exporter that partitions are told through, and what was exported by it."""
    kept = Kept()
    exporter = otel.exporter(kept)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
    provider = MeterProvider([reader])
    yield provider.get_meter("hotpart"), exporter, lambda: (reader.force_flush(), kept)[1]
    provider.shutdown()


def test_what_comes_and_goes_takes_no_sets_from_what_is_there(through):
    """Of the instruments it does: the SDK keeps 2,000 sets for ever."""
    meter, exporter, exported = through
    detector = ManualDetector(10**6, 10**6)
    otel.instrument(detector, meter, least=2, through=exporter)
    for minute in range(5):
        for n in range(990):
            detector.record_write("t", f"{minute}-{n}", 2)
        keys = [of["hotpart.partition.key"] for _, of, _ in exported().points]
        assert len(keys) == 990 and all(pk.startswith(f"{minute}-") for pk in keys)
        detector.advance(61)
    assert exported().points == []


def test_that_the_sdk_loses_partitions_is_said_once(meter, caplog):
    detector = ManualDetector(10**6, 10**6)
    otel.instrument(detector, meter.meter, least=1)
    for minute in range(5):
        for n in range(600):
            detector.record_write("t", f"{minute}-{n}")
        meter.metrics()
        assert len(caplog.records) == (minute >= 3)
        detector.advance(61)
    [record] = caplog.records
    assert record.message.startswith(
        "metrics were lost: OpenTelemetry's SDK tells of 2000 partitions in a process's life"
    )


def test_what_is_told_through_an_exporter_is_what_instruments_tell(through, monkeypatch):
    meter, exporter, exported = through
    detector, calls = ManualDetector(capacity=True), []
    made = otel.instrument(detector, meter, utilization=True, through=exporter, attributes={"mine": "yes"})
    detector.record_write("t", "k", 1.5)
    real = detector.metrics
    monkeypatch.setattr(detector, "metrics", lambda *a, **k: (calls.append(1), real(*a, **k))[1])
    kept = exported()
    assert len(calls) == 1, "all is of one reading"
    where = {"db.collection.name": "t", "hotpart.partition.key": "k", "hotpart.operation": "write"}
    assert kept.points == [("{capacity_unit}", {**DYNAMODB, "mine": "yes", **where}, 1.5)]
    assert sorted(kept.names) == [
        "hotpart.partition.demand",
        "hotpart.partition.unlisted",
        "hotpart.partition.utilization",
        "hotpart.records",
        "hotpart.throttles",
        "hotpart.unread",
        "hotpart.warnings",
    ]
    assert kept.resources[0] is kept.resources[-1]
    made.close()
    for region in ("eu", "us"):
        other = ManualDetector()
        otel.instrument(other, meter, through=exporter, attributes={"cloud.region": region})
        assert exported().names.count("hotpart.partition.demand") == (region == "us")
        other.record_write("t", "k")
    kept = exported()
    assert kept.names.count("hotpart.partition.demand") == 1
    assert [of["cloud.region"] for _, of, _ in kept.points] == ["eu", "us"]

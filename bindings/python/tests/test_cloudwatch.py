"""Lines of closed minutes: what is written, and when."""

import asyncio
import json
import logging
import os
import threading
import time

import pytest
from minutes import WINDOW, watched

from hotpart import HotPartitionDetector
from hotpart.cloudwatch import MinuteLines
from hotpart.testing import ManualDetector


def test_a_minute_has_a_line_for_each_of_its_hottest_and_one_of_the_rest(monkeypatch):
    monkeypatch.setattr("hotpart.cloudwatch.time.time", lambda: 1_800_000_000.25)
    detector, lines, log = watched(lines={"hottest": 2})
    for pk, writes in [("a", 3), ("b", 2), ("c", 1), ("d", 1)]:
        for _ in range(writes):
            detector.record_write("events", pk)
    detector.record_throttle("events", "a", "write")
    detector.record_read("events", "a")
    detector.set_time(61.9)
    assert lines.flush() == 0 and log == []
    detector.set_time(62)
    assert lines.flush() == 1
    at = {"time": 1_799_999_938_250, "minute": 0}
    partition = {"hotpart": "partition", **at, "table": "events"}
    write, read = {"operation": "write"}, {"operation": "read"}
    assert log[:-1] == [
        {**partition, "pk": "a", **write, "count": 3, "throttles": 1, "demand": 4, "peak": 3},
        {**partition, "pk": "b", **write, "count": 2, "throttles": 0, "demand": 2, "peak": 2},
        {"hotpart": "rest", **at, **write, "count": 2},
        {**partition, "pk": "a", **read, "count": 1, "throttles": 0, "demand": 1, "peak": 1},
    ]
    # Nothing is due again, and a minute without records has no line.
    assert lines.flush() == 0
    detector.set_time(185)
    assert lines.flush() == 2 and len(log) == 5


def test_partitions_below_least_are_in_the_rest():
    detector, lines, log = watched(lines={"least": 2.5}, capacity=True)
    for pk, units in [("a", 2.5), ("b", 2), ("c", 0.5)]:
        detector.record_read("t", pk, units)
    detector.set_time(62)
    lines.flush()
    assert [line["pk"] for line in log.of("partition")] == ["a"]
    assert [line["count"] for line in log.of("rest")] == [2.5]


def test_keys_are_told_apart_whatever_their_bytes():
    detector, lines, log = watched(lines={"hottest": 99})
    keys = [b"\xff", "\\xFF", "a\nb", 'a"b', "é", b"\xe2\x82A", b"\xf0\x9f\x98\x80", "", b"\\\xff"]
    for key in keys:
        detector.record_write("t", key)
    detector.set_time(62)
    lines.flush()
    shown = {line["pk"] for line in log.of("partition")}
    assert shown == {"\\xFF", "\\x5CxFF", "a\nb", 'a"b', "é", "\\xE2\\x82A", "😀", "", "\\x5C\\xFF"}


def test_keys_are_redacted_where_the_detector_redacts_them():
    detector, lines, log = watched(redact=b"0123456789abcdef")
    detector.record_write("t", "secret")
    detector.record_write("t", b"\xff")
    detector.set_time(62)
    lines.flush()
    assert {line["pk"] for line in log.of("partition")} == {
        detector.redacted("t", "secret"),
        detector.redacted("t", b"\xff"),
    }
    assert "secret" not in json.dumps(log)


def test_minutes_that_have_left_the_window_are_told_as_lost():
    detector, lines, log = watched(window=120)
    detector.record_write("t", "lost")
    detector.set_time(805)
    detector.record_write("t", "k")
    # Minute 11 began 145 seconds ago. Minute 12 has nothing, and 13 is not over.
    assert lines.flush() == 1
    assert [line["lost_minutes"] for line in log.of("lost")] == [12]
    assert log.totals()[0]["lost_minutes"] == 12
    detector.set_time(842)
    assert lines.flush() == 1
    assert [(line["pk"], line["minute"]) for line in log.of("partition")] == [("k", 13)]
    assert len(log.of("lost")) == 1 and len(log.totals()) == 1


UNITS = {"Count"}


def check_embedded(line):
    """The demands of the Embedded Metric Format's specification, and of its JSON schema."""
    aws = line["_aws"]
    assert aws.keys() == {"Timestamp", "CloudWatchMetrics"} and type(aws["Timestamp"]) is int
    for directive in aws["CloudWatchMetrics"]:
        assert directive.keys() == {"Namespace", "Dimensions", "Metrics"}
        assert isinstance(directive["Namespace"], str) and 1 <= len(directive["Namespace"]) <= 255
        assert len(directive["Dimensions"]) >= 1
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            for name in dimensions:
                assert 1 <= len(name) <= 255 and isinstance(line[name], str) and line[name]
        assert len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric.keys() <= {"Name", "Unit", "StorageResolution"} and metric["Unit"] in UNITS
            assert 1 <= len(metric["Name"]) <= 255 and type(line[metric["Name"]]) is int
    assert len(json.dumps(line)) <= 256 * 1024


def test_totals_are_in_the_embedded_metric_format():
    dimensions = {"service": "orders"} | {f"d{n}": "x" for n in range(29)}
    detector, lines, log = watched(lines={"namespace": "Shop/DynamoDB", "dimensions": dimensions})
    detector.set_table_thresholds("t", writes_threshold=2)
    for _ in range(3):
        detector.record_write("t", "k")
    detector.record_throttle("t", "k", "write", "provisioned")
    before = time.time()
    detector.set_time(62)
    lines.flush()
    (line,) = log.totals()
    check_embedded(line)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Shop/DynamoDB" and directive["Dimensions"] == [list(dimensions)]
    assert abs(line["_aws"]["Timestamp"] - before * 1_000) < 5_000 and line["service"] == "orders"
    values = {metric["Name"]: line[metric["Name"]] for metric in directive["Metrics"]}
    reasons = ["unknown", "key_range", "provisioned", "account_limit", "max_on_demand"]
    throttles = {f"throttles_{reason}": int(reason == "provisioned") for reason in reasons}
    assert values == {"records": 3, "warnings": 1, **throttles, "lost_minutes": 0}
    # No rule of partitions takes it for a line of its own.
    assert "hotpart" not in line
    detector.record_write("t", "k")
    detector.set_time(122)
    lines.flush()
    assert [each["records"] for each in log.totals()] == [3, 1]
    detector.set_time(242)
    assert lines.flush() == 2 and len(log.totals()) == 2


def test_totals_without_dimensions_and_none_at_all():
    for options, embedded in [({}, 1), ({"namespace": None}, 0)]:
        detector, lines, log = watched(lines=options)
        detector.record_write("t", "k")
        detector.set_time(62)
        lines.flush()
        assert len(log.totals()) == embedded and len(log) == 1 + embedded
        for line in log.totals():
            check_embedded(line)
            assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [[]]


def test_a_handler_flushes_at_its_end_whatever_that_is(caplog):
    detector, lines, log = watched()

    @lines.handler
    def handler(event, context):
        """Its own words."""
        detector.record_write("t", event)
        if event == "bad":
            raise LookupError(event)
        return event.upper()

    assert (handler.__name__, handler.__doc__) == ("handler", "Its own words.")
    assert handler("a", None) == "A" and log == []
    detector.set_time(62)
    with pytest.raises(LookupError):
        handler("bad", context=None)
    assert [(line["pk"], line["minute"]) for line in log.of("partition")] == [("a", 0)]

    @lines.handler
    async def later(event, context):
        await asyncio.sleep(0)
        return event

    detector.set_time(122)
    assert asyncio.run(later(7, None)) == 7
    assert [(line["pk"], line["minute"]) for line in log.of("partition")] == [("a", 0), ("bad", 1)]
    detector.close()
    with caplog.at_level(logging.WARNING, "hotpart"):
        assert later.__name__ == "later" and asyncio.run(later(8, None)) == 8
    assert caplog.records == []


def test_a_minute_whose_writing_failed_is_told_as_lost():
    log, fail = [], [True]

    def write(line):
        if fail[0]:
            raise BrokenPipeError
        log.append(json.loads(line))

    detector = ManualDetector(10_000, 10_000, WINDOW)
    lines = MinuteLines(detector, write=write)
    detector.record_write("events", "a")
    detector.set_time(62)
    for _ in range(2):
        with pytest.raises(BrokenPipeError):
            lines.flush()
    fail[0] = False
    assert lines.flush() == 0
    assert [line["lost_minutes"] for line in log if line.get("hotpart") == "lost"] == [1]
    assert all(line.get("hotpart") != "partition" for line in log)


def test_a_handler_s_result_is_its_own_where_writing_fails(caplog):
    detector = ManualDetector(2**50, 2**50, WINDOW)
    tried = []

    def write(line):
        tried.append(line)
        raise OSError("no room")

    lines = MinuteLines(detector, write=write)
    detector.record_write("t", "k")
    detector.set_time(62)
    assert lines.handler(lambda event: event)(3) == 3
    (record,) = caplog.records
    assert record.name == "hotpart" and "no room" in record.getMessage()
    # It may have been written for all that, so it is not written again. That it may not have been is.
    with pytest.raises(OSError, match="no room"):
        lines.flush()
    assert [json.loads(line)["hotpart"] for line in tried] == ["partition", "lost"]


def test_threads_that_flush_at_once_write_a_minute_once():
    detector, lines, log = watched(lines={"namespace": None})
    detector.record_write("t", "k")
    detector.set_time(62)
    start = threading.Barrier(8)
    threads = [threading.Thread(target=lambda: (start.wait(), lines.flush())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(log) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_child_writes_nothing_of_its_parent_s():
    detector, lines, log = watched(lines={"hottest": 1})
    detector.record_write("t", "parent", 5)
    there, here = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            detector.record_write("t", "mixed")
            detector.set_time(65)
            detector.record_write("t", "child", 3)
            detector.set_time(130)
            lines.flush()
            os.write(here, json.dumps(log).encode())
        finally:
            os._exit(0)
    os.close(here)
    with open(there) as pipe:
        of_child = json.load(pipe)
    os.waitpid(child, 0)
    kinds = [(line.get("hotpart"), line.get("pk"), line.get("lost_minutes")) for line in of_child]
    assert kinds == [("partition", "child", None), ("lost", None, 1), (None, None, 1)]
    assert of_child[-1]["records"] == 2
    detector.set_time(130)
    lines.flush()
    assert [line["pk"] for line in log.of("partition")] == ["parent"]


def test_a_clock_that_runs_is_the_detector_s(monkeypatch):
    now = [1_000_000.75]
    monkeypatch.setattr("hotpart._clock.time.monotonic", lambda: now[0])
    detector = HotPartitionDetector(500, 500, 120)
    assert detector._clock.seconds() == 0.75
    now[0] += 61
    assert detector._clock.seconds() == 61.75
    # Lines that are made later start with what can still be had.
    now[0] += 1_000
    assert MinuteLines(detector, write=print).flush() == 0


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"hottest": -1}, ValueError, "hottest must be 0 to"),
        ({"hottest": 1.5}, TypeError, "hottest must be int"),
        ({"least": -1}, ValueError, "least must be"),
        ({"least": float("nan")}, ValueError, "least must be"),
        ({"least": "1"}, TypeError, "least must be a number"),
        ({"grace_seconds": 61}, ValueError, "grace_seconds must be 0 to 60"),
        ({"grace_seconds": True}, TypeError, "grace_seconds must be a number"),
        ({"write": "stdout"}, TypeError, "write must be callable"),
        ({"namespace": ""}, ValueError, "namespace must have 1 to"),
        ({"namespace": 7}, TypeError, "namespace must be str"),
        ({"dimensions": {"a": 1}}, TypeError, "dimensions must be str"),
        ({"dimensions": {"": "x"}}, ValueError, "dimensions must have 1 to"),
        ({"dimensions": {f"d{n}": "x" for n in range(31)}}, ValueError, "dimensions must be 30 at most"),
        ({"dimensions": {"records": "x"}}, ValueError, "must not have 'records'"),
        ({"dimensions": {"_aws": "x"}}, ValueError, "must not have '_aws'"),
    ],
)
def test_arguments_of_lines_are_checked_by_name(options, error, words):
    with pytest.raises(error, match=words):
        MinuteLines(ManualDetector(500, 500, 120), **options)


def test_lines_need_a_detector_that_has_closed_minutes():
    with pytest.raises(TypeError, match="detector must be"):
        MinuteLines(None)
    with pytest.raises(ValueError, match="window_seconds must be 120 or more, not 60"):
        MinuteLines(HotPartitionDetector.for_dynamodb())
    with pytest.raises(ValueError, match="without memory"):
        MinuteLines(HotPartitionDetector(2**40, 2**40, 120, memory="1MiB"))


@pytest.mark.parametrize(("now", "off", "lost"), [(120, 1, 0), (121, -1, 1), (120.9, 1.9, 0), (122, -1.9, 1)])
def test_at_the_window_s_edge_the_library_s_clock_decides(now, off, lost):
    detector, lines, log = watched(120)
    detector.record_write("t", "k")
    detector.set_time(now)
    there = lines._now
    lines._now = lambda: there() + off
    lines.flush()
    assert [line["lost_minutes"] for line in log.of("lost")] == [lost] * lost
    assert [line["minute"] for line in log.of("partition")] == [0] * (1 - lost)

"""The hottest of one minute that is over, and what all others had."""

import pytest

import hotpart
from hotpart import ClosedError, ClosedMinute, HotpartError, HotPartitionDetector
from hotpart.testing import ManualDetector


def numbers(closed):
    return [(hot.pk, hot.count, hot.throttles, hot.demand, hot.peak) for hot in closed.partitions], closed.rest


def test_a_minute_has_its_own_numbers_and_no_other_s():
    detector = ManualDetector(2**60, 2**60, 180)
    for second, pk, writes in [(0, "a", 3), (59, "a", 2), (59, "b", 4), (30, "c", 1), (60, "a", 50)]:
        detector.set_time(second)
        for _ in range(writes):
            detector.record_write("t", pk)
    detector.record_throttle("t", "a", "write")
    detector.record_read("t", "a")
    detector.set_time(130)
    closed = detector.hottest_closed("write", 0, 1)
    assert isinstance(closed, ClosedMinute)
    # The clock does not run back: what came in second 30 counts in 59.
    assert numbers(closed) == ([("a", 5, 0, 5, 3)], 5)
    assert closed.partitions[0].operation == "write" and closed.partitions[0].carried == 0
    assert numbers(detector.hottest_closed("write", 1)) == ([("a", 50, 1, 51, 50)], 0)
    assert numbers(detector.hottest_closed("read", 1)) == ([("a", 1, 0, 1, 1)], 0)
    assert numbers(detector.hottest_closed("read", 0)) == ([], 0)
    assert numbers(detector.hottest_closed("write", 0, 0)) == ([], 10)


def test_a_minute_is_in_units_in_capacity_mode():
    detector = ManualDetector(2**50, 2**50, 120, capacity=True)
    for pk, units in [("a", 2.5), ("b", 1.5), ("c", 1)]:
        detector.record_read("t", pk, units)
    detector.advance(62)
    assert numbers(detector.hottest_closed("read", 0, 1)) == ([("a", 2.5, 0, 2.5, 2.5)], 2.5)


def test_a_minute_that_is_not_over_or_too_old_is_refused():
    detector = ManualDetector(500, 500, 120)
    for now, is_there in [(59, False), (60, True), (120, True), (121, False)]:
        detector.set_time(now)
        if is_there:
            assert detector.hottest_closed("write", 0) == ([], 0)
            continue
        with pytest.raises(ValueError, match="minute must"):
            detector.hottest_closed("write", 0)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (("delete", 0), ValueError, "operation must be one of"),
        (("write", -1), ValueError, "minute must be 0 to"),
        (("write", 2**64), ValueError, "minute must be 0 to"),
        (("write", 2**64 - 1), ValueError, "minute must"),
        (("write", 0.5), TypeError, "minute must be int"),
        (("write", 0, -1), ValueError, "n must be 0 to"),
        (("write", 0, True), TypeError, "n must be int"),
    ],
)
def test_arguments_of_a_closed_minute_are_checked_by_name(arguments, error, words):
    detector = ManualDetector(500, 500, 120)
    detector.set_time(60)
    with pytest.raises(error, match=words):
        detector.hottest_closed(*arguments)


def test_a_closed_minute_needs_a_window_of_two_and_no_filter():
    for options in ({"window_seconds": 119}, {"window_seconds": 120, "memory": "1MiB"}):
        detector = ManualDetector(2**40, 2**40, **options)
        detector.set_time(61)
        with pytest.raises(HotpartError):
            detector.hottest_closed("write", 0)


def test_the_preset_takes_a_window_that_minutes_can_be_closed_in():
    detector = ManualDetector.for_dynamodb(window_seconds=900)
    detector.record_write("t", "k", 3)
    detector.set_time(890)
    assert (detector.window_seconds, numbers(detector.hottest_closed("write", 0))[0][0][1]) == (900, 3)
    assert HotPartitionDetector.for_dynamodb().window_seconds == 60
    for wrong, words in [(4, "window_seconds must be 5 to 3600"), (3_601, "window_seconds must be 1 to 3600")]:
        with pytest.raises(ValueError, match=words):
            HotPartitionDetector.for_dynamodb(window_seconds=wrong)
    with pytest.raises(TypeError, match="window_seconds"):
        HotPartitionDetector.for_dynamodb(window_seconds="900")


def test_a_closed_detector_has_no_minutes():
    detector = ManualDetector(500, 500, 120)
    detector.close()
    with pytest.raises(ClosedError):
        detector.hottest_closed("write", 0)
    assert hotpart.ClosedMinute is ClosedMinute

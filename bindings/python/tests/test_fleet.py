"""Lists of what has the least, for a fleet: the metrics, and what works the least out."""

import re

import pytest

import hotpart
from hotpart import HotPartitionDetector


def listed(text):
    """The partitions of metrics with what they have, and the most that others can have, of writes."""
    demands = re.findall(r'^hotpart_partition_demand\{.*pk="(.*)",operation="write"} (.*)$', text, re.MULTILINE)
    most = re.findall(r'^hotpart_partition_unlisted_most\{operation="write"} (.*)$', text, re.MULTILINE)
    return {pk: float(demand) for pk, demand in demands}, [float(n) for n in most]


@pytest.mark.parametrize(
    ("least", "keys", "most"), [(1, "abcd", 0), (4, "abc", 1), (5, "ab", 4), (9, "a", 5), (10, "", 9)]
)
def test_what_has_the_least_is_listed_and_the_most_of_the_others_told(detector, least, keys, most):
    for pk, writes in {"a": 9, "b": 5, "c": 4, "d": 1}.items():
        detector.record_write("t", pk, writes)
    demands, unlisted = listed(detector.metrics(1, least, demand_only=True))
    assert "".join(demands) == keys and unlisted == [most]
    assert "".join(listed(detector.metrics(1))[0]) == "a", "without a least the hottest"


def test_the_least_of_a_detector_of_capacity_is_in_units():
    detector = HotPartitionDetector(100, 100, 60, capacity=True)
    detector.record_write("t", "a", 2.5)
    detector.record_write("t", "b", 2)
    assert listed(detector.metrics(least=2.5)) == ({"a": 2.5}, [2])
    assert listed(detector.metrics(least=2)) == ({"a": 2.5, "b": 2}, [0])


def test_of_a_partition_the_demand_alone_is_written_where_that_is_asked(detector):
    detector.record_write("t", "k")
    families = re.findall("^# TYPE (hotpart_partition_.*) gauge$", detector.metrics(demand_only=True), re.MULTILINE)
    assert families == ["hotpart_partition_demand", "hotpart_partition_unlisted_most"]


def test_no_more_than_990_are_listed(detector):
    for n in range(1, 1_501):
        detector.record_write("t", str(n), n)
    demands, most = listed(detector.metrics(3, 2))
    assert len(demands) == 990 and most == [510] and min(demands.values()) == 511


def test_with_a_filter_the_least_must_be_over_the_level():
    detector = HotPartitionDetector(1_000, 1_000, 60, memory="1MiB")
    with pytest.raises(
        ValueError, match=r"^least must be more than the count from which partitions are counted exactly"
    ):
        detector.metrics(least=250)
    detector.metrics(least=251)


@pytest.mark.parametrize(
    ("given", "error", "named"),
    [
        ({"least": 0}, ValueError, "least must be more than 0"),
        ({"least": -1}, ValueError, "least"),
        ({"least": 2**63}, ValueError, "least"),
        ({"least": True}, TypeError, "least"),
        ({"least": "9"}, TypeError, "least"),
        ({"demand_only": 1}, TypeError, "demand_only"),
    ],
)
def test_what_is_wrong_is_named(detector, given, error, named):
    with pytest.raises(error, match=f"^{named}"):
        detector.metrics(**given)


@pytest.mark.parametrize(
    ("arguments", "least"),
    [((60_000, 50), 300), ((60_000, 50, 8), 150), ((100, 50, 4), 1), ((0, 1), 1), ((2**63 - 1, 1, 1), 2**63 - 1)],
)
def test_the_least_of_a_fleet(arguments, least):
    assert hotpart.fleet_least(*arguments) == least


@pytest.mark.parametrize(
    ("arguments", "error", "named"),
    [((-1, 1), ValueError, "threshold"), ((1, 0), ValueError, "processes"), ((1, 1, 0), ValueError, "precision")],
)
def test_no_fleet_has_such(arguments, error, named):
    with pytest.raises(error, match=f"^{named} must be"):
        hotpart.fleet_least(*arguments)

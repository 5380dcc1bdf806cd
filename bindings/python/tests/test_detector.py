"""The detector by itself: what it counts, what it takes, and what it refuses."""

import decimal
import gc
import random
import re
import subprocess
import sys

import pytest

import hotpart
from hotpart import HotPartitionDetector
from hotpart.testing import ManualDetector

KEYS = [
    ("k", b"k"),
    ("schlüssel", "schlüssel".encode()),
    (b"a\0b", b"a\0b"),
    ("a\0b", b"a\0b"),
    ("", b""),
    (bytearray(b"x"), b"x"),
    (memoryview(b"x"), b"x"),
    (0, b"0"),
    (-17, b"-17"),
    (10**40, b"1" + b"0" * 40),
    (decimal.Decimal("1.0"), b"1"),
    (decimal.Decimal("1E+3"), b"1000"),
    (decimal.Decimal("-0"), b"0"),
    (decimal.Decimal("0.00120"), b"0.0012"),
    (decimal.Decimal("-1.5"), b"-1.5"),
    (decimal.Decimal("1E-130"), b"0." + b"0" * 129 + b"1"),
    (decimal.Decimal("9.9E+125"), b"99" + b"0" * 124),
]


@pytest.mark.parametrize(("given", "counted"), KEYS)
def test_keys(given, counted):
    detector = HotPartitionDetector(100, 100, 60)
    for n in range(1, 4):
        assert detector.record_write("t", given) == n
        assert detector.get_write_count("t", counted) == n
        assert detector.record_read(b"t", given) == n
    assert detector.get_read_count("t", given) == 3
    hot = detector.hottest(1, "write")[0].pk
    assert (hot.encode() if isinstance(hot, str) else hot) == counted


def test_a_binary_of_boto3_is_its_bytes():
    types = pytest.importorskip("boto3.dynamodb.types")
    detector = HotPartitionDetector(100, 100, 60)
    detector.record_write("t", types.Binary(b"\0\xff"))
    assert detector.get_write_count("t", b"\0\xff") == 1


def test_numbers_are_what_the_core_makes_of_them():
    """The same numbers through `observe`, whose canonical form is the library's own."""
    rng, detector = random.Random(7), HotPartitionDetector(10**9, 10**9, 60)
    detector.set_key_schema("t", "id")
    for _ in range(500):
        digits = "".join(rng.choices("0123456789", k=rng.randint(1, 38)))
        text = f"{rng.choice(['', '-'])}{digits}E{rng.randint(-100, 80)}"
        detector.clear()
        try:
            count = detector.record_write("t", decimal.Decimal(text))
        except ValueError:
            with pytest.raises(ValueError):
                detector.observe("PutItem", b'{"TableName":"t","Item":{"id":{"N":"%s"}}}' % text.encode(), b"{}")
            continue
        assert count == 1
        detector.observe("PutItem", b'{"TableName":"t","Item":{"id":{"N":"%s"}}}' % text.encode(), b"{}")
        assert detector.get_write_count("t", decimal.Decimal(text)) == 2, text


@pytest.mark.parametrize("pk", [True, False, 1.0, None, object(), [b"k"]])
def test_keys_of_other_types_are_refused(pk):
    detector = HotPartitionDetector(100, 100, 60)
    for call in (detector.record_write, detector.record_read, detector.get_write_count):
        with pytest.raises(TypeError, match="pk must be"):
            call("t", pk)
    assert detector.stats().records == 0


@pytest.mark.parametrize(
    ("table", "pk", "error", "words"),
    [
        ("", "k", ValueError, "table must have 1 to 1024 bytes"),
        ("t" * 1_025, "k", ValueError, "table must have 1 to 1024 bytes"),
        (7, "k", TypeError, "table must be str or bytes, not int"),
        (["t"], "k", TypeError, "table must be str or bytes, not list"),
        ("\ud800", "k", ValueError, "table has a lone surrogate"),
        ("t", "\ud800", ValueError, "pk has a lone surrogate"),
        ("t", "k" * 16_385, ValueError, "pk must have at most 16384 bytes"),
        ("t", decimal.Decimal("NaN"), ValueError, "pk must be a number"),
        ("t", decimal.Decimal("Infinity"), ValueError, "pk must be a number"),
        ("t", decimal.Decimal("1E+126"), ValueError, "38 digits"),
        ("t", decimal.Decimal("1E+999999999"), ValueError, "38 digits"),
        ("t", 10**38 + 1, ValueError, "38 digits"),
    ],
)
def test_what_is_out_of_its_range_is_refused_by_name(table, pk, error, words):
    detector = HotPartitionDetector(100, 100, 60)
    detector.record_write("t", "k")
    for call in (detector.record_write, detector.record_read, detector.get_read_count):
        with pytest.raises(error, match=re.escape(words)):
            call(table, pk)
    assert detector.stats().records == 1


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((0, 1, 60), {}, ValueError, "writes_threshold"),
        ((1, -1, 60), {}, ValueError, "reads_threshold"),
        ((1, 1, 0), {}, ValueError, "window_seconds must be 1 to 3600"),
        ((1, 1, 3_601), {}, ValueError, "window_seconds"),
        ((2**63, 1, 60), {}, ValueError, "writes_threshold"),
        ((1.5, 1, 60), {}, TypeError, "writes_threshold must be int"),
        ((True, 1, 60), {}, TypeError, "writes_threshold"),
        ((1, 1, "60"), {}, TypeError, "window_seconds"),
        ((1.25, 1, 60), {"capacity": True}, ValueError, "multiple of half a unit"),
        ((1, 1, 60), {"warning_interval_seconds": -1}, ValueError, "warning_interval_seconds"),
        ((1, 1, 60), {"max_partitions": 0}, ValueError, "max_partitions"),
        ((1, 1, 60), {"on_warning": 7}, TypeError, "on_warning must be callable"),
        ((1, 1, 60), {"logger": 7}, TypeError, "logger must be"),
        ((1, 1, 60), {"redact": b"short"}, ValueError, "redact must be 16 secret bytes"),
        ((1, 1, 60), {"redact": bytes(16)}, ValueError, "redact"),
        ((1, 1, 60), {"redact": "yes"}, TypeError, "redact must be bool or bytes"),
        ((1, 1, 60), {"processes": 0}, ValueError, "processes"),
        ((1, 1, 4), {"writes_sustained": 5}, ValueError, "window_seconds must be 5 to 3600 with sustained thresholds"),
        ((1, 1, 60), {"windows": 5}, TypeError, "unexpected argument 'windows'"),
    ],
)
def test_a_detector_that_makes_no_sense_is_refused_by_name(arguments, options, error, words):
    with pytest.raises(error, match=re.escape(words)):
        HotPartitionDetector(*arguments, **options)
    gc.collect()


@pytest.mark.parametrize(
    ("share", "processes", "error", "words"),
    [
        (0, 1, ValueError, "share"),
        (1.1, 1, ValueError, "share"),
        ("1", 1, TypeError, "share"),
        (0.8, 0, ValueError, "processes"),
    ],
)
def test_a_preset_that_makes_no_sense_is_refused(share, processes, error, words):
    with pytest.raises(error, match=words):
        HotPartitionDetector.for_dynamodb(share, processes)


def test_capacity_is_counted_in_halves_exactly():
    detector = HotPartitionDetector(10, 10, 60, capacity=True, logger=None)
    assert detector.record_read("t", "k", 0.5) == 0.5
    assert detector.record_read("t", "k") == 1.5
    assert detector.record_read("t", "k", decimal.Decimal("12.5")) == 14.0
    assert (detector.writes_threshold, detector.get_read_count("t", "k")) == (10.0, 14.0)
    for amount in (0, -1, 0.25, float("nan"), 2**63):
        with pytest.raises(ValueError, match="amount"):
            detector.record_read("t", "k", amount)
    with pytest.raises(TypeError, match="amount"):
        detector.record_read("t", "k", "1")
    assert detector.get_read_count("t", "k") == 14.0


def test_operations_are_counted_in_integers():
    detector = HotPartitionDetector(10, 10, 60, logger=None)
    count = detector.record_write("t", "k", 4)
    assert (count, type(count), type(detector.writes_threshold)) == (4, int, int)
    with pytest.raises(TypeError, match="amount must be int"):
        detector.record_write("t", "k", 0.5)


def test_thresholds_of_tables_and_models():
    detector = ManualDetector(10, 10, 60, warning_interval_seconds=0)
    detector.set_table_thresholds("t", writes_threshold=5)
    assert detector.get_table_thresholds("t") == (5, None)
    assert (detector._get_writes_threshold("t"), detector._get_reads_threshold("t")) == (5, 10)
    # Setting only writes leaves reads as they were; None is to inherit.
    detector.set_model_thresholds("User", writes_threshold=2, reads_threshold=3)
    detector.set_model_thresholds("Order", writes_threshold=8)
    assert detector.get_model_thresholds("User") == (2, 3)
    for model, hot_at in (("User", 2), ("Order", 8), (None, 5), ("Unknown", 5)):
        detector.warnings.clear()
        for _ in range(hot_at):
            assert detector.warnings == []
            detector.record_write("t", f"k{model}", model=model)
        assert [warning.threshold for warning in detector.warnings] == [hot_at]
    detector.set_table_thresholds("t")
    assert detector.get_table_thresholds("t") == (None, None)
    for bad in (0, -1):
        with pytest.raises(ValueError, match="reads_threshold"):
            detector.set_table_thresholds("t", reads_threshold=bad)
    with pytest.raises(ValueError, match="model"):
        detector.set_model_thresholds("", 1)


def test_clear_forgets_counts_and_thresholds():
    detector = HotPartitionDetector(10, 10, 60)
    detector.record_write("t", "k")
    detector.set_table_thresholds("t", 5, 5)
    detector.clear()
    assert detector.get_write_count("t", "k") == 0
    assert detector.get_table_thresholds("t") == (None, None)
    assert detector.record_write("t", "k") == 1


def test_counts_are_those_of_a_list_of_timestamps():
    rng, detector, seen = random.Random(3), ManualDetector(10**6, 10**6, 10), []
    for _ in range(3_000):
        detector.advance(rng.choice([0, 0, 0, 0.25, 1.5, 7]))
        pk = rng.choice("abc")
        seen.append((detector.now, pk))
        count = detector.record_write("t", pk)
        younger = sum(at > detector.now - 10 for at, of in seen if of == pk)
        not_older = sum(at > detector.now - 11 for at, of in seen if of == pk)
        assert younger <= count <= not_older


def test_throttles_are_counted_apart():
    detector = HotPartitionDetector(10, 10, 60, logger=None)
    assert detector.record_throttle("t", "k") == 1
    assert detector.record_throttle("t", "k", "read", "provisioned") == 1
    assert detector.get_throttle_count("t", "k", "write", "key_range") == 1
    assert detector.get_write_count("t", "k") == 0
    (hot,) = detector.hottest(5)
    assert (hot.pk, hot.throttles, hot.demand, hot.utilisation) == ("k", 1, 1, 1.0)
    for arguments in (("delete", "key_range"), ("write", "weather")):
        with pytest.raises(ValueError, match="must be one of"):
            detector.record_throttle("t", "k", *arguments)


def test_the_hottest_and_statistics():
    detector = HotPartitionDetector(100, 100, 60)
    for pk, writes, reads in (("a", 3, 1), ("b", 5, 0), ("c", 1, 40)):
        for _ in range(writes):
            detector.record_write("t", pk)
        for _ in range(reads):
            detector.record_read("t", pk)
    assert [(hot.pk, hot.count) for hot in detector.hottest(2, "write")] == [("b", 5), ("a", 3)]
    assert detector.hottest(0) == []
    both = detector.hottest(2)
    assert [(hot.pk, hot.operation) for hot in both] == [("c", "read"), ("b", "write")]
    statistics = detector.stats()
    assert (statistics.records, statistics.partitions, statistics.warnings) == (50, 3, 0)
    assert 1_000 < statistics.bytes < 65_536
    with pytest.raises(ValueError, match="operation"):
        detector.hottest(2, "scan")
    with pytest.raises(ValueError, match="n must be"):
        detector.hottest(-1)


def test_metrics_are_text():
    detector = HotPartitionDetector(100, 100, 60)
    detector.record_write("events", "EVENTS")
    text = detector.metrics()
    assert 'hotpart_partition_operations{table="events",pk="EVENTS",operation="write"} 1\n' in text
    assert detector.metrics(open_metrics=True).endswith("# EOF\n")


def test_a_bound_keeps_memory():
    detector = HotPartitionDetector(100, 100, 60, max_partitions=100)
    for n in range(5_000):
        detector.record_write("t", n)
    statistics = detector.stats()
    assert statistics.partitions <= 100 and statistics.replaced >= 4_900


def test_tables_that_strangers_name_are_not_kept():
    detector = HotPartitionDetector(100, 100, 60)
    for n in range(3_000):
        assert detector.record_write(f"t{n}", "k") == 1
        assert detector.record_write(f"t{n}", "k") == 2
    assert len(detector._tables) == 1_000


def test_only_a_manual_clock_is_set():
    with pytest.raises(hotpart.HotpartError):
        HotPartitionDetector(1, 1, 60).set_time(1)


def test_the_version_is_that_of_the_library():
    assert hotpart.library_version() == hotpart.__version__


def test_a_table_is_one_as_text_and_as_bytes():
    code = """
from hotpart import HotPartitionDetector
detector = HotPartitionDetector(9, 9, 60)
print([detector.record_write(table, "k") for table in ("t", b"t", "t", b"t", bytearray(b"t").decode())])
"""
    ended = subprocess.run([sys.executable, "-bb", "-c", code], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("[1, 2, 3, 4, 5]\n", "")


def test_an_error_comes_alone():
    detector = HotPartitionDetector(9, 9, 60)
    with pytest.raises(TypeError) as raised:
        detector.record_write("t", None)
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda d: d.record_write("t", "k", decimal.Decimal("NaN")), ValueError, "amount"),
        (
            lambda d: d.record_write("t", "k", decimal.Decimal("0.50000000000000000000000000000001")),
            ValueError,
            "amount",
        ),
        (lambda d: d.record_write("t", "k", decimal.Decimal("sNaN")), ValueError, "amount"),
        (lambda d: d.record_write("t", "k", 10**5_000), ValueError, "amount"),
        (lambda d: HotPartitionDetector(1, 1, 10**5_000), ValueError, "window_seconds"),
        (lambda d: d.observe("PutItem", b"{}", http_status=50), ValueError, "http_status"),
        (lambda d: d.set_key_schema("t", b"id"), TypeError, "attributes must be str or a sequence of str, not bytes"),
        (lambda d: d.record_write("t", type("Key", (), {"__bytes__": lambda _: 1})()), TypeError, "pk must"),
        (lambda d: d.metrics(open_metrics="false"), TypeError, "open_metrics"),
        (lambda d: d.set_time(float("inf")), ValueError, "seconds"),
        (lambda d: d.set_time(float("nan")), ValueError, "seconds"),
        (lambda d: d.set_time("x"), TypeError, "seconds"),
        (lambda d: d.observe(b"PutItem", b"{}"), TypeError, "operation"),
        (lambda d: d.set_key_schema("t", None), TypeError, "attributes"),
        (lambda d: HotPartitionDetector(1, 1, 60, hash_seed=(1,)), TypeError, "hash_seed"),
        (lambda d: HotPartitionDetector(1, 1, 60, capacity="no"), TypeError, "capacity"),
        (lambda d: HotPartitionDetector(1, 1, 60, manual_clock="false"), TypeError, "manual_clock"),
    ],
)
def test_what_is_wrong_with_an_argument_names_it(call, error, words):
    with pytest.raises(error, match=words):
        call(HotPartitionDetector(9, 9, 60, capacity=True, manual_clock=True))


@pytest.mark.parametrize("window", [5, 60, 3_600])
def test_a_detector_for_dynamodb_takes_a_window(window):
    assert HotPartitionDetector.for_dynamodb(window_seconds=window).window_seconds == window
    assert HotPartitionDetector.for_dynamodb().window_seconds == 60


@pytest.mark.parametrize("window", [0, 4, 3_601])
def test_a_window_that_dynamodbs_limits_do_not_fit_is_refused(window):
    with pytest.raises(ValueError, match="window_seconds"):
        HotPartitionDetector.for_dynamodb(window_seconds=window)

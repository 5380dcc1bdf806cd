"""Memory that stays fixed: the option, and what it makes of counts and warnings."""

import functools
import logging
import re
from ctypes import addressof, byref, create_string_buffer, sizeof

import pytest

import hotpart
from hotpart import Bounds, HotPartitionDetector, _abi, _handle
from hotpart._library import fast, slow
from hotpart._warning import warning_of
from hotpart.testing import ManualDetector

#: Both ways to make a detector.
MAKE = [functools.partial(HotPartitionDetector, 1, 1, 60), HotPartitionDetector.for_dynamodb]


@pytest.mark.parametrize(
    ("memory", "in_bytes"),
    [
        (65_536, 65_536),
        (2**40, 2**40),
        ("64KiB", 2**16),
        ("512 KiB", 2**19),
        ("8MiB", 2**23),
        ("8  mib", 2**23),
        ("1GiB", 2**30),
        ("1024gib", 2**40),
        ("0100MIB", 100 * 2**20),
    ],
)
def test_memory_is_bytes_or_a_text_of_them(monkeypatch, memory, in_bytes):
    assert passed_on(monkeypatch, memory=memory).filter_bytes == in_bytes


def test_without_memory_nothing_is_bounded(monkeypatch):
    assert passed_on(monkeypatch).filter_bytes == 0
    options = passed_on(monkeypatch, memory=None, promote_share=None)
    assert (options.filter_bytes, options.promote_permille) == (0, 0)


@pytest.mark.parametrize(("share", "permille"), [(0.25, 250), (0.01, 10), (0.5, 500), (0.0126, 13)])
def test_a_share_for_promotion_is_passed_on(monkeypatch, share, permille):
    assert passed_on(monkeypatch, memory="1MiB", promote_share=share).promote_permille == permille


def passed_on(monkeypatch, **options):
    """The options that the library gets, of a detector and of the preset alike."""
    seen = []

    def refuse(native, out):
        seen.append(native._obj)
        return _abi.ERR_MEMORY

    monkeypatch.setattr("hotpart._detector.slow.hpd_new_with_options", refuse)
    for make in MAKE:
        with pytest.raises(MemoryError):
            make(**options)
    own, preset = seen
    assert (own.filter_bytes, own.promote_permille) == (preset.filter_bytes, preset.promote_permille)
    return own


RANGE = "memory must be 65536 to 1099511627776 bytes, not "
TEXT = 'memory must be bytes, or a text such as "512KiB", "8MiB" or "1GiB", not '
# Also a digit that is none of ASCII's, and the sign for kelvin, whose small letter is k.
NO_TEXTS = ["", "MiB", "8", "8MB", "8M", "8MiB ", "-8MiB", "1.5MiB", "8\tMiB", "٨MiB", "8MiB\n", "8\u212aiB"]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ([0, -1, 65_535, 2**40 + 1, 10**5_000], ValueError, RANGE),
        (["63KiB", "1025GiB", "0MiB", "9" * 15 + "GiB"], ValueError, RANGE),
        (NO_TEXTS, ValueError, TEXT),
        ([True, 65_536.0, b"8MiB", ["8MiB"]], TypeError, "memory must be int or str, not "),
    ],
    ids=["numbers", "amounts", "texts", "types"],
)
def test_memory_that_makes_no_sense_is_refused(given, error, words):
    for memory in given:
        for make in MAKE:
            with pytest.raises(error, match=re.escape(words)):
                make(memory=memory)


@pytest.mark.parametrize(
    ("share", "error", "words"),
    [
        (0, ValueError, "promote_share must be 0.01 to 0.5, not 0"),
        (0.009, ValueError, "promote_share"),
        (0.501, ValueError, "promote_share"),
        (float("nan"), ValueError, "promote_share"),
        (250, ValueError, "promote_share"),
        ("0.25", TypeError, "promote_share must be a number, not str"),
        (True, TypeError, "promote_share"),
    ],
)
def test_a_share_for_promotion_that_makes_no_sense_is_refused(share, error, words):
    with pytest.raises(error, match=re.escape(words)):
        HotPartitionDetector(1, 1, 60, memory="1MiB", promote_share=share)


def test_memory_and_max_partitions_exclude_each_other():
    for make in MAKE:
        with pytest.raises(ValueError, match="memory must not be given with max_partitions"):
            make(memory="1MiB", max_partitions=1_000)


def test_what_the_library_refuses_of_memory_is_called_so():
    options = _abi.Options()
    slow.hpd_options_init(byref(options), sizeof(options))
    options.writes_threshold = options.reads_threshold = options.window_seconds = 60
    options.filter_bytes, detector = 5, _handle.Detector()
    with pytest.raises(ValueError, match=r"^memory must be .*, not 5B$"):
        _handle.checked(slow.hpd_new_with_options(byref(options), byref(detector)), {"memory": "5B"})
    options.filter_bytes, options.promote_permille = 0, 501
    with pytest.raises(ValueError, match=r"^promote_share must be "):
        _handle.checked(slow.hpd_new_with_options(byref(options), byref(detector)))


@pytest.mark.parametrize("memory", [None, "1MiB"])
@pytest.mark.parametrize("capacity", [False, True])
def test_a_count_is_within_its_bounds(memory, capacity):
    detector = ManualDetector(100, 100, 60, memory=memory, capacity=capacity)
    assert detector.bounds("t", "k", "write") == (0, 0)
    for amount in (1, 30, 0.5, 12.5, 70) if capacity else (1, 30, 2, 70):
        detector.record_write("t", "k", amount)
        least, most = detector.bounds("t", "k", "write")
        assert 0 <= least <= detector.get_write_count("t", "k") <= most
        if memory is None:
            assert least == most
    assert detector.get_read_count("t", "k") == detector.bounds("t", b"k", "read").most == 0
    assert isinstance(detector.bounds("t", "k", "read"), Bounds)
    assert {type(bound) for bound in detector.bounds("t", "k", "read")} == {float if capacity else int}


def test_bounds_are_told_apart(monkeypatch):
    def bounds(*arguments):
        least, most = arguments[-2:]
        least._obj.value, most._obj.value = 3, 7
        return 0

    monkeypatch.setattr("hotpart._bounds.fast.hpd_get_bounds", bounds)
    assert HotPartitionDetector(9, 9, 60).bounds("t", "k", "write") == Bounds(least=3, most=7)
    assert HotPartitionDetector(9, 9, 60, capacity=True).bounds("t", "k", "write") == Bounds(least=1.5, most=3.5)


def test_bounds_refuse_what_counts_refuse():
    detector = HotPartitionDetector(100, 100, 60)
    for arguments, words in (
        (("", "k", "read"), "table"),
        (("t", "k" * 16_385, "read"), "pk"),
        (("t", "k", "scan"), "operation"),
    ):
        with pytest.raises(ValueError, match=words):
            detector.bounds(*arguments)
    detector.close()
    with pytest.raises(hotpart.ClosedError):
        detector.bounds("t", "k", "read")


def test_a_line_says_what_a_count_is_at_least():
    for capacity, count, line in (
        (False, 500, "had at least 380 of 500 writes in 60s"),
        (True, 250.0, "had at least 190 of 250 writes in 60s"),
    ):
        detector = HotPartitionDetector(1, 1, 60, capacity=capacity)
        warning = warned(detector, capacity, count=500, carried=120)
        assert str(warning) == f'Hot partition detected - table="events" pk="EVENTS" {line}'
        assert (warning.count, warning.carried) == (count, 60.0 if capacity else 120)


def test_a_line_of_an_exact_count_is_as_ever():
    warning = warned(HotPartitionDetector(1, 1, 60), False, count=500)
    assert str(warning) == 'Hot partition detected - table="events" pk="EVENTS" had 500 writes in 60s'
    assert warning.carried == 0 and "carried=0" in repr(warning)


def test_what_throttles_carry_has_no_units():
    native = {"count": 7, "carried": 4, "rule": _abi.RULES.index("throttle")}
    assert warned(HotPartitionDetector(1, 1, 60, capacity=True), True, **native).carried == 4


def warned(detector, capacity, **fields):
    """A warning that the library is said to have given."""
    table, pk = create_string_buffer(b"events", 6), create_string_buffer(b"EVENTS", 6)
    texts = (addressof(table), len(table), addressof(pk), len(pk))
    native = _abi.Warning(sizeof(_abi.Warning), *texts, window_seconds=60, threshold=1)
    for name, value in fields.items():
        setattr(native, name, value)
    line = _handle.text_of(fast.hpd_log_line, detector._native, byref(native)).decode()
    return warning_of(native, capacity, None, line)


def test_without_memory_all_is_exact():
    detector = ManualDetector(2, 2, 60)
    for _ in range(3):
        detector.record_write("t", "k")
    assert [warning.carried for warning in detector.warnings] == [0]
    assert [hot.carried for hot in detector.hottest()] == [0]
    stats = detector.stats()
    assert (stats.promoted, stats.demoted, stats.kept_out, stats.filter_load) == (0, 0, 0, 0.0)


def test_statistics_tell_the_load_as_a_ratio(monkeypatch):
    def filled(detector, out):
        out._obj.promoted, out._obj.demoted, out._obj.kept_out, out._obj.filter_load_permille = 5, 4, 3, 125
        return 0

    monkeypatch.setattr("hotpart._statistics.slow.hpd_get_statistics", filled)
    stats = HotPartitionDetector(1, 1, 60).stats()
    assert (stats.promoted, stats.demoted, stats.kept_out, stats.filter_load) == (5, 4, 3, 0.125)


def test_the_hottest_tell_what_is_carried_in_units(monkeypatch):
    real = hotpart._hottest.slow.hpd_hottest_get

    def carries(snapshot, i, out):
        status = real(snapshot, i, out)
        out._obj.carried = 5
        return status

    monkeypatch.setattr("hotpart._hottest.slow.hpd_hottest_get", carries)
    for capacity, carried in ((False, 5), (True, 2.5)):
        detector = HotPartitionDetector(100, 100, 60, capacity=capacity)
        detector.record_write("t", "k", 9)
        assert [hot.carried for hot in detector.hottest()] == [carried]


@pytest.mark.hotpart(memory="64KiB", writes_threshold=3)
def test_the_fixture_takes_memory(hotpart_detector, caplog):
    for _ in range(3):
        hotpart_detector.record_write("events", "EVENTS")
    assert [(warning.count, warning.carried) for warning in hotpart_detector.warnings] == [(3, 0)]
    assert caplog.record_tuples == [
        ("hotpart", logging.WARNING, 'Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s')
    ]


def test_a_hot_key_among_200_000_is_warned_of_and_memory_stays():
    detector = ManualDetector(5_000, 5_000, 60, memory="64KiB")
    exact = at = 0
    for n in range(200_000):
        detector.record_write("t", n)
        if n % 40 == 0:
            exact += 1
            assert detector.record_write("t", "hot") >= exact
            if detector.warnings and not at:
                at = exact
    assert {warning.pk for warning in detector.warnings} == {"hot"}
    # It is warned of a quarter of the threshold too soon at most, and never late.
    assert 5_000 - 1_250 < at <= 5_000
    warning = detector.warnings[0]
    assert warning.threshold <= warning.count and 0 <= warning.carried < 1_250
    assert warning.count - warning.carried <= at <= warning.count
    assert ("at least" in str(warning)) == (warning.carried > 0)
    least, most = detector.bounds("t", "hot", "write")
    assert least <= 5_000 <= most
    (hottest,) = detector.hottest(1, "write")
    assert hottest.pk == "hot" and hottest.count - hottest.carried <= 5_000 <= hottest.count
    stats = detector.stats()
    assert stats.bytes <= 65_536
    assert stats.promoted >= 1 and stats.filter_load > 0
    assert stats.partitions < 2_000


def test_a_key_in_the_filter_is_at_least_nothing_and_at_most_its_cells():
    detector = ManualDetector(5_000, 5_000, 60, memory="64KiB")
    for n in range(20_000):
        detector.record_write("t", n)
    bounds = [detector.bounds("t", n, "write") for n in range(20_000)]
    assert all(least <= 1 <= most for least, most in bounds)
    assert all(detector.get_write_count("t", n) == bounds[n].most for n in range(0, 20_000, 97))


NOTICE = re.compile(
    r"Hot partition memory is too small - 65536 bytes, load \d+\.\d{3} \(at most 0\.400\), [1-9]\d* records kept out"
)


def strangers(detector, n=100_000, first=0):
    """Writes of so many keys; a hundred thousand are too many for 64 KiB."""
    for pk in range(first, first + n):
        detector.record_write("t", pk)


def notices(caplog):
    """Lines logged that are no warnings; the log is empty then."""
    records = list(caplog.records)
    caplog.clear()
    return [record for record in records if not hasattr(record, "hotpart")]


def test_a_memory_that_is_too_small_is_noticed_once_an_interval(caplog):
    detector = ManualDetector(100, 100, 60, memory="64KiB")
    for now, n in ((0, 100_000), (30, 500), (59.9, 500), (60, 500), (200, 100_000), (230, 500)):
        detector.set_time(now)
        # Other keys each time: those that were warned of are not again.
        strangers(detector, n, first=round(now * 100_000))
        assert caplog.records, now
        found = notices(caplog)
        assert len(found) == (now in (0, 60, 200)), now
        for record in found:
            assert (record.name, record.levelname) == ("hotpart", "WARNING")
            assert NOTICE.fullmatch(record.getMessage()), record.getMessage()


@pytest.mark.parametrize("ask", [ManualDetector.stats, ManualDetector.metrics])
def test_a_notice_comes_without_a_warning_when_numbers_are_asked_for(ask, caplog):
    detector = ManualDetector(400, 400, 60, memory="64KiB")
    # None of them is hot yet, but the cells are fuller than they may be.
    strangers(detector, 50_000)
    assert not detector.warnings and not caplog.records
    ask(detector)
    (record,) = notices(caplog)
    assert (record.name, record.levelname) == ("hotpart", "WARNING")
    assert record.getMessage().startswith("Hot partition memory is too small - 65536 bytes, load ")
    for now in (3, 30, 59):
        detector.set_time(now)
        ask(detector)
        assert notices(caplog) == [], now


def test_without_memory_nothing_is_noticed_when_numbers_are_asked_for(caplog):
    detector = ManualDetector(5_000, 5_000, 60)
    for ask in (ManualDetector.stats, ManualDetector.metrics):
        ask(detector)
    assert notices(caplog) == []


def test_a_notice_comes_after_the_warning_and_goes_where_that_goes():
    order, logger = [], logging.Logger("mine")
    logger.addFilter(lambda record: order.append(record.getMessage()[:20]))
    detector = ManualDetector(100, 100, 60, memory="64KiB", logger=logger, on_warning=lambda warning: order.append(0))
    strangers(detector)
    assert order[:4] == ["Hot partition detect", 0, "Hot partition memory", "Hot partition detect"]
    assert order.count("Hot partition memory") == 1


def test_without_memory_no_notice_is_asked_for(monkeypatch, caplog):
    monkeypatch.setattr("hotpart._alerts.slow", None)
    strangers(detector := ManualDetector(1, 1, 60), 1_000)
    assert (len(detector.warnings), len(caplog.records)) == (1_000, 1_000)
    assert notices(caplog) == []


def test_who_logs_nothing_takes_no_notice(caplog):
    quiet = logging.getLogger("quiet")
    quiet.setLevel(logging.ERROR)
    for logger in (None, quiet):
        strangers(detector := ManualDetector(100, 100, 60, memory="64KiB", logger=logger))
        assert detector.warnings and notices(caplog) == []
        assert _handle.text_of(slow.hpd_notice_take, detector._native), "it is still to be had"


def test_a_notice_that_cannot_be_logged_hurts_nobody(caplog):
    class Broken(logging.Logger):
        def warning(self, message, line, **more):
            if "memory" in line:
                raise OSError("disk full")

    strangers(detector := ManualDetector(100, 100, 60, memory="64KiB", logger=Broken("broken")))
    assert detector.stats().records == 100_000
    (record,) = caplog.records
    assert (record.name, record.getMessage()) == ("hotpart", "the notice could not be logged: disk full")


def test_a_filter_has_metrics_of_its_own():
    families = ["filter_load_ratio", "partitions_promoted_total", "partitions_demoted_total", "kept_out_total"]
    for memory in ("64KiB", None):
        detector = ManualDetector(50, 50, 60, memory=memory, logger=None)
        detector.record_write("t", "k", 40)
        text = detector.metrics()
        for family in [*families, "partition_carried"]:
            assert (f"# TYPE hotpart_{family} " in text) == (memory is not None), family
        assert ("\nhotpart_partitions_promoted_total 1\n" in text) == (memory is not None)

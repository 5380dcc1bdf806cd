"""Warnings, and where they go: the log, the caller's callable."""

import copy
import logging
import pickle
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

import hotpart
from hotpart import HotPartitionDetector
from hotpart.testing import ManualDetector

LINE = 'Hot partition detected - table="events" pk="EVENTS" had 3 writes in 60s'


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_line_is_logged_once_an_interval(caplog):
    detector = ManualDetector(3, 5, 60)
    for _ in range(9):
        detector.record_write("events", "EVENTS")
    assert lines(caplog) == [LINE]
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("hotpart", "WARNING")
    assert record.hotpart == detector.warnings[0]
    detector.advance(60)
    detector.record_write("events", "EVENTS")
    assert len(lines(caplog)) == 2
    assert detector.warnings[1].suppressed == 6


def test_interval_0_warns_at_every_hot_record_as_pydynox_does(caplog):
    detector = ManualDetector(3, 5, 60, warning_interval_seconds=0)
    for _ in range(5):
        detector.record_read("events", "EVENTS")
        detector.record_write("events", "EVENTS")
    assert [re.search(r"had (\d+ \w+)", line)[1] for line in lines(caplog)] == [
        "3 writes",
        "4 writes",
        "5 reads",
        "5 writes",
    ]


def test_a_warning_says_what_happened():
    detector = ManualDetector(3, 5, 60)
    for _ in range(3):
        detector.record_write("events", "EVENTS", 1)
    (warning,) = detector.warnings
    assert warning == hotpart.HotPartitionWarning(
        table="events",
        pk="EVENTS",
        operation="write",
        count=3,
        threshold=3,
        window_seconds=60,
        suppressed=0,
        peak=3,
        rule="window",
        utilisation=0.0,
    )
    assert str(warning) == LINE


def test_log_lines_escape_what_could_break_a_log():
    detector = ManualDetector(1, 1, 10)
    detector.record_read('a"b\\c', b"\x1b[31m\n\xff\xc3\xa9\xc2\x9b\x00\x7f")
    expected = 'table="a\\x22b\\x5Cc" pk="\\x1B[31m\\x0A\\xFFé\\xC2\\x9B\\x00\\x7F" had 1 reads in 10s'
    assert str(detector.warnings[0]) == "Hot partition detected - " + expected
    assert detector.warnings[0].pk == b"\x1b[31m\n\xff\xc3\xa9\xc2\x9b\x00\x7f"


def test_a_copy_of_a_warning_has_its_line(caplog):
    detector = ManualDetector(1, 1, 60, redact=True)
    detector.record_write("events", "EVENTS")
    (warning,), (line,) = detector.warnings, lines(caplog)
    assert "had 1 writes" in line
    copies = [copy.deepcopy(warning), pickle.loads(pickle.dumps(warning)), caplog.records[0].hotpart]
    assert [str(each) for each in copies] == [line] * 3


def test_a_warning_that_no_detector_gave_shows_its_fields():
    warning = hotpart.HotPartitionWarning("events", "EVENTS", "write", 3, 3, 60, 0, 3, "window", 0.0)
    assert str(warning) == repr(warning)
    assert "pk='EVENTS'" in str(warning)


@pytest.mark.parametrize("logger", ["pydynox.diagnostics", logging.getLogger("pydynox.diagnostics")])
def test_the_logger_is_the_caller_s(caplog, logger):
    HotPartitionDetector(1, 1, 60, logger=logger).record_write("t", "k")
    assert [record.name for record in caplog.records] == ["pydynox.diagnostics"]


def test_no_logger_logs_nothing(caplog):
    seen = []
    HotPartitionDetector(1, 1, 60, logger=None, on_warning=seen.append).record_write("t", "k")
    assert (caplog.records, len(seen)) == ([], 1)


def test_an_exception_in_a_callback_is_logged_and_the_record_counts(caplog):
    def fails(warning):
        raise RuntimeError("mine")

    detector = HotPartitionDetector(1, 1, 60, on_warning=fails)
    assert detector.record_write("t", "k") == 1
    assert "on_warning failed" in caplog.text and "RuntimeError: mine" in caplog.text


def test_an_interrupt_in_a_callback_reaches_the_caller():
    def interrupted(warning):
        raise KeyboardInterrupt

    detector = HotPartitionDetector(1, 1, 60, on_warning=interrupted, logger=None)
    with pytest.raises(KeyboardInterrupt):
        detector.record_write("t", "k")
        time.sleep(10)
    assert detector.get_write_count("t", "k") == 1


def test_a_callback_may_use_the_detector_and_even_close_it():
    seen = []

    def uses(warning):
        seen.append(detector.record_write("t", "other"))
        seen.append(detector.get_write_count("t", "k"))
        detector.close()

    detector = HotPartitionDetector(2, 2, 60, on_warning=uses, logger=None)
    detector.record_write("t", "k")
    assert detector.record_write("t", "k") == 2
    assert seen == [1, 2]
    with pytest.raises(hotpart.ClosedError):
        detector.record_write("t", "k")


def test_for_dynamodb_warns_at_its_limits_in_one_second_and_at_a_share_in_five(caplog):
    detector = HotPartitionDetector.for_dynamodb(manual_clock=True, warning_interval_seconds=0)
    assert detector.capacity and detector.window_seconds == 60
    assert detector.record_write("t", "k", 999.5) == 999.5
    assert lines(caplog) == []
    detector.record_write("t", "k", 0.5)
    detector.record_read("t", "k", 2_999)
    assert lines(caplog) == ['Hot partition detected - table="t" pk="k" had 1000 writes in 1s']
    caplog.clear()
    for second in range(10, 15):
        detector.set_time(second)
        detector.record_write("t", "even", 800)
    assert lines(caplog) == ['Hot partition detected - table="t" pk="even" had 4000 writes in 5s']
    shared = HotPartitionDetector.for_dynamodb(0.5, processes=4, manual_clock=True)
    caplog.clear()
    shared.record_read("t", "k", 750)
    assert lines(caplog) == ['Hot partition detected - table="t" pk="k" had 750 reads in 1s']
    assert caplog.records[0].hotpart.utilisation == 1.0


def test_the_first_throttle_warns_where_that_is_asked_for(caplog):
    detector = HotPartitionDetector(10, 10, 60, capacity=True, warn_of_throttles=True)
    for _ in range(3):
        detector.record_throttle("t", "k", "read")
    assert lines(caplog) == ['Hot partition detected - table="t" pk="k" had 1 throttled reads in 60s']


def test_redacted_keys_are_in_neither_logs_nor_metrics(caplog):
    detector = ManualDetector(1, 1, 60, redact=b"0123456789abcdef")
    detector.record_write("events", "secret@example.org")
    stands_for = detector.redacted("events", "secret@example.org")
    assert re.fullmatch("[0-9a-f]{32}", stands_for)
    assert lines(caplog) == [f'Hot partition detected - table="events" pk="{stands_for}" had 1 writes in 60s']
    assert stands_for in detector.metrics() and "secret" not in detector.metrics()
    assert "secret" not in caplog.text
    # The program itself is told.
    assert (detector.warnings[0].pk, detector.warnings[0].redacted) == ("secret@example.org", stands_for)
    assert (
        HotPartitionDetector(1, 1, 60, redact=b"0123456789abcdef").redacted("events", "secret@example.org")
        == stands_for
    )
    assert HotPartitionDetector(1, 1, 60, redact=True).redacted("events", "secret@example.org") != stands_for
    assert HotPartitionDetector(1, 1, 60).redacted("events", "x") is None


def test_redacted_keys_are_in_nothing_that_a_record_of_the_log_has(caplog):
    detector = ManualDetector(1, 1, 60, redact=True)
    detector.record_write("users", "alice@example.org")
    (record,) = caplog.records
    assert "alice" not in repr(vars(record)) and "alice" not in repr(detector.warnings)
    assert record.hotpart.pk == detector.redacted("users", "alice@example.org")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, pytest.fail.Exception])
def test_what_is_no_exception_passes_through_and_the_record_counts(error):
    def raises(warning):
        raise error("mine")

    detector = HotPartitionDetector(1, 1, 60, on_warning=raises, logger=None)
    with pytest.raises(error):
        detector.record_write("t", "k")
    assert detector.get_write_count("t", "k") == 1


def test_a_logger_that_fails_keeps_no_callback_from_its_warning(caplog):
    class Failing(logging.Handler):
        def emit(self, record):
            raise OSError("disk full")

    seen, logger = [], logging.Logger("failing")
    logger.addHandler(Failing())
    HotPartitionDetector(1, 1, 60, logger=logger, on_warning=seen.append).record_write("t", "k")
    assert len(seen) == 1
    assert "the warning could not be logged: disk full" in caplog.text


def test_a_callback_that_records_hot_keys_does_not_call_itself():
    seen = []

    def records(warning):
        seen.append(warning.pk)
        detector.record_write("t", "k")
        detector.record_write("t", "other")

    detector = HotPartitionDetector(1, 1, 60, on_warning=records, logger=None, warning_interval_seconds=0)
    detector.record_write("t", "k")
    assert (seen, detector.get_write_count("t", "k"), detector.get_write_count("t", "other")) == (["k"], 2, 1)
    detector.record_write("t", "k")
    assert seen == ["k", "k"]


def test_what_a_callback_records_is_warned_of_after_it():
    seen = []

    def records(warning):
        detector.record_write("t", "other")
        detector.record_write("t", "more", 1)
        detector.record_throttle("t", "other")
        seen.append((warning.pk, warning.rule))

    detector = HotPartitionDetector(1, 1, 60, on_warning=records, logger=None, warn_of_throttles=True)
    assert detector.record_write("t", "k") == 1
    assert sorted(seen) == [("k", "window"), ("more", "window"), ("other", "throttle"), ("other", "window")]
    assert seen[0] == ("k", "window"), "one after another"
    assert detector.stats().warnings == 4


def test_a_request_that_warns_of_a_hundred_keys_tells_of_them_all():
    told = []
    detector = HotPartitionDetector(1, 1, 60, on_warning=lambda warning: told.append(warning.pk), logger=None)
    detector.set_key_schema("t", "id")
    keys = ",".join(f'{{"id":{{"S":"k{n}"}}}}' for n in range(100))
    assert detector.observe("BatchGetItem", f'{{"RequestItems":{{"t":{{"Keys":[{keys}]}}}}}}'.encode()) == 100
    assert sorted(told) == sorted(f"k{n}" for n in range(100))


def test_a_callback_may_record_with_another_detector():
    seen = []
    other = HotPartitionDetector(1, 1, 60, on_warning=seen.append, logger=None, warning_interval_seconds=0)
    detector = HotPartitionDetector(1, 1, 60, on_warning=lambda w: other.record_write("u", w.pk), logger=None)
    detector.record_write("t", "k")
    assert [(warning.table, warning.pk) for warning in seen] == [("u", "k")]


def test_a_warning_is_told_by_the_thread_that_recorded():
    interval, told, threads = sys.getswitchinterval(), [], range(4)

    def work(thread):
        for n in range(500):
            detector.record_write("t", f"{thread}-{n}")

    detector = HotPartitionDetector(
        1, 1, 60, on_warning=lambda w: told.append((w.pk, threading.current_thread().name)), logger=None
    )
    sys.setswitchinterval(1e-6)
    try:
        started = [threading.Thread(target=work, args=(thread,), name=str(thread)) for thread in threads]
        [thread.start() for thread in started]
        [thread.join() for thread in started]
    finally:
        sys.setswitchinterval(interval)
    assert sorted(told) == sorted((f"{thread}-{n}", str(thread)) for thread in threads for n in range(500))


@pytest.mark.parametrize(
    "interrupted", ["hpd_take_warnings", "hpd_warnings_len", "hpd_warnings_get", "hpd_warnings_free"]
)
def test_what_an_interrupt_leaves_is_told_with_the_next_warning(monkeypatch, interrupted):
    """Wherever it comes: after the record, while its warning is taken, or before it is told."""
    told = []
    detector = HotPartitionDetector(1, 1, 60, on_warning=lambda warning: told.append(warning.pk), logger=None)
    detector.record_write("t", "prepared")
    real = getattr(hotpart._alerts.fast, interrupted)

    def interrupt(*given):
        real(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(hotpart._alerts.fast, interrupted, interrupt)
        with pytest.raises(KeyboardInterrupt):
            detector.record_write("t", "first")
    detector.record_write("t", "second")
    assert told == ["prepared", "first", "second"]


INTERRUPTED = """
import signal
from hotpart import HotPartitionDetector
class Stop(BaseException): pass
def stop(*_): raise Stop
told = []
detector = HotPartitionDetector(1, 10**9, 3600, on_warning=told.append, logger=None, warning_interval_seconds=0)
signal.signal(signal.SIGALRM, stop)
stopped = recorded = 0
while stopped < 300 or recorded <= 3000:
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + stopped % 300 * 1e-6, 1)
        while True:
            detector.record_write("t", "k")
    except Stop:
        stopped += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    recorded = detector.get_write_count("t", "k")
print(recorded - len(told) <= stopped)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="skipped: no timers that signal here")
def test_a_signal_handler_that_raises_while_recording_reaches_the_caller():
    """Of each interruption at most the warning that was being told is lost; none is swallowed."""
    ended = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == ("True\n", "")

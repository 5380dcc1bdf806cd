"""Threads, forks and the end of the interpreter: nothing is lost, and nothing crashes."""

import os
import subprocess
import sys
import threading

import pytest

from hotpart import ClosedError, HotPartitionDetector

THREADS, RECORDS, KEYS = 8, 20_000, 50


def record(detector, records=RECORDS):
    for n in range(records):
        detector.record_write("t", f"k{n % KEYS}")
        detector.record_read("t", "shared")


def run(work, threads=THREADS):
    started = [threading.Thread(target=work) for _ in range(threads)]
    [thread.start() for thread in started]
    [thread.join() for thread in started]


def test_nothing_is_lost_by_8_threads():
    detector = HotPartitionDetector(10**9, 10**9, 3_600)
    run(lambda: record(detector))
    assert detector.get_read_count("t", "shared") == THREADS * RECORDS
    assert sum(detector.get_write_count("t", f"k{n}") for n in range(KEYS)) == THREADS * RECORDS
    assert detector.stats().records == 2 * THREADS * RECORDS


def test_one_warning_by_8_threads():
    seen = []
    detector = HotPartitionDetector(10**9, 100, 3_600, on_warning=seen.append, logger=None)
    run(lambda: record(detector, 1_000))
    (warning,) = seen
    assert warning.count == 100
    assert detector.stats().suppressed == THREADS * 1_000 - 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="skipped: no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_4_children_go_on_with_what_they_inherit():
    detector = HotPartitionDetector(10**9, 10**9, 3_600)
    record(detector, 1_000)
    stop = threading.Event()
    busy = [threading.Thread(target=lambda: [record(detector, 10) for _ in iter(stop.is_set, True)]) for _ in range(3)]
    [thread.start() for thread in busy]
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            # Without the interpreter's end: the test runner's is the parent's.
            try:
                before = detector.get_read_count("t", "shared")
                run(lambda: record(detector, 1_000), threads=4)
                right = before >= 1_000 and detector.get_read_count("t", "shared") == before + 4_000
                os._exit(0 if right else 1)
            except BaseException:
                os._exit(2)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stop.set()
    [thread.join() for thread in busy]
    assert ended == [0, 0, 0, 0]


def test_closing_frees_nothing_that_another_thread_uses():
    for _ in range(20):
        detector = HotPartitionDetector(10, 10, 60, logger=None, warning_interval_seconds=0, on_warning=lambda w: None)
        closed = []

        def use(detector=detector, closed=closed):
            try:
                while True:
                    record(detector, 10)
                    detector.hottest(3)
                    detector.stats()
            except ClosedError:
                closed.append(True)

        threads = [threading.Thread(target=use) for _ in range(4)]
        [thread.start() for thread in threads]
        detector.record_write("t", "k")
        detector.close()
        [thread.join() for thread in threads]
        assert len(closed) == 4


AT_EXIT = """
import sys, threading, time
from hotpart import HotPartitionDetector
detector = HotPartitionDetector(5, 5, 60, on_warning=lambda warning: CALLBACK, warning_interval_seconds=0, logger=None)
def record():
    while True:
        detector.record_write("t", "k"); detector.hottest(2); detector.stats()
for _ in range(4):
    threading.Thread(target=record, daemon=True).start()
class Late:
    def __init__(self): self.detector = HotPartitionDetector(1, 1, 60, on_warning=lambda w: None, logger=None)
    def __del__(self): self.detector.record_write("t", "late"); self.detector.close()
late = Late()
late.itself = late
for _ in range(2000): detector.get_write_count("t", "k")
print("done")
"""


@pytest.mark.parametrize("options", [[], ["-X", "dev"], ["-W", "error"]], ids=["plain", "dev", "warnings"])
@pytest.mark.parametrize("callback", ["None", "time.sleep(0.0001)", "time.sleep(3)", "sys.stdout.flush()"])
def test_a_detector_that_is_dropped_while_the_interpreter_exits(options, callback):
    code = AT_EXIT.replace("CALLBACK", callback)
    for _ in range(2):
        ended = subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, timeout=60)
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "done\n", "")


AT_LAST = """
import atexit, sys
from hotpart import HotPartitionDetector
told = []
detector = HotPartitionDetector(2, 2, 60, on_warning=told.append, logger=None)
for _ in range(3): detector.record_write("t", "k")
class Late:
    def __del__(self): self.detector.record_write("t", "z"); self.detector.hottest(3)
for _ in range(50):
    late = Late()
    late.itself, late.detector = late, HotPartitionDetector(2, 2, 60, logger=None)
    late.detector.late = late
    late.detector.record_write("t", "z")
detector.late = late
late.detector = detector
atexit.register(lambda: print(detector.record_write("t", "k"), detector.record_write("u", "k"), len(told)))
"""


def test_finalisers_that_record_at_the_interpreter_s_very_end():
    for _ in range(10):
        environment = {**os.environ, "MALLOC_PERTURB_": "165"}
        ended = subprocess.run(
            [sys.executable, "-X", "dev", "-c", AT_LAST], capture_output=True, text=True, timeout=60, env=environment
        )
        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "4 1 1\n", "")

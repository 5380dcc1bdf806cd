"""Children that fork from a process whose clients are watched."""

import os
import threading
import time

import pytest
from wire import DESCRIPTION, ITEM, Wire

import hotpart
from hotpart import HotPartitionDetector

pytestmark = [
    pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork"),
]


def in_child(check):
    """Whether a child for which ``check`` holds; it has 20 seconds."""
    child = os.fork()
    if child == 0:
        # Without the interpreter's end: the test runner's is the parent's.
        try:
            os._exit(0 if check() else 1)
        except BaseException:
            os._exit(2)
    for _ in range(2_000):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def test_a_child_instruments_though_other_threads_were_about_to():
    detector, stop = HotPartitionDetector(10, 10, 60), threading.Event()

    def instruments(client):
        while not stop.is_set():
            hotpart.uninstrument(hotpart.instrument(client, detector), detector)

    # Made before: boto3 has locks of its own while it makes a client, which a child would find held.
    clients = [Wire(detector).client for _ in range(3)]
    threads = [threading.Thread(target=instruments, args=[client]) for client in clients]
    [thread.start() for thread in threads]

    def check():
        wire = Wire(detector, tables={"events": "id"})
        wire.client.put_item(TableName="events", Item=ITEM)
        return detector.get_write_count("events", "k") == 1

    try:
        assert all([in_child(check) for _ in range(20)])
    finally:
        stop.set()
        [thread.join() for thread in threads]


def test_a_child_describes_a_table_that_its_parent_was_describing():
    detector, results = HotPartitionDetector(10, 10, 60), []
    wire = Wire(detector)
    wire.answers["DescribeTable"] = DESCRIPTION

    def check():
        wire.client.put_item(TableName="events", Item=ITEM)
        return detector.get_write_count("events", "k") == 1

    def answer(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            wire.client.meta.events.unregister("before-send.dynamodb", answer)
            results.append(in_child(check))

    wire.client.meta.events.register_first("before-send.dynamodb", answer)
    wire.client.put_item(TableName="events", Item=ITEM)
    assert results == [True]
    assert detector.get_write_count("events", "k") == 1


def test_a_child_of_a_callback_warns_of_its_own_and_only_of_that():
    told, results = [], []

    def forks(warning):
        told.append(warning.pk)
        if warning.pk == "first":
            detector.record_write("t", "second")
            results.append(in_child(check))

    def check():
        told.clear()
        detector.record_write("t", "mine")
        return told == ["mine"]

    detector = HotPartitionDetector(1, 1, 60, on_warning=forks, logger=None)
    detector.record_write("t", "first")
    assert (told, results) == (["first", "second"], [True])


def test_a_child_that_goes_on_after_the_callback_tells_only_of_its_own():
    told, children = [], []

    def forks(warning):
        told.append(warning.pk)
        if warning.pk == "first":
            detector.record_write("t", "second")
            children.append(os.fork())
            if children == [0]:
                told.clear()

    detector = HotPartitionDetector(1, 1, 60, on_warning=forks, logger=None)
    try:
        detector.record_write("t", "first")
        detector.record_write("t", "third")
        if children == [0]:
            os._exit(0 if told == ["third"] else 1)
    finally:
        if children == [0]:
            os._exit(2)
    assert told == ["first", "second", "third"]
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 0


def test_a_child_that_returns_from_a_callback_tells_nothing_twice(tmp_path):
    out = tmp_path / "told"

    def forks(warning):
        with open(out, "a") as file:
            file.write(f"{warning.pk}\n")
        if warning.pk == "first":
            detector.record_write("t", "second")
            children.append(os.fork())

    children = []
    detector = HotPartitionDetector(1, 1, 60, on_warning=forks, logger=None)
    try:
        detector.record_write("t", "first")
    finally:
        if children and children[0] == 0:
            os._exit(0)
    os.waitpid(children[0], 0)
    assert out.read_text() == "first\nsecond\n"

"""A detector's life: closed, dropped, or found by the garbage collector."""

import gc
import weakref

import pytest

import hotpart
from hotpart import HotPartitionDetector


def test_a_closed_detector_raises():
    with HotPartitionDetector(10, 10, 60) as detector:
        detector.record_write("t", "k")
        assert not detector.closed
    assert detector.closed
    detector.close()
    calls = [
        lambda: detector.record_write("t", "k"),
        lambda: detector.record_read("t", "k"),
        lambda: detector.clear(),
        lambda: detector.get_write_count("t", "k"),
        lambda: detector.hottest(),
        lambda: detector.stats(),
        lambda: detector.metrics(),
        lambda: detector.set_table_thresholds("t", 1),
        lambda: detector.writes_threshold,
        lambda: detector.record_throttle("t", "k"),
        lambda: detector.set_time(1),
        lambda: detector.__enter__(),
        lambda: detector.observe("Scan", b'{"TableName":"t"}'),
        lambda: detector.set_key_schema("t", "id"),
        lambda: detector.forget_table("t"),
    ]
    for call in calls:
        with pytest.raises(hotpart.ClosedError, match="closed"):
            call()


def test_a_detector_that_nobody_holds_is_freed():
    detector = HotPartitionDetector(1, 1, 60, on_warning=lambda warning: None, logger=None)
    detector.record_write("t", "k")
    native = weakref.ref(detector._native)
    del detector
    assert native() is None, "without the garbage collector: there is no cycle"


@pytest.mark.parametrize("first", [True, False])
def test_what_the_garbage_collector_finds_may_record_to_its_end(first):
    """Once a detector of a cycle was freed while other finalisers of the cycle still recorded."""
    counts = []

    class Unit:
        def __init__(self, app):
            self.app = app

        def __del__(self):
            counts.append(self.app.detector.record_write("t", "k"))
            counts.append(self.app.detector.record_write("t", "late"))

    class App:
        pass

    for _ in range(20):
        app = App()
        if first:
            app.unit = Unit(app)
        app.detector = HotPartitionDetector(9, 9, 60, on_warning=lambda warning, app=app: None, logger=None)
        app.detector.record_write("t", "k")
        if not first:
            app.unit = Unit(app)
        del app
        gc.collect()
    assert counts == [2, 1] * 20


def test_a_detector_that_a_finaliser_saves_goes_on():
    saved = []

    class Unit:
        def __del__(self):
            saved.append(self.detector)

    unit = Unit()
    unit.itself, unit.detector = unit, HotPartitionDetector(9, 9, 60)
    unit.detector.record_write("t", "k")
    del unit
    gc.collect()
    assert [saved[0].record_write("t", "k") for _ in range(2)] == [2, 3]
    saved.clear()
    gc.collect()


def test_what_the_garbage_collector_finds_is_freed_once_and_at_once(monkeypatch):
    freed = []
    for owner in (hotpart._handle.Detector, hotpart._handle.Table):
        free = owner._free
        freeing = staticmethod(lambda one, free=free: (freed.append(type(one).__name__), free(one)))
        monkeypatch.setattr(owner, "_free", freeing)
    for cycle in (False, True):
        detector = HotPartitionDetector(9, 9, 60)
        detector.record_write("t", "k")
        if cycle:
            detector.itself = detector
        freed.clear()
        del detector
        gc.collect()
        assert freed == ["Table", "Detector"]
        freed.clear()
        gc.collect()
        assert freed == []

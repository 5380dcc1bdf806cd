"""For tests: detectors whose clock stands still, and a pytest fixture that makes one.

In ``conftest.py``::

    pytest_plugins = ["hotpart.testing"]

Then::

    @pytest.mark.hotpart(writes_threshold=3)
    def test_the_importer_spreads_its_keys(hotpart_detector):
        run_importer(detector=hotpart_detector)
        assert hotpart_detector.warnings == []
        hotpart_detector.advance(60)
        assert hotpart_detector.get_write_count("events", "EVENTS") == 0
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hotpart._detector import HotPartitionDetector
from hotpart._warning import HotPartitionWarning


class ManualDetector(HotPartitionDetector[Any]):
    """A detector whose clock stands until it is advanced, and which keeps its warnings. Same calls, same effects."""

    #: The warnings so far, the oldest first.
    warnings: list[HotPartitionWarning]

    _now_ms = 0

    def __init__(
        self, writes_threshold: Any = 500, reads_threshold: Any = 1_500, window_seconds: int = 60, **options: Any
    ) -> None:
        super().__init__(writes_threshold, reads_threshold, window_seconds, **options)

    def _start(self, native: Any, options: Any) -> None:
        self.warnings = warnings = []
        theirs = options.pop("on_warning", None)

        def keep(warning: HotPartitionWarning) -> None:
            warnings.append(warning)
            if theirs is not None:
                theirs(warning)

        super()._start(native, {"hash_seed": (0, 0), **options, "manual_clock": True, "on_warning": keep})

    @property
    def now(self) -> float:
        """The time of its clock, in seconds."""
        return self._now_ms / 1_000

    def advance(self, seconds: float) -> None:
        """Moves the clock forward by ``seconds``."""
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
            raise TypeError(f"seconds must be a number, not {type(seconds).__name__}")
        if not 0 <= seconds <= 4_294_967_295.999:
            raise ValueError(f"seconds must be 0 to 4294967295.999, not {seconds}")
        self.set_time((self._now_ms + round(seconds * 1_000)) / 1_000)

    def set_time(self, seconds: float) -> None:
        """Moves the clock forward to ``seconds``; an earlier time changes nothing."""
        super().set_time(seconds)
        self._now_ms = max(self._now_ms, round(seconds * 1_000))


@pytest.fixture
def hotpart_detector(request: pytest.FixtureRequest) -> Iterator[ManualDetector]:
    """A ``ManualDetector``, made with the arguments of the marker ``hotpart``; of ``for_dynamodb`` by ``preset=True``."""
    marker = request.node.get_closest_marker("hotpart")
    arguments, options = (marker.args, dict(marker.kwargs)) if marker else ((), {})
    make = ManualDetector.for_dynamodb if options.pop("preset", False) else ManualDetector
    detector: Any = make(*arguments, **options)
    with detector:
        yield detector


def pytest_configure(config: pytest.Config) -> None:
    """Makes the marker known."""
    config.addinivalue_line("markers", "hotpart(...): what the fixture hotpart_detector is made with")

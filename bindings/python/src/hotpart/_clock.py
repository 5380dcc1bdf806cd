"""The time on a detector's clock, as far as it can be told without the library."""

from __future__ import annotations

import math
import time


class Clock:
    """Runs beside the library's clock, which starts at the whole second in which a detector is made; within a second of it.

    A manual one stands at what it was last set to.
    """

    def __init__(self, manual: bool) -> None:
        self._start: int | None = None if manual else math.floor(time.monotonic())
        self._set = 0.0

    def seconds(self) -> float:
        """The seconds since its start."""
        return self._set if self._start is None else time.monotonic() - self._start

    def set(self, seconds: float) -> None:
        """Moves a manual clock forward; an earlier time changes nothing."""
        self._set = max(self._set, seconds)

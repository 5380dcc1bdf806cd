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


def milliseconds(name: str, seconds: float) -> int:
    """A time that a manual clock can be set to, in milliseconds."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"{name} must be a number, not {type(seconds).__name__}")
    if not 0 <= seconds <= 4_294_967_295.999:
        raise ValueError(f"{name} must be 0 to 4294967295.999, not {seconds}")
    return round(seconds * 1_000)

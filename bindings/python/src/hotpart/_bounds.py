"""Bounds of a count."""

from __future__ import annotations

from ctypes import byref, c_uint64
from typing import Any, NamedTuple

from hotpart import _handle
from hotpart._handle import checked
from hotpart._library import fast


class Bounds(NamedTuple):
    """Bounds of a partition's count: operations or, in capacity mode, units."""

    #: The part that is known to be the partition's own, and in the window; it may be 0.
    least: float
    #: The most that the count can be, which is the count that other methods return.
    most: float


def bounds_of(detector: _handle.Detector, where: tuple[Any, ...], operation: int, capacity: bool) -> Bounds:
    """The bounds of one operation of a partition."""
    least, most = c_uint64(), c_uint64()
    checked(fast.hpd_get_bounds(detector, *where, operation, byref(least), byref(most)))
    return Bounds(least.value / 2, most.value / 2) if capacity else Bounds(least.value, most.value)

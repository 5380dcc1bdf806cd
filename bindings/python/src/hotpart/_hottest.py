"""Snapshots of the hottest partitions."""

from __future__ import annotations

from ctypes import byref, c_void_p, sizeof, string_at
from typing import NamedTuple

from hotpart import _abi, _handle
from hotpart._abi import Operation
from hotpart._amount import whole
from hotpart._handle import checked
from hotpart._key import choice
from hotpart._library import slow
from hotpart._warning import readable


class HotPartition(NamedTuple):
    """Numbers of one partition for one operation: in the window or, of a ``ClosedMinute``, in its minute."""

    #: The table, or ``TABLE/index/INDEX``: ``bytes`` if it is not UTF-8.
    table: str | bytes
    #: The partition key: ``bytes`` if it is not UTF-8.
    pk: str | bytes
    operation: Operation
    #: Operations or, in capacity mode, units, as ``demand``, ``peak`` and ``carried`` are. (It hides a tuple's method.)
    count: float  # type: ignore[assignment]
    #: Throttled attempts for its key range.
    throttles: int
    #: The count, plus one operation (in capacity mode one unit) for each throttle.
    demand: float
    #: The largest count of any one second.
    peak: float
    #: Its fullest second as a share of DynamoDB's limit for a partition: 1.0 is the limit. At least 1.0 if DynamoDB
    #: throttled it for its key range.
    utilisation: float
    #: The largest part of ``demand``, and of ``count``, that may belong to other partitions, or be older than the
    #: window; 0 if both are exact, which they always are without ``memory``.
    carried: float


class ClosedMinute(NamedTuple):
    """Counts of partitions for one operation in one minute of the detector's clock that is over."""

    #: Those with the most demand in the minute, the most first. All their numbers are of that minute alone.
    partitions: list[HotPartition]
    #: The sum of the counts of all others: operations or, in capacity mode, units.
    rest: float


def hottest_of(detector: _handle.Detector, operation: Operation | None, n: int, capacity: bool) -> list[HotPartition]:
    """The ``n`` partitions with the most demand for an operation, the most first; without one, by their utilisation."""
    n = whole("n", n, 0, 2**31)
    if operation is not None:
        return _taken(detector, choice("operation", operation, _abi.OPERATIONS), n, capacity)
    found = [hot for kind in range(len(_abi.OPERATIONS)) for hot in _taken(detector, kind, n, capacity)]
    found.sort(key=lambda hot: (hot.utilisation, hot.demand), reverse=True)
    return found[:n]


def _taken(detector: _handle.Detector, operation: int, n: int, capacity: bool) -> list[HotPartition]:
    snapshot = c_void_p()
    try:
        checked(slow.hpd_hottest_take(detector, operation, n, byref(snapshot)))
        return _entries(snapshot, capacity)
    finally:
        slow.hpd_hottest_free(snapshot)


def closed_of(detector: _handle.Detector, operation: Operation, minute: int, n: int, capacity: bool) -> ClosedMinute:
    """The ``n`` partitions with the most demand for one operation in a minute that is over, and the rest."""
    kind, which = choice("operation", operation, _abi.OPERATIONS), whole("minute", minute, 0, 2**64 - 1)
    n, snapshot = whole("n", n, 0, 2**31), c_void_p()
    try:
        checked(slow.hpd_hottest_closed_take(detector, kind, which, n, byref(snapshot)))
        rest = checked(slow.hpd_hottest_rest(snapshot))
        return ClosedMinute(_entries(snapshot, capacity), rest / 2 if capacity else rest)
    finally:
        slow.hpd_hottest_free(snapshot)


def _entries(snapshot: c_void_p, capacity: bool) -> list[HotPartition]:
    return [_entry(snapshot, i, capacity) for i in range(checked(slow.hpd_hottest_len(snapshot)))]


def _entry(snapshot: c_void_p, i: int, capacity: bool) -> HotPartition:
    native = _abi.HotPartition(sizeof(_abi.HotPartition))
    checked(slow.hpd_hottest_get(snapshot, i, byref(native)))
    return HotPartition(
        table=readable(string_at(native.table, native.table_len)),
        pk=readable(string_at(native.pk, native.pk_len)),
        operation=_abi.OPERATIONS[native.operation],
        count=native.count / 2 if capacity else native.count,
        throttles=native.throttles,
        demand=native.demand / 2 if capacity else native.demand,
        peak=native.peak / 2 if capacity else native.peak,
        utilisation=native.utilisation_permille / 1_000,
        carried=native.carried / 2 if capacity else native.carried,
    )

"""Snapshots: the hottest partitions, and a detector's statistics."""

from __future__ import annotations

from ctypes import byref, c_void_p, sizeof, string_at
from typing import NamedTuple

from hotpart import _abi, _handle
from hotpart._abi import Operation
from hotpart._handle import checked
from hotpart._library import slow
from hotpart._warning import readable


class HotPartition(NamedTuple):
    """What a partition had of one operation in the window."""

    table: str | bytes
    #: The partition key: ``bytes`` if it is not UTF-8.
    pk: str | bytes
    operation: Operation
    #: Operations or, in capacity mode, units; so are ``demand`` and ``peak``. (It hides a method of tuples.)
    count: float  # type: ignore[assignment]
    #: Throttles for its key range.
    throttles: int
    #: The count and, for each throttle, one operation or unit more.
    demand: float
    #: The fullest second.
    peak: float
    #: Its fullest second as a share of DynamoDB's limit for a partition: 1.0 is the limit.
    utilisation: float


class Statistics(NamedTuple):
    """Numbers about a detector since it was made; ``clear`` does not reset them."""

    records: int
    #: Partitions tracked now.
    partitions: int
    #: Bytes that the library holds now.
    bytes: int
    #: Idle partitions whose memory was given back.
    reclaimed: int
    #: Partitions that lost their counts to a new one at ``max_partitions``.
    replaced: int
    #: Partitions that ``clear`` forgot.
    cleared: int
    warnings: int
    #: Hot records that gave no warning.
    suppressed: int
    #: By reason: "key_range" is the one that means a hot partition.
    throttles: dict[str, int]
    #: What no partition could be charged with, by kind; kinds that end in "_units" are in units.
    unattributed: dict[str, float]
    #: Capacity that was estimated because no answer told it, in units.
    estimated_units: float
    #: Observed requests of operations that are not known.
    unknown_operations: int


def hottest_of(detector: _handle.Detector, operation: int, n: int, capacity: bool) -> list[HotPartition]:
    """The ``n`` partitions with the most demand for one operation, the most first."""
    snapshot = c_void_p()
    try:
        checked(slow.hpd_hottest_take(detector, operation, n, byref(snapshot)))
        return [_entry(snapshot, i, capacity) for i in range(checked(slow.hpd_hottest_len(snapshot)))]
    finally:
        slow.hpd_hottest_free(snapshot)


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
    )


def statistics_of(detector: _handle.Detector) -> Statistics:
    """The statistics of a detector."""
    native = _abi.Statistics(sizeof(_abi.Statistics))
    checked(slow.hpd_get_statistics(detector, byref(native)))
    numbers = {name: getattr(native, name) for name in Statistics._fields if hasattr(native, name)}
    numbers["throttles"] = dict(zip(_abi.REASONS, native.throttles, strict=True))
    numbers["unattributed"] = {
        kind: n / 2 if kind.endswith("_units") else n
        for kind, n in zip(_abi.UNATTRIBUTED, native.unattributed, strict=True)
    }
    return Statistics(**numbers, estimated_units=native.estimated_half_units / 2)


def metrics_of(detector: _handle.Detector, hottest: int, open_metrics: bool) -> str:
    """The statistics and the hottest partitions as text."""
    options = _abi.MetricsOptions(
        sizeof(_abi.MetricsOptions), hottest, _abi.METRICS_OPEN_METRICS if open_metrics else 0
    )
    text = _handle.text_of(lambda out: slow.hpd_metrics_take(detector, byref(options), out))
    return (text or b"").decode()

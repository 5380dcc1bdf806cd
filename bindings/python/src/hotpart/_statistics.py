"""A detector's statistics."""

from __future__ import annotations

from ctypes import byref, sizeof
from typing import NamedTuple

from hotpart import _abi, _handle
from hotpart._handle import checked
from hotpart._library import slow


class Statistics(NamedTuple):
    """Numbers about a detector. ``partitions``, ``bytes`` and ``filter_load`` are of now.

    The others count from when it was made, and ``clear`` does not reset them.
    """

    #: Records made.
    records: int
    #: Partitions tracked now; with ``memory``, those that are counted exactly.
    partitions: int
    #: Bytes that the library holds now for the detector. Key schemas, and requests that wait for one, are not counted.
    bytes: int
    #: Idle partitions whose memory was given back.
    reclaimed: int
    #: Partitions that were not idle and lost their counts to a new one at ``max_partitions``.
    replaced: int
    #: Partitions that ``clear`` forgot.
    cleared: int
    #: Warnings given.
    warnings: int
    #: Hot records that gave no warning.
    suppressed: int
    #: Throttles by reason: "key_range" is the one that means a hot partition.
    throttles: dict[str, int]
    #: Amounts charged to no partition, by kind; kinds that end in "_units" are in units. "unread" is ``unread`` below.
    unattributed: dict[str, float]
    #: Capacity that was estimated because no answer told it, in units.
    estimated_units: float
    #: Observed requests of operations that this version does not know.
    unknown_operations: int
    #: Statements, and parts of observed requests, that could not be read.
    unread: int
    #: Partitions that came to be counted exactly. This and the next three are of ``memory``, and 0 without it.
    promoted: int
    #: Partitions that ceased to be counted exactly, as they had become quiet.
    demoted: int
    #: Records of partitions that were due to be counted exactly and were not, for want of room.
    kept_out: int
    #: How full the filter is: the mean of its cells as a share of the lowest count from which any partition is counted
    #: exactly. Over 0.4 ``memory`` is too small: keys that are not hot warn.
    filter_load: float
    #: How often it failed to observe or record a request, to describe a table, or to collect metrics; each kind was
    #: logged once.
    failures: int


def statistics_of(detector: _handle.Detector, failures: int) -> Statistics:
    """The statistics of a detector."""
    native = _abi.Statistics(sizeof(_abi.Statistics))
    checked(slow.hpd_get_statistics(detector, byref(native)))
    numbers = {name: getattr(native, name) for name in Statistics._fields if hasattr(native, name)}
    numbers["throttles"] = dict(zip(_abi.REASONS, native.throttles, strict=True))
    numbers["unattributed"] = {
        kind: n / 2 if kind.endswith("_units") else n
        # The last kind has a number of its own: `unread`.
        for kind, n in zip(_abi.UNATTRIBUTED[:-1], native.unattributed, strict=True)
    }
    numbers["filter_load"] = native.filter_load_permille / 1_000
    return Statistics(**numbers, estimated_units=native.estimated_half_units / 2, failures=failures)

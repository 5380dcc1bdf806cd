"""A detector's statistics."""

from __future__ import annotations

from ctypes import byref, sizeof
from typing import NamedTuple

from hotpart import _abi, _handle
from hotpart._handle import checked
from hotpart._library import slow


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
    #: Statements, and parts of observed requests, that could not be read.
    unread: int
    #: Partitions that came to be counted exactly. This and the next three are of ``memory``, and 0 without it.
    promoted: int
    #: Partitions that ceased to be counted exactly, as they had become quiet.
    demoted: int
    #: Records of partitions that were due to be counted exactly and were not, for want of room.
    kept_out: int
    #: The filter's load: the mean of its cells as a share of the count from which a partition is counted exactly.
    #: Over 0.4 it is too small: keys that are not hot warn.
    filter_load: float
    #: What went wrong in here while clients were watched; each kind was logged once.
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

"""The statistics and the hottest partitions as text for Prometheus."""

from __future__ import annotations

from ctypes import byref, sizeof

from hotpart import _abi, _handle
from hotpart._amount import Amount, amount_of, whole
from hotpart._library import slow
from hotpart._options import flag


def metrics_of(
    detector: _handle.Detector, hottest: int, least: int, *, demand_only: bool = False, open_metrics: bool = False
) -> str:
    """The statistics and the hottest partitions as text, or with ``least`` those that have that."""
    options = _abi.MetricsOptions(sizeof(_abi.MetricsOptions), whole("hottest", hottest, 0, 2**31))
    options.least = least
    if flag("open_metrics", open_metrics):
        options.flags |= _abi.METRICS_OPEN_METRICS
    if flag("demand_only", demand_only):
        options.flags |= _abi.METRICS_DEMAND_ONLY
    return (_handle.text_of(slow.hpd_metrics_take, detector, byref(options)) or b"").decode()


def least_of(given: Amount | None, capacity: bool) -> int:
    """Return the amount that listed partitions have at least, as the library's integer, which is never its 0 for none."""
    if given is None:
        return 0
    least = amount_of("least", given, capacity)
    if least == 0:
        raise ValueError(f"least must be more than 0, not {given}")
    return least


def fleet_least(threshold: int, processes: int, precision: int = 4) -> int:
    """Returns the ``least`` for ``metrics`` with which processes miss no partition that is hot only in their sum.

    It is ``threshold``, of the sum, divided by ``processes`` and by ``precision``; never less than 1. All that a
    partition has where it is not listed is then less than ``threshold / precision``. So with a precision of 4, if a
    partition has ``threshold``, what is listed of it adds up to three quarters of that or more. A greater precision
    makes longer lists.
    """
    threshold = whole("threshold", threshold, 0, 2**63 - 1)
    parts = whole("processes", processes, 1, 2**32 - 1) * whole("precision", precision, 1, 2**32 - 1)
    return max(threshold // parts, 1)

"""The statistics and the hottest partitions as text for Prometheus."""

from __future__ import annotations

from ctypes import byref, sizeof

from hotpart import _abi, _handle
from hotpart._library import slow


def metrics_of(detector: _handle.Detector, hottest: int, open_metrics: bool) -> str:
    """The statistics and the hottest partitions as text."""
    options = _abi.MetricsOptions(
        sizeof(_abi.MetricsOptions), hottest, _abi.METRICS_OPEN_METRICS if open_metrics else 0
    )
    return (_handle.text_of(slow.hpd_metrics_take, detector, byref(options)) or b"").decode()

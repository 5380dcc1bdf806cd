"""The statistics and the hottest partitions as text for Prometheus."""

from __future__ import annotations

from ctypes import byref, c_void_p, sizeof, string_at

from hotpart import _abi, _handle
from hotpart._handle import checked
from hotpart._library import slow


def metrics_of(detector: _handle.Detector, hottest: int, open_metrics: bool) -> str:
    """The statistics and the hottest partitions as text."""
    options = _abi.MetricsOptions(
        sizeof(_abi.MetricsOptions), hottest, _abi.METRICS_OPEN_METRICS if open_metrics else 0
    )
    text = c_void_p()
    try:
        checked(slow.hpd_metrics_take(detector, byref(options), byref(text)))
        return string_at(slow.hpd_text_data(text), slow.hpd_text_len(text)).decode()
    finally:
        slow.hpd_text_free(text)

"""A collector for ``prometheus_client``.

    REGISTRY.register(HotpartCollector(detector))

In its multiprocess mode ``prometheus_client`` ignores collectors like this one: scrape each worker for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from hotpart._detector import HotPartitionDetector


class HotpartCollector(Collector):
    """Collects a detector's statistics, and its hottest partitions for each operation: ``hottest``, 100 at most."""

    def __init__(self, detector: HotPartitionDetector[Any], hottest: int = 10) -> None:
        self._detector, self._hottest = detector, hottest

    def collect(self) -> Iterable[Any]:
        """The metrics as they are now; none once the detector is closed."""
        if self._detector.closed:
            return []
        return text_string_to_metric_families(self._detector.metrics(self._hottest))

    def describe(self) -> Iterable[Any]:
        """Nothing: so they are collected when they are asked for, and not when this is registered."""
        return []

"""A collector for ``prometheus_client``.

    REGISTRY.register(HotpartCollector(detector))

In its multiprocess mode ``prometheus_client`` ignores collectors like this one: scrape each worker for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from hotpart._amount import Amount, whole
from hotpart._detector import HotPartitionDetector
from hotpart._handle import ClosedError
from hotpart._listed import text_of
from hotpart._options import flag


class HotpartCollector(Collector):
    """Collects detectors' statistics, and their hottest partitions for each operation: ``hottest``, 100 at most.

    With ``least`` it collects all partitions with that demand or more, up to 990 for each operation. With
    ``demand_only`` it collects of each its demand alone: ``HotPartitionDetector.metrics`` says when to leave that out.
    With ``memory``, thresholds that are raised later can make ``least`` too little: the 100 hottest are listed then,
    and that is logged.

    Several detectors of one registry go into one collector: a mapping from names, which become the label ``detector``.
    """

    def __init__(
        self,
        detector: HotPartitionDetector[Any] | Mapping[str, HotPartitionDetector[Any]],
        hottest: int = 10,
        least: Amount | None = None,
        *,
        demand_only: bool = False,
    ) -> None:
        self._detectors = dict(detector) if isinstance(detector, Mapping) else {None: detector}
        for one in self._detectors.values():
            if not isinstance(one, HotPartitionDetector):
                raise TypeError(
                    f"detector must be a HotPartitionDetector or a mapping to some, not {type(one).__name__}"
                )
        self._hottest = whole("hottest", hottest, 0, 2**31)
        self._least, self._demand_only = least, flag("demand_only", demand_only)
        if least is not None:
            # What a detector refuses is said here.
            for one in self._detectors.values():
                one.metrics(least=least, demand_only=True)

    def collect(self) -> Iterable[Any]:
        """Returns the metrics as they are now; none of a detector that is closed."""
        families: dict[str, Any] = {}
        for name, detector in self._detectors.items():
            try:
                text = text_of(detector, self._hottest, self._least, demand_only=self._demand_only)
            except ClosedError:
                continue
            for family in text_string_to_metric_families(text):
                known = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                for sample in family.samples:
                    labels = sample.labels if name is None else {**sample.labels, "detector": name}
                    known.samples.append(sample._replace(labels=labels))
        return families.values()

    def describe(self) -> Iterable[Any]:
        """Returns nothing: so metrics are collected when they are asked for, and not when this is registered."""
        return []

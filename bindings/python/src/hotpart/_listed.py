"""Partitions as metrics list them, read from their text."""

from __future__ import annotations

import re
from typing import Any

from hotpart._amount import Amount
from hotpart._detector import HotPartitionDetector

_SAMPLE = re.compile(
    r"""^hotpart_partition_(demand|utilisation_ratio|unlisted_most)\{
        (?:table="((?:[^"\\]|\\.)*)",pk="((?:[^"\\]|\\.)*)",)?operation="([a-z]+)"\}[ ](.+)$""",
    re.MULTILINE | re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")

#: The most that a detector lists without ``least``.
_HOTTEST = 100


def text_of(detector: HotPartitionDetector[Any], hottest: int, least: Amount | None, *, demand_only: bool) -> str:
    """The metrics. Where ``least`` has become too little, those of the hottest partitions, which is logged once.

    It becomes so with ``memory``, when thresholds are raised. The hottest, and the most that others have, bound the sums
    of a fleet as well. What fails here may cost a program all of its metrics.
    """
    try:
        return detector.metrics(hottest, least, demand_only=demand_only)
    except ValueError as error:
        if least is None:
            raise
        detector._failures.log(error, f"only the {_HOTTEST} hottest partitions are listed")
        return detector.metrics(_HOTTEST, demand_only=demand_only)


class Listed:
    """Partitions that a text for Prometheus lists. So the library chooses them, and the hash that stands for a key."""

    def __init__(self, text: str, capacity: bool) -> None:
        #: By table, partition key and operation.
        self.demand: dict[tuple[str, str, str], float] = {}
        self.utilization: dict[tuple[str, str, str], float] = {}
        #: The most demand that a partition can have which is not listed, by operation; empty if nobody knows.
        self.unlisted: dict[str, float] = {}
        for family, table, pk, operation, value in _SAMPLE.findall(text):
            number = float(value) if capacity or family == "utilisation_ratio" else int(value)
            if family == "unlisted_most":
                self.unlisted[operation] = number
            else:
                of = self.demand if family == "demand" else self.utilization
                of[_unescaped(table), _unescaped(pk), operation] = number


def _unescaped(label: str) -> str:
    return _ESCAPED.sub(lambda escaped: "\n" if escaped[1] == "n" else escaped[1], label) if "\\" in label else label

"""Partitions as metrics list them, read from their text."""

from __future__ import annotations

import re

_SAMPLE = re.compile(
    r"""^hotpart_partition_(demand|utilisation_ratio|unlisted_most)\{
        (?:table="((?:[^"\\]|\\.)*)",pk="((?:[^"\\]|\\.)*)",)?operation="([a-z]+)"\}[ ](.+)$""",
    re.MULTILINE | re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")


class Listed:
    """What a text for Prometheus says of partitions. So which they are, and what stands for a key, is the library's choice."""

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

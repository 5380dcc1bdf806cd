"""A warning: its fields, and the line that is logged."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from hotpart import _abi
from hotpart._abi import Operation, Rule


def readable(text: bytes) -> str | bytes:
    """Text as ``str``, or as ``bytes`` where it is none."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text


class _Fields(NamedTuple):
    """A warning's fields, which are public."""

    #: The table, or ``TABLE/index/INDEX``: ``bytes`` if it is not UTF-8.
    table: str | bytes
    #: The partition key, whether keys are redacted or not: ``bytes`` if it is not UTF-8.
    pk: str | bytes
    operation: Operation
    #: The count that reached the threshold: operations or, in capacity mode, units. By the rule "throttle" it, ``peak``
    #: and ``carried`` are throttled attempts in the window. (It hides a method of tuples.)
    count: float  # type: ignore[assignment]
    #: The threshold that ``count`` reached; 1 by the rule "throttle".
    threshold: float
    #: The seconds that ``count`` is of: 1 by the rule "second", 5 by "sustained", else the window.
    window_seconds: int
    #: Hot records that gave no warning since the partition's last warning for this operation.
    suppressed: int
    #: The largest count of any one second in the window.
    peak: float
    #: Which rule is met: "window", "second" (the current one), "sustained" (five seconds), or "throttle".
    rule: Rule
    #: ``count`` divided by its seconds, as a share of DynamoDB's limit a second for a partition: 1.0 is the limit. Of
    #: several ``processes`` each has an even share of the limit. By the rule "throttle" it is 1.0.
    utilisation: float
    #: The hash that stands for the key in logs and metrics; ``None`` if keys are not redacted.
    redacted: str | None = None
    #: The largest part of ``count`` that may belong to other partitions, or be older than the window; 0 if ``count`` is
    #: exact, which it always is without ``memory``.
    carried: float = 0


class HotPartitionWarning(_Fields):
    """A partition is hot: its count has reached its threshold.

    As ``str`` it is the line that is logged; one that no detector gave has no line, and shows its fields.
    """

    # The library's line is no field: warnings with equal fields are equal.
    _line = ""

    def without_key(self) -> HotPartitionWarning:
        """Returns the same warning with ``redacted`` in the key's place, if keys are redacted."""
        return self if self.redacted is None else self._replace(pk=self.redacted)._with_line(self._line)

    def _with_line(self, line: str) -> HotPartitionWarning:
        self._line = line
        return self

    def __repr__(self) -> str:
        shown = self.without_key()
        fields = (f"{name}={value!r}" for name, value in zip(self._fields, shown, strict=True))
        return f"HotPartitionWarning({', '.join(fields)})"

    def __str__(self) -> str:
        return self._line or repr(self)


def warning_of(native: _abi.Warning, capacity: bool, redacted: str | None, line: str) -> HotPartitionWarning:
    """The library's warning, and its line, as Python's."""
    rule = _abi.RULES[native.rule]
    # Throttles are attempts, which have no units.
    units = 2 if capacity and rule != "throttle" else 1

    def amount(halves: int) -> float:
        return halves / units if units > 1 else halves

    table, pk = warned(native)
    return HotPartitionWarning(
        table=readable(table),
        pk=readable(pk),
        operation=_abi.OPERATIONS[native.operation],
        count=amount(native.count),
        threshold=amount(native.threshold),
        window_seconds=native.window_seconds,
        suppressed=native.suppressed,
        peak=amount(native.peak),
        rule=rule,
        utilisation=native.utilisation_permille / 1_000,
        redacted=redacted,
        carried=amount(native.carried),
    )._with_line(line)


def warned(native: _abi.Warning) -> tuple[bytes, bytes]:
    """The table and the key that a warning is about."""
    return ctypes.string_at(native.table, native.table_len), ctypes.string_at(native.pk, native.pk_len)

"""What a warning says, and the line that is logged."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from hotpart import _abi
from hotpart._abi import Operation, Rule

# Quotes, backslashes, control characters (terminals obey U+0080 to U+009F too) and, as surrogates, bytes that are not UTF-8.
_ESCAPES = {
    code: "".join(f"\\x{byte:02X}" for byte in chr(code).encode())
    for code in (*range(0x20), *range(0x7F, 0xA0), ord('"'), ord("\\"))
} | {0xDC00 + byte: f"\\x{byte:02X}" for byte in range(0x80, 0x100)}


def escaped(text: bytes) -> str:
    r"""Text that breaks no log: ``"``, ``\``, control bytes and bytes that are not UTF-8 appear as ``\xNN``."""
    return text.decode("utf-8", "surrogateescape").translate(_ESCAPES)


def readable(text: bytes) -> str | bytes:
    """Text as ``str``, or as ``bytes`` where it is none."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text


def plain(amount: float) -> str:
    """A count, without a fraction of zero."""
    return str(int(amount)) if amount == int(amount) else str(amount)


class HotPartitionWarning(NamedTuple):
    """A partition is hot: its count has reached its threshold. As ``str`` it is the line that is logged."""

    table: str | bytes
    #: The partition key: ``bytes`` if it is not UTF-8.
    pk: str | bytes
    operation: Operation
    #: The count that reached the threshold: operations or, in capacity mode, units. (It hides a method of tuples.)
    count: float  # type: ignore[assignment]
    threshold: float
    #: The seconds that ``count`` is of: the window or, by other rules, 1 or 5.
    window_seconds: int
    #: Records at or past the threshold since the last warning that gave none.
    suppressed: int
    #: The fullest second in the window.
    peak: float
    #: Which rule is met: "window", "second" (the current one), "sustained" (five seconds), or "throttle".
    rule: Rule
    #: ``count`` as a share of DynamoDB's limit for a partition: 1.0 is the limit.
    utilisation: float
    #: What stands for the key in logs and metrics, if keys are redacted.
    redacted: str | None = None

    def without_key(self) -> HotPartitionWarning:
        """The same with what stands for the key in the key's place, if keys are redacted."""
        return self if self.redacted is None else self._replace(pk=self.redacted)

    def __repr__(self) -> str:
        shown = self.without_key()
        fields = (f"{name}={value!r}" for name, value in zip(self._fields, shown, strict=True))
        return f"HotPartitionWarning({', '.join(fields)})"

    def __str__(self) -> str:
        table, pk = (
            text.encode() if isinstance(text, str) else text for text in (self.table, self.redacted or self.pk)
        )
        what = f"{'throttled ' if self.rule == 'throttle' else ''}{self.operation}s"
        return (
            f'Hot partition detected - table="{escaped(table)}" pk="{escaped(pk)}" '
            f"had {plain(self.count)} {what} in {self.window_seconds}s"
        )


def warning_of(native: _abi.Warning, capacity: bool, redacted: str | None) -> HotPartitionWarning:
    """The library's warning as Python's."""
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
    )


def warned(native: _abi.Warning) -> tuple[bytes, bytes]:
    """The table and the key that a warning is about."""
    return ctypes.string_at(native.table, native.table_len), ctypes.string_at(native.pk, native.pk_len)

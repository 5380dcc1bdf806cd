"""Amounts and thresholds: integers that count operations, or units in halves."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

#: Operations (``int``) or, in capacity mode, units: multiples of 0.5.
Amount = int | float | Decimal


def amount_of(name: str, given: Amount, capacity: bool) -> int:
    """An amount as the library's integer; ``name`` is the argument's."""
    if isinstance(given, bool) or not isinstance(given, (int, float, Decimal) if capacity else int):
        raise TypeError(f"{name} must be {'a number of units' if capacity else 'int'}, not {type(given).__name__}")
    if (isinstance(given, Decimal) and given.is_nan()) or not 0 <= given < 2**63:
        raise ValueError(f"{name} must be positive and less than 2**63, not {shown(given)}")
    if not capacity:
        return int(given)
    exact = Fraction(given) * 2
    halves = int(exact)
    if halves != exact:
        raise ValueError(f"{name} must be a multiple of half a unit, not {given}")
    return halves


def nearest(name: str, given: int, least: int, most: int) -> int:
    """An integer for a type of the library's that has ``least`` to ``most``, which it refuses as it does what lies beyond."""
    return max(least, min(_integer(name, given), most))


def whole(name: str, given: int, least: int, most: int) -> int:
    """An integer of a range."""
    if not least <= _integer(name, given) <= most:
        raise ValueError(f"{name} must be {least} to {most}, not {shown(given)}")
    return given


def _integer(name: str, given: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{name} must be int, not {type(given).__name__}")
    return given


def shown(given: Amount) -> str:
    """A number as an error shows it."""
    try:
        return str(given)
    except ValueError:
        # Python refuses to write out very large ones.
        return "one of thousands of digits"

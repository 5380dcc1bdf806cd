"""Amounts and thresholds: integers that count operations, or units in halves. Shares, and memory."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

#: Operations (``int``) or, in capacity mode, units: multiples of 0.5.
Amount = int | float | Decimal

#: What memory may be, in bytes.
_MEMORY_MIN, _MEMORY_MAX = 2**16, 2**40
_MEMORY_TEXT = re.compile("([0-9]{1,15}) *([KMG])iB", re.ASCII | re.IGNORECASE)
_MEMORY_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}


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


def permille(name: str, given: float, least: float, most: float) -> int:
    """A share of a range, in thousandths."""
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name} must be a number, not {type(given).__name__}")
    if not least <= given <= most:
        raise ValueError(f"{name} must be {least} to {most}, not {shown(given)}")
    return round(given * 1_000)


def memory_of(given: int | str) -> int:
    """Memory in bytes: that number itself, or a text such as "8MiB"."""
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise TypeError(f"memory must be int or str, not {type(given).__name__}")
    n = given
    if isinstance(n, str):
        found = _MEMORY_TEXT.fullmatch(n)
        if found is None:
            raise ValueError(f'memory must be bytes, or a text such as "512KiB", "8MiB" or "1GiB", not {n!r}')
        n = int(found[1]) * _MEMORY_UNITS[found[2].upper()]
    if not _MEMORY_MIN <= n <= _MEMORY_MAX:
        raise ValueError(f"memory must be {_MEMORY_MIN} to {_MEMORY_MAX} bytes, not {shown(given)}")
    return n


def _integer(name: str, given: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int):
        raise TypeError(f"{name} must be int, not {type(given).__name__}")
    return given


def shown(given: Amount | str) -> str:
    """A number, or a text of one, as an error shows it."""
    try:
        return str(given)
    except ValueError:
        # Python refuses to write out very large ones.
        return "one of thousands of digits"

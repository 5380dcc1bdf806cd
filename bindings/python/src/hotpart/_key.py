"""Tables, keys and words of callers, as the library takes them."""

from __future__ import annotations

import decimal
import os
from ctypes import create_string_buffer
from typing import SupportsBytes

from hotpart import _abi
from hotpart._handle import checked
from hotpart._library import fast

#: What a partition key may be given as. A number and its text in DynamoDB's plain decimals are one key.
Key = str | bytes | bytearray | memoryview | int | decimal.Decimal | SupportsBytes


def text_bytes(name: str, text: str | bytes) -> bytes:
    """The bytes of a table's or a model's name; ``name`` is the argument's."""
    if isinstance(text, str):
        return _encoded(name, text)
    if not isinstance(text, bytes):
        raise TypeError(f"{name} must be str or bytes, not {type(text).__name__}")
    return text


def key_bytes(pk: Key) -> bytes:
    """The bytes of a partition key."""
    if isinstance(pk, str):
        return _encoded("pk", pk)
    if isinstance(pk, (bytes, bytearray, memoryview)):
        return bytes(pk)
    if isinstance(pk, (int, decimal.Decimal)) and not isinstance(pk, bool):
        return _number(decimal.Decimal(pk))
    if hasattr(pk, "__bytes__") and not isinstance(pk, os.PathLike):
        try:
            return bytes(pk)
        except TypeError as error:
            raise TypeError(f"pk must be bytes, and its __bytes__ fails: {error}") from None
    raise TypeError(f"pk must be str, bytes, int or Decimal, not {type(pk).__name__}")


def partition(table: str | bytes, pk: Key) -> tuple[bytes, int, bytes, int]:
    """A table and a key as the library takes them."""
    name, key = text_bytes("table", table), key_bytes(pk)
    return name, len(name), key, len(key)


def choice(name: str, given: str, choices: tuple[str, ...]) -> int:
    """The place of one of some words."""
    if given not in choices:
        raise ValueError(f"{name} must be one of {', '.join(choices)}, not {given!r}")
    return choices.index(given)


def throttle(operation: str, reason: str) -> tuple[int, int]:
    """Operation and reason of a throttle, as the library's numbers."""
    return choice("operation", operation, _abi.OPERATIONS), choice("reason", reason, _abi.REASONS)


def _encoded(name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{name} has a lone surrogate, which is no text") from None


def _number(number: decimal.Decimal) -> bytes:
    """The one plain decimal that DynamoDB's number is counted as: 1, 1.0 and 1E0 are "1", and -0 is "0"."""
    text, key = str(number).encode(), create_string_buffer(_abi.NUMBER_KEY_MAX)
    written = checked(fast.hpd_number_key(text, len(text), key))
    return key.raw[:written]


def canonical_number(text: bytes) -> bytes | None:
    """The same of a number's text; ``None`` if it is no number of DynamoDB's."""
    key = create_string_buffer(_abi.NUMBER_KEY_MAX)
    written = fast.hpd_number_key(text, len(text), key)
    return key.raw[:written] if written > 0 else None

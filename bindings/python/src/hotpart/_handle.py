"""Owners of the library's objects.

An owner is the pointer itself, so that ctypes takes it as an argument and holds it for as long as a call runs. It is
freed when nobody holds it any more; so closing a detector in one thread frees nothing that another one is using.
"""

from __future__ import annotations

import ctypes

from hotpart import _abi
from hotpart._library import fast, slow


class Detector(ctypes.c_void_p):
    """Owns an ``hpd_detector``, and the callback that it may call for as long as it lives."""

    callback: object

    def __del__(self, _free=slow.hpd_free) -> None:  # type: ignore[no-untyped-def]
        _free(self)


class Table(ctypes.c_void_p):
    """Owns an ``hpd_table`` of a detector, which therefore outlives it."""

    owner: Detector

    def __del__(self, _close=fast.hpd_table_close) -> None:  # type: ignore[no-untyped-def]
        _close(self)


class Snapshot(ctypes.c_void_p):
    """Owns an ``hpd_hottest``."""

    def __del__(self, _free=slow.hpd_hottest_free) -> None:  # type: ignore[no-untyped-def]
        _free(self)


class Text(ctypes.c_void_p):
    """Owns an ``hpd_text``."""

    def __del__(self, _free=slow.hpd_text_free) -> None:  # type: ignore[no-untyped-def]
        _free(self)

    def __str__(self) -> str:
        return ctypes.string_at(slow.hpd_text_data(self), slow.hpd_text_len(self)).decode()


class HotpartError(RuntimeError):
    """The library refused a call for a reason that is not its arguments'."""


class ClosedError(HotpartError):
    """The detector has been closed."""


class MissingSchemaError(HotpartError):
    """The partition key's name of a table is needed to observe a request, and unknown."""

    def __init__(self, table: str) -> None:
        super().__init__(f"the key schema of table {table!r} is not known")
        self.table = table


def checked(status: int) -> int:
    """What a call returned, if it is no error."""
    if status >= 0:
        return status
    message = slow.hpd_status_message(status).decode()
    if status == _abi.ERR_MEMORY:
        raise MemoryError(message)
    if status in (_abi.ERR_INVALID, _abi.ERR_JSON):
        raise ValueError(message)
    raise HotpartError(message)


def prepared(detector: Detector, name: bytes) -> Table:
    """A table of a detector."""
    table = Table()
    checked(fast.hpd_table_open(detector, name, len(name), ctypes.byref(table)))
    table.owner = detector
    return table


def redacted(detector: ctypes.c_void_p, table: bytes, pk: bytes) -> str | None:
    """What stands for a key, if the detector redacts keys."""
    digits = ctypes.create_string_buffer(32)
    written = checked(fast.hpd_redact(detector, table, len(table), pk, len(pk), digits))
    return digits.raw.decode() if written else None

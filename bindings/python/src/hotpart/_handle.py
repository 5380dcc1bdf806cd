"""Owners of the library's objects.

An owner is the pointer itself, so that ctypes takes it as an argument and holds it for as long as a call runs. It is
freed when nobody holds it any more; so closing a detector in one thread frees nothing that another one is using.

In a garbage cycle the collector calls all finalisers before it takes anything apart, in any order: others may still record.
So what it finds is freed when it is done; and if somebody has saved it by then, it is a null pointer, which the library
refuses.
"""

from __future__ import annotations

import ctypes
import gc
from typing import Any

from hotpart import _abi
from hotpart._library import fast, slow

_collecting = False
_found: list[_Owner] = []


def _collected(phase: str, _info: object) -> None:
    """Told by the garbage collector when it begins, and when it is done."""
    global _collecting
    _collecting = phase == "start"
    if not _collecting and _found:
        found = _found[:]
        _found.clear()
        # Tables before their detectors.
        found.sort(key=lambda owner: isinstance(owner, Detector))
        for owner in found:
            owner.free()


gc.callbacks.append(_collected)


class _Owner(ctypes.c_void_p):
    """Frees what it points to, once."""

    _free: Any

    def free(self) -> None:
        self._free(self)
        self.value = None

    def __del__(self) -> None:
        if _collecting:
            _found.append(self)
        else:
            self.free()


class Detector(_Owner):
    """Owns an ``hpd_detector``, and the callback that it may call for as long as it lives."""

    _free = slow.hpd_free
    callback: object


class Table(_Owner):
    """Owns an ``hpd_table`` of a detector, which therefore outlives it."""

    _free = fast.hpd_table_close
    owner: Detector


class Snapshot(_Owner):
    """Owns an ``hpd_hottest``."""

    _free = slow.hpd_hottest_free


class Text(_Owner):
    """Owns an ``hpd_text``."""

    _free = slow.hpd_text_free

    def __str__(self) -> str:
        return ctypes.string_at(slow.hpd_text_data(self), slow.hpd_text_len(self)).decode()


class HotpartError(RuntimeError):
    """The library refused a call for a reason that is not its arguments'."""


class ClosedError(HotpartError):
    """The detector has been closed."""

    def __init__(self) -> None:
        super().__init__("the detector is closed")


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
    if status == _abi.ERR_NULL:
        # No other pointer is one: it was freed.
        raise ClosedError
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

"""Owners of the library's objects that live long.

An owner is the pointer itself, so that ctypes takes it as an argument and holds it for as long as a call runs. It is
freed when nobody holds it any more; so closing a detector in one thread frees nothing that another one is using.

In a garbage cycle the collector calls all finalisers before it takes anything apart, in any order: others may still record.
So an owner that it finds leaves what it owns to an heir, which goes when the owner is taken apart. At the interpreter's end
the collector says nothing, and nothing is freed: the process is about to end.

What lives shortly has no owner, and is freed by who had it made: an exception that a signal handler raises within a finaliser
is lost, and so is one within a Python function that the collector calls.
"""

from __future__ import annotations

import collections
import ctypes
import gc
import sys
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hotpart import _abi
from hotpart._amount import shown
from hotpart._library import fast, slow

if TYPE_CHECKING:
    from typing_extensions import Self

# The collector says "start" and "stop", and a dictionary, to this: what it said last is the last key.
_phases: collections.OrderedDict[str, None] = collections.OrderedDict(start=None, stop=None)
gc.callbacks.append(_phases.move_to_end)  # type: ignore[arg-type]


class _Owner(ctypes.c_void_p):
    """Frees what it points to, once."""

    _free: Any
    heir: Self | None = None
    is_heir = False

    def inherit(self) -> Self:
        """Its heir."""
        if self.heir is None:
            heir = type(self)(self.value)
            heir.is_heir = True
            self.heir = heir
        return self.heir

    def __del__(self, ending: Callable[[], bool] = sys.is_finalizing) -> None:
        if ending():
            return
        if self.is_heir or (self.heir is None and next(reversed(_phases)) == "stop"):
            self._free(self)
        else:
            self.inherit()


class Detector(_Owner):
    """Owns an ``hpd_detector``."""

    _free = slow.hpd_free


class Table(_Owner):
    """Owns an ``hpd_table`` of a detector, which therefore outlives it."""

    _free = fast.hpd_table_close
    owner: Detector

    def inherit(self) -> Self:
        heir = super().inherit()
        heir.owner = self.owner.inherit()
        return heir


class HotpartError(RuntimeError):
    """The library refused a call for another reason than its arguments, such as a time for a clock that runs."""


class ClosedError(HotpartError):
    """The detector has been closed."""

    def __init__(self) -> None:
        super().__init__("the detector is closed")


class MissingSchemaError(HotpartError):
    """The names of the partition keys of some tables are needed, and unknown.

    What the request did there waits in the detector, and all else was recorded: don't observe it
    again. A table is asked for once a minute at most.
    """

    def __init__(self, *tables: str) -> None:
        names = ", ".join(map(repr, tables))
        super().__init__(
            f"the key schema of table {names} is not known"
            if len(tables) == 1
            else f"the key schemas of tables {names} are not known"
        )
        #: The tables to describe.
        self.tables = tables
        #: The first of them.
        self.table = tables[0] if tables else ""


# The library's names of arguments that have others here.
_NAMES = {
    "writes": "writes_threshold",
    "reads": "reads_threshold",
    "number": "pk",
    "filter_bytes": "memory",
    "promote_permille": "promote_share",
}


def checked(status: int, given: Mapping[str, Any] = types.MappingProxyType({})) -> int:
    """Return a call's result, if it is no error. An error names the refused argument, and its value if given."""
    if status >= 0:
        return status
    message = slow.hpd_status_message(status).decode()
    argument = slow.hpd_error_argument().decode()
    if argument:
        name = _NAMES.get(argument) or argument
        message = f"{name} {slow.hpd_error_range().decode()}" + (f", not {shown(given[name])}" if name in given else "")
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
    table.owner = detector
    checked(fast.hpd_table_open(detector, name, len(name), ctypes.byref(table)))
    return table


def text_of(take: Callable[..., int], *arguments: Any) -> bytes | None:
    """The text that a function makes of its arguments, of which the last is where it writes that; ``None`` if it makes none."""
    text = ctypes.c_void_p()
    try:
        checked(take(*arguments, ctypes.byref(text)))
        return ctypes.string_at(fast.hpd_text_data(text), fast.hpd_text_len(text)) if text else None
    finally:
        fast.hpd_text_free(text)


def redacted(detector: Detector, table: bytes, pk: bytes) -> str | None:
    """Return the hash that stands for a key, if the detector redacts keys."""
    digits = ctypes.create_string_buffer(32)
    written = checked(fast.hpd_redact(detector, table, len(table), pk, len(pk), digits))
    return digits.raw.decode() if written else None

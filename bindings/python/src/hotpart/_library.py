"""Finds and loads ``libhotpart``.

It is loaded twice, which gives two ways to call the one library: ``slow`` releases the interpreter's lock during a
call, ``fast`` keeps it. Recording takes less time than to release the lock, and waits for nothing.
"""

from __future__ import annotations

import ctypes
import os
import pathlib
import sys

from hotpart import _abi

_NAME = {"darwin": "libhotpart.dylib", "win32": "hotpart.dll"}.get(sys.platform, "libhotpart.so")


# Called with a `c_void_p`, and with `bytes` or a `byref`, which ctypes passes as they are: without types to convert to that is
# twice as fast.
_UNTYPED = ("hpd_table_record_write_due", "hpd_table_record_read_due", "hpd_observe_due")


class LibraryError(ImportError):
    """``libhotpart`` is missing, can't be loaded, or is of another version."""


def _path() -> str:
    """Where it is: where ``HOTPART_LIBRARY`` says, else in this package."""
    chosen = os.environ.get("HOTPART_LIBRARY")
    if chosen:
        # Without a folder the loader would look elsewhere.
        return os.path.abspath(chosen)
    return str(pathlib.Path(__file__).with_name(_NAME))


def _load() -> tuple[ctypes.CDLL, ctypes.PyDLL]:
    path = _path()
    advice = (
        "install the package anew, or set HOTPART_LIBRARY to the path of "
        f"{_NAME}, which `make build` in libhotpart's repository leaves in target/release"
    )
    if not os.path.exists(path):
        raise LibraryError(f"there is no libhotpart at {path}: {advice}")
    try:
        slow, fast = ctypes.CDLL(path), ctypes.PyDLL(path)
    except OSError as error:
        raise LibraryError(f"libhotpart at {path} can't be loaded ({error}): {advice}") from error
    try:
        version = slow.hpd_abi_version()
    except AttributeError:
        raise LibraryError(f"{path} is no libhotpart: {advice}") from None
    if version != _abi.ABI_VERSION:
        raise LibraryError(f"libhotpart at {path} has ABI {version}, and {_abi.ABI_VERSION} is needed: {advice}")
    try:
        for library in (slow, fast):
            _declare(library)
    except AttributeError as error:
        raise LibraryError(f"libhotpart at {path} is too old ({error}): {advice}") from None
    return slow, fast


def _declare(library: ctypes.CDLL) -> None:
    """Tells ctypes what functions take and return. AttributeError: the library does not have one."""
    for name, (returns, takes) in _abi.FUNCTIONS.items():
        function = getattr(library, name)
        function.restype = returns
        if name not in _UNTYPED:
            function.argtypes = takes


slow, fast = _load()


def library_version() -> str:
    """The version of the ``libhotpart`` that is in use, such as "0.1.0"."""
    return str(slow.hpd_version().decode())

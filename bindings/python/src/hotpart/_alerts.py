"""What happens with a warning: a line in the log, and the caller's own callable.

The library never calls back: a record's caller takes the warning from it when the record is over. So no Python runs within
the library, where an exception, such as a signal handler's, could not pass, and where no thread may end.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import os
import threading
from collections.abc import Callable
from ctypes import byref, c_void_p, sizeof
from typing import Any

from hotpart import _abi, _handle
from hotpart._handle import checked
from hotpart._library import fast
from hotpart._warning import HotPartitionWarning, warned, warning_of

_log = logging.getLogger("hotpart")


class _Thread(threading.local):
    """A thread's own warnings: it tells of them itself, one after another."""

    def __init__(self) -> None:
        #: What it has not told yet.
        self.due: collections.deque[HotPartitionWarning] = collections.deque()
        #: The process in which it is telling; 0: it is not.
        self.telling = 0


class Alerts:
    """Tells of one detector's warnings."""

    def __init__(
        self,
        logger: logging.Logger | logging.LoggerAdapter[Any] | None,
        on_warning: Callable[[HotPartitionWarning], object] | None,
        *,
        capacity: bool,
        redact: bool,
        always: bool,
    ) -> None:
        self._logger, self._on_warning = logger, on_warning
        self._capacity, self._redact = capacity, redact
        # Whether every hot record warns: then a record by ``on_warning`` would have it called for ever.
        self._always = always
        self._thread = _Thread()

    def take(self, detector: _handle.Detector) -> None:
        """Tells of what this thread's records have kept for it."""
        warnings = c_void_p()
        checked(fast.hpd_take_warnings(detector, byref(warnings)))
        self.tell_all(detector, warnings)

    def tell_all(self, detector: _handle.Detector, warnings: c_void_p) -> None:
        """Tells of warnings that a call gave, and frees them."""
        try:
            for i in range(fast.hpd_warnings_len(warnings)):
                native = _abi.Warning(sizeof(_abi.Warning))
                checked(fast.hpd_warnings_get(warnings, i, byref(native)))
                self._add(detector, native)
        finally:
            fast.hpd_warnings_free(warnings)
            warnings.value = None
        self._tell()

    def tell(self, detector: _handle.Detector, native: _abi.Warning) -> None:
        """Tells of the warning of a call that can give one, if it did. What it points to must live as long as this runs."""
        if native.count:
            self._add(detector, native)
            self._tell()

    def _add(self, detector: _handle.Detector, native: _abi.Warning) -> None:
        thread = self._mine()
        if not (self._always and thread.telling):
            redacted = _handle.redacted(detector, *warned(native)) if self._redact else None
            thread.due.append(warning_of(native, self._capacity, redacted))

    def _tell(self) -> None:
        """Tells of what is due, and of what comes meanwhile by records that ``on_warning`` makes."""
        thread, process = self._mine(), os.getpid()
        if thread.telling:
            return
        thread.telling = process
        try:
            while thread.due and os.getpid() == process:
                warning = thread.due.popleft()
                self._write(warning)
                self._call(warning)
        finally:
            thread.telling = 0

    def _mine(self) -> _Thread:
        """This thread's state, of this process: where ``on_warning`` has forked, the parent tells of what was due."""
        thread = self._thread
        if thread.telling not in (0, os.getpid()):
            thread.due.clear()
            thread.telling = 0
        return thread

    def _write(self, warning: HotPartitionWarning) -> None:
        if self._logger is not None:
            try:
                # A text and no tuple: handlers may write down all that a record has.
                self._logger.warning("%s", str(warning), extra={"hotpart": warning.without_key()})
            except Exception as error:
                _report("the warning could not be logged", error)

    def _call(self, warning: HotPartitionWarning) -> None:
        if self._on_warning is not None:
            try:
                self._on_warning(warning)
            except Exception as error:
                _report("on_warning failed", error)


def _report(what: str, error: Exception) -> None:
    """Logs what went wrong with a warning, if that can be logged."""
    with contextlib.suppress(Exception):
        _log.error("%s: %s", what, error, exc_info=error)

"""Ways of a warning: a line in the log, and the caller's own callable.

The library never calls back: a record's caller takes the warning from it when the record is over. So no Python runs within
the library, where an exception, such as a signal handler's, could not pass, and where no thread may end.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from ctypes import byref, c_void_p, sizeof
from typing import Any

from hotpart import _abi, _handle
from hotpart._handle import checked
from hotpart._library import fast, slow
from hotpart._warning import HotPartitionWarning, warned, warning_of

_log = logging.getLogger("hotpart")


class _Thread(threading.local):
    """A thread's own warnings: it tells of them itself, one after another.

    A signal's handler may raise after any call. So what is taken from the library stays here until it is due, and becomes due
    by assignments alone: at most the warning that is being told is lost by that.
    """

    def __init__(self) -> None:
        #: What was taken from the library and is not due yet: a pointer, null if nothing is.
        self.taken = c_void_p()
        #: What it has not told yet.
        self.due: list[HotPartitionWarning] = []
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
        bounded: bool,
    ) -> None:
        self._logger, self._on_warning = logger, on_warning
        self._capacity, self._redact, self._bounded = capacity, redact, bounded
        # Whether every hot record warns: then a record by ``on_warning`` would have it called for ever.
        self._always = always
        self._thread = _Thread()

    def take(self, detector: _handle.Detector, given: c_void_p | None = None) -> None:
        """Tells of what this thread's calls have kept for it, or of what one gave; and of what comes meanwhile, by what
        ``on_warning`` records."""
        thread, process = self._thread, os.getpid()
        if thread.telling not in (0, process):
            # It has forked while it was telling: the parent tells of what was due.
            thread.due, thread.telling = [], 0
        self._add(detector)
        if given is None:
            checked(fast.hpd_take_warnings(detector, byref(thread.taken)))
        else:
            thread.taken = given
        self._add(detector)
        if thread.telling:
            return
        thread.telling = process
        try:
            while thread.due:
                warning = thread.due[0]
                thread.due = thread.due[1:]
                self._write(warning)
                self._call(warning)
                if os.getpid() != process:
                    thread.due = []
                else:
                    self.notice(detector)
        finally:
            # No call comes before this, so nothing can.
            thread.telling = 0

    def _add(self, detector: _handle.Detector) -> None:
        """Makes due what was taken; an interrupt may have left some."""
        thread = self._thread
        taken, nothing = thread.taken, c_void_p()
        if taken:
            warnings = [self._warning(detector, taken, i) for i in range(fast.hpd_warnings_len(taken))]
            if self._always and thread.telling:
                warnings = []
            thread.due = [*thread.due, *warnings]
            thread.taken = nothing
            fast.hpd_warnings_free(taken)

    def _warning(self, detector: _handle.Detector, warnings: c_void_p, i: int) -> HotPartitionWarning:
        native = _abi.Warning(sizeof(_abi.Warning))
        checked(fast.hpd_warnings_get(warnings, i, byref(native)))
        redacted = _handle.redacted(detector, *warned(native)) if self._redact else None
        line = (_handle.text_of(fast.hpd_log_line, detector, byref(native)) or b"").decode()
        return warning_of(native, self._capacity, redacted, line)

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

    def notice(self, detector: _handle.Detector) -> None:
        """Logs that the memory is too small, if it is, and that was not said within an interval."""
        if not self._bounded:
            return
        logger = self._logger
        try:
            # Only who logs it takes it: it is given once an interval.
            if logger is not None and logger.isEnabledFor(logging.WARNING):
                # The library looks at all of the memory: other threads go on meanwhile.
                line = _handle.text_of(slow.hpd_notice_take, detector)
                if line is not None:
                    logger.warning("%s", line.decode())
        except Exception as error:
            _report("the notice could not be logged", error)


def _report(what: str, error: Exception) -> None:
    """Logs what went wrong with a warning, if that can be logged."""
    with contextlib.suppress(Exception):
        _log.error("%s: %s", what, error, exc_info=error)

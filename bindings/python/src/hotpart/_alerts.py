"""What happens with a warning: a line in the log, and the caller's own callable."""

from __future__ import annotations

import collections
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from hotpart import _abi, _exit
from hotpart._warning import HotPartitionWarning, warned, warning_of

_log = logging.getLogger("hotpart")


class _Thread(threading.local):
    #: Whether this thread is delivering a warning.
    delivering = False


_thread = _Thread()


class Alerts:
    """Takes warnings from the library, which calls back in the middle of a record, and delivers them when that is over.

    So no code of the caller's runs within the library: its exceptions need not pass through it, and a thread that ends in
    it unwinds nothing of it.
    """

    def __init__(
        self,
        logger: logging.Logger | logging.LoggerAdapter[Any] | None,
        on_warning: Callable[[HotPartitionWarning], object] | None,
        capacity: bool,
    ) -> None:
        self._logger, self._on_warning, self._capacity = logger, on_warning, capacity
        #: What stands for a key, if keys are redacted.
        self.redact: Callable[[bytes, bytes], str | None] = lambda table, pk: None
        #: What is to be delivered.
        self.due: collections.deque[HotPartitionWarning] = collections.deque()
        self.native = _abi.Callback(self._called)

    def _called(self, _user_data: object, warning: Any) -> None:
        _exit.calling.append(None)
        try:
            # Records made while one is delivered count, and warn no further.
            if not _thread.delivering:
                native = warning.contents
                self.due.append(warning_of(native, self._capacity, self.redact(*warned(native))))
        finally:
            _exit.calling.pop()

    def deliver(self) -> None:
        """Delivers what is due; by the thread whose record it was, unless another one comes first."""
        if _thread.delivering:
            return
        _thread.delivering = True
        try:
            while self.due:
                try:
                    warning = self.due.popleft()
                except IndexError:
                    break
                self._log(warning)
                self._tell(warning)
        finally:
            _thread.delivering = False

    def _log(self, warning: HotPartitionWarning) -> None:
        if self._logger is not None:
            try:
                # A text and no tuple: handlers may write down all that a record has.
                self._logger.warning("%s", str(warning), extra={"hotpart": warning.without_key()})
            except Exception as error:
                _report("the warning could not be logged", error)

    def _tell(self, warning: HotPartitionWarning) -> None:
        if self._on_warning is not None:
            try:
                self._on_warning(warning)
            except Exception as error:
                _report("on_warning failed", error)


def _report(what: str, error: Exception) -> None:
    """Logs what went wrong with a warning, if that can be logged."""
    with contextlib.suppress(Exception):
        _log.error("%s: %s", what, error, exc_info=error)

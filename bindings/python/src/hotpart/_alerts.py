"""What happens with a warning: a line in the log, and the caller's own callable."""

from __future__ import annotations

import _thread
import logging
import time
from collections.abc import Callable
from typing import Any

from hotpart import _abi, _exit
from hotpart._warning import HotPartitionWarning, warned, warning_of


def _interrupt_soon() -> None:
    """Interrupts the main thread once more, when it has left the callback and the library."""
    time.sleep(0.001)
    _thread.interrupt_main()


class Alerts:
    """Called by the library, on the thread whose record was due a warning. No exception leaves it."""

    def __init__(
        self,
        logger: logging.Logger | None,
        on_warning: Callable[[HotPartitionWarning], object] | None,
        capacity: bool,
    ) -> None:
        self._logger, self._on_warning, self._capacity = logger, on_warning, capacity
        #: What stands for a key, if keys are redacted.
        self.redact: Callable[[bytes, bytes], str | None] = lambda table, pk: None
        self.native = _abi.Callback(self._called)

    def _called(self, _user_data: object, warning: Any) -> None:
        _exit.calling.append(None)
        try:
            native = warning.contents
            given = warning_of(native, self._capacity, self.redact(*warned(native)))
            if self._logger is not None:
                self._logger.warning("%s", given, extra={"hotpart": given})
            if self._on_warning is not None:
                self._on_warning(given)
        except Exception:
            (self._logger or logging.getLogger("hotpart")).exception("on_warning failed")
        except BaseException:
            # A KeyboardInterrupt, say, can't pass through the library.
            _thread.start_new_thread(_interrupt_soon, ())
        finally:
            _exit.calling.pop()

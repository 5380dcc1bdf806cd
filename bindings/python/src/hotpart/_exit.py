"""The end of the interpreter, which ends daemon threads wherever they next need it.

A thread that ends inside the library's callback would unwind through the library, which aborts the process. So before that
time nobody is called back any more, and who is inside a callback, which is short, gets to its end.
"""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from typing import Any

# Seconds that threads get: for each to come to the end of what it was about to do, and for all callbacks.
_TURN, _PATIENCE = 0.01, 1.0

#: Whether it has come. What is recorded from then on counts, and warns no more.
exiting = False
#: Detectors that may be recording.
live: weakref.WeakSet[Any] = weakref.WeakSet()
#: Has an entry for each callback that runs.
calling: list[None] = []


def _at_exit() -> None:
    global exiting
    exiting = True
    for detector in list(live):
        # By these records go the short way, which may call back.
        detector._tables = {}
    if threading.active_count() == 1:
        return
    end = time.monotonic() + _PATIENCE
    time.sleep(min(threading.active_count() * _TURN, _PATIENCE / 5))
    while calling and time.monotonic() < end:
        time.sleep(_TURN)


atexit.register(_at_exit)

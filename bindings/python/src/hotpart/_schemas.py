"""Which tables were asked for their key schema, because traffic has not shown it: each once, whoever needs it first."""

from __future__ import annotations

import collections
import logging
import math
import os
import time
from typing import Any

from hotpart._exchange import Attempt

_log = logging.getLogger("hotpart")

# What may wait for a table's description, in attempts and in bytes; what comes beyond is not counted.
_WAITING_MAX, _BYTES_MAX = 10_000, 32 * 2**20
# Seconds before a table is asked for again, because that failed or because it may have changed since: a minute, so that
# neither doubles the traffic.
_AGAIN = 60.0
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})


class _Asked:
    """A table that is to be asked for, or was."""

    def __init__(self) -> None:
        #: When it may be asked for (again).
        self.after = 0.0
        #: The process that is asking, and so attempts wait; 0: none is.
        self.asker = 0
        #: Whether it was described.
        self.done = False
        self.waiting: collections.deque[Attempt] = collections.deque()
        self.bytes = 0
        #: Whether there was no room for an attempt.
        self.full = False


class Schemas:
    """The tables of one detector. Without a lock, which a fork might leave held."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}

    def known(self, table: str) -> bool:
        """Whether the table was described: then what needed its schema may be told again."""
        asked = self._asked.get(table)
        return asked is not None and asked.done

    def settled(self, table: str) -> bool:
        """Whether the table was described, and will not be again soon."""
        asked = self._asked[table]
        return asked.done and not asked.asker and time.monotonic() < asked.after

    def wants(self, table: str, attempt: Attempt, answered: bool) -> bool:
        """Whether the caller is to describe the table now. If not, the attempt waits, if it may be of use.

        ``answered``: whether DynamoDB has answered that attempt as it should; else it has other troubles.
        """
        asked = self._asked.setdefault(table, _Asked())
        if asked.asker not in (0, os.getpid()):
            # Forked meanwhile: the parent has its answer, and what waits for it.
            asked.after, asked.asker = 0.0, 0
            _emptied(asked)
        now = time.monotonic()
        due = now >= asked.after
        if asked.asker or due:
            self._wait(table, asked, attempt)
        if not due or not answered:
            return False
        # Whoever comes within a minute relies on this one; after that something has gone wrong with it.
        asked.after, asked.asker = now + _AGAIN, os.getpid()
        return True

    def _wait(self, table: str, asked: _Asked, attempt: Attempt) -> None:
        size = len(attempt[1]) + len(attempt[2] or b"")
        if len(asked.waiting) < _WAITING_MAX and asked.bytes + size <= _BYTES_MAX:
            asked.waiting.append(attempt)
            asked.bytes += size
        elif not asked.full:
            asked.full = True
            _log.warning("too many requests wait for the key schema of table %r: some are not counted", table)

    def described(self, table: str) -> list[Attempt]:
        """The table was described: takes out what has waited for that, and lets nothing wait any more."""
        asked = self._asked[table]
        asked.asker, asked.done = 0, True
        return _emptied(asked)

    def left(self, table: str) -> list[Attempt]:
        """What waits though nobody is asking: the table was described before that began to wait."""
        return _emptied(self._asked[table])

    def abandoned(self, table: str) -> None:
        """Whoever was to describe the table was interrupted: the next one is to."""
        self._asked[table].after = 0.0

    def refused(self, table: str, error: Any) -> None:
        """The table was not described. Where that is denied it is never asked for again."""
        asked = self._asked[table]
        code = getattr(error, "response", {}).get("Error", {}).get("Code")
        asked.after = math.inf if code in _DENIED else time.monotonic() + _AGAIN
        asked.asker = 0
        _emptied(asked)
        _log.warning(
            "the key schema of table %r is needed and DescribeTable failed (%s): its requests are not counted; "
            "pass tables={%r: its partition key} to instrument",
            table,
            code or error,
            table,
        )


def _emptied(asked: _Asked) -> list[Attempt]:
    """Takes out what waits."""
    taken = []
    while asked.waiting:
        try:
            taken.append(asked.waiting.popleft())
        except IndexError:
            break
    asked.bytes = 0
    return taken

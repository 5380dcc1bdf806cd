"""Asks for key schemas that traffic has not shown: one DescribeTable for a table, whoever needs it first."""

from __future__ import annotations

import collections
import logging
import math
import time
from typing import Any

_log = logging.getLogger("hotpart")

# Attempts that wait for a table's description, at most; the others are not counted.
_WAITING_MAX = 100
# Seconds before a table is asked for again where that failed: a minute, so that a fault does not double the traffic.
_AGAIN = 60.0
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})


#: What is observed of an attempt: operation, request, response, HTTP status, model.
Attempt = tuple[bytes, bytes, bytes | None, int, bytes | None]


class _Asked:
    """A table that is, or was, asked for."""

    def __init__(self) -> None:
        self.until = time.monotonic() + _AGAIN
        self.done = False
        self.waiting: collections.deque[Attempt] = collections.deque(maxlen=_WAITING_MAX)


class Schemas:
    """Which tables were asked for, and what waits for the answers. Without a lock, which a fork might leave held."""

    def __init__(self) -> None:
        self._asked: dict[str, _Asked] = {}

    def wants(self, table: str, attempt: Attempt) -> bool:
        """Whether the caller is to describe the table. If not, another one does, and the attempt waits."""
        mine = _Asked()
        asked = self._asked.setdefault(table, mine)
        if asked is not mine and time.monotonic() >= asked.until:
            asked = self._asked[table] = mine
        asked.waiting.append(attempt)
        return asked is mine

    def waiting(self, table: str) -> list[Attempt]:
        """Takes out what waits for a table, if that has been described."""
        asked, taken = self._asked[table], []
        while asked.done and asked.waiting:
            try:
                taken.append(asked.waiting.popleft())
            except IndexError:
                break
        return taken

    def described(self, table: str) -> None:
        """The table was described."""
        self._asked[table].done = True

    def refused(self, table: str, error: Any) -> None:
        """The table was not described. Where that is denied it is never asked for again."""
        asked = self._asked[table]
        asked.waiting.clear()
        code = getattr(error, "response", {}).get("Error", {}).get("Code")
        asked.until = math.inf if code in _DENIED else time.monotonic() + _AGAIN
        _log.warning(
            "the key schema of table %r is needed and DescribeTable failed (%s): its requests are not counted; "
            "pass tables={%r: its partition key} to instrument",
            table,
            code or error,
            table,
        )

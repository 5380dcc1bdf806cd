"""Which tables clients are to describe, as the library asks for their keys."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

# Seconds between two attempts at a table that fail: the first, and the most.
_PAUSE, _PAUSE_MAX = 1.0, 60.0
# Seconds in which the library asks once for a table.
_ASKS = 60.0
# The most tables that are kept. The library asks for the others again.
_TABLES_MAX = 1_000
_DENIED = frozenset({"AccessDeniedException", "AccessDenied", "UnauthorizedOperation"})


class Wanted:
    """A table that is to be described."""

    #: When that may be tried, and how long to wait if it fails.
    after = pause = 0.0
    #: Whether that has failed before.
    failed = False
    #: Until when it is of use: then what waits for it is too old to be counted.
    until = 0.0

    def __init__(self, table: str, name: str) -> None:
        self.table = table
        #: What the request called it: a table of another account has no other name than its ARN.
        self.name = name


class Schemas:
    """The tables that the clients of one detector, of this window in seconds, are to describe.

    The library asks one of them, which may describe none, or be gone: so they share them. Without a
    lock, which a fork might leave held: who describes a table takes it out, which one thread does. A
    table that is lost on the way is asked for again by the library.
    """

    def __init__(self, window: float) -> None:
        self._window = window
        self.wanted: dict[str, Wanted] = {}

    def want(self, tables: Sequence[str], request: bytes) -> None:
        """The library asks for these tables by that request."""
        for table in tables:
            if table in self.wanted or len(self.wanted) < _TABLES_MAX:
                wanted = self.wanted.setdefault(table, Wanted(table, _named(table, request)))
                wanted.until = time.monotonic() + self._window + _ASKS

    def due(self) -> list[Wanted]:
        """Returns the tables to describe now. Forgets those that are of no use any more."""
        now, wanted = time.monotonic(), list(self.wanted.values())
        for one in wanted:
            if now >= one.until:
                self.wanted.pop(one.table, None)
        return [one for one in wanted if one.after <= now < one.until]

    def want_again(self, wanted: Wanted, failed: bool) -> None:
        """A table was not described: the next request is to, or one after a pause.

        The pause comes after the first that was cancelled, too: requests may be given less time
        than a description takes.
        """
        wanted.failed = wanted.failed or failed
        pause = max(wanted.pause, _PAUSE) if failed else wanted.pause
        wanted.after, wanted.pause = time.monotonic() + pause, min(2 * pause or _PAUSE, _PAUSE_MAX)
        self.wanted.setdefault(wanted.table, wanted)


def refusal(error: Exception) -> tuple[str, bool]:
    """Returns the name of why a table was not described, and whether that is denied."""
    # Of a connection's failure botocore's error has a response that is None.
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, dict) else None
    code = code or type(error).__name__
    return code, code in _DENIED


def _named(table: str, request: bytes) -> str:
    # A statement's quotes are escaped.
    arn = re.search(rb'"(arn:[^"\\]*:table/' + re.escape(table.encode()) + rb')["/\\]', request)
    return arn[1].decode() if arn else table

"""Failures while clients are watched, or metrics read: each kind is logged once, and all are counted.

The first client of a detector that it befalls logs it.
"""

from __future__ import annotations

import logging

from hotpart._handle import MissingSchemaError, checked

_log = logging.getLogger("hotpart")

# Lines that may be logged of tables without a schema, whose names strangers may choose.
# As many may be logged of all the rest.
_KINDS_MAX = 100


class DescribeError(MissingSchemaError):
    """A table was not described: it was tried, or is not to be."""

    def __init__(self, table: str, why: str | None = None, denied: bool = False) -> None:
        super().__init__(table)
        what = "the table is not to be described" if why is None else f"DescribeTable failed ({why})"
        become = "are not counted" if denied else "wait until it is known, or are not counted"
        self.args = (
            f"the key schema of table {table!r} is needed and {what}: its requests {become}; "
            f"pass tables={{{table!r}: its partition key}} to instrument",
        )


class Failures:
    """The failures of one detector's clients. Without a lock: of two at once both may be logged."""

    def __init__(self) -> None:
        #: How many there were.
        self.count = 0
        self._tables: set[object] = set()
        self._others: set[object] = set()

    def log(self, error: Exception, failed: str = "a request to DynamoDB could not be observed") -> None:
        """Counts an error. Logs the first of each kind, and of each table without a schema: what ``failed``, and why."""
        self.count += 1
        of_table = isinstance(error, MissingSchemaError)
        known, kind = self._tables if of_table else self._others, _kind(error)
        if kind not in known and len(known) < _KINDS_MAX:
            known.add(kind)
            # What needs a table's schema is observed, and waits.
            message = str(error) if of_table else f"{failed}: {error}"
            _log.warning("%s", message, exc_info=error)


def _kind(error: Exception) -> object:
    """Returns what errors that say the same have in common: the type, and where it was raised.

    An error's text may have a request's own words. The library's has none, and all that it refuses
    is raised in one place.
    """
    if isinstance(error, MissingSchemaError):
        return str(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error)
    code = trace.tb_frame.f_code
    return type(error), code.co_filename, trace.tb_lineno, str(error) if code is checked.__code__ else ""

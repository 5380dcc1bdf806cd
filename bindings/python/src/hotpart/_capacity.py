"""Asks for capacity in a request that does not, and takes what that adds out of its answer."""

from __future__ import annotations

import re
from typing import Any

# Operations that have the parameter ReturnConsumedCapacity.
TELLS_CAPACITY = frozenset(
    [
        "BatchExecuteStatement",
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    ]
)
# As a member of the request: names in an item are followed by an object, and a quote within a text by a backslash.
_ASKED = re.compile(rb'"ReturnConsumedCapacity"\s*:\s*"(\w+)"')
_MEMBER = b'"ReturnConsumedCapacity"'
_ASK = b'{"ReturnConsumedCapacity":"INDEXES"'
#: What a request has in its context when it asks because of us.
MARK = "hotpart_asked"


def asking(body: bytes) -> bytes | None:
    """The request that asks, unless this one does, or is no JSON object."""
    if _MEMBER not in body and body[:2] == b'{"':
        # As it is most often.
        return _ASK + b"," + body[1:]
    asked = _ASKED.search(body)
    if asked is None:
        rest = body[1:].lstrip()
        return _ASK + (b"" if rest == b"}" else b",") + rest if body[:1] == b"{" else None
    return body[: asked.start(1)] + b"INDEXES" + body[asked.end(1) :] if asked[1] == b"NONE" else None


def take_out(parsed: Any, context: Any, **_: Any) -> None:
    """Takes out what a request asked for because of a watcher that is gone. A request that was never sent has been answered
    by another handler, with what it likes."""
    if isinstance(context, dict) and isinstance(parsed, dict) and MARK in context and "retries" in context:
        parsed.pop("ConsumedCapacity", None)

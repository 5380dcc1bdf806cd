"""Asks for capacity in a request that does not, and takes what that adds out of its answer."""

from __future__ import annotations

from typing import Any

from hotpart._handle import text_of
from hotpart._library import fast

#: What a request has in its context when it asks because of us.
MARK = "hotpart_asked"


def asking(operation: bytes, body: bytes) -> bytes | None:
    """The request that asks, unless this one does, or is no JSON object, or its operation tells no capacity."""
    return text_of(fast.hpd_ask_capacity, operation, len(operation), body, len(body))


def take_out(parsed: Any, context: Any, **_: Any) -> None:
    """Takes out what a request asked for because of a watcher that is gone. A request that was never sent has been answered
    by another handler, with what it likes."""
    if isinstance(context, dict) and isinstance(parsed, dict) and MARK in context and "retries" in context:
        parsed.pop("ConsumedCapacity", None)

"""Asks for capacity in a request that does not ask for all of it.

In its answer the caller gets back what the request would have had without that.
"""

from __future__ import annotations

import functools
import re
from typing import Any

from hotpart._handle import text_of
from hotpart._library import fast

#: Names, in a request's context, what its caller asked for: "NONE" or "TOTAL".
#: A request has it that asks because of us.
MARK = "hotpart_asked"

# Marks a context whose caller gave a token. By that DynamoDB knows a transaction that comes twice.
_TOKEN = "hotpart_token"
# In JSON only a member of that name matches: within a text the quotes are escaped.
_TOTAL = re.compile(rb'(?<!\\)"ReturnConsumedCapacity"(\s*:\s*)"TOTAL"')
# What INDEXES shows beside the total.
_DETAILS = ("Table", "LocalSecondaryIndexes", "GlobalSecondaryIndexes")


def note_token(params: Any, context: Any, **_: Any) -> None:
    """Notes that the caller gave a token, before botocore gives one.

    The same transaction may have been sent, or be sent again, by another client.
    With other parameters it would be refused.
    """
    if isinstance(params, dict) and isinstance(context, dict) and params.get("ClientRequestToken") is not None:
        context[_TOKEN] = True


def ask(operation: bytes, body: bytes, context: dict[str, Any]) -> bytes | None:
    """Returns the request that asks for all, and notes what its caller asked for.

    ``None``: it is to be sent as it is. It asks for all, or is no JSON object, or its operation
    tells no capacity, or its caller gave a token.
    """
    if _TOKEN in context:
        return None
    if b'"TOTAL"' in body and _tells(operation):
        asked, total = _TOTAL.subn(rb'"ReturnConsumedCapacity"\1"INDEXES"', body)
        if total:
            context[MARK] = "TOTAL"
            return asked
    all_of_it = _asking(operation, body)
    if all_of_it is not None:
        context[MARK] = "NONE"
    return all_of_it


def _asking(operation: bytes, body: bytes) -> bytes | None:
    return text_of(fast.hpd_ask_capacity, operation, len(operation), body, len(body))


@functools.lru_cache
def _tells(operation: bytes) -> bool:
    """Whether an operation can be asked for its capacity."""
    return _asking(operation, b"{}") is not None


def give_back(parsed: dict[str, Any], context: dict[str, Any]) -> Any:
    """Leaves in an answer what its caller asked for.

    Returns what the answer had; ``None`` if that was nothing, or no more.
    """
    consumed = parsed.get("ConsumedCapacity")
    if context[MARK] == "NONE":
        parsed.pop("ConsumedCapacity", None)
        return consumed
    total = [_total(one) for one in consumed] if isinstance(consumed, list) else _total(consumed)
    if total == consumed:
        return None
    parsed["ConsumedCapacity"] = total
    return consumed


def whole(parsed: dict[str, Any], consumed: Any) -> dict[str, Any]:
    """Returns an answer as it came, of what ``give_back`` left and returned.

    Where another watcher was first, it is without its capacity.
    """
    rest = {name: value for name, value in parsed.items() if name != "ConsumedCapacity"}
    return rest if consumed is None else {**rest, "ConsumedCapacity": consumed}


def _total(consumed: Any) -> Any:
    """One table's capacity as TOTAL shows it."""
    if not isinstance(consumed, dict):
        return consumed
    return {name: units for name, units in consumed.items() if name not in _DETAILS}


def take_out(parsed: Any, context: Any, **_: Any) -> None:
    """Gives back what a request's caller asked for, where its watcher is gone.

    A request that was never sent has been answered by another handler, with what it likes.
    """
    if isinstance(context, dict) and isinstance(parsed, dict) and MARK in context and "retries" in context:
        give_back(parsed, context)

"""Large answers, cut down to the members that are used of them."""

from __future__ import annotations

import base64
import json
from typing import Any

#: Answers of more bytes are cut down.
LARGE = 16 * 1_024

_USED = ("ConsumedCapacity", "UnprocessedItems", "UnprocessedKeys")
# What their answers say of key schemas is used whole.
_SCHEMAS = ("CreateTable", "DescribeTable", "UpdateTable")


def cut_down(operation: str, answer: bytes, parsed: dict[str, Any], capacity: bool) -> bytes:
    """An answer's bytes, or fewer that say as much. ``parsed`` is what botocore made of them."""
    if len(answer) <= LARGE or operation.rpartition(".")[2] in _SCHEMAS or "Error" in parsed:
        return answer
    responses = parsed.get("Responses")
    # Items tell what is not told: what a request took, or which of several items took how much of it.
    if capacity and ("ConsumedCapacity" not in parsed or isinstance(responses, list)):
        return answer
    used = {name: parsed[name] for name in _USED if name in parsed}
    if isinstance(responses, list):
        used["Responses"] = [{"Error": one["Error"]} if "Error" in one else {} for one in responses]
    return json.dumps(used, default=_wire).encode()


def _wire(value: Any) -> Any:
    """Binary values of botocore's, as they were sent."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode()
    raise TypeError(f"{type(value).__name__} is not of an answer")

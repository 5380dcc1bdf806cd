"""Hands requests and their answers to the library."""

from __future__ import annotations

from ctypes import addressof, byref, create_string_buffer, sizeof
from typing import Any

from hotpart import _abi, _handle
from hotpart._handle import MissingSchemaError, checked
from hotpart._key import TABLE_MAX
from hotpart._library import fast

_hpd_observe = fast.hpd_observe
# Bodies that are longer are not kept until the next one takes their place.
_KEPT = 4_096


class Exchanges:
    """Structs to hand over, made once for an operation and used again: making one takes longer than all else.

    A struct that is in use is in no list, so any number of threads may observe at once, and from callbacks too.
    """

    def __init__(self) -> None:
        # Operation and model: structs, each with the argument that it is handed over as.
        self._free: dict[tuple[bytes, bytes | None], list[tuple[_abi.Exchange, Any]]] = {}

    def observe(
        self,
        detector: _handle.Detector,
        operation: bytes,
        request: bytes,
        response: bytes | None,
        http_status: int,
        model: bytes | None,
    ) -> int:
        """Returns how many actions were recorded."""
        kind = (operation, model)
        try:
            free = self._free[kind]
            exchange, argument = pair = free.pop()
        except (KeyError, IndexError):
            free = self._free.setdefault(kind, []) if len(self._free) < 100 else []
            exchange, argument = pair = _made(operation, model)
        exchange.request = request
        exchange.request_len = len(request)
        exchange.response = response
        exchange.response_len = len(response) if response else 0
        exchange.http_status = http_status
        actions = _hpd_observe(detector, argument)
        if actions == _abi.ERR_SCHEMA:
            # Nothing was recorded, so it may be asked again, with room for the table's name.
            room = create_string_buffer(TABLE_MAX)
            exchange.table, exchange.table_capacity = addressof(room), sizeof(room)
            actions = _hpd_observe(detector, argument)
            if actions == _abi.ERR_SCHEMA:
                raise MissingSchemaError(room.raw[: exchange.table_len].decode())
        elif exchange.request_len + exchange.response_len <= _KEPT:
            free.append(pair)
        return actions if actions >= 0 else checked(actions)


def _made(operation: bytes, model: bytes | None) -> tuple[_abi.Exchange, Any]:
    exchange = _abi.Exchange(sizeof(_abi.Exchange), operation, len(operation))
    exchange.model, exchange.model_len = model, len(model or b"")
    return exchange, byref(exchange)

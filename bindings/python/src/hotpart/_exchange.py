"""Hands requests and their answers to the library."""

from __future__ import annotations

from ctypes import addressof, byref, c_void_p, create_string_buffer, sizeof

from hotpart import _abi, _handle
from hotpart._alerts import Alerts
from hotpart._handle import MissingSchemaError, checked
from hotpart._key import TABLE_MAX
from hotpart._library import fast

_hpd_observe = fast.hpd_observe_full
# Bodies that are longer are not kept until the next one takes their place.
_KEPT = 4_096


class _Call:
    """What the library is handed for an attempt, and where its warnings go."""

    __slots__ = ("exchange", "exchange_pointer", "warnings", "warnings_pointer")

    def __init__(self, operation: bytes, model: bytes | None) -> None:
        self.exchange = _abi.Exchange(sizeof(_abi.Exchange), operation, len(operation))
        self.exchange.model, self.exchange.model_len = model, len(model or b"")
        self.warnings = c_void_p()
        self.exchange_pointer, self.warnings_pointer = byref(self.exchange), byref(self.warnings)


class Exchanges:
    """Structs to hand over, made once for an operation and used again: making one takes longer than all else.

    A struct that is in use is in no list, so any number of threads may observe at once, and ``on_warning`` too.
    """

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        # By operation and model.
        self._free: dict[tuple[bytes, bytes | None], list[_Call]] = {}

    def observe(
        self,
        detector: _handle.Detector,
        operation: bytes,
        request: bytes,
        response: bytes | None,
        http_status: int,
        model: bytes | None,
    ) -> int:
        """Tells of the warnings that are due. Returns how many actions were recorded."""
        kind = (operation, model)
        try:
            free = self._free[kind]
            call = free.pop()
        except (KeyError, IndexError):
            free = self._free.setdefault(kind, []) if len(self._free) < 100 else []
            call = _Call(operation, model)
        exchange = call.exchange
        exchange.request = request
        exchange.request_len = len(request)
        exchange.response = response
        exchange.response_len = len(response) if response else 0
        exchange.http_status = http_status
        actions = _hpd_observe(detector, call.exchange_pointer, call.warnings_pointer)
        if actions == _abi.ERR_SCHEMA:
            # Nothing was recorded, so it may be asked again, with room for the table's name.
            room = create_string_buffer(TABLE_MAX)
            exchange.table, exchange.table_capacity = addressof(room), sizeof(room)
            actions = _hpd_observe(detector, call.exchange_pointer, call.warnings_pointer)
            if actions == _abi.ERR_SCHEMA:
                raise MissingSchemaError(room.raw[: exchange.table_len].decode())
        warnings = call.warnings
        if warnings:
            self._alerts.tell_all(detector, warnings)
        elif len(request) + exchange.response_len <= _KEPT:
            free.append(call)
        return actions if actions >= 0 else checked(actions)

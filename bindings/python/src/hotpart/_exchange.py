"""Hands requests and their answers to the library."""

from __future__ import annotations

from ctypes import addressof, byref, c_void_p, create_string_buffer, sizeof

from hotpart import _abi, _handle
from hotpart._alerts import Alerts
from hotpart._handle import MissingSchemaError, checked
from hotpart._library import fast

#: Takes texts that hold no NUL, and returns how many actions were recorded; ``DUE`` more if warnings are kept.
observe_due = fast.hpd_observe_due
DUE = _abi.DUE
# The longest name of a table.
_TABLE_MAX = 1_024


#: What is observed of an attempt: operation, request, response, HTTP status, model.
Attempt = tuple[bytes, bytes, bytes | None, int, bytes | None]


def observe(detector: _handle.Detector, alerts: Alerts, attempt: Attempt) -> int:
    """Records, and tells of the warnings that are due. Returns how many actions were recorded."""
    operation, request, response, _, model = attempt
    if any(0 in text for text in (operation, request, response or b"", model or b"")):
        return _observe_in_full(detector, alerts, attempt)
    actions: int = observe_due(detector, *attempt)
    if actions == _abi.ERR_SCHEMA:
        # Nothing was recorded.
        return _observe_in_full(detector, alerts, attempt)
    if actions >= DUE or actions == _abi.ERR_MEMORY:
        alerts.take(detector)
    return checked(actions & ~DUE if actions >= 0 else actions)


def _observe_in_full(detector: _handle.Detector, alerts: Alerts, attempt: Attempt) -> int:
    """The same for any texts; it can say which table's key schema is missing."""
    operation, request, response, http_status, model = attempt
    exchange = _abi.Exchange(sizeof(_abi.Exchange), operation, len(operation), request, len(request))
    exchange.response, exchange.response_len = response, len(response or b"")
    exchange.model, exchange.model_len = model, len(model or b"")
    exchange.http_status = http_status
    room = create_string_buffer(_TABLE_MAX)
    exchange.table, exchange.table_capacity = addressof(room), sizeof(room)
    warnings = c_void_p()
    actions = fast.hpd_observe_full(detector, byref(exchange), byref(warnings))
    if warnings:
        alerts.take(detector, warnings)
    if actions == _abi.ERR_SCHEMA:
        raise MissingSchemaError(room.raw[: exchange.table_len].decode())
    return checked(actions)

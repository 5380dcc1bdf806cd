"""Hands requests and their answers to the library."""

from __future__ import annotations

from ctypes import addressof, byref, c_void_p, create_string_buffer, sizeof

from hotpart import _abi, _handle
from hotpart._alerts import Alerts
from hotpart._handle import MissingSchemaError, checked
from hotpart._library import fast, slow

#: Takes texts that hold no NUL, and returns how many actions were recorded or wait.
#: That is ``DUE`` more if warnings are kept.
observe_due = fast.hpd_observe_due
DUE = _abi.DUE


#: What is observed of an attempt: operation, request, response, HTTP status, model.
Attempt = tuple[bytes, bytes, bytes | None, int, bytes | None]


def observe(detector: _handle.Detector, alerts: Alerts, attempt: Attempt) -> int:
    """Records, and tells of the warnings that are due.

    Returns how many actions were recorded or wait.
    """
    operation, request, response, _, model = attempt
    if any(0 in text for text in (operation, request, response or b"", model or b"")):
        return _observe_in_full(detector, alerts, attempt)
    actions: int = observe_due(detector, *attempt)
    if actions != _abi.ERR_SCHEMA:
        return told(detector, alerts, actions)
    # First: what `on_warning` observes asks for tables of its own.
    missing = missing_tables()
    alerts.take(detector)
    raise MissingSchemaError(*missing)


def told(detector: _handle.Detector, alerts: Alerts, returned: int) -> int:
    """Tells of the warnings that a call has kept, by what it returned.

    Returns that without ``DUE``.
    """
    if returned >= DUE or returned == _abi.ERR_MEMORY:
        # Where memory ran out, a part may have been recorded.
        alerts.take(detector)
    return checked(returned & ~DUE if returned >= 0 else returned)


def missing_tables() -> list[str]:
    """Takes the names of the tables that this thread's last call of ``observe_due`` asked for."""
    return _names(_handle.text_of(fast.hpd_take_missing_tables) or b"")


def forget(detector: _handle.Detector, table: bytes) -> None:
    """Says that a table's key will not be known."""
    checked(slow.hpd_forget_table(detector, table, len(table)))


def _observe_in_full(detector: _handle.Detector, alerts: Alerts, attempt: Attempt) -> int:
    """Does the same for any texts: a model's name may hold a NUL."""
    operation, request, response, http_status, model = attempt
    exchange = _abi.Exchange(sizeof(_abi.Exchange), operation, len(operation), request, len(request))
    exchange.response, exchange.response_len = response, len(response or b"")
    exchange.model, exchange.model_len = model, len(model or b"")
    exchange.http_status = http_status
    # The request has each table's name in more bytes than that takes here.
    room = create_string_buffer(len(request) + 1)
    exchange.table, exchange.table_capacity = addressof(room), sizeof(room)
    warnings = c_void_p()
    actions = fast.hpd_observe_full(detector, byref(exchange), byref(warnings))
    if warnings:
        alerts.take(detector, warnings)
    if actions == _abi.ERR_SCHEMA:
        raise MissingSchemaError(*_names(room.raw[: exchange.table_len]))
    return checked(actions)


def _names(ended_by_nul: bytes) -> list[str]:
    return [name.decode() for name in ended_by_nul.split(b"\0")[:-1]]

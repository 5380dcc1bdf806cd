"""The C ABI of ``libhotpart`` as ``include/hotpart.h`` has it: constants, structs and functions."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, Structure, c_char_p, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p
from typing import Any, Literal, get_args

VERSION = 1

ERR_NULL, ERR_INVALID, ERR_UNSUPPORTED, ERR_MEMORY, ERR_INTERNAL, ERR_SCHEMA, ERR_JSON = range(-1, -8, -1)
WRITE, READ = 0, 1
INHERIT = -1
INTERVAL_WINDOW = 0xFFFFFFFF
CLOCK_MANUAL = 1
FLAG_HASH_SEED, FLAG_CAPACITY, FLAG_WARN_THROTTLES, FLAG_REDACT_KEYS = 1, 2, 4, 8
METRICS_OPEN_METRICS = 1
NUMBER_KEY_MAX = 170
DUE = 1 << 62

# Words for the library's numbers, each at its number's place.
Operation = Literal["write", "read"]
Rule = Literal["window", "second", "sustained", "throttle"]
Reason = Literal["unknown", "key_range", "provisioned", "account_limit", "max_on_demand"]
Unattributed = Literal["scans", "scan_units", "unprocessed", "index_units", "throttles"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)
RULES: tuple[Rule, ...] = get_args(Rule)
REASONS: tuple[Reason, ...] = get_args(Reason)
UNATTRIBUTED: tuple[Unattributed, ...] = get_args(Unattributed)


class Warning(Structure):
    """``hpd_warning``. Its texts are read by pointer and length: they may hold NUL."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("table", c_void_p),
        ("table_len", c_size_t),
        ("pk", c_void_p),
        ("pk_len", c_size_t),
        ("operation", c_int32),
        ("window_seconds", c_uint32),
        ("count", c_uint64),
        ("threshold", c_uint64),
        ("suppressed", c_uint64),
        ("peak", c_uint64),
        ("rule", c_int32),
        ("utilisation_permille", c_uint32),
    ]


class Options(Structure):
    """``hpd_options``; ``given`` is what the caller gave for them."""

    given: dict[str, Any]
    _fields_ = [
        ("struct_size", c_size_t),
        ("writes_threshold", c_uint64),
        ("reads_threshold", c_uint64),
        ("window_seconds", c_uint32),
        ("warning_interval_seconds", c_uint32),
        ("callback", c_void_p),
        ("user_data", c_void_p),
        ("max_partitions", c_uint64),
        ("clock", c_int32),
        ("flags", c_uint32),
        ("hash_seed", c_uint64 * 2),
        ("writes_per_second", c_uint64),
        ("reads_per_second", c_uint64),
        ("writes_sustained", c_uint64),
        ("reads_sustained", c_uint64),
        ("processes", c_uint32),
        ("reserved", c_uint32),
        ("redact_key", c_uint64 * 2),
    ]


class Record(Structure):
    """``hpd_record``."""

    _fields_ = [
        ("table", c_char_p),
        ("table_len", c_size_t),
        ("pk", c_char_p),
        ("pk_len", c_size_t),
        ("model", c_char_p),
        ("model_len", c_size_t),
        ("amount", c_uint64),
        ("operation", c_int32),
        ("reserved", c_uint32),
    ]


class HotPartition(Structure):
    """``hpd_hot_partition``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("table", c_void_p),
        ("table_len", c_size_t),
        ("pk", c_void_p),
        ("pk_len", c_size_t),
        ("operation", c_int32),
        ("utilisation_permille", c_uint32),
        ("count", c_uint64),
        ("throttles", c_uint64),
        ("demand", c_uint64),
        ("peak", c_uint64),
    ]


class Statistics(Structure):
    """``hpd_statistics``."""

    _fields_ = [
        ("struct_size", c_size_t),
        *((name, c_uint64) for name in ("records", "partitions", "bytes", "reclaimed")),
        *((name, c_uint64) for name in ("replaced", "cleared", "warnings", "suppressed")),
        ("throttles", c_uint64 * len(REASONS)),
        ("unattributed", c_uint64 * len(UNATTRIBUTED)),
        ("estimated_half_units", c_uint64),
        ("unknown_operations", c_uint64),
    ]


class MetricsOptions(Structure):
    """``hpd_metrics_options``."""

    _fields_ = [("struct_size", c_size_t), ("hottest", c_uint64), ("flags", c_uint32), ("reserved", c_uint32)]


class Exchange(Structure):
    """``hpd_exchange``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("operation", c_char_p),
        ("operation_len", c_size_t),
        ("request", c_char_p),
        ("request_len", c_size_t),
        ("response", c_char_p),
        ("response_len", c_size_t),
        ("model", c_char_p),
        ("model_len", c_size_t),
        ("http_status", c_int32),
        ("reserved", c_uint32),
        ("table", c_void_p),
        ("table_capacity", c_size_t),
        ("table_len", c_size_t),
    ]


_DETECTOR = _TABLE = _SNAPSHOT = c_void_p
_TEXT = [c_char_p, c_size_t]
_THRESHOLDS = [POINTER(c_int64), POINTER(c_int64)]

# Name: what it returns, what it takes.
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "hpd_options_init": (None, [POINTER(Options), c_size_t]),
    "hpd_options_for_dynamodb": (c_int32, [POINTER(Options), c_size_t, c_uint32, c_uint32]),
    "hpd_new_with_options": (c_int32, [POINTER(Options), POINTER(c_void_p)]),
    "hpd_free": (None, [_DETECTOR]),
    "hpd_record_due": (c_int64, [_DETECTOR, POINTER(Record), c_size_t]),
    "hpd_get_write_count": (c_int64, [_DETECTOR, *_TEXT, *_TEXT]),
    "hpd_get_read_count": (c_int64, [_DETECTOR, *_TEXT, *_TEXT]),
    "hpd_record_throttle_due": (c_int64, [_DETECTOR, *_TEXT, *_TEXT, c_int32, c_int32]),
    "hpd_get_throttle_count": (c_int64, [_DETECTOR, *_TEXT, *_TEXT, c_int32, c_int32]),
    "hpd_get_unattributed_count": (c_int64, [_DETECTOR, *_TEXT, c_int32, c_int32]),
    "hpd_table_open": (c_int32, [_DETECTOR, *_TEXT, POINTER(c_void_p)]),
    "hpd_table_close": (None, [_TABLE]),
    "hpd_set_table_thresholds": (c_int32, [_DETECTOR, *_TEXT, c_int64, c_int64]),
    "hpd_set_model_thresholds": (c_int32, [_DETECTOR, *_TEXT, c_int64, c_int64]),
    "hpd_get_table_thresholds": (c_int32, [_DETECTOR, *_TEXT, *_THRESHOLDS]),
    "hpd_get_model_thresholds": (c_int32, [_DETECTOR, *_TEXT, *_THRESHOLDS]),
    "hpd_get_thresholds": (c_int32, [_DETECTOR, *_THRESHOLDS]),
    "hpd_clear": (c_int32, [_DETECTOR]),
    "hpd_set_time_ms": (c_int32, [_DETECTOR, c_uint64]),
    "hpd_hottest_take": (c_int32, [_DETECTOR, c_int32, c_size_t, POINTER(c_void_p)]),
    "hpd_hottest_len": (c_int64, [_SNAPSHOT]),
    "hpd_hottest_get": (c_int32, [_SNAPSHOT, c_size_t, POINTER(HotPartition)]),
    "hpd_hottest_free": (None, [_SNAPSHOT]),
    "hpd_get_statistics": (c_int32, [_DETECTOR, POINTER(Statistics)]),
    "hpd_metrics_take": (c_int32, [_DETECTOR, POINTER(MetricsOptions), POINTER(c_void_p)]),
    "hpd_text_data": (c_void_p, [c_void_p]),
    "hpd_text_len": (c_size_t, [c_void_p]),
    "hpd_text_free": (None, [c_void_p]),
    "hpd_observe_full": (c_int64, [_DETECTOR, POINTER(Exchange), POINTER(c_void_p)]),
    "hpd_take_warnings": (c_int32, [_DETECTOR, POINTER(c_void_p)]),
    "hpd_warnings_len": (c_size_t, [c_void_p]),
    "hpd_warnings_get": (c_int32, [c_void_p, c_size_t, POINTER(Warning)]),
    "hpd_warnings_free": (None, [c_void_p]),
    "hpd_redact": (c_int32, [_DETECTOR, *_TEXT, *_TEXT, c_char_p]),
    "hpd_set_key_schema": (
        c_int32,
        [_DETECTOR, *_TEXT, *_TEXT, POINTER(c_char_p), POINTER(c_size_t), c_size_t],
    ),
    "hpd_number_key": (c_int32, [c_char_p, c_size_t, c_char_p]),
    "hpd_ask_capacity": (c_int32, [c_char_p, c_size_t, c_char_p, c_size_t, POINTER(c_void_p)]),
    "hpd_status_message": (c_char_p, [c_int32]),
    "hpd_error_argument": (c_char_p, []),
    "hpd_error_range": (c_char_p, []),
    "hpd_version": (c_char_p, []),
}
# Called with a `c_void_p`, and with `bytes` or a `byref`, which ctypes passes as they are: without types to convert to that is
# twice as fast.
_UNTYPED = ("hpd_table_record_write_due", "hpd_table_record_read_due", "hpd_observe_due")


def declare(library: ctypes.CDLL) -> None:
    """Tells ctypes what functions take and return. AttributeError: the library does not have one."""
    for name, (returns, takes) in _FUNCTIONS.items():
        function = getattr(library, name)
        function.restype, function.argtypes = returns, takes
    for name in _UNTYPED:
        getattr(library, name).restype = c_int64

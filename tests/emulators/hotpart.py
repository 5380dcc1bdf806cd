"""The part of the C ABI that these tests need, by ctypes. Not the Python package."""

import ctypes
import os

WRITE, READ = 0, 1
UNKNOWN, KEY_RANGE, PROVISIONED, ACCOUNT_LIMIT, MAX_ON_DEMAND = range(5)
SCANS, SCAN_UNITS, UNPROCESSED, INDEX_UNITS, STRAY_THROTTLES = range(5)
FLAG_CAPACITY = 2
ERR_SCHEMA = -6

_size, _text = ctypes.c_size_t, ctypes.c_char_p


class Options(ctypes.Structure):
    _fields_ = [
        ("struct_size", _size),
        ("writes_threshold", ctypes.c_uint64),
        ("reads_threshold", ctypes.c_uint64),
        ("window_seconds", ctypes.c_uint32),
        ("warning_interval_seconds", ctypes.c_uint32),
        ("callback", ctypes.c_void_p),
        ("user_data", ctypes.c_void_p),
        ("max_partitions", ctypes.c_uint64),
        ("clock", ctypes.c_int32),
        ("flags", ctypes.c_uint32),
        ("hash_seed", ctypes.c_uint64 * 2),
    ]


class Exchange(ctypes.Structure):
    _fields_ = [
        ("struct_size", _size),
        ("operation", _text),
        ("operation_len", _size),
        ("request", _text),
        ("request_len", _size),
        ("response", _text),
        ("response_len", _size),
        ("model", _text),
        ("model_len", _size),
        ("http_status", ctypes.c_int32),
        ("reserved", ctypes.c_uint32),
        ("table", _text),
        ("table_capacity", _size),
        ("table_len", _size),
    ]


class Statistics(ctypes.Structure):
    _fields_ = [
        ("struct_size", _size),
        *((name, ctypes.c_uint64) for name in ("records", "partitions", "bytes", "reclaimed")),
        *((name, ctypes.c_uint64) for name in ("replaced", "cleared", "warnings", "suppressed")),
        ("throttles", ctypes.c_uint64 * 5),
        ("unattributed", ctypes.c_uint64 * 5),
        ("estimated_half_units", ctypes.c_uint64),
        ("unknown_operations", ctypes.c_uint64),
    ]


_library = ctypes.CDLL(os.environ["HOTPART_LIBRARY"])
_library.hpd_status_message.restype = ctypes.c_char_p
_texts = [ctypes.c_void_p, _text, _size, _text, _size]
for _name, _arguments in {
    "hpd_observe": [ctypes.c_void_p, ctypes.c_void_p],
    "hpd_get_write_count": _texts,
    "hpd_get_read_count": _texts,
    "hpd_get_throttle_count": [*_texts, ctypes.c_int32, ctypes.c_int32],
    "hpd_get_unattributed_count": [*_texts[:3], ctypes.c_int32, ctypes.c_int32],
}.items():
    getattr(_library, _name).argtypes = _arguments
    getattr(_library, _name).restype = ctypes.c_int64
_library.hpd_free.argtypes = [ctypes.c_void_p]
_library.hpd_get_statistics.argtypes = [ctypes.c_void_p, ctypes.c_void_p]


class MissingSchema(Exception):
    """The key schema of this table is needed."""


def _checked(status):
    if status < 0:
        raise ValueError(_library.hpd_status_message(ctypes.c_int32(status)).decode())
    return status


class Detector:
    """Counts operations, or half units; its clock stands still."""

    def __init__(self, capacity=False):
        options, self._handle = Options(), ctypes.c_void_p()
        _library.hpd_options_init(ctypes.byref(options), _size(ctypes.sizeof(options)))
        options.writes_threshold = options.reads_threshold = 2**62
        options.window_seconds, options.clock = 60, 1
        options.flags = FLAG_CAPACITY if capacity else 0
        _checked(_library.hpd_new_with_options(ctypes.byref(options), ctypes.byref(self._handle)))

    def close(self):
        _library.hpd_free(self._handle)

    def observe(self, operation, request, status, response):
        room = ctypes.create_string_buffer(1024)
        operation = operation.encode()
        exchange = Exchange(
            ctypes.sizeof(Exchange), operation, len(operation), request, len(request), response, len(response or b"")
        )
        exchange.http_status = status
        exchange.table, exchange.table_capacity = ctypes.cast(room, _text), len(room)
        actions = _library.hpd_observe(self._handle, ctypes.byref(exchange))
        if actions == ERR_SCHEMA:
            raise MissingSchema(room.raw[: exchange.table_len].decode())
        return _checked(actions)

    def count(self, operation, table, pk):
        get = _library.hpd_get_write_count if operation == WRITE else _library.hpd_get_read_count
        table, pk = table.encode(), pk.encode()
        return _checked(get(self._handle, table, len(table), pk, len(pk)))

    def throttles(self, operation, table, pk, reason):
        table, pk = table.encode(), pk.encode()
        return _checked(
            _library.hpd_get_throttle_count(self._handle, table, len(table), pk, len(pk), operation, reason)
        )

    def unattributed(self, operation, table, what):
        table = table.encode()
        return _checked(_library.hpd_get_unattributed_count(self._handle, table, len(table), operation, what))

    def statistics(self):
        statistics = Statistics(ctypes.sizeof(Statistics))
        _checked(_library.hpd_get_statistics(self._handle, ctypes.byref(statistics)))
        return statistics

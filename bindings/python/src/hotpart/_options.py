"""The options of a detector."""

from __future__ import annotations

import logging
from collections.abc import Callable
from ctypes import byref, sizeof
from typing import Any, TypedDict

from hotpart import _abi
from hotpart._alerts import Alerts
from hotpart._amount import Amount, amount_of, memory_of, nearest, permille, whole
from hotpart._handle import checked
from hotpart._library import slow
from hotpart._warning import HotPartitionWarning


class NativeOptions(_abi.Options):
    """The library's options, and what the caller gave for them, which errors show."""

    given: dict[str, Any]


class Options(TypedDict, total=False):
    """Options that every way to make a detector takes, by keyword."""

    #: Seconds between two warnings for one partition and operation. Default: the window; 0: every hot record.
    warning_interval_seconds: int | None
    #: Called with each warning, beside the log line, by the thread that recorded, after the record.
    on_warning: Callable[[HotPartitionWarning], object] | None
    #: The logger, or its name, of the log line; ``None``: no line is logged.
    logger: logging.Logger | logging.LoggerAdapter[Any] | str | None
    #: How many partitions are tracked at most; ``None``: no bound.
    max_partitions: int | None
    #: Memory that stays fixed however many keys there are, in bytes or as "8MiB": no hot key is missed, and a warning
    #: says in ``carried`` by how much its count may be too high. Not with ``max_partitions``; ``None``: not bounded.
    memory: int | str | None
    #: With ``memory``: the share of its threshold from which a partition is counted exactly, 0.01 to 0.5; ``None``: 0.25.
    promote_share: float | None
    #: Whether logs and metrics have a hash in place of each key; 16 secret bytes make it the same in all processes.
    redact: bool | bytes
    #: Whether the first throttle for a partition's key range warns.
    warn_of_throttles: bool
    #: A clock that stands still until ``set_time`` moves it, for tests.
    manual_clock: bool
    #: Hash with this seed, so that equal calls have equal effects; not where strangers choose the keys.
    hash_seed: tuple[int, int] | None


class OwnOptions(Options, total=False):
    """Options of a detector with thresholds of one's own."""

    writes_per_second: Amount | None
    reads_per_second: Amount | None
    writes_sustained: Amount | None
    reads_sustained: Amount | None
    processes: int


def with_thresholds(
    writes: Amount, reads: Amount, window_seconds: int, capacity: bool, given: dict[str, Any]
) -> NativeOptions:
    """Options of a caller's own thresholds; takes what is of those out of ``given``."""
    options = NativeOptions()
    slow.hpd_options_init(byref(options), sizeof(options))
    own = {"writes_threshold": writes, "reads_threshold": reads, "window_seconds": window_seconds}
    options.given = own | given
    options.writes_threshold = amount_of("writes_threshold", writes, capacity)
    options.reads_threshold = amount_of("reads_threshold", reads, capacity)
    options.window_seconds = nearest("window_seconds", window_seconds, 0, 2**32 - 1)
    options.flags = _abi.FLAG_CAPACITY if capacity else 0
    for name in ("writes_per_second", "reads_per_second", "writes_sustained", "reads_sustained"):
        rate = given.pop(name, None)
        if rate is not None:
            setattr(options, name, amount_of(name, rate, capacity))
    options.processes = whole("processes", given.pop("processes", 1), 1, 2**32 - 1)
    return options


def for_dynamodb(share: float, processes: int, window_seconds: int) -> NativeOptions:
    """Options of DynamoDB's own limits."""
    sustained = permille("share", share, 0.001, 1)
    options = NativeOptions()
    options.given = {"processes": processes, "window_seconds": window_seconds}
    processes = whole("processes", processes, 0, 2**32 - 1)
    checked(slow.hpd_options_for_dynamodb(byref(options), sizeof(options), sustained, processes), options.given)
    options.window_seconds = nearest("window_seconds", window_seconds, 0, 2**32 - 1)
    return options


def complete(native: NativeOptions, given: dict[str, Any]) -> Alerts:
    """Puts what every detector takes into ``native``. Returns what becomes of its warnings."""
    unknown = given.keys() - Options.__annotations__.keys()
    if unknown:
        raise TypeError(f"unexpected argument {min(unknown)!r}")
    interval, bound = given.get("warning_interval_seconds"), given.get("max_partitions")
    if interval is not None:
        native.warning_interval_seconds = whole("warning_interval_seconds", interval, 0, _abi.INTERVAL_WINDOW - 1)
    if bound is not None:
        native.max_partitions = whole("max_partitions", bound, 1, 2**64 - 1)
    memory, promote = given.get("memory"), given.get("promote_share")
    if memory is not None:
        native.filter_bytes = memory_of(memory)
        if bound is not None:
            raise ValueError("memory must not be given with max_partitions")
    if promote is not None:
        native.promote_permille = permille("promote_share", promote, 0.01, 0.5)
    for name in ("warn_of_throttles", "manual_clock"):
        flag(name, given.get(name, False))
    if given.get("warn_of_throttles"):
        native.flags |= _abi.FLAG_WARN_THROTTLES
    if given.get("manual_clock"):
        native.clock = _abi.CLOCK_MANUAL
    seed = given.get("hash_seed")
    if seed is not None:
        native.flags |= _abi.FLAG_HASH_SEED
        if not isinstance(seed, tuple) or len(seed) != 2:
            raise TypeError(f"hash_seed must be a tuple of two int, not {seed!r}")
        native.hash_seed[:] = [whole("hash_seed", half, 0, 2**64 - 1) for half in seed]
    redact = given.get("redact", False)
    if redact is not False:
        native.flags |= _abi.FLAG_REDACT_KEYS
        native.redact_key[:] = _redact_key(redact)
    on_warning = given.get("on_warning")
    if on_warning is not None and not callable(on_warning):
        raise TypeError(f"on_warning must be callable, not {type(on_warning).__name__}")
    return Alerts(
        _logger(given.get("logger", "hotpart")),
        on_warning,
        capacity=bool(native.flags & _abi.FLAG_CAPACITY),
        redact=bool(native.flags & _abi.FLAG_REDACT_KEYS),
        always=native.warning_interval_seconds == 0,
        bounded=native.filter_bytes > 0,
    )


def flag(name: str, given: object) -> bool:
    """A flag; a text such as "false" is none."""
    if not isinstance(given, bool):
        raise TypeError(f"{name} must be bool, not {type(given).__name__}")
    return given


def _redact_key(redact: bool | bytes) -> list[int]:
    if redact is True:
        return [0, 0]
    if not isinstance(redact, bytes):
        raise TypeError(f"redact must be bool or bytes, not {type(redact).__name__}")
    halves = [int.from_bytes(redact[:8], "little"), int.from_bytes(redact[8:], "little")]
    if len(redact) != 16 or halves == [0, 0]:
        raise ValueError("redact must be 16 secret bytes, not all zero")
    return halves


def _logger(
    given: logging.Logger | logging.LoggerAdapter[Any] | str | None,
) -> logging.Logger | logging.LoggerAdapter[Any] | None:
    if given is None or isinstance(given, (logging.Logger, logging.LoggerAdapter)):
        return given
    if isinstance(given, str):
        return logging.getLogger(given)
    raise TypeError(f"logger must be a Logger, its name or None, not {type(given).__name__}")

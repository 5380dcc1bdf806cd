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

    #: The least time between two warnings for one partition and operation, in seconds; ``None``: the window. With 0
    #: every hot record warns, save those that ``on_warning`` makes.
    warning_interval_seconds: int | None
    #: Called with each warning, beside the log line, by the thread that recorded, after the record. It may use the
    #: detector. What it raises is logged.
    on_warning: Callable[[HotPartitionWarning], object] | None
    #: The logger, or its name, for the log line: "hotpart" by default; ``None``: no line is logged.
    logger: logging.Logger | logging.LoggerAdapter[Any] | str | None
    #: The most partitions that are tracked; ``None``: no bound. At the bound a new partition takes the place of an idle
    #: one or, if none of a few is idle, of the quietest of those, which loses its counts.
    max_partitions: int | None
    #: Bounded counting: the memory, in bytes or as "8MiB", of 64 KiB to 1 TiB; ``None``: not bounded. Partitions are
    #: counted together in a filter of that size. One that nears its threshold is counted exactly. No hot key is missed,
    #: and a warning says in ``carried`` by how much its count may be too high. Not allowed with ``max_partitions``.
    memory: int | str | None
    #: With ``memory``: the share of a partition's lowest threshold from which it is counted exactly, 0.01 to 0.5;
    #: ``None``: 0.25.
    promote_share: float | None
    #: Whether logs, metrics and recordings have a hash in place of each key. ``True`` takes a random secret; 16 secret
    #: bytes, not all zero, make the hashes the same in all processes.
    redact: bool | bytes
    #: Whether a partition's first throttle for its key range warns, and later the first after each warning interval.
    warn_of_throttles: bool
    #: Whether the clock starts at 0 and stands still until ``set_time`` moves it, for tests.
    manual_clock: bool
    #: The seeds of the hash, each 0 to 2**64 - 1, so that equal calls have equal effects, for tests; ``None``: random
    #: ones. Don't set it where strangers choose the keys.
    hash_seed: tuple[int, int] | None


class OwnOptions(Options, total=False):
    """Options of a detector with thresholds of one's own."""

    #: Write threshold for a single second, independent of the window's; ``None``: no such rule.
    writes_per_second: Amount | None
    #: The same for reads.
    reads_per_second: Amount | None
    #: Write threshold for five seconds, the current one and the four before it; ``None``: no such rule. It needs a
    #: window of 5 seconds or more.
    writes_sustained: Amount | None
    #: The same for reads.
    reads_sustained: Amount | None
    #: How many processes share the tables' traffic, about evenly; 1 by default. Utilisation is judged by an even share
    #: of DynamoDB's limits. Thresholds are not divided.
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

"""Lines of closed minutes, for CloudWatch Logs: what a fleet of Lambda functions has instead of a scrape.

    detector = HotPartitionDetector.for_dynamodb(window_seconds=900)
    lines = MinuteLines(detector)

    @lines.handler
    def handler(event, context): ...

A minute is written once it is over: a line for each of its hottest partitions, and one of what all others had together.
No operation is in two lines. So the sum of lines, such as a rule of Contributor Insights makes, is what was recorded.
"""

from __future__ import annotations

import functools
import inspect
import json
import logging
import math
import os
import re
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from hotpart import _abi
from hotpart._amount import whole
from hotpart._detector import HotPartitionDetector
from hotpart._handle import ClosedError, HotpartError
from hotpart._hottest import ClosedMinute
from hotpart._statistics import Statistics

_P = ParamSpec("_P")
_R = TypeVar("_R")

_log = logging.getLogger("hotpart")
_MINUTE = 60
# The clock here may be a second off the library's, which judges by whole ones.
_DOUBT = 3
# What CloudWatch takes.
_DIMENSIONS_MAX, _NAME_MAX, _VALUE_MAX = 30, 250, 1_024


class MinuteLines:
    """Writes the closed minutes of a detector, each once. Make one for a detector, when the detector is made.

    Any number of threads may flush. A forked child writes what it records itself, from the next whole minute on.

    Args:
        detector: Its window must be 120 seconds or more: a minute can be written until it leaves the window. It must be
            without ``memory``. With ``max_partitions``, partitions that were replaced are missing.
        hottest: How many partitions of each operation have a line; those left out are in the line of all others.
        least: The demand in a minute from which a partition has a line: operations or, in capacity mode, units.
        grace_seconds: How long after its end a minute is written, 0 to 60, so that calls of its last moment have
            returned.
        write: Called with each line, which has no end of line. Default: standard output.
        namespace: The CloudWatch namespace of the totals, which are in the Embedded Metric Format; ``None``: no totals.
        dimensions: The totals' dimensions, 30 at most. Each set of values makes metrics of its own, which cost.

    Raises:
        TypeError, ValueError: an argument is not what it must be; the message names it.
        ClosedError: the detector has been closed.
    """

    def __init__(
        self,
        detector: HotPartitionDetector[Any],
        hottest: int = 10,
        *,
        least: float = 1,
        grace_seconds: float = 2,
        write: Callable[[str], object] | None = None,
        namespace: str | None = "hotpart",
        dimensions: Mapping[str, str] | None = None,
    ) -> None:
        self._detector = _suitable(detector)
        self._hottest = whole("hottest", hottest, 0, 2**31)
        self._least = _number("least", least, math.inf)
        self._grace = _number("grace_seconds", grace_seconds, _MINUTE)
        if write is not None and not callable(write):
            raise TypeError(f"write must be callable, not {type(write).__name__}")
        self._write = _print if write is None else write
        self._totals = Totals(namespace, dimensions or {}) if namespace is not None else None
        self._lock = threading.RLock()
        # The next minute to write, and how many were lost of which no line has told.
        self._next, self._lost = self._gone(self._now()), 0
        self._start()
        _children.add(self)

    def flush(self) -> int:
        """Writes all minutes that are over and have not been written. Returns how many those are.

        What was recorded since is written by a later call, once its minute is over.
        """
        with self._lock:
            now, written = self._now(), 0
            gone = self._gone(now)
            if gone > self._next:
                self._lost, self._next = self._lost + gone - self._next, gone
            while (self._next + 1) * _MINUTE + self._grace <= now:
                minute = self._next
                try:
                    closed = [self._detector.hottest_closed(kind, minute, self._hottest) for kind in _abi.OPERATIONS]
                except ValueError:
                    if now - minute * _MINUTE < self._detector.window_seconds - _DOUBT:
                        # It is not over by the library's clock.
                        break
                    self._next, self._lost = minute + 1, self._lost + 1
                    continue
                # Lost until it is written whole: what fails then is not written again.
                self._next, written, self._lost = minute + 1, written + 1, self._lost + 1
                self._write_minute(minute, closed, now)
                self._lost -= 1
            lost = self._write_lost()
            if self._totals is not None and (written or lost):
                self._write_totals(lost)
            return written

    def handler(self, function: Callable[_P, _R]) -> Callable[_P, _R]:
        """Flushes at the end of each call of a function: decorates a Lambda handler.

        Lambda freezes the process after that, so what is not written then waits for the next call. What fails in
        writing is logged, and the function's result is what it was.
        """
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: _P.args, **kwargs: _P.kwargs) -> Any:
                try:
                    return await function(*args, **kwargs)
                finally:
                    self._try_flush()

            return cast("Callable[_P, _R]", awaited)

        @functools.wraps(function)
        def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            try:
                return function(*args, **kwargs)
            finally:
                self._try_flush()

        return called

    def _try_flush(self) -> None:
        try:
            self.flush()
        except ClosedError:
            pass
        except Exception as error:
            _log.warning("closed minutes could not be written: %s", error, exc_info=error)

    def _now(self) -> float:
        return self._detector._clock.seconds()

    def _gone(self, now: float) -> int:
        """The first minute that may be in the window still."""
        return max(0, math.ceil((now - self._detector.window_seconds - _DOUBT) / _MINUTE))

    def _start(self) -> None:
        if self._totals is not None:
            self._totals.since(self._detector.stats())

    def _forked(self) -> None:
        """In the child, whose detector has what the parent recorded in this minute, and is about to write."""
        self._lock = threading.RLock()
        if self._detector.closed:
            return
        minute = int(self._now() // _MINUTE)
        self._next, self._lost = minute + 1, 1
        self._start()

    def _write_minute(self, minute: int, closed: list[ClosedMinute], now: float) -> None:
        at = {"time": _wall_ms(now - minute * _MINUTE), "minute": minute}
        for operation, (partitions, rest) in zip(_abi.OPERATIONS, closed, strict=True):
            for hot in partitions:
                if hot.demand < self._least:
                    rest += hot.count
                    continue
                redacted = self._detector.redacted(_bytes(hot.table), _bytes(hot.pk))
                line = {"hotpart": "partition", **at, "table": _text(hot.table), "pk": redacted or _text(hot.pk)}
                numbers = {name: _plain(getattr(hot, name)) for name in ("count", "throttles", "demand", "peak")}
                self._write(_json({**line, "operation": operation, **numbers}))
            # None is 0: to add nothing costs a line.
            if rest:
                self._write(_json({"hotpart": "rest", **at, "operation": operation, "count": _plain(rest)}))

    def _write_lost(self) -> int:
        lost = self._lost
        if lost:
            self._write(_json({"hotpart": "lost", "time": _wall_ms(0), "lost_minutes": lost}))
        self._lost = 0
        return lost

    def _write_totals(self, lost: int) -> None:
        assert self._totals is not None
        line = self._totals.line(self._detector.stats(), lost)
        if line is not None:
            self._write(line)


class Totals:
    """A detector's totals since the line before, in the Embedded Metric Format."""

    def __init__(self, namespace: str, dimensions: Mapping[str, str]) -> None:
        self._namespace = _word("namespace", namespace, _NAME_MAX)
        if len(dimensions) > _DIMENSIONS_MAX:
            raise ValueError(f"dimensions must be {_DIMENSIONS_MAX} at most, not {len(dimensions)}")
        self._dimensions = {
            _word("dimensions", name, _NAME_MAX): _word("dimensions", value, _VALUE_MAX)
            for name, value in dimensions.items()
        }
        taken = self._dimensions.keys() & {"_aws", "hotpart", *_METRICS}
        if taken:
            raise ValueError(f"dimensions must not have {min(taken)!r}, which is a member of the line")
        self._before = dict.fromkeys(_METRICS, 0)

    def since(self, statistics: Statistics) -> None:
        """Starts anew: what came before is in no line."""
        self._before = _totals_of(statistics)

    def line(self, statistics: Statistics, lost: int) -> str | None:
        """The line; ``None`` if there is nothing to tell."""
        total = _totals_of(statistics)
        since = {name: total[name] - self._before[name] for name in _METRICS} | {"lost_minutes": lost}
        self._before = total
        if not any(since.values()):
            return None
        metrics = [{"Name": name, "Unit": "Count"} for name in since]
        directive = {"Namespace": self._namespace, "Dimensions": [list(self._dimensions)], "Metrics": metrics}
        metadata = {"Timestamp": _wall_ms(0), "CloudWatchMetrics": [directive]}
        return _json({"_aws": metadata, **self._dimensions, **since})


_METRICS = ("records", "warnings", *(f"throttles_{reason}" for reason in _abi.REASONS), "lost_minutes")


def _totals_of(statistics: Statistics) -> dict[str, int]:
    throttles = {f"throttles_{reason}": n for reason, n in statistics.throttles.items()}
    return {"records": statistics.records, "warnings": statistics.warnings, **throttles, "lost_minutes": 0}


def _suitable(detector: HotPartitionDetector[Any]) -> HotPartitionDetector[Any]:
    if not isinstance(detector, HotPartitionDetector):
        raise TypeError(f"detector must be a HotPartitionDetector, not {type(detector).__name__}")
    if detector.window_seconds < 2 * _MINUTE:
        raise ValueError(f"the detector's window_seconds must be 120 or more, not {detector.window_seconds}")
    try:
        detector.hottest_closed("write", 2**64 - 1, 0)
    except ClosedError:
        raise
    except HotpartError:
        raise ValueError("the detector must be without memory, by which counts are not exact") from None
    except ValueError:
        # So late a minute never is: that is all that is wrong.
        pass
    return detector


def _number(name: str, given: float, most: float) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name} must be a number, not {type(given).__name__}")
    if not 0 <= given <= most:
        raise ValueError(f"{name} must be 0 to {most}, not {given}")
    return given


def _word(argument: str, given: str, most: int) -> str:
    if not isinstance(given, str):
        raise TypeError(f"{argument} must be str, not {type(given).__name__}")
    if not 1 <= len(given) <= most:
        raise ValueError(f"{argument} must have 1 to {most} characters, not {len(given)}")
    return given


def _print(line: str) -> None:
    # In one piece: others may print too.
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _json(line: Mapping[str, object]) -> str:
    return json.dumps(line, separators=(",", ":"))


def _wall_ms(ago: float) -> int:
    return round((time.time() - ago) * 1_000)


def _plain(n: float) -> float:
    return int(n) if n == int(n) else n


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _text(raw: str | bytes) -> str:
    r"""A name as text: bytes that are not UTF-8, and ``\``, are ``\xNN``, so that no two look the same."""
    text = _bytes(raw).replace(b"\\", b"\\x5C").decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02X}", text)


_children: weakref.WeakSet[MinuteLines] = weakref.WeakSet()


def _after_fork() -> None:
    for lines in list(_children):
        lines._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

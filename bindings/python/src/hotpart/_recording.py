"""Recordings: attempts as the command ``hotpart`` reads them, one JSON object a line.

Files are kept by the standard library's handlers of logging, whose locks a forked child finds free.
"""

from __future__ import annotations

import collections
import json
import logging
import logging.handlers
import os
import threading
import time
import weakref
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

from hotpart import _handle
from hotpart._failures import Failures
from hotpart._redacted import redacted_answer, redacted_request

#: Where a recording goes: a file, or a handler of the caller's.
RecordTo = str | os.PathLike[str] | logging.Handler

_BYTES_MAX = 64 * 1_024 * 1_024
_FILES = 4


class Line(logging.LogRecord):
    """A line of a recording, as a handler of logging takes it."""


class _File(logging.handlers.RotatingFileHandler):
    """A file that only its owner may read. Its errors are raised, and the recorder logs them."""

    def __init__(self, path: str) -> None:
        super().__init__(path, maxBytes=_BYTES_MAX, backupCount=_FILES - 1, encoding="utf-8")
        self._over = False

    def _open(self) -> TextIOWrapper:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, "a", encoding=self.encoding, opener=private)

    def emit(self, record: logging.LogRecord) -> None:
        # A closed one would open its file again, for an attempt that was under way.
        if not self._over:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        raise

    def close(self) -> None:
        self.acquire()
        try:
            self._over = True
            super().close()
        finally:
            self.release()


# The files that this process records to, each with how many record to it.
_files: dict[str, tuple[_File, int]] = {}
# Those of clients that went, each once for each of them.
_left: collections.deque[str] = collections.deque()
_changing = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_changing.release)


class Recorder:
    """Writes the attempts of one client for one detector."""

    def __init__(self, to: RecordTo, model: bytes | None, redacts: bool, failures: Failures) -> None:
        self._redacts, self._failures = redacts, failures
        self._tail = "}" if model is None else f',"model":{json.dumps(model.decode(errors="replace"))}}}'
        self._path = ""
        self._left: weakref.finalize[[str], Recorder] | None = None
        if isinstance(to, logging.Handler):
            self._handler = to
            _hear_errors(to)
        else:
            self._path = os.path.realpath(to)
            self._handler = _opened(self._path)
            # A client may go without being told to stop. The collector may run anywhere, where it must wait for no lock.
            self._left = weakref.finalize(self, _left.append, self._path)
            self._left.atexit = False

    def close(self) -> None:
        """Closes the file, if nobody else records to it."""
        if self._left is not None and self._left.detach() is not None:
            _release(self._path)

    def record(self, native: Any, target: str, request: bytes, answer: bytes, status: int) -> None:
        """Writes an attempt. An error is logged, and is not the caller's."""
        if native is None:
            # The detector has been closed, and is told of nothing.
            return
        try:
            line = self._line(native, target, request, answer, status)
            self._handler.handle(Line("hotpart.recording", logging.INFO, "", 0, line, None, None))
        except Exception as error:
            self._failures.log(error, "a request to DynamoDB could not be recorded")

    def _line(self, native: Any, target: str, request: bytes, answer: bytes, status: int) -> str:
        time_ms, operation = time.time_ns() // 1_000_000, target.rpartition(".")[2]
        asked, answered = (
            _redacted(native, request, answer) if self._redacts else (_as_it_is(request), _as_it_is(answer))
        )
        return (
            f'{{"time_ms":{time_ms},"operation":{json.dumps(operation)},"request":{asked},"response":{answered},'
            f'"http_status":{status}{self._tail}'
        )


def recorder(to: RecordTo | None, native: Any, model: bytes | None, failures: Failures) -> Recorder | None:
    """Begins to record, if there is somewhere to.

    Raises:
        TypeError: ``to`` is neither a path nor a handler.
        OSError: the file cannot be opened.
    """
    if to is None:
        return None
    path = os.fspath(to) if isinstance(to, os.PathLike) else to
    if not isinstance(path, (str, logging.Handler)):
        raise TypeError(f"record_to must be a path or a logging.Handler, not {type(path).__name__}")
    return Recorder(path, model, _handle.redacted(native, b"?", b"") is not None, failures)


def _opened(path: str) -> _File:
    while _left:
        _release(_left.popleft())
    with _changing:
        file, users = _files.get(path) or (_File(path), 0)
        _files[path] = file, users + 1
        return file


def _release(path: str) -> None:
    with _changing:
        file, users = _files.pop(path)
        if users > 1:
            _files[path] = file, users - 1
        else:
            file.close()


def _hear_errors(handler: logging.Handler) -> None:
    """Has a handler raise what goes wrong with a line, where it would print that. What it does of its own stays."""
    if type(handler).handleError is not logging.Handler.handleError or "handleError" in vars(handler):
        return

    def handle_error(record: logging.LogRecord) -> None:
        if isinstance(record, Line):
            raise
        logging.Handler.handleError(handler, record)

    handler.handleError = handle_error  # type: ignore[method-assign]


def _object(body: bytes) -> tuple[str, dict[str, Any] | None]:
    """Returns a body's text, and the JSON object that it is, if it is one."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return body.decode(errors="replace"), None
    try:
        parsed = _parse(text)
    except (ValueError, RecursionError):
        return text, None
    return text, parsed if isinstance(parsed, dict) else None


def _as_it_is(body: bytes) -> str:
    if not body:
        return "null"
    text, parsed = _object(body)
    if parsed is None:
        return json.dumps(text)
    # Such are between tokens, as a text has none.
    return text.replace("\r", " ").replace("\n", " ")


def _redacted(native: Any, request: bytes, answer: bytes) -> tuple[str, str]:
    def digest(table: bytes, key: bytes) -> str:
        return _handle.redacted(native, table, key) or ""

    asked, answered = _object(request)[1], _object(answer)[1]
    return (
        _without_values(asked, redacted_request, digest),
        _without_values(answered, redacted_answer, asked or {}, digest),
    )


def _without_values(body: dict[str, Any] | None, redact: Callable[..., dict[str, Any]], *given: Any) -> str:
    try:
        return "null" if body is None else _dumped(redact(body, *given))
    except RecursionError:
        # Deeper than any of DynamoDB's.
        return "null"


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not of JSON")


# Made once: `json.loads` and `json.dumps` make one for each text, as these are not their usual ones.
_parse = json.JSONDecoder(parse_constant=_refuse).decode
_dumped = json.JSONEncoder(separators=(",", ":"), allow_nan=False, check_circular=False).encode

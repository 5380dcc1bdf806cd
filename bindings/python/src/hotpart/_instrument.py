"""Watches boto3's and aiobotocore's clients: every attempt at a request goes to the detector as it was sent and answered.

botocore tells of each attempt, the successful one too, by its event ``needs-retry``, when the answer has been read and
parsed. What a handler returns there would ask for another attempt; ours returns nothing. In capacity mode the request's
bytes ask for the capacity besides (``before-call``), and what they asked for is taken out of the answer again
(``after-call``), so that callers see no difference.
"""

from __future__ import annotations

import functools
import inspect
import logging
import re
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from hotpart import _exit
from hotpart._answer import LARGE, cut_down
from hotpart._detector import HotPartitionDetector
from hotpart._handle import MissingSchemaError
from hotpart._key import text_bytes
from hotpart._schemas import Attempt, Schemas

_log = logging.getLogger("hotpart")
Client = TypeVar("Client")

# Operations that have the parameter ReturnConsumedCapacity.
_TELLS_CAPACITY = frozenset(
    [
        "BatchExecuteStatement",
        "BatchGetItem",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "GetItem",
        "PutItem",
        "Query",
        "Scan",
        "TransactGetItems",
        "TransactWriteItems",
        "UpdateItem",
    ]
)
# As a member of the request: names in an item are followed by an object, and a quote within a text by a backslash.
_ASKED = re.compile(rb'"ReturnConsumedCapacity"\s*:\s*"(\w+)"')
_MARK = "hotpart_asked"

# The watchers of each client.
_watchers: weakref.WeakKeyDictionary[Any, list[_Watcher]] = weakref.WeakKeyDictionary()


def instrument(
    client: Client,
    detector: HotPartitionDetector[Any],
    *,
    describe: bool = True,
    tables: Mapping[str, str | Sequence[str]] | None = None,
    model: str | None = None,
) -> Client:
    """Makes a boto3 or aiobotocore client, or a boto3 resource, tell ``detector`` of every request to DynamoDB.

    No request's result changes, and no error in here reaches the caller: it is logged, once.

    Args:
        client: A client of "dynamodb"; of a resource its client.
        detector: What counts.
        describe: Whether a table whose key schema is needed, and was not seen in traffic, is described: one
            DescribeTable a table, never again where that was denied.
        tables: Key schemas that are known: a table's partition key, ``{"events": "pk"}``, and those of its indexes,
            ``{"events/index/by_user": "user"}``, of several attributes as a list.
        model: The model that the client's records are made for.

    Returns:
        ``client`` itself.
    """
    target = _client_of(client)
    for table, attributes in (tables or {}).items():
        name, _, index = table.partition("/index/")
        detector.set_key_schema(name, attributes, index or None)
    known = _watchers.setdefault(target, [])
    if not any(watcher.detector is detector for watcher in known):
        watcher = _Watcher(target, detector, describe, model)
        watcher.register(target.meta.events)
        known.append(watcher)
    return client


def uninstrument(client: Client, detector: HotPartitionDetector[Any] | None = None) -> Client:
    """Undoes ``instrument``, for one detector or for all. Returns ``client``."""
    target = _client_of(client)
    known = _watchers.get(target, [])
    for watcher in [each for each in known if detector is None or each.detector is detector]:
        watcher.unregister(target.meta.events)
        known.remove(watcher)
    return client


def _client_of(client: Any) -> Any:
    """The client of a resource, or the client itself."""
    meta = getattr(client, "meta", None)
    target = getattr(meta, "client", client)
    service = getattr(getattr(getattr(target, "meta", None), "service_model", None), "service_name", None)
    if service != "dynamodb":
        raise TypeError(f"client must be a client or a resource of dynamodb, not {client!r}")
    return target


def _harmless(handler: Any) -> Any:
    """A handler whose exceptions do not reach the caller."""

    @functools.wraps(handler)
    def harmless(self: _Watcher, *args: Any, **kwargs: Any) -> Any:
        try:
            return handler(self, *args, **kwargs)
        except Exception as error:
            self.failed(error)
            return None

    return harmless


class _Watcher:
    """What is registered with one client for one detector."""

    def __init__(self, client: Any, detector: HotPartitionDetector[Any], describe: bool, model: str | None) -> None:
        self.detector, self._exchanges, self._capacity = detector, detector._exchanges, detector.capacity
        self._model = None if model is None else text_bytes("model", model)
        self._told = False
        is_async = inspect.iscoroutinefunction(type(client)._make_api_call)
        self._attempt = self._attempt_async if is_async else self._attempt_sync
        self._client, self._describe, self._schemas = weakref.ref(client), describe, Schemas()

    def register(self, events: Any) -> None:
        for event, handler in self._handlers():
            events.register(event, handler, unique_id=(id(self), event))

    def unregister(self, events: Any) -> None:
        for event, handler in self._handlers():
            events.unregister(event, handler, unique_id=(id(self), event))

    def _handlers(self) -> list[tuple[str, Any]]:
        handlers = [("needs-retry.dynamodb", self._attempt)]
        if self._capacity:
            handlers += [("before-call.dynamodb", self._ask), ("after-call.dynamodb", self._take_out)]
        return handlers

    def failed(self, error: Exception) -> None:
        """Logs the first error; the others would say the same."""
        if not self._told:
            self._told = True
            _log.warning("a request to DynamoDB could not be observed: %s", error, exc_info=error)

    # Capacity.

    @_harmless
    def _ask(self, model: Any, params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        body = params["body"]
        if model.name not in _TELLS_CAPACITY or not isinstance(body, bytes) or self.detector.closed:
            return
        asked = _ASKED.search(body)
        if asked is None:
            rest = body[1:].lstrip()
            params["body"] = b'{"ReturnConsumedCapacity":"INDEXES"' + (b"" if rest == b"}" else b",") + rest
        elif asked[1] == b"NONE":
            params["body"] = body[: asked.start(1)] + b"INDEXES" + body[asked.end(1) :]
        else:
            return
        context[_MARK] = True

    @_harmless
    def _take_out(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        if context.pop(_MARK, False):
            parsed.pop("ConsumedCapacity", None)

    # Attempts.

    def _attempt_sync(self, response: Any, request_dict: dict[str, Any], **_: Any) -> None:
        try:
            if response is None:
                missing = self._observe(request_dict, 0, None, None)
            else:
                http, parsed = response
                missing = self._observe(request_dict, http.status_code, http.content, parsed)
            if missing is not None:
                self._describe_sync(*missing)
        except Exception as error:
            self.failed(error)

    async def _attempt_async(self, response: Any, request_dict: dict[str, Any], **_: Any) -> None:
        try:
            if response is None:
                missing = self._observe(request_dict, 0, None, None)
            else:
                http, parsed = response
                missing = self._observe(request_dict, http.status_code, await http.content, parsed)
            if missing is not None:
                await self._describe_async(*missing)
        except Exception as error:
            self.failed(error)

    def _observe(
        self, request_dict: dict[str, Any], status: int, answer: bytes | None, parsed: dict[str, Any] | None
    ) -> tuple[str, Attempt] | None:
        """Tells the detector of an attempt; returns the table whose key schema it needs first, if so, and what to tell."""
        native = self.detector._native
        if native is None or _exit.exiting:
            return None
        operation, body = request_dict["headers"]["X-Amz-Target"], request_dict["body"]
        if not isinstance(operation, bytes):
            operation = operation.encode()
        if not isinstance(body, bytes):
            body = body.encode()
        if answer is not None and len(answer) > LARGE:
            answer = cut_down(operation.decode(), answer, parsed or {}, self._capacity)
        try:
            self._exchanges.observe(native, operation, body, answer, status, self._model)
        except MissingSchemaError as missing:
            if self._describe:
                return missing.table, (operation, body, answer, status, self._model)
            self.failed(missing)
        return None

    # Schemas.

    def _describe_sync(self, table: str, attempt: Attempt) -> None:
        client = self._client()
        if client is not None and self._schemas.wants(table, attempt):
            try:
                # Its own attempts are observed too: so the detector learns.
                client.describe_table(TableName=table)
            except Exception as error:
                self._schemas.refused(table, error)
            else:
                self._schemas.described(table)
        self._observe_waiting(table)

    async def _describe_async(self, table: str, attempt: Attempt) -> None:
        client = self._client()
        if client is not None and self._schemas.wants(table, attempt):
            try:
                await client.describe_table(TableName=table)
            except Exception as error:
                self._schemas.refused(table, error)
            else:
                self._schemas.described(table)
        self._observe_waiting(table)

    def _observe_waiting(self, table: str) -> None:
        for attempt in self._schemas.waiting(table):
            native = self.detector._native
            if native is not None and not _exit.exiting:
                try:
                    self._exchanges.observe(native, *attempt)
                except MissingSchemaError as missing:
                    self.failed(missing)

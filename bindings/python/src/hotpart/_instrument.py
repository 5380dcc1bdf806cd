"""Watches boto3's and aiobotocore's clients: every attempt at a request goes to the detector as it was sent and answered.

botocore tells of each attempt, the successful one too, by its event ``needs-retry``, when the answer has been read and
parsed. What a handler returns there would ask for another attempt; ours returns nothing. In capacity mode the request's
bytes ask for the capacity besides (``before-call``), and what they asked for is taken out of the answer that callers get.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from hotpart._abi import ERR_SCHEMA
from hotpart._answer import LARGE, cut_down
from hotpart._capacity import MARK, ask, give_back, note_token, take_out, whole
from hotpart._detector import HotPartitionDetector
from hotpart._exchange import DUE, Attempt, forget, missing_tables, observe, observe_due, told
from hotpart._failures import DescribeError
from hotpart._handle import ClosedError, MissingSchemaError
from hotpart._key import text_bytes
from hotpart._options import flag
from hotpart._recording import Recorder, RecordTo, recorder
from hotpart._schemas import Wanted, refusal
from hotpart._unsent import unsent

Client = TypeVar("Client")

# The watchers of each client, changed by one thread at a time.
_watchers: weakref.WeakKeyDictionary[Any, list[_Watcher]] = weakref.WeakKeyDictionary()
_changing = threading.RLock()
if hasattr(os, "register_at_fork"):
    # A child would find it held for ever by a thread that it has not got.
    os.register_at_fork(before=_changing.acquire, after_in_parent=_changing.release, after_in_child=_changing.release)


def instrument(
    client: Client,
    detector: HotPartitionDetector[Any],
    *,
    describe: bool = True,
    tables: Mapping[str, str | Sequence[str]] | None = None,
    model: str | None = None,
    record_to: RecordTo | None = None,
) -> Client:
    """Makes a boto3 or aiobotocore client, or a boto3 resource, tell ``detector`` of every request to DynamoDB.

    No request's result changes, and no error in here reaches the caller: each kind is logged, once a detector. To
    instrument a client again with the same detector changes the options.

    For a detector of capacity requests ask for all of ReturnConsumedCapacity, and callers get what they asked for. A
    transaction whose caller gave a ClientRequestToken is left as it is.

    Args:
        client: A client of "dynamodb", or a resource, whose client is watched.
        detector: The detector that counts.
        describe: Whether DescribeTable is called for a table whose key schema is needed and was not seen in traffic:
            once, again after a pause if it fails, and never again where it is denied.
        tables: Key schemas that are known: a table's partition key, ``{"events": "pk"}``, and those of its indexes,
            ``{"events/index/by_user": "user"}``, of several attributes as a list.
        model: The model that the client's records are made for.
        record_to: Where every attempt is written, for the command ``hotpart`` to read: the path of a file, which is
            begun anew at 64 MiB, with three older ones as ``.1`` to ``.3``; or a handler of ``logging``, which is given
            each line as a message. Where the detector redacts keys each value of an attribute is a hash; else the lines
            hold all that was sent and answered.

    Returns:
        ``client`` itself.

    Raises:
        TypeError, ValueError: an argument is not what it must be; the message names it.
        ClosedError: the detector has been closed.
        OSError: ``record_to`` cannot be opened.
    """
    target = _client_of(client)
    if not isinstance(detector, HotPartitionDetector):
        raise TypeError(f"detector must be a HotPartitionDetector, not {type(detector).__name__}")
    if detector.closed:
        raise ClosedError
    if not isinstance(tables, (Mapping, type(None))):
        raise TypeError(f"tables must be a mapping, not {type(tables).__name__}")
    watcher = _Watcher(target, detector, flag("describe", describe), model)
    for table, attributes in (tables or {}).items():
        if not isinstance(table, str):
            raise TypeError(f"tables must have str as keys, not {type(table).__name__}")
        name, of_index, index = table.partition("/index/")
        if of_index and not index:
            raise ValueError(f"tables must have names of indexes that are not empty, not {table!r}")
        detector.set_key_schema(name, attributes, index or None)
    watcher.record_to(record_to)
    with _changing:
        _unregister(target, detector)
        watcher.register(target.meta.events)
        _watchers.setdefault(target, []).append(watcher)
    return client


def uninstrument(client: Client, detector: HotPartitionDetector[Any] | None = None) -> Client:
    """Undoes ``instrument``, for one detector or for all. Returns ``client``."""
    target = _client_of(client)
    with _changing:
        _unregister(target, detector)
    return client


def _unregister(target: Any, detector: HotPartitionDetector[Any] | None) -> list[_Watcher]:
    known = _watchers.get(target, [])
    former = [each for each in known if detector is None or each.detector is detector]
    for watcher in former:
        watcher.unregister(target.meta.events)
        known.remove(watcher)
    return former


def _client_of(client: Any) -> Any:
    """The client of a resource, or the client itself."""
    meta = getattr(client, "meta", None)
    target = getattr(meta, "client", client)
    service = getattr(getattr(getattr(target, "meta", None), "service_model", None), "service_name", None)
    if service != "dynamodb":
        raise TypeError(f"client must be a client or a resource of dynamodb, not {client!r}")
    return target


class _Http(NamedTuple):
    """The parts of an answer that are used."""

    status_code: int
    content: bytes


# Seconds that an asynchronous request waits at most for a table to be described.
_PATIENCE = 1.0
# Stands for what an attempt came to that the library was not told of yet.
_UNTOLD = -(2**31)
_NO_ANSWER: tuple[_Http, dict[str, Any]] = _Http(0, b""), {}


class _Watcher:
    """Handlers that are registered with one client for one detector."""

    def __init__(self, client: Any, detector: HotPartitionDetector[Any], describe: bool, model: str | None) -> None:
        self.detector, self._alerts, self._failures = detector, detector._alerts, detector._failures
        self._schemas = detector._schemas
        # Those of a client that describes none stay for the others.
        self._wanted = self._schemas.wanted if describe else {}
        self._capacity = detector.capacity
        self._model = None if model is None else text_bytes("model", model)
        if model is not None:
            # Refuses what can be no model's name, before each request would.
            detector.get_model_thresholds(model)
        # JSON holds no NUL; for a model that does, the other way is taken.
        self._observe_due = observe_due if 0 not in (self._model or b"") else _no_way
        self._client, self._describe = weakref.ref(client), describe
        self._is_async = any(base.__name__ == "AioBaseClient" for base in type(client).__mro__)
        self._describers: set[Any] = set()
        self._recorder: Recorder | None = None
        self._attempt = self._attempt_async if self._is_async else self._attempt_sync

    def record_to(self, to: RecordTo | None) -> None:
        self._recorder = recorder(to, self.detector._open(), self._model, self._failures)

    def register(self, events: Any) -> None:
        # First: botocore's own handler raises what ends a request, and then nobody after it is told.
        events.register_first("needs-retry.dynamodb", self._attempt, unique_id=(id(self), "needs-retry"))
        if self._capacity:
            # Last of those that are for this service. botocore's own comes after them, and gives a
            # token where none is.
            events.register_last("before-parameter-build.dynamodb", note_token, unique_id=(id(self), "token"))
            events.register("before-call.dynamodb", self._ask, unique_id=(id(self), "before-call"))

    def unregister(self, events: Any) -> None:
        events.unregister("needs-retry.dynamodb", self._attempt, unique_id=(id(self), "needs-retry"))
        if self._recorder is not None:
            self._recorder.close()
        if self._capacity:
            events.unregister("before-parameter-build.dynamodb", note_token, unique_id=(id(self), "token"))
            events.unregister("before-call.dynamodb", self._ask, unique_id=(id(self), "before-call"))
            # Requests may be under way.
            events.register_first("after-call.dynamodb", take_out, unique_id="hotpart-after-call")

    def _ask(
        self,
        model: Any,
        params: dict[str, Any],
        context: dict[str, Any],
        request_signer: Any = None,
        event_name: Any = None,
        **_: Any,
    ) -> None:
        """Asks for the capacity in the request's bytes."""
        try:
            body = params["body"]
            # Of another protocol nothing is known.
            known = (
                isinstance(body, bytes) and "X-Amz-Target" in params["headers"] and self.detector._native is not None
            )
            # What another watcher has asked for stands.
            if known and MARK not in context and (asked := ask(model.name.encode(), body, context)) is not None:
                params["body"] = asked
        except Exception as error:
            self._failures.log(error)

    # Attempts.

    # botocore calls by name: what is named here goes into no dictionary. A request evicts from the processor's caches what runs
    # once in it, so that each step is felt.
    def _attempt_sync(
        self,
        response: Any,
        request_dict: dict[str, Any],
        endpoint: Any = None,
        operation: Any = None,
        attempts: Any = None,
        caught_exception: Any = None,
        event_name: Any = None,
        **_: Any,
    ) -> bool | None:
        """Tells the detector of an attempt.

        Of an asynchronous client it returns whether to describe a table.
        """
        try:
            if response is None and unsent(caught_exception):
                return None
            http, parsed = response or _NO_ANSWER
            answer, context = http.content, request_dict["context"]
            asked = self._capacity and MARK in context
            # What we asked for is not the caller's.
            consumed = give_back(parsed, context) if asked else None
            target, body = request_dict["headers"].get("X-Amz-Target"), request_dict["body"]
            if target is None:
                raise TypeError("it has no header X-Amz-Target, so it is not in DynamoDB's JSON")
            if not isinstance(body, bytes):
                body = body.encode()
            native, status = self.detector._native, http.status_code
            if self._recorder is not None:
                self._recorder.record(native, target, body, answer, status)
            if len(answer) > LARGE:
                answer = cut_down(target, answer, whole(parsed, consumed) if asked else parsed, self._capacity)
            target = target.encode()
            actions = self._observe_due(native, target, body, answer, status, self._model)
            if 0 <= actions < DUE and not self._wanted:
                # By far the most attempts end here.
                return None
            self._settle(native, actions, (target, body, answer, status, self._model))
            # Where DynamoDB has not answered it has other troubles.
            if self._wanted and 0 < status < 500 and not target.endswith(b".DescribeTable"):
                if self._is_async:
                    return True
                self._describe_sync()
        except Exception as error:
            self._failures.log(error)
        return None

    async def _attempt_async(
        self, response: Any, request_dict: dict[str, Any], caught_exception: Any = None, **_: Any
    ) -> None:
        try:
            if response is not None:
                http, parsed = response
                response = _Http(http.status_code, await http.content), parsed
            if self._attempt_sync(response, request_dict, caught_exception=caught_exception):
                await self._describe_async()
        except Exception as error:
            self._failures.log(error)

    def _settle(self, native: Any, actions: int, attempt: Attempt) -> None:
        """Does what remains when the library has been told of an attempt, and returned that."""
        if native is None:
            client = self._client()
            if client is not None:
                uninstrument(client, self.detector)
            return
        if actions == _UNTOLD:
            try:
                observe(native, self._alerts, attempt)
            except MissingSchemaError as missing:
                self._want(missing.tables, attempt)
        elif actions == ERR_SCHEMA:
            # First: what `on_warning` observes asks for tables of its own, and may be interrupted.
            self._want(missing_tables(), attempt)
            self._alerts.take(native)
        else:
            told(native, self._alerts, actions)

    # Schemas.

    def _want(self, tables: Sequence[str], attempt: Attempt) -> None:
        self._schemas.want(tables, attempt[1])
        if not self._describe:
            for table in tables:
                self._failures.log(DescribeError(table))

    def _describe_sync(self) -> None:
        client = self._client()
        for one in self._schemas.due():
            wanted = self._schemas.wanted.pop(one.table, None)
            if wanted is not None and client is not None:
                with self._describing(wanted):
                    # Its own attempts are observed too: so the detector learns.
                    client.describe_table(TableName=wanted.name)

    async def _describe_async(self) -> None:
        """Describes tables aside: the request has its answer, and whoever made it gives it some time.

        It waits for that, but not for long, nor for what has failed before.
        """
        due = self._schemas.due()
        if due:
            describing = asyncio.ensure_future(self._describe_aside(due))
            # The loop has weak references.
            self._describers.add(describing)
            describing.add_done_callback(self._describers.discard)
            if not all(one.failed for one in due):
                await asyncio.wait([describing], timeout=_PATIENCE)

    async def _describe_aside(self, due: list[Wanted]) -> None:
        client = self._client()
        for one in due:
            wanted = self._schemas.wanted.pop(one.table, None)
            if wanted is not None and client is not None:
                try:
                    with self._describing(wanted):
                        await client.describe_table(TableName=wanted.name)
                except Exception as error:
                    self._failures.log(error)

    @contextlib.contextmanager
    def _describing(self, wanted: Wanted) -> Iterator[None]:
        """Sees to what is left if a table is not described."""
        try:
            yield
        except Exception as error:
            why, denied = refusal(error)
            native = self.detector._native
            if not denied:
                self._schemas.want_again(wanted, failed=True)
            elif native is not None:
                forget(native, wanted.table.encode())
            failure = DescribeError(wanted.table, why, denied)
            failure.__cause__ = error
            self._failures.log(failure)
        except BaseException:
            # Interrupted, or its task was cancelled.
            self._schemas.want_again(wanted, failed=False)
            raise


def _no_way(*_: Any) -> int:
    return _UNTOLD

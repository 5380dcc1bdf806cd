"""The detector: what a program counts with."""

from __future__ import annotations

import types
from collections.abc import Sequence
from ctypes import byref, c_char_p, c_size_t, sizeof
from typing import TYPE_CHECKING, Any, Literal, overload

from hotpart import _abi, _handle, _options
from hotpart._abi import Operation, Reason, Unattributed
from hotpart._amount import Amount, amount_of, nearest
from hotpart._bounds import Bounds, bounds_of
from hotpart._clock import Clock, milliseconds
from hotpart._exchange import forget, observe, told
from hotpart._failures import Failures
from hotpart._handle import checked
from hotpart._hottest import ClosedMinute, HotPartition, closed_of, hottest_of
from hotpart._key import Key, choice, key_bytes, partition, text_bytes, throttle
from hotpart._library import fast, slow
from hotpart._metrics import least_of, metrics_of
from hotpart._schemas import Schemas
from hotpart._statistics import Statistics, statistics_of
from hotpart._thresholds import Count, Thresholds

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack


# How many tables are prepared at most. No program has so many; a name that a stranger chose may be any.
_TABLES_MAX = 1_000

_encode = str.encode
_write_due, _read_due = fast.hpd_table_record_write_due, fast.hpd_table_record_read_due
_DUE = _abi.DUE


class HotPartitionDetector(Thresholds[Count]):
    """Counts reads and writes per partition key of DynamoDB, and warns before a key is throttled.

    A partition is *hot* when its count in the last ``window_seconds`` reaches a threshold: the record's model's, else
    its table's, else the detector's own. Then a line is logged, at most once an interval (by default the window):

        Hot partition detected - table="events" pk="EVENTS" had 500 writes in 60s

    Any number of threads may use one, and forked children may go on with it. It is a drop-in for pydynox's
    ``HotPartitionDetector``. With ``memory`` a count that is returned is the most that it can be (see ``bounds``), and
    lists have only partitions that are counted exactly.

    Args:
        writes_threshold: The count of writes in the window from which a partition is hot; more than 0.
        reads_threshold: The same for reads.
        window_seconds: The sliding window, in seconds: 1 to 3,600.
        capacity: Count capacity and not operations: amounts, thresholds and counts are then in DynamoDB's units, in
            steps of 0.5.
        options: Those of ``hotpart.Options``, and the following.
        writes_per_second, reads_per_second: Thresholds for a single second, independent of the window's.
        writes_sustained, reads_sustained: Thresholds for five seconds; they need a window of 5 seconds or more.
        processes: How many processes share the traffic evenly: utilisation, and no threshold, is judged by that.

    Raises:
        TypeError, ValueError: an argument is not what it must be; the message names it.
        ClosedError: from a method, the detector has been closed.
    """

    # Where __init__ or for_dynamodb does not come to its end, close finds what it needs.
    _native: _handle.Detector | None = None

    @overload
    def __init__(
        self: HotPartitionDetector[int],
        writes_threshold: int,
        reads_threshold: int,
        window_seconds: int,
        *,
        capacity: Literal[False] = ...,
        **options: Unpack[_options.OwnOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: HotPartitionDetector[float],
        writes_threshold: Amount,
        reads_threshold: Amount,
        window_seconds: int,
        *,
        capacity: Literal[True],
        **options: Unpack[_options.OwnOptions],
    ) -> None: ...
    @overload
    def __init__(
        self: HotPartitionDetector[Any],
        writes_threshold: Amount,
        reads_threshold: Amount,
        window_seconds: int,
        *,
        capacity: bool,
        **options: Unpack[_options.OwnOptions],
    ) -> None: ...
    def __init__(
        self,
        writes_threshold: Amount,
        reads_threshold: Amount,
        window_seconds: int,
        *,
        capacity: bool = False,
        **options: Any,
    ) -> None:
        native = _options.with_thresholds(
            writes_threshold, reads_threshold, window_seconds, _options.flag("capacity", capacity), options
        )
        self._start(native, options)

    @classmethod
    def for_dynamodb(
        cls, share: float = 0.8, processes: int = 1, *, window_seconds: int = 60, **options: Unpack[_options.Options]
    ) -> HotPartitionDetector[float]:
        """Makes a detector that warns by DynamoDB's limits for a partition: 1,000 write and 3,000 read units a second.

        It counts capacity. It warns at the limit in one second, and at ``share`` of it, 0.001 to 1, over five. Counts
        and lists are of the window, 5 to 3,600 seconds, which has no threshold: 5 are enough to warn, and take the
        least ``memory``. Each of ``processes``, which share the traffic evenly, has an even part of the limits.
        """
        native = _options.for_dynamodb(share, processes, window_seconds)
        made: Any = cls.__new__(cls)
        made._start(native, options)
        return made  # type: ignore[no-any-return]

    def _start(self, native: _options.NativeOptions, options: Any) -> None:
        alerts = _options.complete(native, options)
        handle = _handle.Detector()
        self._clock = Clock(native.clock == _abi.CLOCK_MANUAL)
        checked(slow.hpd_new_with_options(byref(native), byref(handle)), native.given)
        self._capacity = bool(native.flags & _abi.FLAG_CAPACITY)
        self._window_seconds: int = native.window_seconds
        self._tables: dict[str | bytes, _handle.Table] = {}
        self._alerts, self._failures = alerts, Failures()
        self._schemas = Schemas(self._window_seconds)
        self._native = handle

    @property
    def window_seconds(self) -> int:
        """The sliding window, in seconds."""
        return self._window_seconds

    @property
    def capacity(self) -> bool:
        """Whether capacity is counted, in units, and not operations."""
        return self._capacity

    # Recording.

    def record_write(
        self, table: str | bytes, pk: Key, amount: Amount | None = None, model: str | None = None
    ) -> Count:
        """Records a write, and warns if the partition is hot. Returns its count of writes, this one included.

        Args:
            table: A table's name, or ``TABLE/index/INDEX`` for an index. An ARN counts apart from the table's name.
            pk: The partition key's value. A number and its plain decimal text are one key.
            amount: How many operations or, in capacity mode, units it adds, more than 0. One if not given.
            model: The kind of the item; its thresholds, if it has any, win over the table's.

        Raises:
            TypeError, ValueError, ClosedError: as the class says.
        """
        if amount is None and model is None:
            try:
                handle, key = self._tables[table], _encode(pk)  # type: ignore[arg-type]
            except (KeyError, TypeError, UnicodeEncodeError, BytesWarning):
                handle, key = None, b"\0"
            if 0 not in key:
                count = _write_due(handle, key)
                if count > 0:
                    if count >= _DUE:
                        count -= _DUE
                        self._alerts.take(handle.owner)  # type: ignore[union-attr]
                    return count / 2 if self._capacity else count  # type: ignore[no-any-return]
        return self._record(_abi.WRITE, table, pk, amount, model)

    def record_read(self, table: str | bytes, pk: Key, amount: Amount | None = None, model: str | None = None) -> Count:
        """Records a read, and returns the count of reads; otherwise as ``record_write``."""
        if amount is None and model is None:
            try:
                handle, key = self._tables[table], _encode(pk)  # type: ignore[arg-type]
            except (KeyError, TypeError, UnicodeEncodeError, BytesWarning):
                handle, key = None, b"\0"
            if 0 not in key:
                count = _read_due(handle, key)
                if count > 0:
                    if count >= _DUE:
                        count -= _DUE
                        self._alerts.take(handle.owner)  # type: ignore[union-attr]
                    return count / 2 if self._capacity else count  # type: ignore[no-any-return]
        return self._record(_abi.READ, table, pk, amount, model)

    def _record(self, operation: int, table: str | bytes, pk: Key, amount: Amount | None, model: str | None) -> Count:
        """The way of what is seldom, or refused: it is checked here, and the table is prepared."""
        tables, native = self._tables, self._open()
        name, key = text_bytes("table", table), key_bytes(pk)
        kind = None if model is None else text_bytes("model", model)
        one = 2 if self._capacity else 1
        record = _abi.Record(name, len(name), key, len(key), kind, len(kind or b""))
        record.amount = one if amount is None else amount_of("amount", amount, self._capacity)
        record.operation = operation
        count = checked(fast.hpd_record_due(native, byref(record), sizeof(record)))
        if isinstance(table, str) and table not in tables and len(tables) < _TABLES_MAX:
            tables[table] = _handle.prepared(native, name)
        return self._count(self._told(native, count))

    def _told(self, native: _handle.Detector, count: int) -> int:
        """Tells of the warning that comes with a count, if one does; returns the count alone."""
        if count >= _DUE:
            self._alerts.take(native)
        return count & ~_DUE

    def record_throttle(
        self, table: str | bytes, pk: Key, operation: Operation = "write", reason: Reason = "key_range"
    ) -> int:
        """Records that DynamoDB throttled one attempt. Returns the partition's throttles of that kind in the window.

        They are no part of its count. Only those for the key range are evidence of a hot partition, and they warn with
        ``warn_of_throttles``.
        """
        native, where, what = self._open(), partition(table, pk), throttle(operation, reason)
        return self._told(native, checked(fast.hpd_record_throttle_due(native, *where, *what)))

    def observe(
        self,
        operation: str,
        request: bytes,
        response: bytes | None = None,
        http_status: int = 200,
        *,
        model: str | None = None,
    ) -> int:
        """Records what a request to DynamoDB did, as far as its attempt and its answer tell. Call it for every attempt.

        ``hotpart.instrument`` does so for boto3's clients.

        Args:
            operation: "PutItem", or the header ``X-Amz-Target``.
            request: The JSON body that was sent.
            response: The answer's body, if there was one.
            http_status: The answer's status, 100 to 999; 0: no answer came.
            model: The model that the records are made for.

        Returns:
            How many item-level actions were recorded, or wait for a table's key.

        Raises:
            MissingSchemaError: the names of some tables' partition keys are needed. For each, observe the answer of a
                DescribeTable or call ``set_key_schema``; else call ``forget_table``. Don't observe this again: what it
                did there waits, and will count as of now. All else was recorded.
            ValueError: it is no JSON object of that operation; nothing was recorded.
        """
        if not isinstance(request, bytes) or not isinstance(response, (bytes, type(None))):
            raise TypeError("request and response must be bytes")
        status = nearest("http_status", http_status, -1, 2**31 - 1)
        kind = None if model is None else text_bytes("model", model)
        if not isinstance(operation, str):
            raise TypeError(f"operation must be str, not {type(operation).__name__}")
        name = text_bytes("operation", operation)
        return observe(self._open(), self._alerts, (name, request, response, status, kind))

    def set_key_schema(self, table: str, attributes: str | Sequence[str], index: str | None = None) -> None:
        """Declares the attribute that is a table's partition key or, with ``index``, the one to four of an index's.

        ``table`` may be an ARN. What waited for the key is recorded, as of when it was observed.
        """
        if not isinstance(attributes, (str, Sequence)) or isinstance(attributes, bytes):
            raise TypeError(f"attributes must be str or a sequence of str, not {type(attributes).__name__}")
        names = [
            text_bytes("attributes", name) for name in ([attributes] if isinstance(attributes, str) else attributes)
        ]
        name, of = text_bytes("table", table), None if index is None else text_bytes("index", index)
        texts, lens = (c_char_p * len(names))(*names), (c_size_t * len(names))(*map(len, names))
        native = self._open()
        declared = slow.hpd_set_key_schema_due(native, name, len(name), of, len(of or b""), texts, lens, len(names))
        told(native, self._alerts, declared)

    def forget_table(self, table: str) -> None:
        """Says that a table's key will not be known, because DescribeTable is denied, for example.

        What waits for it is tallied as "unread", and so is what comes until its key is known after all.
        """
        forget(self._open(), text_bytes("table", table))

    # Reading.

    def get_write_count(self, table: str | bytes, pk: Key) -> Count:
        """Returns the partition's count of writes in the window. Asking does not start to track it."""
        return self._count(checked(fast.hpd_get_write_count(self._open(), *partition(table, pk))))

    def get_read_count(self, table: str | bytes, pk: Key) -> Count:
        """Returns the partition's count of reads in the window."""
        return self._count(checked(fast.hpd_get_read_count(self._open(), *partition(table, pk))))

    def bounds(self, table: str | bytes, pk: Key, operation: Operation) -> Bounds:
        """Returns bounds of the partition's count of an operation; without ``memory`` both are the count."""
        kind = choice("operation", operation, _abi.OPERATIONS)
        return bounds_of(self._open(), partition(table, pk), kind, self._capacity)

    def get_throttle_count(
        self, table: str | bytes, pk: Key, operation: Operation = "write", reason: Reason = "key_range"
    ) -> int:
        """Returns the partition's throttles in the window, for one operation and reason."""
        kind = throttle(operation, reason)
        return checked(fast.hpd_get_throttle_count(self._open(), *partition(table, pk), *kind))

    def get_unattributed_count(self, table: str | bytes, what: Unattributed, operation: Operation = "read") -> float:
        """Returns what a table, or ``TABLE/index/INDEX``, had in the window that no partition could be charged with.

        ``what``: "scans", "unprocessed" (items), "throttles", "unread" or, in units, "scan_units" and "index_units".
        """
        name, kind = text_bytes("table", table), choice("what", what, _abi.UNATTRIBUTED)
        of = choice("operation", operation, _abi.OPERATIONS)
        count = checked(fast.hpd_get_unattributed_count(self._open(), name, len(name), of, kind))
        return count / 2 if what.endswith("_units") else count

    def hottest(self, n: int = 10, operation: Operation | None = None) -> list[HotPartition]:
        """Returns the ``n`` partitions with the most demand for an operation in the window, the most first.

        Without an operation: those of both, by their utilisation, as DynamoDB judges reads and writes apart.
        """
        return hottest_of(self._open(), operation, n, self._capacity)

    def hottest_closed(self, operation: Operation, minute: int, n: int = 10) -> ClosedMinute:
        """Returns the ``n`` partitions with the most demand in one minute of the detector's clock, and the others' sum.

        Minute 0 has the first 60 seconds. Ask some seconds after a minute's end; what waits for a key until later is in
        no answer. ``ValueError``: not over, or out of the window. ``HotpartError``: a window under 120 s, or ``memory``.
        """
        return closed_of(self._open(), operation, minute, n, self._capacity)

    def stats(self) -> Statistics:
        """Returns numbers about the detector itself. Logs, once an interval, that ``memory`` is too small, if it is."""
        native = self._open()
        statistics = statistics_of(native, self._failures.count)
        self._alerts.notice(native)
        return statistics

    def metrics(
        self,
        hottest: int = 10,
        least: Amount | None = None,
        *,
        demand_only: bool = False,
        open_metrics: bool = False,
    ) -> str:
        """Returns the statistics and the hottest partitions as text for Prometheus. Logs as ``stats`` does.

        Args:
            hottest: How many partitions are listed for each operation; 100 at most, whatever is asked for.
            least: Lists all partitions with this demand or more, up to 990 for each operation, and not the hottest.
                ``fleet_least`` works it out for a fleet.
            demand_only: Lists of a partition its demand alone: a fifth of the series. Leave it out with ``memory`` if
                demands of several processes are added up: the sum's lower bound needs what is carried.
            open_metrics: Writes OpenMetrics 1.0, and not Prometheus's text format 0.0.4.

        Raises:
            ValueError: with ``memory``, ``least`` is not over the count from which a partition of any table is exact.
        """
        native = self._open()
        flags = {"demand_only": demand_only, "open_metrics": open_metrics}
        text = metrics_of(native, hottest, least_of(least, self._capacity), **flags)
        self._alerts.notice(native)
        return text

    def redacted(self, table: str | bytes, pk: Key) -> str | None:
        """Returns the hash that stands for a key in logs and metrics; ``None`` if keys are not redacted."""
        return _handle.redacted(self._open(), text_bytes("table", table), key_bytes(pk))

    # Its life.

    def clear(self) -> None:
        """Forgets all counts, warning states, thresholds of tables and models, and what waits for a table's key.

        With ``memory`` it may wait up to a quarter of a second for calls under way in other threads.

        Raises:
            MemoryError: there was no memory for it; nothing is forgotten.
        """
        checked(slow.hpd_clear(self._open()))

    def set_time(self, seconds: float) -> None:
        """Moves a manual clock forward to ``seconds``; an earlier time changes nothing. ``HotpartError``: it runs."""
        checked(fast.hpd_set_time_ms(self._open(), milliseconds("seconds", seconds)))
        self._clock.set(seconds)

    def close(self) -> None:
        """Gives its memory back, once calls under way in other threads have ended. A second call does nothing."""
        self._native, self._tables = None, {}

    @property
    def closed(self) -> bool:
        """Whether it has been closed."""
        return self._native is None

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.close()

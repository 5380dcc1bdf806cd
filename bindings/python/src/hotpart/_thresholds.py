"""Thresholds that a detector judges by: its own, and those of tables and models."""

from __future__ import annotations

from ctypes import byref, c_int64
from typing import TYPE_CHECKING, Any, Generic

from hotpart import _abi
from hotpart._amount import Amount, amount_of
from hotpart._handle import ClosedError, Detector, checked
from hotpart._key import text_bytes
from hotpart._library import fast

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    #: What counts are: ``int``, or ``float`` in capacity mode. ``HotPartitionDetector`` alone is either.
    Count = TypeVar("Count", bound=float, default=Any)
else:
    from typing import TypeVar

    Count = TypeVar("Count")


class Thresholds(Generic[Count]):
    """The part of a detector that is about thresholds."""

    _capacity: bool
    _native: Detector | None

    def _open(self) -> Detector:
        if self._native is None:
            raise ClosedError
        return self._native

    def _count(self, count: int) -> Count:
        """The library's integer as what this detector counts."""
        return count / 2 if self._capacity else count  # type: ignore[return-value]

    def _thresholds(self) -> tuple[int, int]:
        writes, reads = c_int64(), c_int64()
        checked(fast.hpd_get_thresholds(self._open(), byref(writes), byref(reads)))
        return writes.value, reads.value

    def _given(self, writes: Amount | None, reads: Amount | None) -> list[int]:
        """Thresholds of a table or a model as the library's integers."""
        sides = {"writes_threshold": writes, "reads_threshold": reads}
        return [_abi.INHERIT if side is None else amount_of(name, side, self._capacity) for name, side in sides.items()]

    def _override(self, get: Any, name: bytes) -> tuple[Count | None, Count | None]:
        writes, reads = c_int64(), c_int64()
        checked(get(self._open(), name, len(name), byref(writes), byref(reads)))
        own = [None if side.value == _abi.INHERIT else self._count(side.value) for side in (writes, reads)]
        return own[0], own[1]

    @property
    def writes_threshold(self) -> Count:
        """The detector's own threshold: the count of writes in the window from which a partition is hot."""
        return self._count(self._thresholds()[0])

    @property
    def reads_threshold(self) -> Count:
        """The detector's own threshold: the count of reads in the window from which a partition is hot."""
        return self._count(self._thresholds()[1])

    def set_table_thresholds(
        self, table: str | bytes, writes_threshold: Amount | None = None, reads_threshold: Amount | None = None
    ) -> None:
        """Sets a table's own thresholds of the window; ``None``: the detector's. Those of one and five seconds stay.

        They cover neither the table's indexes nor its ARN.
        """
        name, both = text_bytes("table", table), self._given(writes_threshold, reads_threshold)
        checked(fast.hpd_set_table_thresholds(self._open(), name, len(name), *both))

    def set_model_thresholds(
        self, model: str | bytes, writes_threshold: Amount | None = None, reads_threshold: Amount | None = None
    ) -> None:
        """Sets a model's thresholds of the window, for records that name it; ``None``: the table's, or detector's."""
        name, both = text_bytes("model", model), self._given(writes_threshold, reads_threshold)
        checked(fast.hpd_set_model_thresholds(self._open(), name, len(name), *both))

    def get_table_thresholds(self, table: str | bytes) -> tuple[Count | None, Count | None]:
        """Returns a table's own thresholds of writes and reads; ``None`` for what is not set."""
        return self._override(fast.hpd_get_table_thresholds, text_bytes("table", table))

    def get_model_thresholds(self, model: str | bytes) -> tuple[Count | None, Count | None]:
        """Returns a model's thresholds of writes and reads; ``None`` for what is not set."""
        return self._override(fast.hpd_get_model_thresholds, text_bytes("model", model))

    # By these names pydynox's own tests ask.

    def _get_writes_threshold(self, table: str) -> Count:
        own = self.get_table_thresholds(table)[0]
        return self.writes_threshold if own is None else own

    def _get_reads_threshold(self, table: str) -> Count:
        own = self.get_table_thresholds(table)[1]
        return self.reads_threshold if own is None else own

"""Instruments of OpenTelemetry that tell what a detector counts.

    hotpart.otel.instrument(detector, least=hotpart.fleet_least(48_000, processes=50))

It needs the package ``opentelemetry-api``, which ``pip install hotpart[otel]`` brings.
"""

from __future__ import annotations

import threading
import time
import types
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.metrics import CallbackOptions, Meter, Observation, get_meter

from hotpart._amount import Amount
from hotpart._detector import HotPartitionDetector
from hotpart._handle import ClosedError
from hotpart._listed import Listed, text_of
from hotpart._options import flag
from hotpart._statistics import Statistics

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from typing_extensions import Self

    from hotpart._otel_exporter import PartitionExporter

__all__ = ["Instrumented", "exporter", "instrument"]

#: What an instrument observes, by the name it has without "hotpart.".
_COUNTERS = {
    "records": ("{record}", "Records made."),
    "warnings": ("{warning}", "Warnings given."),
    "throttles": ("{throttle}", "Throttles, by what DynamoDB gave as the reason."),
    "unread": ("{part}", "Statements, and parts of observed requests, that could not be read."),
}
_GAUGES = {
    "partition.demand": "Operations or units, and throttles, of a partition in the window.",
    "partition.unlisted": "The most demand that a partition can have which is not listed.",
    "partition.utilization": "The share of DynamoDB's limit that a partition's fullest second had.",
}
#: How many sets of attributes the SDK keeps of an instrument, for ever.
_SETS = 2_000
#: Seconds that a collection may take from its first instrument to its last.
_COLLECTION = 1.0


def instrument(
    detector: HotPartitionDetector[Any],
    meter: Meter | None = None,
    *,
    least: Amount | None = None,
    hottest: int = 10,
    utilization: bool = False,
    attributes: Mapping[str, str] | None = None,
    through: PartitionExporter | None = None,
) -> Instrumented:
    """Makes the instruments, which tell of the detector whenever metrics are collected, until ``close`` is called.

    Keys are hashed if the detector redacts them. What goes wrong in a collection is logged, each kind once. With
    ``memory`` a demand may be too high by what is carried, which is not told. So sums of processes are no lower bounds.

    Args:
        detector: The detector that is told of; once it is closed, nothing is told.
        meter: The meter that makes the instruments; by default the meter "hotpart" of the global provider.
        least: All partitions whose demand is at least this are listed: up to 990 for each operation, as an instrument has
            2,000 sets of attributes at most. ``hotpart.fleet_least`` works it out for a fleet. With ``memory``, thresholds
            that are raised later can make it too little: the 100 hottest are listed then, and that is logged.
        hottest: How many partitions are listed for each operation where ``least`` is not given.
        utilization: Whether ``hotpart.partition.utilization`` is told too: as many series again.
        attributes: Attributes that all points have besides, such as the region, to tell several detectors apart.
        through: What ``exporter`` returned: it exports partitions then, and instruments do not. Detectors of two meters
            need two exporters.

    Raises:
        TypeError, ValueError: an argument is not what it must be; the message names it.
        ClosedError: the detector has been closed.
    """
    if not isinstance(detector, HotPartitionDetector):
        raise TypeError(f"detector must be a HotPartitionDetector, not {type(detector).__name__}")
    flag("utilization", utilization)
    detector.metrics(hottest, least, demand_only=True)
    made = Instrumented(detector, least, hottest, utilization, dict(attributes or {}), through)
    made._join(_default() if meter is None else meter)
    return made


def exporter(exporter: MetricExporter) -> PartitionExporter:
    """Wraps an exporter, so that it exports partitions as they are: for a reader, and for ``instrument(through=)``.

    The SDK keeps each set of attributes that an instrument ever observed, and tells of no other once it has 2,000. So a
    program needs this if it runs for long and its hot partitions come and go. The package ``opentelemetry-sdk`` must be
    installed.
    """
    from hotpart._otel_exporter import PartitionExporter

    return PartitionExporter(exporter)


class Instrumented:
    """Instruments that tell of one detector. ``close`` ends them, and so does leaving a ``with`` block."""

    _instruments: _Instruments | None = None

    def __init__(
        self,
        detector: HotPartitionDetector[Any],
        least: Amount | None,
        hottest: int,
        utilization: bool,
        attributes: dict[str, str],
        through: PartitionExporter | None,
    ) -> None:
        self._detector, self._least, self._hottest = detector, least, hottest
        self._utilization, self._through = utilization, through
        self._common = {"db.system.name": "aws.dynamodb", **attributes}
        self._thread = threading.local()
        #: The partitions that instruments told of, until they are too many.
        self._told: set[tuple[str, str, str]] | None = set() if through is None else None

    def close(self) -> None:
        """Ends the telling: the next collection has nothing of the detector, which stays open."""
        instruments, self._instruments = self._instruments, None
        if instruments is not None:
            instruments.remove(self)
            if self._through is not None:
                self._through.members = [each for each in self._through.members if each is not self]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: types.TracebackType | None
    ) -> None:
        self.close()

    def _join(self, meter: Meter) -> None:
        self._instruments = _instruments(meter)
        told = ["partition.unlisted"] if self._through is not None else [*self._partitions(), "partition.unlisted"]
        self._instruments.add(meter, self, told, self._unit())
        if self._through is not None:
            self._through.members = [*self._through.members, self]

    def _unit(self) -> str:
        return "{capacity_unit}" if self._detector.capacity else "{operation}"

    def _partitions(self) -> list[str]:
        return ["partition.demand", "partition.utilization"] if self._utilization else ["partition.demand"]

    def _gauges(self) -> Iterable[tuple[tuple[str, str, str], list[Observation]]]:
        """Return the partitions' numbers for an exporter: by name, description and unit."""
        for name in self._partitions():
            observations = self._observe(name)
            if observations:
                unit = "1" if name == "partition.utilization" else self._unit()
                yield (f"hotpart.{name}", _GAUGES[name], unit), observations

    def _observe(self, name: str) -> list[Observation]:
        """Return an instrument's observations of the detector. An error in it would cost other detectors' points."""
        try:
            return list(self._observations(name))
        except ClosedError:
            return []
        except Exception as error:
            self._detector._failures.log(error, "metrics could not be collected")
            return []

    def _observations(self, name: str) -> Iterable[Observation]:
        read = self._read(name)
        if name == "throttles":
            for reason, n in read.statistics.throttles.items():
                yield Observation(n, {**self._common, "hotpart.throttle.reason": reason})
        elif name in _COUNTERS:
            yield Observation(getattr(read.statistics, name), self._common)
        elif name == "partition.unlisted":
            for operation, most in read.listed.unlisted.items():
                yield Observation(most, {**self._common, "hotpart.operation": operation})
        else:
            partitions = read.listed.demand if name == "partition.demand" else read.listed.utilization
            self._count(partitions)
            for (table, pk, operation), value in partitions.items():
                where = {"db.collection.name": table, "hotpart.partition.key": pk, "hotpart.operation": operation}
                yield Observation(value, self._common | where)

    def _count(self, partitions: Iterable[tuple[str, str, str]]) -> None:
        """Says it, once, if more partitions were told than the SDK tells of: the others are lost without a word."""
        if self._told is not None:
            self._told.update(partitions)
            if len(self._told) > _SETS:
                self._told = None
                why = f"OpenTelemetry's SDK tells of {_SETS} partitions in a process's life, and there were more"
                error = RuntimeError(f"{why}: use hotpart.otel.exporter")
                self._detector._failures.log(error, "metrics were lost")

    def _read(self, name: str) -> _Read:
        """Read the detector, once for all instruments of a collection: bounds hold in one snapshot only.

        A collection asks each instrument once, in one thread.
        """
        read: _Read | None = getattr(self._thread, "read", None)
        if read is None or name in read.asked or time.monotonic() - read.at > _COLLECTION:
            read = self._thread.read = _Read(self._detector, self._least, self._hottest, self._utilization)
        read.asked.add(name)
        return read


class _Read:
    """A detector's numbers of one time; each part is read when it is first asked for."""

    def __init__(
        self, detector: HotPartitionDetector[Any], least: Amount | None, hottest: int, utilization: bool
    ) -> None:
        self._detector, self._given = detector, (hottest, least, not utilization)
        self.at, self.asked = time.monotonic(), set[str]()
        self._listed: Listed | None = None
        self._statistics: Statistics | None = None

    @property
    def listed(self) -> Listed:
        if self._listed is None:
            hottest, least, demand_only = self._given
            text = text_of(self._detector, hottest, least, demand_only=demand_only)
            self._listed = Listed(text, self._detector.capacity)
        return self._listed

    @property
    def statistics(self) -> Statistics:
        if self._statistics is None:
            self._statistics = self._detector.stats()
        return self._statistics


class _Instruments:
    """The instruments of one meter. Of two of one name the SDK asks the first only, so all detectors of a meter share them."""

    def __init__(self, meter: Meter) -> None:
        self._lock, self._made = threading.Lock(), set[tuple[str, str]]()
        #: Those who are asked, with the unit of each.
        self._members: list[tuple[Instrumented, str]] = []
        for name, (unit, description) in _COUNTERS.items():
            meter.create_observable_counter(f"hotpart.{name}", [self._callback(name, None)], unit, description)

    def add(self, meter: Meter, member: Instrumented, gauges: list[str], unit: str) -> None:
        with self._lock:
            for name in gauges:
                of = "1" if name == "partition.utilization" else unit
                if (name, of) not in self._made:
                    self._made.add((name, of))
                    callback = self._callback(name, None if of == "1" else unit)
                    meter.create_observable_gauge(f"hotpart.{name}", [callback], of, _GAUGES[name])
            self._members = [*self._members, (member, unit)]

    def remove(self, member: Instrumented) -> None:
        with self._lock:
            self._members = [each for each in self._members if each[0] is not member]

    def _callback(self, name: str, unit: str | None) -> Callable[[CallbackOptions], Iterable[Observation]]:
        def observe(_: CallbackOptions) -> Iterable[Observation]:
            return [
                observation
                for member, of in self._members
                if unit is None or of == unit
                for observation in member._observe(name)
            ]

        return observe


_known: weakref.WeakKeyDictionary[Meter, _Instruments] = weakref.WeakKeyDictionary()
_known_lock = threading.Lock()
_own: list[Meter] = []


def _instruments(meter: Meter) -> _Instruments:
    with _known_lock:
        found = _known.get(meter)
        if found is None:
            found = _known[meter] = _Instruments(meter)
        return found


def _default() -> Meter:
    """One meter of the global provider. Until that is set each call would give another, and later all would become one."""
    with _known_lock:
        if not _own:
            _own.append(get_meter("hotpart"))
        return _own[0]

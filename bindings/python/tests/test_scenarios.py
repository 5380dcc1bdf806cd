"""The scenarios that all faces of the library share."""

import logging
import os
import pathlib
import urllib.parse
from decimal import Decimal

import pytest

import hotpart
from hotpart import HotPartitionDetector

FILE = pathlib.Path(os.environ.get("HOTPART_SCENARIOS", pathlib.Path(__file__).parents[3] / "tests" / "scenarios.txt"))


def scenarios():
    """Each scenario's name, and its numbered lines."""
    found = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("scenario "):
            found.append(pytest.param([], id=line.removeprefix("scenario ")))
        elif line and not line.startswith("#"):
            found[-1].values[0].append((number, line))
    return found


def text(word):
    """A word's text: ``bytes`` where it is not UTF-8."""
    raw = urllib.parse.unquote_to_bytes(word) if word != '""' else b""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def key(word):
    return int(word[1:]) if word.startswith("#") else text(word)


def amount(word):
    """A number as a caller writes it."""
    return int(word) if "." not in word else float(word)


def threshold(word):
    return None if word == "-" else amount(word)


class Runner:
    def __init__(self):
        self.warnings, self.lines, self.hot, self.bodies = [], [], [], {}
        self.detector = None

    def run(self, steps):
        expected, at = {"warn": [], "line": [], "hot": []}, None
        for number, line in steps:
            what, _, rest = line.partition(" ")
            if what in expected:
                expected[what].append(rest)
                continue
            self.check(expected, at)
            expected, at = {"warn": [], "line": [], "hot": []}, number
            if what in ("request", "response"):
                self.bodies[what] = rest.encode()
                continue
            call, _, result = rest.partition(" -> ") if " -> " in rest else (rest, None, None)
            words = call.split(" ") if call else []
            options = dict(word.split("=", 1) for word in words if "=" in word)
            words = [word for word in words if "=" not in word]
            assert getattr(self, f"do_{what}")(*words, **options) == result, f"line {number}"
        self.check(expected, at)

    def check(self, expected, at):
        shown = {"warn": [self.shown(warning) for warning in self.warnings], "line": self.lines, "hot": self.hot}
        wanted = {
            "warn": [self.words(line) for line in expected["warn"]],
            "line": expected["line"],
            "hot": [self.words(line) for line in expected["hot"]],
        }
        assert shown == wanted, f"after line {at}"
        for each in (self.warnings, self.lines, self.hot):
            each.clear()

    @staticmethod
    def words(line):
        return [word if "=" in word else text(word) for word in line.split(" ")]

    @staticmethod
    def shown(warning):
        numbers = {
            "count": warning.count,
            "threshold": warning.threshold,
            "window": warning.window_seconds,
            "suppressed": warning.suppressed,
            "peak": warning.peak,
            "rule": warning.rule,
            "utilisation": warning.utilisation,
        }
        return [warning.operation, warning.table, warning.pk, *words_of(numbers, warning)]

    # Calls.

    def options(self, given):
        logger = logging.Logger("scenario")
        handler = logging.Handler()
        handler.emit = lambda record: self.lines.append(record.getMessage())
        logger.addHandler(handler)
        options = {"logger": logger, "on_warning": self.warnings.append, "manual_clock": True}
        if "interval" in given:
            options["warning_interval_seconds"] = int(given["interval"])
        if "throttles" in given:
            options["warn_of_throttles"] = True
        if "bound" in given:
            options["max_partitions"] = int(given["bound"])
        if "memory" in given:
            options["memory"] = int(given["memory"])
        if "redact" in given:
            options["redact"] = bytes.fromhex(given["redact"])
        return options

    def do_detector(self, **given):
        own = {
            name: amount(n) for name, n in given.items() if name.endswith(("_per_second", "_sustained", "processes"))
        }
        self.detector = HotPartitionDetector(
            amount(given["writes"]),
            amount(given["reads"]),
            int(given["window"]),
            capacity="capacity" in given,
            **own,
            **self.options(given),
        )

    def do_dynamodb(self, share, processes, **given):
        self.detector = HotPartitionDetector.for_dynamodb(float(share), int(processes), **self.options(given))

    def do_at(self, seconds):
        self.detector.set_time(float(seconds))

    def record(self, record, table, pk, times="1", amount_=None, **given):
        try:
            for _ in range(int(times)):
                count = record(text(table), key(pk), None if amount_ is None else amount(amount_), **given)
        except (ValueError, TypeError):
            return "invalid"
        return plain(count)

    def do_write(self, *words, amount=None, **given):
        return self.record(self.detector.record_write, *words, amount_=amount, **given)

    def do_read(self, *words, amount=None, **given):
        return self.record(self.detector.record_read, *words, amount_=amount, **given)

    def do_count(self, operation, table, pk):
        get = self.detector.get_write_count if operation == "write" else self.detector.get_read_count
        return plain(get(text(table), key(pk)))

    def do_bounds(self, operation, table, pk):
        return " ".join(plain(bound) for bound in self.detector.bounds(text(table), key(pk), operation))

    def do_table(self, name, writes, reads):
        self.detector.set_table_thresholds(text(name), threshold(writes), threshold(reads))

    def do_model(self, name, writes, reads):
        self.detector.set_model_thresholds(text(name), threshold(writes), threshold(reads))

    def do_thresholds(self, what, name):
        get = self.detector.get_table_thresholds if what == "table" else self.detector.get_model_thresholds
        return " ".join("-" if each is None else plain(each) for each in get(text(name)))

    def do_throttle(self, operation, table, pk, reason):
        return plain(self.detector.record_throttle(text(table), key(pk), operation, reason))

    def do_throttles(self, operation, table, pk, reason):
        return plain(self.detector.get_throttle_count(text(table), key(pk), operation, reason))

    def do_schema(self, table, attributes, index=None):
        self.detector.set_key_schema(text(table), attributes.split(","), index)

    def do_observe(self, operation, status, model=None):
        request, response = self.bodies.pop("request"), self.bodies.pop("response", None)
        try:
            return plain(self.detector.observe(operation, request, response, int(status), model=model))
        except hotpart.MissingSchemaError as missing:
            return f"missing {' '.join(missing.tables)}"
        except ValueError:
            return "invalid"

    def do_unattributed(self, table, kind, operation):
        return plain(self.detector.get_unattributed_count(text(table), kind, operation))

    def do_redacted(self, table, pk):
        return self.detector.redacted(text(table), key(pk))

    def do_hottest(self, n, operation):
        for each in self.detector.hottest(int(n), operation):
            numbers = {name: getattr(each, name) for name in ("count", "throttles", "demand", "peak", "utilisation")}
            self.hot.append([each.table, each.pk, *words_of(numbers, each)])

    def do_stat(self, name):
        return plain(getattr(self.detector.stats(), name))

    def do_clear(self):
        self.detector.clear()


def words_of(numbers, told):
    """Numbers as the file has them; what is carried where it is not 0."""
    carried = {"carried": told.carried} if told.carried else {}
    return [f"{name}={plain(n)}" for name, n in (numbers | carried).items()]


def plain(n):
    return n if isinstance(n, str) else format(Decimal(str(n)).normalize(), "f")


@pytest.mark.parametrize("steps", scenarios())
def test_scenario(steps):
    Runner().run(steps)

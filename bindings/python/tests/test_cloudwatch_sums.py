"""The lines of a fleet add up to what was recorded: each operation is in one line, or its minute is told as lost."""

import collections
import json
import random
import subprocess
import sys

import pytest
from minutes import watched


@pytest.mark.parametrize("off", [-1, -0.5, 0.5, 1])
@pytest.mark.parametrize("window", [120, 150, 181])
def test_a_clock_that_is_off_by_a_second_loses_nothing_that_can_be_had(window, off):
    detector, lines, log = watched(window, lines={"grace_seconds": 0, "hottest": 0, "namespace": None})
    random_ = random.Random(window + off)
    now = 0.0
    there, recorded = lines._now, 0
    lines._now = lambda: max(0.0, there() + off)
    while now < 6_000:
        detector.record_write("t", "k")
        recorded += 1
        now += random_.uniform(0, 40)
        detector.set_time(now)
        lines.flush()
    lost = sum(line["lost_minutes"] for line in log.of("lost"))
    minutes = {line["minute"] for line in log.of("rest")}
    written = sum(line["count"] for line in log.of("rest"))
    assert lost == 0 and len(minutes) == len(log.of("rest")) and recorded - written <= 150


def fleet(seed, minutes=40):
    """A random fleet's detectors, each with its lines' log and what it recorded by minute, operation and key."""
    random_ = random.Random(seed)
    for _ in range(random_.randint(1, 4)):
        capacity = random_.random() < 0.3
        window = random_.choice([120, 121, 300, 900])
        hottest, least, grace = random_.choice([0, 1, 5, 1_000]), random_.choice([0, 1, 3]), random_.choice([0, 2, 7.5])
        options = {"hottest": hottest, "least": least, "grace_seconds": grace}
        detector, lines, log = watched(window, lines=options, capacity=capacity)
        truth = collections.Counter()
        now = 0.0
        while now < minutes * 60:
            for _ in range(random_.randint(0, 12)):
                operation = random_.choice(["write", "read"])
                pk = str(int(random_.paretovariate(1.0)))
                amount = random_.randint(1, 6) / 2 if capacity else random_.randint(1, 6)
                getattr(detector, f"record_{operation}")("t", pk, amount)
                truth[int(now // 60), operation, pk] += amount
                if random_.random() < 0.1:
                    detector.record_throttle("t", pk, operation)
            # Now and then it is frozen, for longer than its window too.
            now += random_.uniform(0, 9) if random_.random() < 0.97 else random_.uniform(0, 1_100)
            detector.set_time(now)
            if random_.random() < 0.5:
                lines.flush()
        yield detector, log, truth


@pytest.mark.parametrize("seed", range(20))
def test_the_lines_of_a_fleet_add_up_to_what_was_recorded(seed):
    for detector, log, truth in fleet(seed):
        lost = sum(line["lost_minutes"] for line in log.of("lost"))
        written, sums = set(), collections.Counter()
        for line in log.of("partition"):
            key = line["minute"], line["operation"], line["pk"]
            assert key not in written
            written.add(key)
            assert truth[key] == line["count"] <= line["demand"] == line["count"] + line["throttles"]
            sums[key[:2]] += line["count"]
        for line in log.of("rest"):
            key = line["minute"], line["operation"]
            assert (key, None) not in written
            written.add((key, None))
            sums[key] += line["count"]
        exact = collections.Counter()
        for (minute, operation, _), amount in truth.items():
            exact[minute, operation] += amount
        # Whole minutes are there, or missing; what is missing is not over, or lost.
        assert all(exact[key] == amount for key, amount in sums.items())
        missing = {minute for minute, _ in exact.keys() - sums.keys()}
        newest = max((minute for minute, _ in sums), default=-1)
        assert len([minute for minute in missing if minute < newest]) <= lost
        totals = collections.Counter()
        for line in log.totals():
            totals.update({name: line[name] for name in ("records", "throttles_key_range", "lost_minutes")})
        assert totals["lost_minutes"] == lost
        assert totals["records"] <= detector.stats().records


def test_without_a_freeze_no_minute_is_missing():
    detector, lines, log = watched(120)
    truth, random_ = collections.Counter(), random.Random(5)
    for second in range(0, 3_600, 7):
        detector.set_time(second)
        lines.flush()
        detector.record_write("t", str(random_.randint(0, 40)))
        truth[second // 60] += 1
    detector.set_time(3_602)
    lines.flush()
    sums = collections.Counter()
    for line in log.of("partition") + log.of("rest"):
        sums[line["minute"]] += line["count"]
    assert sums == truth and not log.of("lost")
    assert sum(line["records"] for line in log.totals()) == sum(truth.values())


PROCESS = """
import random, sys
from hotpart.testing import ManualDetector
from hotpart.cloudwatch import MinuteLines
detector = ManualDetector(2**50, 2**50, 300)
lines = MinuteLines(detector, 3)
random = random.Random(int(sys.argv[1]))
truth = 0
@lines.handler
def handler(event, context):
    global truth
    for _ in range(random.randint(1, 5)):
        detector.record_write("t", str(int(random.paretovariate(1))))
        truth += 1
for _ in range(300):
    handler({}, None)
    detector.advance(random.uniform(0, 20))
detector.advance(62)
lines.flush()
print(truth, file=sys.stderr)
"""


def test_what_processes_print_adds_up():
    command = [sys.executable, "-X", "dev", "-c", PROCESS]
    running = [
        subprocess.Popen([*command, str(seed)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for seed in range(3)
    ]
    printed, truth = [], 0
    for process in running:
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        printed += [json.loads(line) for line in out.splitlines()]
        truth += int(err)
    assert sum(line.get("count", 0) for line in printed) == truth
    assert sum(line["records"] for line in printed if "_aws" in line) == truth

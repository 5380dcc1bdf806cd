"""Checks what a real Prometheus makes of a real fleet, by the rules of deploy/prometheus.

``fleet.py PROMETHEUS PID:PORT...``: the processes are those of process.py and of
tests/c/fleet_process.c. The first is killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import datetime
from typing import Any
from urllib.request import urlopen

import dashboard
from asking import Prometheus, wait

#: One interval of scrapes, and one of evaluations.
TWO_SCRAPES = 2.0
#: What a busy machine may take besides.
GRACE = 1.0
SHARED = 'table="orders",pk="shared",operation="write"'


def main(url: str, processes: list[tuple[int, int]]) -> None:
    prometheus = Prometheus(url)
    n = len(processes)

    def number(query: str) -> float | None:
        found = prometheus.ask(query)
        return found[0][1] if found else None

    def expect(query: str, expected: float, seconds: float = 20) -> None:
        wait(f"{query} is {expected}", seconds, lambda: number(query) == expected)

    # All are seen, and what they share is not yet hot.
    expect('fleet:hotpart_processes:seen{job="hotpart"}', n)
    expect(f"fleet:hotpart_partition_demand:sum{{{SHARED}}}", 9_000 * n)
    expect(f"fleet:hotpart_partition_demand:most{{{SHARED}}}", 9_000 * n)
    expect('fleet:hotpart_partition_demand:sum{table="catalogue",operation="read"}', 20_000 * n)
    expect('count(fleet:hotpart_partition_demand:sum{pk=~"tenant.*"})', 12 * n)
    # A key of one process may have in each of the others what is not listed there.
    others = number('sum(hotpart_partition_unlisted_most{operation="write"})') or 0
    expect('fleet:hotpart_partition_demand:most{pk="tenant-1-0"}', 12_000 + others - 200)
    # No process has what they share in its top ten.
    assert number('max(hotpart_partition_demand{pk="shared"}) < min(hotpart_partition_demand{pk=~"tenant.*"})')
    assert number('min(count by (instance) (hotpart_partition_demand{pk=~"tenant.*"})) > 10')
    # The scrape drops all families of a partition that the rules do not need.
    families = prometheus.ask('group by (__name__) ({__name__=~"hotpart_partition_.*"})')
    assert {labels["__name__"].removeprefix("hotpart_partition_") for labels, _ in families} == {
        "demand",
        "carried",
        "unlisted_most",
    }, families
    for name in ("InFleet", "FleetBlind", "Throttled", "ProcessMissing"):
        found = prometheus.alerts(f"HotPartition{name}")
        assert not found, found

    # It becomes hot, a little in each.
    for _, port in processes:
        urlopen(f"http://127.0.0.1:{port}/plant", timeout=5).close()
    planted = time.time()
    alert = wait("HotPartitionInFleet", 20, lambda: prometheus.alerts("HotPartitionInFleet"))[0]
    assert alert["state"] == "firing", alert
    assert alert["labels"]["pk"] == "shared", alert
    took = seconds_since(planted, alert)
    print(
        f"hot in the sum of {n} processes, in no top ten: alerted after {took:.2f} s: {alert['annotations']['summary']}"
    )
    assert took <= TWO_SCRAPES + GRACE, "that is later than two scrapes"
    expect(f"fleet:hotpart_partition_demand:sum{{{SHARED}}}", 10_001 * n)
    wait("HotPartitionThrottled", 5, lambda: prometheus.alerts("HotPartitionThrottled"))

    # One is no longer there.
    os.kill(processes[0][0], signal.SIGKILL)
    killed = time.time()
    alert = wait("HotPartitionProcessMissing", 20, lambda: prometheus.alerts("HotPartitionProcessMissing"))[0]
    took = seconds_since(killed, alert)
    print(f"a process killed: noticed after {took:.2f} s: {alert['annotations']['summary']}")
    assert took <= TWO_SCRAPES + GRACE, "that is later than two scrapes"
    expect('fleet:hotpart_processes:missing{job="hotpart"}', 1)
    expect('fleet:hotpart_processes:seen{job="hotpart"}', n - 1)

    asked = dashboard.answered(prometheus)
    print(f"the dashboard: {asked} expressions, and Prometheus answers all")

    # It is pending for half a minute.
    def firing() -> bool:
        return any(each["state"] == "firing" for each in prometheus.alerts("HotPartitionProcessMissing"))

    if os.environ.get("QUICK") != "true":
        wait("HotPartitionProcessMissing fires", 45, firing)
        print(f"and alerted after {time.time() - killed:.0f} s")
    assert not prometheus.alerts("HotPartitionFleetBlind")


def seconds_since(start: float, alert: dict[str, Any]) -> float:
    """The time until the evaluation that first had the alert. When it was asked is no matter."""
    whole, _, fraction = alert["activeAt"].rstrip("Z").partition(".")
    # No Python before 3.11 reads as many digits as there are.
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}") - start


main(sys.argv[1], [(int(pid), int(port)) for pid, port in (each.split(":") for each in sys.argv[2:])])

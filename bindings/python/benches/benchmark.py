"""Measures the cost of recording beside an empty call through ctypes and beside pydynox's own detector, and what watching a
client adds to a request; in one run.

    python benches/benchmark.py [--quick]

Absolute times are this machine's; the ratios are what is promised.
"""

import argparse
import ctypes
import gc
import json
import pathlib
import statistics
import subprocess
import sys
import time

import boto3
import botocore.awsrequest
import pydynox
from pydynox.diagnostics import HotPartitionDetector as Theirs

import hotpart
from hotpart import HotPartitionDetector as Ours

NEVER = 10**9
KEY = "customer#00000000042"


def nanoseconds(record, calls, table="orders", key=KEY):
    start = time.perf_counter_ns()
    for _ in range(calls):
        record(table, key)
    return (time.perf_counter_ns() - start) / calls


def rounds(n, measure):
    """Medians of n rounds in which all take turns, and the median of the ratio of the first two."""
    measure()
    seen = [measure() for _ in range(n)]
    gc.collect()
    return [statistics.median(column) for column in zip(*seen, strict=True)], statistics.median(
        a / b for a, b, *_ in seen
    )


def bare(n, calls):
    """A record beside a call that does next to nothing, made as the package makes its own: strcmp of an empty text."""
    ours, empty = Ours(NEVER, NEVER, 60), ctypes.PyDLL(None).strcmp
    nothing, key = ctypes.c_char_p(b""), KEY.encode()
    return rounds(n, lambda: (nanoseconds(ours.record_write, calls), nanoseconds(empty, calls, nothing, key)))


def near_empty(n, calls):
    """pydynox's list holds ten timestamps at most: else it is what is measured below."""
    ours, theirs = Ours(NEVER, NEVER, 60), Theirs(NEVER, NEVER, 60)

    def measure():
        took = 0.0
        for _ in range(calls // 10):
            theirs.clear()
            took += nanoseconds(theirs.record_write, 10)
        return nanoseconds(ours.record_write, calls), took / (calls // 10)

    return rounds(n, measure)


def full(n, calls, held=20_000):
    ours, theirs = Ours(NEVER, NEVER, 3_600), Theirs(NEVER, NEVER, 3_600)
    for _ in range(held):
        ours.record_write("orders", KEY)
        theirs.record_write("orders", KEY)
    return rounds(
        n, lambda: (nanoseconds(ours.record_write, calls * 10), nanoseconds(theirs.record_write, calls // 20))
    )


def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4_096


def memory(make, keys):
    """Resident bytes for each of so many keys that are seen once; in a process of its own (see main)."""
    detector = make(NEVER, NEVER, 3_600)
    texts = [f"customer#{n:011}" for n in range(keys)]
    detector.record_write("orders", "first")
    gc.collect()
    before = resident()
    for text in texts:
        detector.record_write("orders", text)
    return (resident() - before) / keys


def client(capacity):
    """A boto3 client whose requests are answered without a network."""
    consumed = {"TableName": "orders", "CapacityUnits": 1.0, "Table": {"CapacityUnits": 1.0}}
    body = json.dumps({"ConsumedCapacity": consumed} if capacity else {}).encode()

    def answer(request, **_):
        response = botocore.awsrequest.AWSResponse(
            request.url, 200, {"content-type": "application/x-amz-json-1.0"}, None
        )
        response._content = body
        return response

    made = boto3.client(
        "dynamodb",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        endpoint_url="http://127.0.0.1:1",
    )
    made.meta.events.register("before-send.dynamodb", answer)
    return made


class Timed:
    """Adds up what handlers take."""

    def __init__(self):
        self.took = 0

    def of(self, handler):
        def timed(*args, **kwargs):
            start = time.perf_counter_ns()
            handler(*args, **kwargs)
            self.took += time.perf_counter_ns() - start

        return timed


def hook(n, calls, capacity):
    """The hook's handlers in a put_item, the same called one after another, and a put_item without: in microseconds.

    In a put_item they are timed one by one; what it takes to time as many that do nothing is taken off.
    """
    item = {"id": {"S": KEY}, "n": {"N": "1"}, "text": {"S": "x" * 340}}
    plain, watched, idle, timed, nothing = client(capacity), client(capacity), client(capacity), Timed(), Timed()
    hotpart.instrument(watched, Ours(NEVER, NEVER, 60, capacity=capacity), tables={"orders": "id"})
    (watcher,) = hotpart._instrument._watchers[watched]
    events = watched.meta.events
    watcher.unregister(events)
    events.unregister("after-call.dynamodb", hotpart._instrument.take_out, unique_id="hotpart-after-call")
    handlers = {"needs-retry": watcher._attempt}
    if capacity:
        handlers |= {"before-call": watcher._ask}
    for event, handler in handlers.items():
        events.register(f"{event}.dynamodb", timed.of(handler))
        idle.meta.events.register(f"{event}.dynamodb", nothing.of(lambda **_: None))

    def put(one):
        start = time.perf_counter_ns()
        for _ in range(calls):
            one.put_item(TableName="orders", Item=item)
        return (time.perf_counter_ns() - start) / calls / 1_000

    body = json.dumps({"TableName": "orders", "Item": item}).encode()
    http = type("Answer", (), {"status_code": 200, "content": b'{"ConsumedCapacity":{"CapacityUnits":1.0}}'})()
    model = type("Model", (), {"name": "PutItem"})()
    headers = {"X-Amz-Target": "DynamoDB_20120810.PutItem"}

    def again():
        start = time.perf_counter_ns()
        for _ in range(calls):
            context, parsed = {}, {"ConsumedCapacity": {}}
            request = {"body": body, "headers": headers, "context": context}
            if capacity:
                watcher._ask(
                    model=model, params=request, context=context, request_signer=None, event_name="before-call"
                )
            watcher._attempt(response=(http, parsed), request_dict=request, endpoint=None, operation=model, attempts=1)
        return (time.perf_counter_ns() - start) / calls / 1_000

    def measure():
        without, timed.took, nothing.took = put(plain), 0, 0
        put(watched)
        put(idle)
        return (timed.took - nothing.took) / calls / 1_000, without, again()

    return rounds(n, measure)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true")
    options.add_argument("--memory-of", choices=["ours", "theirs"])
    options.add_argument("--keys", type=int, default=1_000_000)
    given = options.parse_args()
    if given.memory_of:
        print(memory(Ours if given.memory_of == "ours" else Theirs, given.keys))
        return
    n, calls, keys = (3, 20_000, 200_000) if given.quick else (15, 200_000, 1_000_000)
    print(
        f"Python {sys.version.split()[0]}, pydynox {pydynox.__version__}, boto3 {boto3.__version__}; medians of {n} rounds"
    )

    def row(what, ours, theirs, unit, ratio, target):
        verdict = "yes" if ratio <= target else "NO"
        print(f"{what:48} {ours:10.1f} {unit} {theirs:10.1f} {unit}  {ratio:6.3f} x  <= {target} x  {verdict}")

    (ours, empty), ratio = bare(n, calls)
    print(f"{'record_write, beside an empty call by ctypes':48} {ours:10.1f} ns {empty:10.1f} ns  {ratio:6.3f} x")
    # ctypes got slower in 3.13.
    near = 1.15 if sys.version_info >= (3, 13) else 0.95
    (ours, theirs), ratio = near_empty(n, calls)
    row("record_write, near-empty window", ours, theirs, "ns", ratio, near)
    (ours, theirs), ratio = full(n, calls // 10)
    row("record_write, 20,000 operations in the window", ours, theirs, "ns", ratio, 0.04)

    def bytes_of(who):
        command = [sys.executable, __file__, "--memory-of", who, "--keys", str(keys)]
        return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    ours, theirs = bytes_of("ours"), bytes_of("theirs")
    row(f"memory for {keys:,} keys seen once, each", ours, theirs, "B ", ours / theirs, 0.5)
    for capacity, target in ((False, 0.01), (True, 0.02)):
        (within, without, again), ratio = hook(n, calls // 100, capacity)
        mode = "capacity" if capacity else "operations"
        # Between its calls a request evicts the hook from the core's caches.
        row(f"hook, one call after another, {mode} mode", again, without, "us", again / without, target)
        row(f"hook, within put_item, {mode} mode", within, without, "us", ratio, target)


if __name__ == "__main__":
    main()

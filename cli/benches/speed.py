"""Measures `hotpart report` beside DuckDB on one file, by turns, in one run.

speed.py HOTPART [LINES [PARTITIONS...]]: makes CSV of so many lines (10,000,000) of an hour, whose partitions are drawn by Zipf's law
with exponent 1, and prints for each: seconds on the clock and of processor, and lines a second and core. DuckDB answers the least that
a report needs, the ten partitions with the most in each minute, by operation. Absolute times mean nothing on shared machines.
"""

import itertools
import pathlib
import random
import resource
import subprocess
import sys
import time

QUERY = """
WITH minutes AS (
  SELECT time_ms // 60000 AS minute, operation, "table", pk, count(*) AS n
  FROM read_csv('{log}', header = true) GROUP BY ALL
)
SELECT * FROM minutes QUALIFY row_number() OVER (PARTITION BY minute, operation ORDER BY n DESC) <= 10
"""
ROUNDS = 5


def make(log, lines, partitions):
    of = random.Random(7)
    weights = list(itertools.accumulate(1 / (i + 1) for i in range(partitions)))
    with open(log, "w") as out:
        out.write("time_ms,operation,table,pk\n")
        for begin in range(0, lines, 100_000):
            drawn = of.choices(range(partitions), cum_weights=weights, k=min(100_000, lines - begin))
            for i, pk in enumerate(drawn, begin):
                operation, table = "write" if i % 3 == 0 else "read", "orders" if pk % 2 else "events"
                out.write(f"{1772445600000 + i * 3_600_000 // lines},{operation},{table},CUSTOMER#{pk}\n")


def measured(command):
    """Returns the seconds on the clock and of processor that a process takes."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.monotonic() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(hotpart, lines="10000000", *partitions):
    log = pathlib.Path("build/speed.csv").resolve()
    log.parent.mkdir(exist_ok=True)
    for n in map(int, partitions or ("1000", "10000", "100000")):
        make(log, int(lines), n)
        duckdb = f"import duckdb; duckdb.sql({QUERY.format(log=log)!r}).fetchall()"
        commands = {"hotpart report": [hotpart, "report", "--quiet", log], "DuckDB": [sys.executable, "-c", duckdb]}
        if n == 100_000:
            # With memory bounded too.
            commands["hotpart report --memory 64MiB"] = [hotpart, "report", "--quiet", "--memory", "64MiB", log]
        rounds = [{name: measured(command) for name, command in commands.items()} for _ in range(ROUNDS)]
        for name in commands:
            wall, processor = (min(each[name][i] for each in rounds) for i in range(2))
            rate = int(lines) / processor / 1e6
            print(f"{n:,} partitions, {name}: {wall:.2f} s, {processor:.2f} s of processor, {rate:.2f} million lines a second and core")
        for i, what in enumerate(("clock", "processor")):
            ratios = sorted(each["hotpart report"][i] / each["DuckDB"][i] for each in rounds)
            print(f"{n:,} partitions, hotpart / DuckDB by the {what}: {ratios[ROUNDS // 2]:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")
    log.unlink()


main(*sys.argv[1:])

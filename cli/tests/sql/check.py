"""Runs deploy/sql on DuckDB and on a local Spark, and compares what they say with `hotpart backtest`.

check.py HOTPART LOG...: each LOG is CSV with a header and without amounts.
"""

import json
import pathlib
import re
import subprocess
import sys

import duckdb
from pyspark.sql import SparkSession

SQL = pathlib.Path(__file__).parents[3] / "deploy" / "sql"
#: Windows, and the thresholds of writes and reads.
SETTINGS = [(10, 100, 150), (60, 300, 300), (300, 800, 700)]


def statements(name, log, window, writes, reads):
    """The statements of a file, with this log and these settings in place of those that are written there."""
    text = re.sub(r"--.*", "", (SQL / name).read_text()).replace("access.csv", str(log))
    text = text.replace("BETWEEN 60 PRECEDING", f"BETWEEN {window} PRECEDING")
    text = text.replace("800 AS threshold", f"{writes} AS threshold").replace("2500 AS threshold", f"{reads} AS threshold")
    return [statement for statement in text.split(";") if statement.strip()]


def by_duckdb(log, settings, query):
    connection = duckdb.connect()
    for name in ["duckdb.sql", "verdicts.sql"]:
        for statement in statements(name, log, *settings):
            connection.execute(statement)
    return connection.execute(query).fetchall()


def by_spark(spark, log, settings, query):
    for name in ["spark.sql", "verdicts.sql"]:
        for statement in statements(name, log, *settings):
            spark.sql(statement.replace("REPLACE VIEW", "REPLACE TEMPORARY VIEW"))
    return [tuple(row) for row in spark.sql(query).collect()]


def by_backtest(hotpart, log, window, writes, reads):
    """The first warning of each partition and operation."""
    options = ["--window", window, "--writes", writes, "--reads", reads, "--json", "--quiet"]
    command = [hotpart, "backtest", log, *map(str, options)]
    told = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    first = {}
    for warning in told["warnings"]:
        partition = (warning["table"], warning["pk"], warning["operation"])
        first.setdefault(partition, (warning["threshold"], warning["time_ms"]))
    return sorted((*partition, *what) for partition, what in first.items())


def main(hotpart, *logs):
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.sql.shuffle.partitions", "2")
    spark = spark.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    reached = "SELECT table_name, pk, operation, threshold, time_ms FROM hotpart_reached ORDER BY 1, 2, 3"
    fullest = "SELECT table_name, pk, operation, second, amount, total FROM hotpart_fullest ORDER BY 1, 2, 3"
    for log in logs:
        for settings in SETTINGS:
            wanted = by_backtest(hotpart, log, *settings)
            assert wanted, f"{log}: no warning to compare with"
            for name, told in [("DuckDB", by_duckdb(log, settings, reached)), ("Spark", by_spark(spark, log, settings, reached))]:
                assert sorted(told) == wanted, f"{name} of {log}, {settings}: {set(told) ^ set(wanted)}"
            print(f"{log}: {settings}: {len(wanted)} partitions reach a threshold, by DuckDB and Spark as by the command")
        assert sorted(by_duckdb(log, SETTINGS[0], fullest)) == sorted(by_spark(spark, log, SETTINGS[0], fullest))
    spark.stop()


main(*sys.argv[1:])

"""Runs deploy/sql on DuckDB and on a local Spark, and compares what they say with `hotpart backtest` and `hotpart report`.

check.py HOTPART LOG...: each LOG is CSV with a header and without amounts. It is read as CSV, as the Parquet that DuckDB makes of it,
and its begin as CloudTrail's events.
"""

import csv
import datetime
import gzip
import itertools
import json
import pathlib
import re
import subprocess
import sys

import duckdb
from pyspark.sql import SparkSession

SQL = pathlib.Path(__file__).parents[3] / "deploy" / "sql"
#: Windows, and the thresholds of writes and reads.
SETTINGS = [(10, 100, 150), (60, 300, 300), (300, 300, 300)]
#: Those of the begin that is made into CloudTrail's events, and how many records that has.
OF_TRAIL, TRAIL = (60, 20, 20), 2_000
REACHED = "SELECT table_name, pk, operation, threshold, time_ms FROM hotpart_reached"
FULLEST = "SELECT table_name, pk, operation, second, amount, total FROM hotpart_fullest"


def view(engine, kind):
    """The statements that make the view `accesses`: those that stand there, or those in the comment that begins with `kind`."""
    whole = SQL / f"{engine}-{kind.lower()}.sql"
    text = (whole if whole.exists() else SQL / f"{engine}.sql").read_text()
    if kind == "CSV" or whole.exists():
        return re.sub("--.*", "", text)
    block = re.search(rf"^-- {kind}.*\n((?:-- .*\n)+)", text, re.MULTILINE)[1]
    return re.sub("^-- ", "", block, flags=re.MULTILINE)


def statements(engine, kind, path, window, writes, reads):
    """All statements, with these files and settings in place of those that are written there."""
    text = view(engine, kind).replace("access.csv", str(path)).replace("access/*.parquet", str(path))
    text = text.replace("`access`", f"`{path}`").replace("trail/*.json.gz", str(path))
    verdicts = re.sub("--.*", "", (SQL / "verdicts.sql").read_text())
    verdicts = verdicts.replace("BETWEEN 60 PRECEDING", f"BETWEEN {window} PRECEDING")
    verdicts = verdicts.replace("800 AS threshold", f"{writes} AS threshold").replace("2500 AS threshold", f"{reads} AS threshold")
    return [statement for statement in (text + ";" + verdicts).split(";") if statement.strip()]


def by_duckdb(kind, path, settings, query, tables=()):
    connection = duckdb.connect()
    keys = " UNION ALL ".join(f"SELECT '{table}' AS table_name, 'pk' AS attribute" for table in tables)
    for statement in statements("duckdb", kind, path, *settings):
        statement = statement.replace("SELECT 'orders' AS table_name, 'pk' AS attribute", keys)
        connection.execute(statement)
    return sorted(connection.execute(query).fetchall())


def by_spark(spark, kind, path, settings, query):
    for statement in statements("spark", kind, path, *settings):
        spark.sql(statement.replace("REPLACE VIEW", "REPLACE TEMPORARY VIEW"))
    return sorted(tuple(row) for row in spark.sql(query).collect())


def told(hotpart, command, log, *options):
    command = [hotpart, command, log, "--json", "--quiet", *map(str, options)]
    return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)


def by_backtest(hotpart, log, window, writes, reads, *options):
    """The first warning of each partition and operation."""
    first, options = {}, ["--window", window, "--writes", writes, "--reads", reads, *options]
    for warning in told(hotpart, "backtest", log, *options)["warnings"]:
        partition = (warning["table"], warning["pk"], warning["operation"])
        first.setdefault(partition, (warning["threshold"], warning["time_ms"]))
    assert first, f"{log}: no warning to compare with"
    return sorted((*partition, *what) for partition, what in first.items())


def by_report(hotpart, log):
    """The hottest partitions' fullest seconds."""
    for operation in told(hotpart, "report", log, "--top", 100)["operations"]:
        for hot in operation["hottest"]:
            fullest = hot["fullest_second"]
            yield (hot["table"], hot["pk"], operation["operation"], fullest["time_ms"] // 1_000, fullest["count"], hot["count"])


def as_trail(log, path, tables, *, single):
    """Writes the begin of a log as CloudTrail's events, of a second each as theirs are: operations on one item alone, or some of them as
    batches and transactions; among what was refused, or is another service's."""
    other = {"eventSource": "s3.amazonaws.com", "eventName": "GetObject", "eventTime": "2026-01-01T00:00:00Z", "requestParameters": None}
    events = [other]
    with open(log) as lines:
        for i, line in enumerate(itertools.islice(csv.DictReader(lines), TRAIL)):
            tables.add(line["table"])
            time = datetime.datetime.fromtimestamp(int(line["time_ms"]) // 1_000, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            key, is_write = {"pk": line["pk"]}, line["operation"] == "write"
            table = f"arn:aws:dynamodb:eu-west-1:111122223333:table/{line['table']}" if i % 3 == 1 else line["table"]
            name, asked = "PutItem" if is_write else "GetItem", {"tableName": table, "key": key}
            if not single and i % 4 == 0:
                name = "BatchWriteItem" if is_write else "BatchGetItem"
                asked = {"requestItems": {table: [{"putRequest": {"key": key}}] if is_write else {"keys": [key]}}}
            elif not single and i % 4 == 2:
                name, of = ("TransactWriteItems", "put") if is_write else ("TransactGetItems", "get")
                nested = {"transactItems": [{of: asked}]}
                asked = nested if i % 8 == 2 else {"requestItems": [{"operation": of.title(), "TableName": table, "Key": key}]}
            event = {"eventSource": "dynamodb.amazonaws.com", "eventName": name, "eventTime": time, "requestParameters": asked}
            events.append(event)
            # As refused as it can be.
            codes = ["ValidationException", "ThrottlingException", "ProvisionedThroughputExceededException", "AccessDenied"]
            events.append({**event, "errorCode": codes[i % 4]})
    with gzip.open(path, "wt") as out:
        json.dump({"Records": events}, out)


def main(hotpart, *logs):
    spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").config("spark.ui.showConsoleProgress", "false").config("spark.sql.shuffle.partitions", "2")
    spark = spark.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    work = pathlib.Path("build/sql").resolve()
    for log in logs:
        for settings in SETTINGS:
            wanted = by_backtest(hotpart, log, *settings)
            for name, rows in [
                ("DuckDB", by_duckdb("CSV", log, settings, REACHED)),
                ("Spark", by_spark(spark, "CSV", log, settings, REACHED)),
            ]:
                assert rows == wanted, f"{name} of {log}, {settings}: {set(rows) ^ set(wanted)}"
            print(f"{log}: {settings}: {len(wanted)} partitions reach a threshold, by DuckDB and Spark as by the command")
        fullest = by_duckdb("CSV", log, SETTINGS[0], FULLEST)
        assert fullest == by_spark(spark, "CSV", log, SETTINGS[0], FULLEST)
        listed = list(by_report(hotpart, log))
        assert listed and set(listed) <= set(fullest), f"{log}: {set(listed) - set(fullest)}"
        print(f"{log}: {len(listed)} fullest seconds are the report's")
        parquet = work / "access.parquet"
        duckdb.execute(f"COPY (SELECT * FROM read_csv('{log}', types = {{'pk': 'VARCHAR'}})) TO '{parquet}' (FORMAT parquet)")
        wanted = by_backtest(hotpart, log, *SETTINGS[0])
        assert by_duckdb("Parquet", parquet, SETTINGS[0], REACHED) == wanted, f"Parquet of {log} by DuckDB"
        assert by_spark(spark, "Parquet", parquet, SETTINGS[0], REACHED) == wanted, f"Parquet of {log} by Spark"
        for engine, single in [("DuckDB", False), ("Spark", True)]:
            trail, tables = work / f"trail-{engine}.json.gz", set()
            as_trail(log, trail, tables, single=single)
            keys = [argument for table in sorted(tables) for argument in ("--key", f"{table}=pk")]
            wanted = by_backtest(hotpart, trail, *OF_TRAIL, *keys)
            if engine == "DuckDB":
                rows = by_duckdb("CloudTrail", trail, OF_TRAIL, REACHED, tables)
            else:
                rows = by_spark(spark, "CloudTrail", trail, OF_TRAIL, REACHED)
            assert rows == wanted, f"CloudTrail's events of {log} by {engine}: {set(rows) ^ set(wanted)}"
        print(f"{log}: as Parquet and as CloudTrail's events the same")
    spark.stop()


main(*sys.argv[1:])

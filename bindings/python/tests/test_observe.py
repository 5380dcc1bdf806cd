"""Observing by hand: what is recorded, what waits, and which tables are asked for."""

import json

import pytest

import hotpart
from hotpart import HotPartitionDetector


def test_observing_by_hand():
    detector = HotPartitionDetector(100, 100, 60)
    put = b'{"TableName":"events","Item":{"id":{"S":"k"}}}'
    with pytest.raises(hotpart.MissingSchemaError, match="events") as missing:
        detector.observe("PutItem", put, b"{}")
    assert (missing.value.table, missing.value.tables) == ("events", ("events",))
    assert detector.observe("PutItem", put, b"{}") == 1, "it waits, and is an action"
    assert detector.get_write_count("events", "k") == 0
    # Not observed again: it is counted as of then.
    detector.set_key_schema("events", "id")
    assert detector.get_write_count("events", "k") == 2
    detector.set_key_schema("events", ["a", "b"], index="by_ab")
    assert detector.observe("PutItem", put, None, 0, model="Event") == 1
    assert detector.get_write_count("events", "k") == 3
    for bad in (b"{", b"[]", b""):
        with pytest.raises(ValueError):
            detector.observe("PutItem", bad)
    with pytest.raises(TypeError, match="bytes"):
        detector.observe("PutItem", "{}")
    with pytest.raises(ValueError, match="http_status"):
        detector.observe("PutItem", put, None, 1_000)
    with pytest.raises(ValueError, match="attributes"):
        detector.set_key_schema("events", ["a", "b"])
    assert detector.observe("Backup", b"") == 0
    assert detector.stats().unknown_operations == 1


@pytest.mark.parametrize("model", [None, "Event\0s"])
def test_a_request_names_all_tables_whose_keys_are_missing(model):
    detector = HotPartitionDetector(1, 1, 60, logger=None)
    detector.set_key_schema("known", "id")
    tables = [f"{n:03}" * 80 for n in range(30)]
    batch = {table: [{"PutRequest": {"Item": {"id": {"S": "k"}}}}] for table in [*tables, "known"]}
    with pytest.raises(hotpart.MissingSchemaError, match="schemas of tables '000") as missing:
        detector.observe("BatchWriteItem", json.dumps({"RequestItems": batch}).encode(), model=model)
    assert sorted(missing.value.tables) == tables
    assert detector.get_write_count("known", "k") == 1
    for table in tables:
        detector.set_key_schema(table, "id")
    assert [detector.get_write_count(table, "k") for table in tables] == [1] * 30


def test_warnings_of_what_waited_are_told_by_who_makes_the_key_known():
    seen = []
    detector = HotPartitionDetector(2, 2, 60, on_warning=lambda w: seen.append((w.table, w.pk)), logger=None)
    put = '{"TableName":"%s","Item":{"id":{"S":"k"}}}'
    description = b'{"Table":{"TableName":"u","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}]}}'
    for table in ("t", "u"):
        with pytest.raises(hotpart.MissingSchemaError):
            detector.observe("PutItem", (put % table).encode())
        detector.observe("PutItem", (put % table).encode())
    assert seen == []
    detector.set_key_schema("t", "id")
    assert seen == [("t", "k")]
    assert detector.observe("DescribeTable", b'{"TableName":"u"}', description) == 0
    assert seen == [("t", "k"), ("u", "k")]


def test_warnings_come_with_what_asks_for_a_table_too():
    seen = []
    detector = HotPartitionDetector(1, 1, 60, on_warning=lambda w: seen.append(w.table), logger=None)
    detector.set_key_schema("known", "id")
    batch = {table: [{"PutRequest": {"Item": {"id": {"S": "k"}}}}] for table in ("new", "known")}
    with pytest.raises(hotpart.MissingSchemaError):
        detector.observe("BatchWriteItem", json.dumps({"RequestItems": batch}).encode())
    assert seen == ["known"]


def test_a_table_is_forgotten_until_its_key_is_known():
    detector = HotPartitionDetector(9, 9, 60)
    put = b'{"TableName":"events","Item":{"id":{"S":"k"}}}'
    with pytest.raises(hotpart.MissingSchemaError):
        detector.observe("PutItem", put)
    detector.forget_table("events")
    assert detector.observe("PutItem", put) == 0
    assert detector.get_unattributed_count("events", "unread", "write") == detector.stats().unread == 2
    detector.set_key_schema("events", "id")
    assert detector.observe("PutItem", put) == 1
    assert detector.get_write_count("events", "k") == 1
    with pytest.raises(ValueError, match="table"):
        detector.forget_table("")
    with pytest.raises(TypeError, match="table"):
        detector.forget_table(None)

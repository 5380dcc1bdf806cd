"""Recordings: what they hold, and where they go."""

import gc
import json
import logging
import logging.handlers
import os
import pathlib
import queue

import botocore.exceptions
import fake
import pytest
from clients import client, resource
from test_fork import in_child, pytestmark  # noqa: F401
from wire import ITEM, Wire, put

import hotpart
from hotpart import HotPartitionDetector, _recording

ROOT = pathlib.Path(__file__).parents[3]
TABLES = {"events": "id", "other": "id"}

try:
    VECTORS = json.loads((ROOT / "bindings/recording/vectors.json").read_text(encoding="utf-8"))
except FileNotFoundError:
    # The sdist has them not.
    VECTORS = []


class Kept(logging.Handler):
    """Keeps lines."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        assert record.args is None and record.levelno == logging.INFO
        self.lines.append(record.getMessage())


def lines(path):
    text = pathlib.Path(path).read_text(encoding="utf-8")
    assert text.endswith("\n") or not text
    return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.mark.skipif(not VECTORS, reason="the vectors are not beside these tests")
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
@pytest.mark.parametrize("redacted", [False, True], ids=["whole", "redacted"])
def test_vectors(vector, redacted):
    redact = bytes.fromhex(vector["redact_key"]) if redacted else False
    exchange, kept = vector["exchange"], Kept()
    with HotPartitionDetector(1, 1, 60, redact=redact) as detector:
        model = exchange["model"] and exchange["model"].encode()
        recorder = _recording.recorder(kept, detector._native, model, detector._failures)
        body = [(exchange[name] or "").encode() for name in ("request", "response")]
        recorder.record(detector._native, exchange["operation"], *body, exchange["http_status"])
        assert detector.stats().failures == 0
    (line,) = kept.lines
    assert "\n" not in line and "\r" not in line
    parsed = json.loads(line)
    assert next(iter(parsed)) == "time_ms" and parsed.pop("time_ms") > 1_700_000_000_000
    assert parsed == vector["redacted" if redacted else "line"]
    assert list(parsed) == list(vector["line"])


def test_a_line_has_the_bodies_as_they_were(detector):
    kept = Kept()
    wire = Wire(detector, tables=TABLES, record_to=kept, model='Ev"ent\n')
    wire.answers["PutItem"] = b'{ "ConsumedCapacity": {"TableName":"events",  "CapacityUnits": 1.50}}'
    put(wire)
    (line,) = kept.lines
    head, _, rest = line.partition(',"operation":')
    assert head.startswith('{"time_ms":1') and head[11:].isdigit()
    asked = ', "ReturnConsumedCapacity": "INDEXES"' if detector.capacity else ""
    sent = json.dumps(wire.sent[0][1])
    assert ('"ReturnConsumedCapacity"' in sent) == detector.capacity == bool(asked), "as it was sent"
    request = rest[len('"PutItem","request":') :].partition(',"response":')[0]
    assert json.loads(request) == wire.sent[0][1]
    assert rest == (
        f'"PutItem","request":{request},"response":{{ "ConsumedCapacity": {{"TableName":"events",  "CapacityUnits": 1.50}}}}'
        ',"http_status":200,"model":"Ev\\"ent\\n"}'
    )


@pytest.mark.parametrize("levels", [32, 400, 100_000])
def test_a_body_that_is_too_deep_is_left_out_of_a_redacted_recording(levels):
    body = '{"a":' + '{"L":[' * levels + '{"S":"secret"}' + "]}" * levels + "}"
    with HotPartitionDetector(1, 1, 60, redact=True) as detector:
        kept = Kept()
        recorder = _recording.recorder(kept, detector._native, None, detector._failures)
        recorder.record(detector._native, "PutItem", body.encode(), b"", 0)
        assert detector.stats().failures == 0
    (line,) = kept.lines
    assert "secret" not in line and ('"request":null' in line) == (levels > 32)


def test_a_large_answer_is_recorded_whole(detector):
    kept = Kept()
    wire = Wire(detector, tables=TABLES, record_to=kept)
    wire.answers["GetItem"] = {"Item": ITEM | {"x": {"S": "x" * 20_000}}}
    wire.client.get_item(TableName="events", Key={"id": {"S": "k"}})
    assert json.loads(kept.lines[0])["response"] == wire.answers["GetItem"]


def test_what_the_detector_is_told_of_is_recorded_and_no_more(detector, tmp_path, open_files, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    server = fake.Fake()
    # Lost; throttled, so that the key is needed and the table described; accepted.
    server.answers += [None, fake.throttle(), fake.description("events"), (200, {})]
    watched = client(server.endpoint, 3)
    hotpart.instrument(watched, detector, record_to=tmp_path / "recording")
    watched.put_item(TableName="events", Item=ITEM)
    server.close()
    # Nobody listens there.
    unsent = hotpart.instrument(client("http://127.0.0.1:1"), detector, record_to=tmp_path / "recording")
    with pytest.raises(botocore.exceptions.EndpointConnectionError):
        unsent.put_item(TableName="events", Item=ITEM)
    recorded = lines(tmp_path / "recording")
    assert [(one["operation"], one["http_status"]) for one in recorded] == [
        ("PutItem", 0),
        ("PutItem", 400),
        ("DescribeTable", 200),
        ("PutItem", 200),
    ]
    assert recorded[0]["response"] is None
    hotpart.uninstrument(watched)
    hotpart.uninstrument(unsent)


def test_a_resource_is_recorded(detector, tmp_path, open_files):
    server = fake.Fake()
    watched = hotpart.instrument(resource(server.endpoint), detector, tables=TABLES, record_to=str(tmp_path / "r"))
    server.answers.append((200, {}))
    watched.Table("events").put_item(Item={"id": "k", "n": 1})
    server.close()
    hotpart.uninstrument(watched)
    (line,) = lines(tmp_path / "r")
    assert line["request"]["Item"] == ITEM


def test_a_file_is_its_owner_s_and_rotates_by_whole_lines(detector, tmp_path, open_files, monkeypatch):
    path, bytes_max = tmp_path / "recording", 4_000
    monkeypatch.setattr(_recording, "_BYTES_MAX", bytes_max)
    path.write_text('{"before":1}\n')
    wire = Wire(detector, tables=TABLES, record_to=path)
    put(wire)
    (before, first) = lines(path)
    assert before == {"before": 1} and first["operation"] == "PutItem", "it is added to"
    for _ in range(100):
        put(wire)
    names = sorted(each.name for each in tmp_path.iterdir())
    assert names == ["recording", "recording.1", "recording.2", "recording.3"]
    for name in names:
        assert os.stat(tmp_path / name).st_size <= bytes_max
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600, name
        assert all(line["operation"] == "PutItem" for line in lines(tmp_path / name))
    hotpart.uninstrument(wire.client)


def test_two_clients_share_a_file_that_the_last_closes(detector, tmp_path, open_files):
    (tmp_path / "link").symlink_to(tmp_path)
    one = Wire(detector, tables=TABLES, record_to=tmp_path / "recording")
    two = Wire(detector, tables=TABLES, record_to=str(tmp_path / "link" / "recording"))
    ((file, users),) = open_files.values()
    assert users == 2
    # Again, with a new watcher for the old.
    hotpart.instrument(two.client, detector, record_to=tmp_path / "recording")
    assert [users for _, users in open_files.values()] == [2]
    put(one)
    put(two)
    hotpart.uninstrument(one.client)
    hotpart.uninstrument(one.client)
    put(two)
    assert len(lines(tmp_path / "recording")) == 3 and file.stream is not None
    hotpart.instrument(two.client, detector)
    assert open_files == {} and file.stream is None
    put(two)
    # An attempt that was under way.
    file.handle(_recording.Line("x", logging.INFO, "", 0, "late", None, None))
    assert len(lines(tmp_path / "recording")) == 3 and file.stream is None


def test_a_client_that_goes_leaves_its_file(detector, tmp_path, open_files):
    for n in range(3):
        Wire(detector, tables=TABLES, record_to=tmp_path / str(n))
        # The client, and then what was kept for it.
        gc.collect()
        gc.collect()
    assert len(open_files) == 1


def test_a_file_that_cannot_be_opened_is_refused_at_once(detector, tmp_path, open_files):
    with pytest.raises(FileNotFoundError):
        Wire(detector, record_to=tmp_path / "missing" / "recording")
    for wrong in (3, b"recording", object()):
        with pytest.raises(TypeError, match="record_to"):
            Wire(detector, record_to=wrong)


class Full:
    """A file of a disk without room."""

    def write(self, _):
        raise OSError(28, "No space left on device")

    flush = write


def test_errors_are_logged_once_and_reach_nobody(detector, tmp_path, open_files, caplog, capfd, monkeypatch):
    wire = Wire(detector, tables=TABLES, record_to=tmp_path / "recording")
    ((file, _),) = open_files.values()
    monkeypatch.setattr(file, "shouldRollover", lambda _: False)
    real, file.stream = file.stream, Full()
    for _ in range(3):
        put(wire)
    file.stream = real
    put(wire)
    (record,) = caplog.records
    assert record.name == "hotpart" and "could not be recorded: [Errno 28]" in record.getMessage()
    assert detector.stats().failures == 3 and detector.get_write_count("events", "k") == 4
    assert capfd.readouterr() == ("", "") and len(lines(tmp_path / "recording")) == 1
    hotpart.uninstrument(wire.client)


def test_errors_of_a_handler_of_the_callers(detector, caplog, capfd):
    handler = logging.StreamHandler(Full())
    wire = Wire(detector, tables=TABLES, record_to=handler)
    for _ in range(2):
        put(wire)
    (record,) = caplog.records
    assert "could not be recorded: [Errno 28]" in record.getMessage()
    assert capfd.readouterr().err == ""
    # What it is used for besides goes as before.
    handler.handle(logging.LogRecord("x", logging.INFO, "", 0, "x", None, None))
    assert "No space left on device" in capfd.readouterr().err


def test_a_handler_of_the_callers_is_given_lines_and_stays_open(detector, tmp_path):
    waiting = queue.SimpleQueue()
    wire = Wire(detector, tables=TABLES, record_to=logging.handlers.QueueHandler(waiting))
    put(wire)
    assert json.loads(waiting.get_nowait().getMessage())["operation"] == "PutItem"
    file = logging.FileHandler(tmp_path / "theirs")
    hotpart.instrument(wire.client, detector, record_to=file)
    put(wire)
    hotpart.uninstrument(wire.client)
    assert file.stream is not None
    file.close()
    assert len(lines(tmp_path / "theirs")) == 1


def test_a_child_records_on(tmp_path, open_files):
    detector = HotPartitionDetector(10, 10, 60)
    wire = Wire(detector, tables=TABLES, record_to=tmp_path / "recording")
    put(wire)
    ((file, _),) = open_files.values()

    def check():
        put(wire)
        return detector.stats().failures == 0

    # As another thread would, which a child has not got.
    file.acquire()
    try:
        assert in_child(check)
    finally:
        file.release()
    put(wire)
    assert len(lines(tmp_path / "recording")) == 3
    hotpart.uninstrument(wire.client)


def test_no_one_key_s_secret_is_another_s(tmp_path, open_files):
    """A secret made at random is the detector's."""
    with HotPartitionDetector(10, 10, 60, redact=True) as detector:
        wire = Wire(detector, tables=TABLES, record_to=tmp_path / "recording")
        put(wire)
        (line,) = lines(tmp_path / "recording")
        assert line["request"]["Item"]["id"] == {"S": detector.redacted("events", "k")}
        hotpart.uninstrument(wire.client)

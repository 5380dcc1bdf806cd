"""The README's recipes, and those of docs/FLEET.md, as they stand there: each is cut out of it, and runs."""

import concurrent.futures
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
import urllib.request
import uuid

import boto3
import pytest
from conftest import free_port, wait

import hotpart

PACKAGE = pathlib.Path(__file__).parent.parent
README = (PACKAGE / "README.md").read_text()
FLEET = (PACKAGE.parent.parent / "docs/FLEET.md").read_text()


def recipe(after, page=README):
    """The first block of Python behind these words."""
    return re.search(r"```python\n(.*?)```", page[page.index(after) :], re.DOTALL)[1]


@pytest.fixture(autouse=True)
def account(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


@pytest.fixture
def aws(account):
    """moto, with a table."""
    moto = pytest.importorskip("moto")
    with moto.mock_aws():
        boto3.client("dynamodb").create_table(
            TableName="events",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield


def test_the_first_lines(aws, caplog):
    names = {}
    exec(recipe("# hotpart"), names)
    for _ in range(500):
        names["client"].put_item(TableName="events", Item={"id": {"S": "EVENTS"}})
    line = re.search(r"WARNING:(\w+):(.*)\n", README)
    assert [(each.name, each.getMessage()) for each in caplog.records if each.name == "hotpart"] == [line.groups()]


def test_limits(aws):
    names = {"hotpart": hotpart}
    exec(recipe("## What to warn at"), names)
    client = hotpart.instrument(boto3.client("dynamodb"), names["detector"])
    assert "ConsumedCapacity" not in client.put_item(TableName="events", Item={"id": {"S": "EVENTS"}})
    assert names["detector"].get_write_count("events", "EVENTS") == 1.0


def test_pydynox():
    names = {"pydynox": pytest.importorskip("pydynox")}
    exec(recipe("## If you come from pydynox"), names)
    assert names["client"] is not None
    with pytest.raises(ValueError, match="pk"):
        names["detector"].record_write("t", "x" * 20_000)
    names["HotPartitionDetector"] = hotpart.HotPartitionDetector
    exec(recipe("cut it to a length"), names)
    assert names["ForPydynox"](500, 1_500, 60).record_write("t", "\U0001f525" * 20_000) == 1


def test_boto3_resource_and_known_schemas(aws):
    detector = hotpart.HotPartitionDetector(500, 1_500, 60)
    names = {"hotpart": hotpart, "boto3": boto3, "detector": detector}
    exec(recipe("**boto3, client or resource.**"), names)
    assert detector.get_write_count("events", "EVENTS") == 1
    names["client"] = boto3.client("dynamodb")
    exec(recipe("**A role that may not describe tables.**"), names)
    names["client"].put_item(TableName="events", Item={"n": {"N": "1"}, "id": {"S": "EVENTS"}})
    assert detector.get_write_count("events", "EVENTS") == 2


def test_recording(aws, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"hotpart": hotpart, "boto3": boto3, "detector": hotpart.HotPartitionDetector(500, 1_500, 60)}
    exec(recipe("## Recording"), names)
    names["client"].put_item(TableName="events", Item={"id": {"S": "EVENTS"}})
    assert '"EVENTS"' in (tmp_path / "requests.jsonl").read_text()


def test_pynamodb(aws):
    attributes, models = pytest.importorskip("pynamodb.attributes"), pytest.importorskip("pynamodb.models")

    class Event(models.Model):
        class Meta:
            table_name = "events"

        id = attributes.UnicodeAttribute(hash_key=True)

    class User(models.Model):
        class Meta:
            table_name = "users"

        name = attributes.UnicodeAttribute(hash_key=True)

    detector = hotpart.HotPartitionDetector(500, 1_500, 60)
    exec(recipe("**PynamoDB**"), {"hotpart": hotpart, "Event": Event, "User": User, "detector": detector})
    Event("EVENTS").save()
    User.create_table(billing_mode="PAY_PER_REQUEST")
    User("ada").save()
    assert [detector.get_write_count(*each) for each in [("events", "EVENTS"), ("users", "ada")]] == [1, 1]


def test_lambda(aws):
    names = {"hotpart": hotpart, "boto3": boto3}
    exec(recipe("**AWS Lambda.**"), names)
    for _ in range(3):
        names["handler"]({"id": "EVENTS"}, None)
    assert names["detector"].get_write_count("events", "EVENTS") == 3.0
    exec(recipe("A key that is hot only in the sum of all environments"), names)
    names["handler"]({"id": "EVENTS"}, None)
    fleet = {
        "HotPartitionDetector": hotpart.HotPartitionDetector,
        "MinuteLines": names["MinuteLines"],
        "hotpart": hotpart,
    }
    exec(recipe("## Lambda and CloudWatch", FLEET), fleet)
    assert fleet["handler"]({}, None) is None


def test_pytest(tmp_path):
    conftest, _, test = recipe("**pytest.**").partition("\n")
    (tmp_path / "conftest.py").write_text(conftest)
    for times, outcome in ((99, 0), (100, 1)):
        importer = f"""
            import pytest

            def run_importer(detector):
                for _ in range({times}):
                    detector.record_write("events", "EVENTS")
        """
        (tmp_path / "test_importer.py").write_text(textwrap.dedent(importer) + test)
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        ran = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True)
        assert ran.returncode == outcome, ran.stdout


@pytest.mark.parametrize("code", [recipe("**OpenTelemetry.**"), recipe("### Set it up", FLEET)])
def test_opentelemetry(monkeypatch, code):
    pytest.importorskip("opentelemetry.sdk")
    sent = pytest.importorskip("opentelemetry.exporter.otlp.proto.http.metric_exporter")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import MetricExporter, MetricExportResult, PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource

    exported = []

    class Kept(MetricExporter):
        def export(self, metrics_data, *_, **__):
            exported.extend(metrics_data.resource_metrics)
            return MetricExportResult.SUCCESS

        def force_flush(self, *_):
            return True

        def shutdown(self, *_, **__):
            """There is nothing to end."""

    monkeypatch.setattr(sent, "OTLPMetricExporter", Kept)
    detector = hotpart.HotPartitionDetector(500, 1_500, 60)
    names = {"hotpart": hotpart, "detector": detector, "uuid": uuid, "OTLPMetricExporter": Kept}
    names |= {each.__name__: each for each in (MeterProvider, PeriodicExportingMetricReader, Resource)}
    exec(code, names)
    detector.record_write("events", "hot", 240)
    detector.record_write("events", "cold", 239)
    names["provider"].shutdown()
    [resource] = exported
    assert len(resource.resource.attributes["service.instance.id"]) == 36
    [scope] = resource.scope_metrics
    [demand] = [metric for metric in scope.metrics if metric.name == "hotpart.partition.demand"]
    assert [(dict(point.attributes)["hotpart.partition.key"], point.value) for point in demand.data.data_points] == [
        ("hot", 240)
    ]
    assert names["reader"]._export_interval_millis == 15_000


def test_fastapi_under_gunicorn(tmp_path):
    """Two workers, forked from the one that loaded the application, which had counted before. Each is scraped by its own
    port, and together they counted all once; one that is killed gets a successor on its port."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn_worker")
    pytest.importorskip("prometheus_client")
    (tmp_path / "service.py").write_text(
        "import fastapi, hotpart, os\n"
        + recipe("**FastAPI under gunicorn.**")
        + textwrap.dedent("""
            detector.record_write("events", "before", 240)

            @app.post("/{key}")
            def record(key: str):
                detector.record_write("events", key)

            @app.get("/pid")
            def pid():
                return os.getpid()
        """)
    )
    # Two ports that are free, one after the other.
    base = free_port()
    while base == 65_535 or not is_free(base + 1):
        base = free_port()
    (tmp_path / "gunicorn.conf.py").write_text(recipe("**Prometheus.**").replace("9464", str(base)))
    port, log = free_port(), tmp_path / "log"
    options = ["--preload", "-w", "2", "-k", "uvicorn_worker.UvicornWorker", "-b", f"127.0.0.1:{port}", "service:app"]
    environment = os.environ | {
        "WEB_CONCURRENCY": "2",
        "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
    }
    with open(log, "wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *options], cwd=tmp_path, env=environment, stdout=out, stderr=out
        )

    def ask(path, method="GET", port=port):
        request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def scraped(name):
        return [float(re.search(rf"^{name} (.+)$", ask("/metrics", port=base + n), re.MULTILINE)[1]) for n in (0, 1)]

    try:
        for each in (port, base, base + 1):
            wait(server, each, log)
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: ask(f"/key{n % 3}", "POST"), range(600)))
            counted = scraped("hotpart_records_total")
            # Each has counted the one record from before the fork, of which it tells no more.
            assert sum(counted) == 602 and min(counted) > 1, (counted, log.read_text())
            assert not any('pk="before"' in ask("/metrics", port=base + n) for n in (0, 1))
            assert 600 <= 3 * sum(scraped('hotpart_partition_unlisted_most{operation="write"}')) <= 3 * 600
            pids = set(pool.map(lambda _: int(ask("/pid")), range(100)))
        os.kill(pids.pop(), signal.SIGKILL)
        while 1 not in answers_of(scraped):
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
    finally:
        server.terminate()
        server.wait(20)


def is_free(port):
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def answers_of(scraped):
    try:
        return scraped("hotpart_records_total")
    except OSError:
        return ()

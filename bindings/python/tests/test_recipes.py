"""The README's recipes, as they stand there: each is cut out of it, and runs."""

import collections
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import textwrap
import urllib.request

import boto3
import pytest
from conftest import free_port, wait

import hotpart

README = (pathlib.Path(__file__).parent.parent / "README.md").read_text()


def recipe(after):
    """The first block of Python behind these words."""
    return re.search(r"```python\n(.*?)```", README[README.index(after) :], re.DOTALL)[1]


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


def test_lambda(aws):
    names = {"hotpart": hotpart, "boto3": boto3}
    exec(recipe("**AWS Lambda.**"), names)
    for _ in range(3):
        names["handler"]({"id": "EVENTS"}, None)
    assert names["detector"].get_write_count("events", "EVENTS") == 3.0


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


def test_fastapi_under_gunicorn(tmp_path):
    """Two workers, forked from the one that loaded the application; each is scraped for itself, and together they counted
    all."""
    pytest.importorskip("fastapi")
    pytest.importorskip("uvicorn_worker")
    (tmp_path / "service.py").write_text(
        "import fastapi, fastapi.responses, hotpart, os\n"
        + recipe("**FastAPI under gunicorn.**")
        + textwrap.dedent("""
            @app.post("/{key}")
            def record(key: str):
                detector.record_write("events", key)

            @app.get("/worker", response_class=fastapi.responses.PlainTextResponse)
            def worker():
                return f"{os.getpid()} {metrics()}"
        """)
    )
    port, log = free_port(), tmp_path / "log"
    command = [
        "-m",
        "gunicorn",
        "--preload",
        "-w",
        "2",
        "-k",
        "uvicorn_worker.UvicornWorker",
        "-b",
        f"127.0.0.1:{port}",
    ]
    with open(log, "wb") as out:
        environment = os.environ | {
            "WEB_CONCURRENCY": "2",
            "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}",
        }
        server = subprocess.Popen(
            [sys.executable, *command, "service:app"], cwd=tmp_path, env=environment, stdout=out, stderr=out
        )
    try:
        wait(server, port, log)

        def ask(path, method="GET"):
            request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", method=method)
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.read().decode()

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda n: ask(f"/key{n % 3}", "POST"), range(600)))
            counted = collections.defaultdict(int)
            for answer in pool.map(lambda _: ask("/worker"), range(200)):
                pid, _, text = answer.partition(" ")
                counted[pid] = int(re.search(r"^hotpart_records_total (\d+)$", text, re.MULTILINE)[1])
        assert len(counted) == 2 and sum(counted.values()) == 600, (dict(counted), log.read_text())
        assert "# TYPE hotpart_records" in ask("/metrics")
    finally:
        server.terminate()
        server.wait(20)

"""The instruments over the wire: OTLP as it is sent, a real collector, and a real Prometheus that has hotpart's own names."""

import contextlib
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

pytest.importorskip("opentelemetry.sdk")

from conftest import free_port, wait
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from hotpart import fleet_least, otel
from hotpart.testing import ManualDetector

#: The repository's, which a package by itself has not.
DEPLOY = pathlib.Path(__file__).parents[3] / "deploy" / "prometheus"
FLEET = pathlib.Path(__file__).parents[3] / "docs" / "FLEET.md"


class Process:
    """As one of a fleet: a detector, and the SDK that sends what its instruments tell."""

    def __init__(self, name, reader, least, through=None):
        self.detector = ManualDetector(10**6, 10**6)
        resource = Resource.create({"service.name": "shop", "service.instance.id": name})
        self._reader, self._provider = reader, MeterProvider([reader], resource=resource)
        otel.instrument(self.detector, self._provider.get_meter("hotpart"), least=least, through=through)

    @classmethod
    def sending(cls, name, port, least=None, through=True):
        exporter = OTLPMetricExporter(f"http://127.0.0.1:{port}/v1/metrics")
        exporter = otel.exporter(exporter) if through else exporter
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        return cls(name, reader, least, exporter if through else None)

    def write(self, **writes):
        for pk, n in writes.items():
            self.detector.record_write("events", pk, n)

    def send(self):
        assert self._reader.force_flush()

    def stop(self):
        self._provider.shutdown()


@pytest.fixture
def stopped():
    with contextlib.ExitStack() as stack:
        yield stack


@contextlib.contextmanager
def program(command, port, log):
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            wait(process, port, log)
            yield process
        finally:
            process.terminate()
            process.wait(10)


@contextlib.contextmanager
def collector(directory):
    """A real collector: the ports that it takes OTLP at, and that it is scraped at."""
    command = os.environ.get("HOTPART_OTELCOL")
    if command is None:
        # ci/python.sh, and so CI, says where it is.
        pytest.skip("HOTPART_OTELCOL does not say where a collector is")
    if not FLEET.exists():
        pytest.skip("not in the repository")
    taken, scraped = free_port(), free_port()
    # As docs/FLEET.md has it, but for where, and for how long what is no longer sent is told: a stale
    # partition, as if it were hot still.
    [config] = re.findall(r"```yaml\n(# The collector\..*?)```", FLEET.read_text(), re.DOTALL)
    changes = {
        "0.0.0.0:4318": f"127.0.0.1:{taken}",
        "0.0.0.0:9464": f"127.0.0.1:{scraped}",
        "30s": "2s",
        "service: {": "service: {telemetry: {metrics: {level: none}}, ",
    }
    for old, new in changes.items():
        assert config.count(old) == 1
        config = config.replace(old, new)
    (directory / "otelcol.yml").write_text(config)
    with program([command, "--config", f"file:{directory / 'otelcol.yml'}"], taken, directory / "otelcol.log"):
        yield taken, scraped


@pytest.mark.parametrize("through", [False, True], ids=["instruments", "exporter"])
def test_the_otlp_that_is_sent(stopped, through):
    received = []

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append(ExportMetricsServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Type", "application/x-protobuf")
            self.end_headers()
            self.wfile.write(ExportMetricsServiceResponse().SerializeToString())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    stopped.callback(server.server_close)
    stopped.callback(server.shutdown)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    process = Process.sending("one", server.server_port, through=through)
    stopped.callback(process.stop)
    seen = []
    for keys in ("ab", "bc"):
        process.write(**dict.fromkeys(keys, 7))
        process.send()
        resources = received.pop().resource_metrics
        for resource in resources:
            of = {each.key: each.value.string_value for each in resource.resource.attributes}
            assert (of["service.name"], of["service.instance.id"]) == ("shop", "one")
        metrics = [metric for resource in resources for scope in resource.scope_metrics for metric in scope.metrics]
        [demand] = [metric for metric in metrics if metric.name == "hotpart.partition.demand"]
        assert demand.unit == "{operation}"
        points = [({a.key: a.value.string_value for a in p.attributes}, p.as_int) for p in demand.gauge.data_points]
        seen.append(sorted((of["hotpart.partition.key"], n) for of, n in points))
        process.detector.advance(61)
    assert seen == [[("a", 7), ("b", 7)], [("b", 7), ("c", 7)]]


def test_a_collector_tells_processes_apart_and_forgets_what_is_stale(stopped, tmp_path):
    taken, scraped = stopped.enter_context(collector(tmp_path))
    processes = [Process.sending(name, taken) for name in ("one", "two")]
    for n, process in enumerate(processes):
        stopped.callback(process.stop)
        process.write(a=n + 1)
        process.send()

    def demands(instances):
        """By instance and key, once so many instances are told of."""
        for _ in range(100):
            with urllib.request.urlopen(f"http://127.0.0.1:{scraped}/metrics") as answer:
                text = answer.read().decode()
            lines = re.findall(r"^hotpart_partition_demand\{(.*)\} (\d+)", text, re.MULTILINE)
            told = [(dict(re.findall(r'(\w+)="([^"]*)"', labels)), int(n)) for labels, n in lines]
            found = {(of["instance"], of["hotpart_partition_key"]): (of, n) for of, n in told}
            if len(found) == instances:
                return found
            time.sleep(0.1)
        raise AssertionError(text)

    found = demands(2)
    assert {where: n for where, (_, n) in found.items()} == {("one", "a"): 1, ("two", "a"): 2}
    assert (
        found["one", "a"][0].items()
        >= {"job": "shop", "db_collection_name": "events", "hotpart_operation": "write"}.items()
    )
    for process in processes:
        process.detector.advance(61)
        process.write(b=1)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        processes[0].send()
        time.sleep(0.2)
    assert list(demands(1)) == [("one", "b")]


# What the fleet has of a partition at least, and at most: as the rules have it.
LEAST = "sum by (table, pk, operation) (hotpart_partition_demand)"
MOST = (
    "sum by (table, pk, operation) (hotpart_partition_demand"
    " - on (job, instance, operation) group_left () hotpart_partition_unlisted_most)"
    " + on (operation) group_left () sum by (operation) (hotpart_partition_unlisted_most)"
)


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
@pytest.mark.skipif(not DEPLOY.is_dir(), reason="not in the repository")
def test_a_key_hot_only_in_the_sum_of_processes_is_found_by_prometheus_by_hotparts_own_names(stopped, tmp_path):
    """Two processes send to a collector; a third is scraped itself, by the SDK's exporter for Prometheus."""
    prometheus_client = pytest.importorskip("prometheus_client")
    taken, scraped = stopped.enter_context(collector(tmp_path))
    least = fleet_least(600, processes=3)
    assert least == 50
    server, _ = prometheus_client.start_http_server(0, "127.0.0.1")
    stopped.callback(server.server_close)
    stopped.callback(server.shutdown)
    processes = [Process.sending(name, taken, least) for name in ("one", "two")]
    processes.append(Process("three", PrometheusMetricReader(), least))
    for n, process in enumerate(processes):
        stopped.callback(process.stop)
        process.write(SUM=[280, 280, 40][n], OWN=[300, 1, 1][n], few=10)
        process.detector.record_throttle("events", "SUM", "write", "key_range")

    config = (DEPLOY / "opentelemetry.yml").read_text()
    config = config.replace('"127.0.0.1:9464"', f'"127.0.0.1:{scraped}", "127.0.0.1:{server.server_port}"')
    rules = DEPLOY / "hotpart-fleet.rules.yml"
    names = [LEAST, MOST]
    if rules.exists():
        config += f"rule_files: [{json.dumps(str(rules))}]\n"
        names += ["fleet:hotpart_partition_demand:sum", "fleet:hotpart_partition_demand:most"]
    (tmp_path / "prometheus.yml").write_text(config + "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n")
    port = free_port()
    command = ["prometheus", f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
    stopped.enter_context(program([*command, f"--web.listen-address=127.0.0.1:{port}"], port, tmp_path / "log"))

    def ask(query):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        with contextlib.suppress(urllib.error.HTTPError), urllib.request.urlopen(url) as answer:
            return [(each["metric"], float(each["value"][1])) for each in json.load(answer)["data"]["result"]]
        return []

    def keys(query):
        return {of["pk"]: n for of, n in ask(query)}

    # The third lists neither, and has 41 of SUM with its throttle: by the upper bound alone SUM reaches 600.
    want = [{"SUM": 281 + 281, "OWN": 300}, {"SUM": 281 + 281 + 41, "OWN": 300 + 10 + 41}] * (len(names) // 2)
    deadline = time.monotonic() + 60
    while (got := [keys(name) for name in names]) != want:
        assert time.monotonic() < deadline, (got, (tmp_path / "log").read_text()[-2_000:])
        for process in processes[:2]:
            process.send()
        time.sleep(0.2)
    assert {(of["reason"], n) for of, n in ask("hotpart_throttles_total > 0")} == {("key_range", 1.0)}
    assert len(ask("count by (job, instance) (hotpart_partition_unlisted_most)")) == 3

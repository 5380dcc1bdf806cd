import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

import hotpart

HERE = pathlib.Path(__file__).parent


def _port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _program(name, port):
    return {
        "dynalite": [os.environ["DYNALITE"], "--port", str(port), "--createTableMs", "0"],
        "dynoxide": [os.environ["DYNOXIDE"], "serve", "--host", "127.0.0.1", "--port", str(port)],
        "moto": [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
    }[name]


@pytest.fixture(scope="session")
def endpoints(tmp_path_factory):
    """The emulators' addresses, each started when it is first asked for."""
    running = {}

    def endpoint(name):
        if name not in running:
            port = _port()
            log = open(tmp_path_factory.mktemp(name) / "log", "wb")
            process = subprocess.Popen(_program(name, port), stdout=log, stderr=log, cwd=log.name.rpartition("/")[0])
            running[name] = process, f"http://127.0.0.1:{port}"
            _wait(process, port, log.name)
        return running[name][1]

    yield endpoint
    for process, _ in running.values():
        process.terminate()
        process.wait(10)


def _wait(process, port, log):
    for _ in range(300):
        assert process.poll() is None, pathlib.Path(log).read_text()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(pathlib.Path(log).read_text())


@pytest.fixture(params=[False, True], ids=["operations", "capacity"])
def detector(request):
    detector = hotpart.Detector(capacity=request.param)
    detector.capacity = request.param
    yield detector
    detector.close()

import contextlib
import gc
import os
import pathlib
import socket
import subprocess
import sys
import time

import pytest

from hotpart import HotPartitionDetector, _recording

pytest_plugins = ["hotpart.testing"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _program(name, port):
    return {
        "dynalite": [os.environ.get("DYNALITE"), "--port", str(port), "--createTableMs", "0"],
        "dynoxide": [os.environ.get("DYNOXIDE"), "serve", "--host", "127.0.0.1", "--port", str(port)],
        "moto": [
            os.environ.get("MOTO_PYTHON", sys.executable),
            "-m",
            "moto.server",
            "-H",
            "127.0.0.1",
            "-p",
            str(port),
        ],
    }[name]


@pytest.fixture(scope="session")
def endpoints(tmp_path_factory):
    """The emulators' addresses, each started when it is first asked for."""
    running = {}
    with contextlib.ExitStack() as stack:

        def endpoint(name):
            if name not in running:
                running[name] = stack.enter_context(_emulator(name, tmp_path_factory.mktemp(name)))
            return running[name]

        yield endpoint


@contextlib.contextmanager
def _emulator(name, directory):
    port = free_port()
    command = _program(name, port)
    if command[0] is None:
        # ci/python.sh, and so CI, says where it is.
        pytest.skip(f"{name.upper()} does not say where {name} is")
    with open(directory / "log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory)
        try:
            wait(process, port, directory / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def wait(process, port, log):
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
    """Counts operations, and then units; its clock stands still. A module's ``WINDOW`` is its window."""
    window = getattr(request.module, "WINDOW", 60)
    with HotPartitionDetector(2**60, 2**60, window, capacity=request.param, manual_clock=True) as detector:
        yield detector


@pytest.fixture
def later(detector, monkeypatch):
    """Lets seconds pass, for the library and here."""
    real, past = time.monotonic, [0]

    def pass_on(seconds=61):
        past[0] += seconds
        detector.set_time(past[0])

    monkeypatch.setattr("hotpart._schemas.time.monotonic", lambda: real() + past[0])
    return pass_on


@pytest.fixture
def open_files():
    """The files that are recorded to; none is left open."""
    yield _recording._files
    gc.collect()
    gc.collect()
    while _recording._left:
        _recording._release(_recording._left.popleft())
    assert _recording._files == {}

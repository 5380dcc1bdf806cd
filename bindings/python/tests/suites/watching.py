"""A pytest plugin by which the suites of other libraries are watched (``ci/suites.sh``).

Every client of DynamoDB that is made in the process tells one detector of its requests. The
environment says for what: ``SUITE_MODE`` is "operations" or "capacity"; without it nothing is watched.
What the tests' clients were answered, and what the detector saw, goes to the file ``SUITE_SEEN``.
"""

import collections
import functools
import inspect
import json
import logging
import os
import pathlib

import botocore.client
import botocore.exceptions

import hotpart

try:
    import aiobotocore.client as aio
except ImportError:
    aio = None


class Answers:
    """Answers that clients of DynamoDB got, for each test."""

    def __init__(self):
        self.of, self.test = collections.defaultdict(list), None
        self.asks_for_capacity = os.environ.get("SUITE_MODE") == "capacity"

    def note_all_of(self, client):
        call = client._make_api_call

        @functools.wraps(call)
        def noting(client, operation_name, api_params):
            return self._noting(call, client, operation_name, api_params)

        @functools.wraps(call)
        async def noting_async(client, operation_name, api_params):
            return await self._noting_async(call, client, operation_name, api_params)

        client._make_api_call = noting_async if inspect.iscoroutinefunction(call) else noting

    def _noting(self, call, client, operation, params):
        try:
            answer = call(client, operation, params)
        except botocore.exceptions.ClientError as error:
            self._note(client, operation, params, error.response)
            raise
        self._note(client, operation, params, answer)
        return answer

    async def _noting_async(self, call, client, operation, params):
        try:
            answer = await call(client, operation, params)
        except botocore.exceptions.ClientError as error:
            self._note(client, operation, params, error.response)
            raise
        self._note(client, operation, params, answer)
        return answer

    def _note(self, client, operation, params, answer):
        # The detector asks for descriptions itself.
        if client.meta.service_model.service_name != "dynamodb" or operation == "DescribeTable":
            return
        answer = dict(answer)
        # moto tells capacity that nobody asked for. DynamoDB does not, and so no caller may find what we asked for.
        if not self.asks_for_capacity and params.get("ReturnConsumedCapacity", "NONE") == "NONE":
            answer.pop("ConsumedCapacity", None)
        metadata = answer.get("ResponseMetadata", {})
        came = [metadata.get(name) for name in ("HTTPStatusCode", "RetryAttempts")]
        self.of[self.test].append([operation, *came, sorted(answer), _unnamed(answer.get("ConsumedCapacity"))])


def _unnamed(consumed):
    """A capacity without the names of tables, which may be random."""
    if isinstance(consumed, dict):
        return {name: _unnamed(value) for name, value in consumed.items()}
    if isinstance(consumed, list):
        return [_unnamed(value) for value in consumed]
    return "text" if isinstance(consumed, str) else consumed


class Watching(logging.Handler):
    """Detectors that all clients tell, and what they say.

    One for each test: a table that one client wants described may be described by another of its detector, and a test may
    count its client's requests.
    """

    def __init__(self, mode):
        super().__init__()
        self.said, self.warnings, self.clients = [], 0, 0
        logging.getLogger("hotpart").addHandler(self)
        self.mode, self.detectors = mode, []
        self.next_test()

    def next_test(self):
        # Most records are hot. None logs a line, for some tests read the log.
        self.detectors.append(
            hotpart.HotPartitionDetector(
                1, 1, 60, capacity=self.mode == "capacity", logger=None, on_warning=self._warned
            )
        )

    def emit(self, record):
        # What could not be observed, and why.
        self.said.append(record.getMessage())

    def _warned(self, warning):
        self.warnings += 1

    def watch_all_of(self, creator):
        """Watches the clients that a class makes: those of every session and resource."""
        create = creator.create_client

        @functools.wraps(create)
        def create_client(*args, **kwargs):
            made = create(*args, **kwargs)
            return self._watch_made(made) if inspect.iscoroutine(made) else self._watch(made)

        creator.create_client = create_client

    async def _watch_made(self, made):
        return self._watch(await made)

    def _watch(self, client):
        if client.meta.service_model.service_name == "dynamodb":
            self.clients += 1
            hotpart.instrument(client, self.detectors[-1])
        return client

    def seen(self):
        numbers = [detector.stats() for detector in self.detectors]
        return {
            "records": sum(each.records for each in numbers),
            "unread": sum(each.unread for each in numbers),
            "warnings": self.warnings,
            "clients": self.clients,
            "said": self.said,
        }


answers, watching = Answers(), None


def pytest_configure(config):
    global watching
    answers.note_all_of(botocore.client.BaseClient)
    if aio is not None:
        answers.note_all_of(aio.AioBaseClient)
    mode = os.environ.get("SUITE_MODE")
    if mode is not None:
        watching = Watching(mode)
        watching.watch_all_of(botocore.client.ClientCreator)
        if aio is not None:
            watching.watch_all_of(aio.AioClientCreator)


def pytest_runtest_logstart(nodeid, location):
    answers.test = nodeid
    if watching is not None:
        watching.next_test()


def pytest_unconfigure(config):
    seen = {"answers": answers.of, **(watching.seen() if watching is not None else {})}
    pathlib.Path(os.environ["SUITE_SEEN"]).write_text(json.dumps(seen))

"""Attempts that never left are not counted; those that may have run are."""

import boto3
import botocore.config
import botocore.exceptions
import pytest
from clients import client
from conftest import free_port
from servers import full, refuses_to_connect, resets, server, silent
from wire import ITEM

import hotpart
from hotpart import HotPartitionDetector

WHO = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def put(detector):
    """Puts an item once, in vain, and returns what was raised and what was counted."""

    def put(endpoint, **config):
        config = botocore.config.Config(retries={"total_max_attempts": 1}, **config)
        watched = boto3.client("dynamodb", endpoint_url=endpoint, config=config, verify=False, **WHO)
        hotpart.instrument(watched, detector, tables={"events": "id"})
        before = detector.get_write_count("events", "k")
        with pytest.raises(Exception) as raised:
            watched.put_item(TableName="events", Item=ITEM)
        watched.close()
        return raised.value, detector.get_write_count("events", "k") - before

    return put


def test_500_refused_connections_are_no_writes(caplog):
    with HotPartitionDetector(500, 500, 60) as detector:
        lost = client(f"http://127.0.0.1:{free_port()}")
        hotpart.instrument(lost, detector, tables={"events": "id"})
        for _ in range(500):
            with pytest.raises(botocore.exceptions.EndpointConnectionError):
                lost.put_item(TableName="events", Item=ITEM)
        assert (detector.get_write_count("events", "k"), detector.stats().records) == (0, 0)
    assert caplog.records == []


def test_a_name_that_is_not_resolved_is_no_write(put):
    error, counted = put("http://nobody.invalid:8000")
    assert (type(error), counted) == (botocore.exceptions.EndpointConnectionError, 0)


def test_a_connection_that_is_not_made_in_time_is_no_write(put):
    with full() as port:
        error, counted = put(f"http://127.0.0.1:{port}", connect_timeout=0.3)
    assert (type(error), counted) == (botocore.exceptions.ConnectTimeoutError, 0)


@pytest.mark.parametrize("serve", [resets, refuses_to_connect])
def test_a_handshake_that_fails_is_no_write(put, serve):
    with server(serve) as port:
        _, counted = put(f"https://127.0.0.1:{port}")
    assert counted == 0


def test_a_proxy_that_is_not_reached_or_refuses_is_no_write(put):
    gone = {"proxies": {"http": f"http://127.0.0.1:{free_port()}", "https": f"http://127.0.0.1:{free_port()}"}}
    for scheme in ("http", "https"):
        error, counted = put(f"{scheme}://dynamodb.invalid", **gone)
        assert (type(error), counted) == (botocore.exceptions.ProxyConnectionError, 0)
    with server(refuses_to_connect) as port:
        error, counted = put("https://dynamodb.invalid", proxies={"https": f"http://127.0.0.1:{port}"})
    assert (type(error), counted) == (botocore.exceptions.ProxyConnectionError, 0)


def test_what_breaks_off_after_it_was_sent_may_have_run(put):
    with server(resets) as port:
        # Older transports call all of these a proxy that cannot be connected to.
        for config in ({}, {"proxies": {"http": f"http://127.0.0.1:{port}"}}):
            assert put(f"http://127.0.0.1:{port}", **config)[1] == 1
    with server(silent) as port:
        error, counted = put(f"http://127.0.0.1:{port}", read_timeout=0.3)
    assert (type(error), counted) == (botocore.exceptions.ReadTimeoutError, 1)


def test_the_error_that_a_caller_is_handling_is_not_the_attempt_s(put):
    try:
        raise botocore.exceptions.EndpointConnectionError(endpoint_url="theirs", error=ConnectionRefusedError())
    except botocore.exceptions.EndpointConnectionError:
        with server(resets) as port:
            assert put(f"http://127.0.0.1:{port}")[1] == 1


@pytest.mark.parametrize(
    ("raised", "counted"),
    [
        (RuntimeError("refused by a handler"), 0),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="e"), 0),
        (botocore.exceptions.ConnectTimeoutError(endpoint_url="e"), 0),
        # Of a handler that sends by itself.
        (botocore.exceptions.ReadTimeoutError(endpoint_url="e"), 1),
        (botocore.exceptions.HTTPClientError(error="e"), 1),
    ],
)
def test_what_a_handler_refuses_before_it_is_sent_is_no_write(detector, raised, counted):
    watched = client("http://127.0.0.1:1")
    hotpart.instrument(watched, detector, tables={"events": "id"})

    def refuse(**_):
        raise raised

    watched.meta.events.register("before-send.dynamodb", refuse)
    with pytest.raises(type(raised)):
        watched.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == counted


def test_a_transport_of_the_user_s_own_may_have_sent(detector):
    watched = client("http://127.0.0.1:1")
    hotpart.instrument(watched, detector, tables={"events": "id"})

    def send(_):
        raise RuntimeError("something")

    watched._endpoint.http_session.send = send
    with pytest.raises(RuntimeError):
        watched.put_item(TableName="events", Item=ITEM)
    assert detector.get_write_count("events", "k") == 1

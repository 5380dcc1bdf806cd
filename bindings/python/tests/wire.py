"""A boto3 client without a network."""

import json

import botocore.awsrequest
from clients import client

import hotpart

ITEM = {"id": {"S": "k"}, "n": {"N": "1"}}
DESCRIPTION = {"Table": {"TableName": "events", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}
DENIED = 400, {"__type": "com.amazon.coral.service#AccessDeniedException", "Message": "no"}
GONE = 400, {"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", "message": "no"}


class Wire:
    """A client whose requests go nowhere: what they send is kept, and what they get is told."""

    def __init__(self, detector, **options):
        self.sent, self.answers = [], {}
        self.client = client("http://127.0.0.1:1")
        self.client.meta.events.register("before-send.dynamodb", self._send)
        assert hotpart.instrument(self.client, detector, **options) is self.client

    def _send(self, request, **_):
        operation = request.headers["X-Amz-Target"].decode().partition(".")[2]
        self.sent.append((operation, json.loads(request.body)))
        answer = self.answers.get(operation, {})
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        headers = {"content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "id"}
        response = botocore.awsrequest.AWSResponse(request.url, status, headers, None)
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return response

    def operations(self):
        return [operation for operation, _ in self.sent]


def put(wire, table="events", **attributes):
    wire.client.put_item(TableName=table, Item=ITEM | attributes)


def describes(wire, answer):
    """Has each DescribeTable answered by what ``answer`` returns for a table's name, or raises."""

    def describe(request, **_):
        if b"DescribeTable" in request.headers["X-Amz-Target"]:
            wire.answers["DescribeTable"] = answer(json.loads(request.body)["TableName"])

    wire.client.meta.events.register_first("before-send.dynamodb", describe)


def description(table):
    return {"Table": DESCRIPTION["Table"] | {"TableName": table}}


def unread(detector, table="events"):
    return detector.get_unattributed_count(table, "unread", "write")

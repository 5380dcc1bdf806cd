"""A boto3 client without a network."""

import json

import botocore.awsrequest
from clients import client

import hotpart

ITEM = {"id": {"S": "k"}, "n": {"N": "1"}}
DESCRIPTION = {"Table": {"TableName": "events", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}


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

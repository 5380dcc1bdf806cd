"""boto3 clients whose every attempt is observed."""

import boto3
import botocore.config

import hotpart


def client(endpoint, attempts=1):
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=botocore.config.Config(
            retries={"mode": "standard", "total_max_attempts": attempts}, read_timeout=20, parameter_validation=True
        ),
    )


def watch(client, detector, endpoint):
    """Observes each attempt of the client's; describes a table when its key is asked for."""
    asked = []

    def attempt(response, request_dict, **_):
        operation, body = request_dict["headers"]["X-Amz-Target"], request_dict["body"]
        operation = operation.decode() if isinstance(operation, bytes) else operation
        status, answer = (0, None) if response is None else (response[0].status_code, response[0].content)
        try:
            detector.observe(operation, body, status, answer)
        except hotpart.MissingSchema as missing:
            asked.append(str(missing))
            describe(endpoint, detector, str(missing))
            detector.observe(operation, body, status, answer)

    client.meta.events.register("needs-retry.dynamodb", attempt)
    return asked


def describe(endpoint, detector, table):
    other = client(endpoint)
    seen = {}
    other.meta.events.register("needs-retry.dynamodb", lambda response, **_: seen.update(body=response[0].content))
    other.describe_table(TableName=table)
    detector.observe("DescribeTable", b'{"TableName":"%s"}' % table.encode(), 200, seen["body"])

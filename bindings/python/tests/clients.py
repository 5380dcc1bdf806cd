"""Clients of what runs on loopback, and what a detector counted."""

import boto3
import botocore.config

_WHO = {"region_name": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


def client(endpoint, attempts=1, mode="standard"):
    config = botocore.config.Config(
        retries={"mode": mode, "total_max_attempts": attempts}, read_timeout=20, parameter_validation=True
    )
    return boto3.client("dynamodb", endpoint_url=endpoint, config=config, **_WHO)


def resource(endpoint):
    return boto3.resource("dynamodb", endpoint_url=endpoint, **_WHO)


def count(detector, operation, table, pk):
    return detector.get_write_count(table, pk) if operation == "write" else detector.get_read_count(table, pk)

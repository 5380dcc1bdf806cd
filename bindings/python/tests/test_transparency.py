"""Promise 12: what a watched client answers is what any client answers, whatever it is asked through."""

import copy
import uuid

import boto3.dynamodb.conditions
import pytest
from clients import client, resource

import hotpart

KEYS = [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "n", "KeyType": "RANGE"}]
DEFINITIONS = [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "n", "AttributeType": "N"}]


def bare(answer):
    """An answer without what differs from one request to the next."""
    answer = copy.deepcopy(answer)
    answer.pop("ResponseMetadata", None)
    return answer


@pytest.fixture(params=["dynalite", "dynoxide", "moto"])
def endpoint(request, endpoints):
    return endpoints(request.param)


@pytest.fixture
def table(endpoint):
    """A table with 40 items under two keys, more than a page of 10."""
    name, plain = "t" + uuid.uuid4().hex[:8], client(endpoint)
    plain.create_table(TableName=name, KeySchema=KEYS, AttributeDefinitions=DEFINITIONS, BillingMode="PAY_PER_REQUEST")
    plain.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1})
    for n in range(40):
        item = {"id": {"S": f"k{n % 2}"}, "n": {"N": str(n)}, "b": {"B": bytes([n, 255])}, "s": {"SS": ["a", str(n)]}}
        plain.put_item(TableName=name, Item=item)
    return name


def both(endpoint, detector, make=client):
    return make(endpoint), hotpart.instrument(make(endpoint), detector)


def test_paginators(endpoint, table, detector):
    asked = {
        "query": {"KeyConditionExpression": "id = :k", "ExpressionAttributeValues": {":k": {"S": "k1"}}},
        "scan": {"ConsistentRead": True},
    }
    for operation, request in asked.items():
        for own in ({}, {"ReturnConsumedCapacity": "TOTAL"}):
            plain, watched = (
                [
                    bare(page)
                    for page in one.get_paginator(operation).paginate(
                        TableName=table, PaginationConfig={"PageSize": 7}, **request, **own
                    )
                ]
                for one in both(endpoint, detector)
            )
            assert plain == watched and len(plain) > 2
            assert all(("ConsumedCapacity" in page) == bool(own) for page in watched)
    reads = detector.get_read_count(table, "k1")
    assert reads > 0 if detector.capacity else reads == 2 * 3


def test_the_results_that_a_paginator_gathers(endpoint, table, detector):
    plain, watched = (
        one.get_paginator("scan").paginate(TableName=table, PaginationConfig={"PageSize": 7}).build_full_result()
        for one in both(endpoint, detector)
    )
    assert plain == watched and len(plain["Items"]) == 40


def test_waiters(endpoint, table, detector):
    for one in both(endpoint, detector):
        assert one.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1}) is None
        assert (
            one.get_waiter("table_not_exists").wait(TableName="t" + uuid.uuid4().hex, WaiterConfig={"Delay": 1}) is None
        )


# moto tells the capacity unasked, now and then, once it was asked for it.
@pytest.mark.parametrize("endpoint", ["dynalite", "dynoxide"], indirect=True)
def test_resources(endpoint, table, detector):
    def used(dynamodb):
        made = dynamodb.Table(table)
        yield bare(made.get_item(Key={"id": "k1", "n": 3}))
        yield bare(made.query(KeyConditionExpression=boto3.dynamodb.conditions.Key("id").eq("k0"), Limit=5))
        with made.batch_writer() as batch:
            for n in range(60):
                batch.put_item(Item={"id": "batch", "n": n})
        yield bare(dynamodb.batch_get_item(RequestItems={table: {"Keys": [{"id": "batch", "n": 1}]}}))
        yield bare(made.update_item(Key={"id": "k1", "n": 3}, AttributeUpdates={}, ReturnValues="ALL_NEW"))
        yield bare(made.put_item(Item={"id": "put", "n": 1}, ReturnConsumedCapacity="TOTAL"))
        yield made.item_count, made.key_schema
        with pytest.raises(made.meta.client.exceptions.ConditionalCheckFailedException) as failed:
            made.put_item(Item={"id": "k1", "n": 1}, ConditionExpression="attribute_not_exists(id)")
        yield failed.value.response["Error"]

    plain, watched = (list(used(one)) for one in both(endpoint, detector, resource))
    assert plain == watched
    writes = detector.get_write_count(table, "batch")
    assert writes >= 60 if detector.capacity else writes == 60

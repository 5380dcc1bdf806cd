-- The view `accesses` in DuckDB, over CloudTrail's data events of DynamoDB. Set the files' names, and each table's partition key.
--
-- One item, batches and transactions, each as one operation an item. What DynamoDB refused or throttled is none. Queries and
-- statements tell their keys in expressions, which this does not read: `hotpart_left_out` counts what is in no access, by its name.

CREATE OR REPLACE VIEW hotpart_keys AS
SELECT 'orders' AS table_name, 'pk' AS attribute;

CREATE OR REPLACE VIEW hotpart_events AS
SELECT epoch_ms(CAST(event ->> 'eventTime' AS TIMESTAMP)) AS time_ms, event ->> 'eventName' AS name, event ->> 'errorCode' AS error,
  event -> 'requestParameters' AS asked
FROM (
  SELECT unnest("Records") AS event
  FROM read_json('trail/*.json.gz', columns = {Records: 'JSON[]'}, maximum_object_size = 100000000)
)
WHERE (event ->> 'eventSource') = 'dynamodb.amazonaws.com';

-- Each item of a request, with its table and key. Their names are spelt in two ways.
CREATE OR REPLACE VIEW hotpart_items AS
SELECT time_ms, name, error, name = 'GetItem' AS is_read, asked AS item
FROM hotpart_events
WHERE name IN ('GetItem', 'PutItem', 'UpdateItem', 'DeleteItem')
UNION ALL
SELECT time_ms, name, error, TRUE, json_object('tableName', of_table.key, 'key', keys.key)
FROM hotpart_events, json_each(asked -> 'requestItems') of_table,
  unnest(CAST(coalesce(of_table.value -> 'keys', of_table.value -> 'Keys') AS JSON[])) AS keys (key)
WHERE name = 'BatchGetItem'
UNION ALL
SELECT time_ms, name, error, FALSE, json_object('tableName', of_table.key, 'key', coalesce(write.value -> 'key', write.value -> 'Key'))
FROM hotpart_events, json_each(asked -> 'requestItems') of_table, unnest(CAST(of_table.value AS JSON[])) AS writes (item),
  json_each(writes.item) write
WHERE name = 'BatchWriteItem'
UNION ALL
-- With its operation as a member, or in a member of the operation's name.
SELECT time_ms, name, error, name = 'TransactGetItems',
  CASE WHEN (parts.part ->> 'operation') IS NULL THEN json_extract(parts.part, '$.*')[1] ELSE parts.part END
FROM hotpart_events, unnest(CAST(coalesce(asked -> 'requestItems', asked -> 'transactItems') AS JSON[])) AS parts (part)
WHERE name IN ('TransactWriteItems', 'TransactGetItems');

-- A table that is named by its ARN is the one in it. A number is one key, however it is written.
CREATE OR REPLACE VIEW hotpart_keyed AS
SELECT items.time_ms, items.name, items.error, items.is_read, items.table_name,
  CASE json_type(items.key, '$."' || hotpart_keys.attribute || '"')
    WHEN 'DOUBLE' THEN regexp_replace(json_extract_string(items.key, '$."' || hotpart_keys.attribute || '"'), '\.0$', '')
    ELSE json_extract_string(items.key, '$."' || hotpart_keys.attribute || '"')
  END AS pk
FROM (
  SELECT time_ms, name, error, is_read, coalesce(item -> 'key', item -> 'Key') AS key,
    regexp_replace(coalesce(item ->> 'tableName', item ->> 'TableName'), '^arn:.*:table/([^/]*).*$', '\1') AS table_name
  FROM hotpart_items
) items
LEFT JOIN hotpart_keys ON hotpart_keys.table_name = items.table_name
WHERE items.error IS NULL OR items.error IN (
  'ConditionalCheckFailedException', 'TransactionCanceledException', 'InternalServerError', 'ServiceUnavailable'
);

CREATE OR REPLACE VIEW accesses AS
SELECT time_ms, CASE WHEN is_read THEN 'read' ELSE 'write' END AS operation, table_name, pk, CAST(1 AS BIGINT) AS amount
FROM hotpart_keyed
WHERE pk IS NOT NULL;

CREATE OR REPLACE VIEW hotpart_left_out AS
SELECT name, error, count(*) AS events
FROM hotpart_events
WHERE (name, coalesce(error, '')) NOT IN (SELECT (name, coalesce(error, '')) FROM hotpart_keyed WHERE pk IS NOT NULL)
GROUP BY name, error;

-- The view `accesses` in Spark, over CSV (compressed or not) or Parquet. One of the three; set the files' names.

-- CSV with the header time_ms,operation,table,pk. With a column amount: amount in place of 1.
CREATE OR REPLACE TEMPORARY VIEW accesses_csv (time_ms STRING, operation STRING, `table` STRING, pk STRING)
USING csv OPTIONS (path 'access.csv', header 'true');

CREATE OR REPLACE TEMPORARY VIEW accesses AS
SELECT CAST(time_ms AS BIGINT) AS time_ms, operation, `table` AS table_name, coalesce(pk, '') AS pk, CAST(1 AS BIGINT) AS amount
FROM accesses_csv;

-- Parquet of the same columns:
-- CREATE OR REPLACE TEMPORARY VIEW accesses AS
-- SELECT time_ms, operation, `table` AS table_name, pk, CAST(1 AS BIGINT) AS amount FROM parquet.`access`;

-- CloudTrail's files, operations on one item; `pk` is the name of the partition key:
-- CREATE OR REPLACE TEMPORARY VIEW trail (value STRING) USING text OPTIONS (path 'trail/*.json.gz', wholetext 'true');
-- CREATE OR REPLACE TEMPORARY VIEW accesses AS
-- SELECT unix_millis(CAST(get_json_object(event, '$.eventTime') AS TIMESTAMP)) AS time_ms,
--   CASE WHEN get_json_object(event, '$.eventName') = 'GetItem' THEN 'read' ELSE 'write' END AS operation,
--   regexp_replace(get_json_object(event, '$.requestParameters.tableName'), '^arn:.*:table/([^/]*).*', '$1') AS table_name,
--   get_json_object(event, '$.requestParameters.key.pk') AS pk, CAST(1 AS BIGINT) AS amount
-- FROM (SELECT explode(from_json(get_json_object(value, '$.Records'), 'array<string>')) AS event FROM trail)
-- WHERE get_json_object(event, '$.eventSource') = 'dynamodb.amazonaws.com'
--   AND get_json_object(event, '$.eventName') IN ('GetItem', 'PutItem', 'UpdateItem', 'DeleteItem')
--   AND coalesce(get_json_object(event, '$.errorCode'), 'ConditionalCheckFailedException') IN
--     ('ConditionalCheckFailedException', 'InternalServerError', 'ServiceUnavailable')
--   AND get_json_object(event, '$.requestParameters.key.pk') IS NOT NULL;

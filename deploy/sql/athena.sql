-- The view `accesses` in Athena. One of the two.

-- Over CloudTrail's table, as "Create Athena table" in CloudTrail's console makes it (cloudtrail_logs), operations on one item; `pk` is the
-- name of the partition key. What DynamoDB refused or throttled is no access.
CREATE OR REPLACE VIEW accesses AS
SELECT CAST(to_unixtime(from_iso8601_timestamp(eventtime)) * 1000 AS BIGINT) AS time_ms,
  CASE WHEN eventname = 'GetItem' THEN 'read' ELSE 'write' END AS operation,
  regexp_replace(json_extract_scalar(requestparameters, '$.tableName'), '^arn:.*:table/([^/]*).*$', '$1') AS table_name,
  json_extract_scalar(requestparameters, '$.key.pk') AS pk,
  CAST(1 AS BIGINT) AS amount
FROM cloudtrail_logs
WHERE eventsource = 'dynamodb.amazonaws.com'
  AND eventname IN ('GetItem', 'PutItem', 'UpdateItem', 'DeleteItem')
  AND coalesce(errorcode, '') IN ('', 'ConditionalCheckFailedException', 'InternalServerError', 'ServiceUnavailable')
  AND json_extract_scalar(requestparameters, '$.key.pk') IS NOT NULL;

-- Over a table of CSV or Parquet with the columns time_ms, operation, table, pk:
-- CREATE OR REPLACE VIEW accesses AS
-- SELECT CAST(time_ms AS BIGINT) AS time_ms, operation, "table" AS table_name, pk, CAST(1 AS BIGINT) AS amount FROM access_log;

-- The view `accesses` in DuckDB, over CSV (compressed or not) or Parquet. One of the three; set the files' names.

-- CSV with the header time_ms,operation,table,pk. With a column amount: amount in place of 1.
CREATE OR REPLACE VIEW accesses AS
SELECT CAST(time_ms AS BIGINT) AS time_ms, operation, "table" AS table_name, pk, CAST(1 AS BIGINT) AS amount
FROM read_csv('access.csv', header = true, all_varchar = true);

-- Parquet of the same columns:
-- CREATE OR REPLACE VIEW accesses AS
-- SELECT time_ms, operation, "table" AS table_name, pk, CAST(1 AS BIGINT) AS amount FROM read_parquet('access/*.parquet');

-- CloudTrail's files, of data events of DynamoDB; `pk` is the name of the partition key:
-- CREATE OR REPLACE VIEW accesses AS
-- SELECT epoch_ms(CAST(event ->> 'eventTime' AS TIMESTAMP)) AS time_ms,
--   CASE WHEN event ->> 'eventName' IN ('GetItem', 'Query') THEN 'read' ELSE 'write' END AS operation,
--   json_extract_string(event, '$.requestParameters.tableName') AS table_name,
--   json_extract_string(event, '$.requestParameters.key.pk') AS pk,
--   CAST(1 AS BIGINT) AS amount
-- FROM (SELECT unnest(CAST("Records" AS JSON[])) AS event FROM read_json('trail/*.json.gz', maximum_object_size = 100000000))
-- WHERE event ->> 'eventSource' = 'dynamodb.amazonaws.com' AND json_extract_string(event, '$.requestParameters.key.pk') IS NOT NULL;

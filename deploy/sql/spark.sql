-- The view `accesses` in Spark, over CSV (compressed or not) or Parquet. One of the two; set the files' names.

-- CSV with the header time_ms,operation,table,pk. With a column amount: amount in place of 1.
CREATE OR REPLACE TEMPORARY VIEW accesses_csv (time_ms STRING, operation STRING, `table` STRING, pk STRING)
USING csv OPTIONS (path 'access.csv', header 'true');

CREATE OR REPLACE TEMPORARY VIEW accesses AS
SELECT CAST(time_ms AS BIGINT) AS time_ms, operation, `table` AS table_name, coalesce(pk, '') AS pk, CAST(1 AS BIGINT) AS amount
FROM accesses_csv;

-- Parquet of the same columns:
-- CREATE OR REPLACE TEMPORARY VIEW accesses AS
-- SELECT time_ms, operation, `table` AS table_name, pk, CAST(1 AS BIGINT) AS amount FROM parquet.`access`;

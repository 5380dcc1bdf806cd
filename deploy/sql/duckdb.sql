-- The view `accesses` in DuckDB, over CSV (compressed or not) or Parquet. One of the two; set the files' names. Over CloudTrail: duckdb-cloudtrail.sql.

-- CSV with the header time_ms,operation,table,pk. With a column amount: amount in place of 1.
CREATE OR REPLACE VIEW accesses AS
SELECT CAST(time_ms AS BIGINT) AS time_ms, operation, "table" AS table_name, pk, CAST(1 AS BIGINT) AS amount
FROM read_csv('access.csv', header = true, all_varchar = true);

-- Parquet of the same columns:
-- CREATE OR REPLACE VIEW accesses AS
-- SELECT time_ms, operation, "table" AS table_name, pk, CAST(1 AS BIGINT) AS amount FROM read_parquet('access/*.parquet');

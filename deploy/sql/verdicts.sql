-- The command's verdicts as SQL, for logs that are past one machine: how much each partition had in each second and in each
-- window, its fullest second, and when it first reached a threshold, as `hotpart backtest` warns.
--
-- Runs on DuckDB, Spark and Athena (Trino). Needs a view `accesses`, which duckdb.sql, spark.sql and athena.sql make:
--   time_ms bigint, operation ('write' or 'read'), table_name, pk, amount bigint
--
-- Two things to set: the window, which is the 60 of `hotpart_windows`, and the thresholds.

-- From how many operations in the window on a partition is hot.
CREATE OR REPLACE VIEW hotpart_thresholds AS
SELECT 'write' AS operation, 800 AS threshold
UNION ALL
SELECT 'read' AS operation, 2500 AS threshold;

-- What DynamoDB lets a partition have in a second.
CREATE OR REPLACE VIEW hotpart_limits AS
SELECT 'write' AS operation, 1000 AS a_second
UNION ALL
SELECT 'read' AS operation, 3000 AS a_second;

CREATE OR REPLACE VIEW hotpart_seconds AS
SELECT table_name, pk, operation, CAST((time_ms - time_ms % 1000) / 1000 AS BIGINT) AS second, SUM(amount) AS amount
FROM accesses
GROUP BY table_name, pk, operation, CAST((time_ms - time_ms % 1000) / 1000 AS BIGINT);

-- A count is of the current second and of the 60 before it, as the library's is.
CREATE OR REPLACE VIEW hotpart_windows AS
SELECT table_name, pk, operation, second, amount,
  SUM(amount) OVER (
    PARTITION BY table_name, pk, operation ORDER BY second RANGE BETWEEN 60 PRECEDING AND CURRENT ROW
  ) AS windowed
FROM hotpart_seconds;

-- The fullest second of each partition, the first of them, and its share of DynamoDB's limit.
CREATE OR REPLACE VIEW hotpart_fullest AS
SELECT ranked.table_name, ranked.pk, ranked.operation, ranked.second, ranked.amount, ranked.total,
  CAST(ranked.amount AS DOUBLE) / hotpart_limits.a_second AS share_of_limit
FROM (
  SELECT table_name, pk, operation, second, amount,
    SUM(amount) OVER (PARTITION BY table_name, pk, operation) AS total,
    ROW_NUMBER() OVER (PARTITION BY table_name, pk, operation ORDER BY amount DESC, second) AS place
  FROM hotpart_seconds
) ranked
JOIN hotpart_limits ON hotpart_limits.operation = ranked.operation
WHERE ranked.place = 1;

-- The second in which each partition first reached its threshold, and what the window had before that second.
CREATE OR REPLACE VIEW hotpart_reached_in AS
SELECT table_name, pk, operation, threshold, second, before
FROM (
  SELECT hotpart_windows.table_name, hotpart_windows.pk, hotpart_windows.operation, hotpart_thresholds.threshold,
    hotpart_windows.second, hotpart_windows.windowed - hotpart_windows.amount AS before,
    ROW_NUMBER() OVER (
      PARTITION BY hotpart_windows.table_name, hotpart_windows.pk, hotpart_windows.operation ORDER BY hotpart_windows.second
    ) AS place
  FROM hotpart_windows
  JOIN hotpart_thresholds ON hotpart_thresholds.operation = hotpart_windows.operation
  WHERE hotpart_windows.windowed >= hotpart_thresholds.threshold
) reached
WHERE place = 1;

-- Who reaches a threshold, and the millisecond of the first warning.
CREATE OR REPLACE VIEW hotpart_reached AS
SELECT table_name, pk, operation, threshold, MIN(time_ms) AS time_ms
FROM (
  SELECT accesses.table_name, accesses.pk, accesses.operation, reached.threshold, accesses.time_ms,
    reached.before + SUM(accesses.amount) OVER (
      PARTITION BY accesses.table_name, accesses.pk, accesses.operation ORDER BY accesses.time_ms
    ) AS windowed
  FROM accesses
  JOIN hotpart_reached_in reached
    ON reached.table_name = accesses.table_name AND reached.pk = accesses.pk AND reached.operation = accesses.operation
    AND CAST((accesses.time_ms - accesses.time_ms % 1000) / 1000 AS BIGINT) = reached.second
) running
WHERE windowed >= threshold
GROUP BY table_name, pk, operation, threshold;

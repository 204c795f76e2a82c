-- A small year of invoice lines, made up, for where no data set is at hand: 300 items, 200 customers, 1,200 invoices,
-- with the dirt that real files have.
CREATE TABLE lines AS
WITH sold AS (
  SELECT r.n, r.n // 3 AS bill, dice(r.n, 300) AS item, dice(r.n || 'who', 230) AS who FROM range(3600) AS r(n)
)
SELECT CASE WHEN bill % 40 = 7 THEN 'C' ELSE '' END || CAST(400000 + bill AS VARCHAR) AS invoice,
  CASE WHEN n % 97 = 0 THEN 'POST' ELSE CAST(20000 + item AS VARCHAR) || CASE item % 3 WHEN 0 THEN 'a' ELSE '' END END
    AS stock_code,
  CASE WHEN n % 211 = 0 THEN NULL ELSE 'ARTICLE ' || CAST(item AS VARCHAR) END AS description,
  CAST(CASE WHEN bill % 40 = 7 THEN -1 ELSE 1 + dice(n || 'q', 4) END AS VARCHAR) AS quantity,
  CAST(TIMESTAMP '2026-01-02 09:00:00' + INTERVAL (bill * 6) HOUR AS VARCHAR) AS invoice_date,
  CASE WHEN n % 131 = 0 THEN '0' ELSE CAST(1 + item % 40 AS VARCHAR) || '.95' END AS price,
  CASE WHEN who < 200 THEN CAST(12000 + who AS VARCHAR) END AS customer_id,
  'France' AS country
FROM sold;

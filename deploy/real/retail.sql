-- Invoice lines (table `lines`, all text) to `items`, `customers`, `orders` and `kept_out`. Variables: most_items,
-- most_customers, most_invoices, shops. Every line ends up in an order, or in `kept_out` under one reason.
CREATE TEMP TABLE typed AS
SELECT row_number() OVER () AS line,
  upper(trim(invoice)) AS invoice, starts_with(upper(trim(invoice)), 'C') AS is_return,
  upper(trim(stock_code)) AS sku, nullif(trim(regexp_replace(description, '\s+', ' ', 'g')), '') AS name,
  TRY_CAST(TRY_CAST(quantity AS DOUBLE) AS BIGINT) AS quantity, TRY_CAST(invoice_date AS TIMESTAMP) AS sold_at,
  CAST(round(TRY_CAST(price AS DECIMAL(18, 4)) * 100) AS BIGINT) AS gross_minor,
  CAST(TRY_CAST(TRY_CAST(customer_id AS DOUBLE) AS BIGINT) AS VARCHAR) AS customer, trim(country) AS country,
  row_number() OVER (PARTITION BY invoice, stock_code, description, quantity, invoice_date, price, customer_id
                     ORDER BY 1) > 1 AS is_twin
FROM lines;

CREATE TEMP TABLE judged AS
SELECT t.*,
  CASE
    WHEN t.is_twin THEN 'the same line twice'
    WHEN t.invoice IS NULL OR t.invoice = '' THEN 'no invoice number'
    WHEN t.sold_at IS NULL THEN 'no time'
    WHEN t.quantity IS NULL OR t.quantity = 0 THEN 'no quantity'
    WHEN abs(t.quantity) >= 10000 THEN 'a quantity that no shop sells'
    WHEN t.is_return <> (t.quantity < 0) THEN 'a correction of stock, no sale'
    WHEN t.sku IS NULL OR NOT regexp_full_match(t.sku, '[0-9]{5}[A-Z]{0,3}') THEN 'no item: postage, fees, samples'
    WHEN t.gross_minor IS NULL OR t.gross_minor <= 0 THEN 'a price of zero or below'
    WHEN t.name IS NULL THEN 'no description'
  END AS reason
FROM typed AS t;

-- The most usual price and name of each code, so that one odd line decides nothing.
CREATE TEMP TABLE catalogue AS
WITH sold AS (SELECT sku, invoice, name, gross_minor FROM judged WHERE reason IS NULL AND NOT is_return),
named AS (
  SELECT sku, name FROM sold GROUP BY sku, name
  QUALIFY row_number() OVER (PARTITION BY sku ORDER BY count(*) DESC, name) = 1
),
priced AS (
  SELECT sku, gross_minor FROM sold GROUP BY sku, gross_minor
  QUALIFY row_number() OVER (PARTITION BY sku ORDER BY count(*) DESC, gross_minor) = 1
),
often AS (SELECT sku, count(DISTINCT invoice) AS invoices FROM sold GROUP BY sku)
SELECT o.sku, row_number() OVER (ORDER BY o.invoices DESC, o.sku) AS number, n.name, p.gross_minor
FROM often AS o JOIN named AS n ON n.sku = o.sku JOIN priced AS p ON p.sku = o.sku;

CREATE TEMP TABLE items AS
SELECT sku, number, left(name, 120) AS name, gross_minor,
  [5 + dice(sku || s, 56) FOR s IN getvariable('shops')] AS levels
FROM catalogue WHERE number <= getvariable('most_items');

CREATE TEMP TABLE customers AS
WITH known AS (
  SELECT customer, count(DISTINCT invoice) AS invoices, sum(gross_minor * quantity) FILTER (NOT is_return) AS spent
  FROM judged WHERE reason IS NULL AND customer IS NOT NULL GROUP BY customer
  QUALIFY row_number() OVER (ORDER BY count(DISTINCT invoice) DESC, customer) <= getvariable('most_customers')
)
SELECT customer AS key, 'N' || customer AS name,
  '+336' || lpad(CAST(dice(customer || 'phone', 100000000) AS VARCHAR), 8, '0') AS phone,
  CAST(1 + dice(customer, 180) AS VARCHAR) || ' rue du Commerce' AS street,
  ['Paris', 'Lyon', 'Nantes', 'Lille'][1 + dice(customer || 'city', 4)] AS city,
  ['75015', '69002', '44000', '59000'][1 + dice(customer || 'city', 4)] AS postcode,
  CASE WHEN dice(customer || 'asked', 10) < 7 THEN dice(customer || 'said', 10) < 8 END AS consent,
  CAST(coalesce(spent, 0) // 1000 AS BIGINT) AS points
FROM known;

CREATE TEMP TABLE orders AS
WITH usable AS (
  SELECT j.*, c.key AS known FROM judged AS j
  JOIN items AS i ON i.sku = j.sku
  LEFT JOIN customers AS c ON c.key = j.customer
  WHERE j.reason IS NULL AND (j.customer IS NULL OR c.key IS NOT NULL)
)
SELECT invoice AS key, getvariable('shops')[1 + dice(invoice, len(getvariable('shops')))] AS shop,
  strftime(min(sold_at), '%Y-%m-%d %H:%M:%S') AS sold_at, max(known) AS customer,
  list({'sku': sku, 'quantity': quantity, 'gross_minor': gross_minor} ORDER BY line) AS lines
FROM usable GROUP BY invoice
QUALIFY row_number() OVER (ORDER BY max(sold_at) DESC, invoice DESC) <= getvariable('most_invoices');

CREATE TEMP TABLE kept_out AS
SELECT 'lines' AS what, reason, count(*) AS rows FROM judged WHERE reason IS NOT NULL GROUP BY reason
UNION ALL
SELECT 'lines', 'beyond the limit of items, customers or invoices', count(*) FROM judged AS j
WHERE j.reason IS NULL AND NOT (
  j.invoice IN (SELECT key FROM orders) AND j.sku IN (SELECT sku FROM items)
  AND (j.customer IS NULL OR j.customer IN (SELECT key FROM customers)))
HAVING count(*) > 0
UNION ALL
SELECT 'items', 'beyond the limit', count(*) FROM catalogue WHERE number > getvariable('most_items') HAVING count(*) > 0
UNION ALL
SELECT 'items', 'never sold at a price above zero under a name', count(DISTINCT sku) FROM judged
WHERE regexp_full_match(coalesce(sku, ''), '[0-9]{5}[A-Z]{0,3}') AND sku NOT IN (SELECT sku FROM catalogue)
HAVING count(DISTINCT sku) > 0;

-- grain: one price of one system beside the golden price that it comes from, both on the system's own tax basis
-- key: system, vendor_id, vendor_sub_id
-- why: `amount_desired` is what a system that shows promotions must hold, `list_desired` what all others must hold.
--      Net and gross meet by the rate, and by how the system whose price is net rounds (policy.roundings): a net price is
--      right where its system charges the golden gross one for it, a gross one where it is what the net source charges.
--      Derived prices (policy.derivations) come from the golden price of their list, or of another one at a stated rate;
--      mark-up and rate are one step, rounded as the system rounds, and then lifted to their ending. A rate holds for its
--      days, counted in the estate's time zone. Where net and gross meet without a tax rate, currencies without a rate of
--      exchange, or its days are over, there is no desired value, so nothing is guessed (reconcile.incomparable_prices).
--      `rule` and `list_rule` say of each where it comes from: "source of truth" alone is a price that this one holds.
--      The cost, net, is turned into the lowest price on this basis that is not below it.
WITH night AS (
  SELECT max(n.as_of) AS as_of, max(n.timezone) AS timezone FROM estate.night AS n
), both_sides AS (
  SELECT o.system, o.vendor_id, o.vendor_price_list, o.item_id, o.price_list_id, o.currency, o.version, o.write_context,
    o.amount, o.compare_at, o.tax_basis, g.tax_rate_bp AS rate, g.authority, g.amount AS golden_amount, g.currency AS golden_currency,
    CASE WHEN d.told IS NULL THEN g.reason ELSE concat(g.reason, ', ', d.told) END AS reason,
    CASE WHEN d.rate_units IS NULL THEN g.desired_until
      ELSE least(g.desired_until, timezone(n.timezone, CAST(d.rate_until AS TIMESTAMP))) END AS desired_until,
    CASE WHEN d.system IS NOT NULL THEN 'derived price' ELSE g.rule END AS rule,
    CASE WHEN d.system IS NOT NULL THEN 'derived price' WHEN g.rule = 'promotion' THEN 'source of truth'
      WHEN g.compare_at > g.amount THEN 'struck-through price' ELSE g.rule END AS list_rule,
    CASE WHEN g.compare_at > g.amount THEN g.compare_at END AS golden_compare_at, g.tax_basis AS golden_basis,
    coalesce(d.markup_bp, 0) AS markup_bp, d.ends_in, coalesce(d.ends_of, 100) AS ends_of, d.rate_units, w.mode,
    CASE WHEN o.tax_basis = 'net' THEN w.mode ELSE s.mode END AS tax_mode,
    CASE WHEN i.cost_currency = o.currency THEN i.cost_minor END AS cost
  FROM observed.prices AS o
  LEFT JOIN policy.derivations AS r ON r.system = o.system AND r.price_list_id = o.price_list_id
  JOIN golden.prices AS g ON g.item_id = o.item_id AND g.price_list_id = coalesce(r.from_list, o.price_list_id)
  LEFT JOIN policy.derivations AS d ON d.system = o.system AND d.price_list_id = o.price_list_id
    AND (g.authority <> o.system OR d.from_list IS NOT NULL)
  LEFT JOIN golden.items AS i ON i.item_id = o.item_id
  LEFT JOIN policy.roundings AS w ON w.system = o.system AND w.price_list_id = o.price_list_id
  LEFT JOIN policy.roundings AS s ON s.system = g.authority AND s.price_list_id = g.price_list_id
  CROSS JOIN night AS n
  WHERE (o.currency = g.currency AND d.rate_units IS NULL)
    OR (d.rate_units IS NOT NULL AND n.as_of < timezone(n.timezone, CAST(d.rate_until AS TIMESTAMP)))
), on_basis AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.item_id, b.price_list_id, b.currency, b.version, b.write_context, b.amount,
    b.compare_at, b.authority, b.rule, b.list_rule, b.reason, b.desired_until, b.ends_in, b.ends_of, b.mode,
    CAST(10000 + b.markup_bp AS HUGEINT) * coalesce(b.rate_units * minor_units(b.currency), 1) AS factor,
    10000 * CASE WHEN b.rate_units IS NULL THEN 1 ELSE CAST(100000000 AS HUGEINT) * minor_units(b.golden_currency) END AS divisor,
    CASE WHEN b.tax_basis = b.golden_basis THEN b.golden_amount
      WHEN b.tax_basis = 'net' THEN net_in(b.golden_amount, b.rate, b.tax_mode)
      ELSE gross_in(b.golden_amount, b.rate, b.tax_mode) END AS golden_amount,
    CASE WHEN b.tax_basis = b.golden_basis THEN b.golden_compare_at
      WHEN b.tax_basis = 'net' THEN net_in(b.golden_compare_at, b.rate, b.tax_mode)
      ELSE gross_in(b.golden_compare_at, b.rate, b.tax_mode) END AS golden_compare_at,
    lowest_price(b.cost, b.tax_basis, b.rate) AS cost_minor
  FROM both_sides AS b
), derived AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.item_id, b.price_list_id, b.currency, b.version, b.write_context, b.amount,
    b.compare_at, b.authority, b.rule, b.list_rule, b.reason, b.desired_until, b.cost_minor, b.ends_in, b.ends_of,
    CASE WHEN b.factor = b.divisor THEN b.golden_amount
      ELSE TRY_CAST(rounded(b.golden_amount * b.factor, b.divisor, b.mode) AS BIGINT) END AS golden_amount,
    CASE WHEN b.factor = b.divisor THEN b.golden_compare_at
      ELSE TRY_CAST(rounded(b.golden_compare_at * b.factor, b.divisor, b.mode) AS BIGINT) END AS golden_compare_at
  FROM on_basis AS b
), ended AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.item_id, b.price_list_id, b.currency, b.version, b.write_context, b.amount,
    b.compare_at, b.authority, b.rule, b.list_rule, b.reason, b.desired_until, b.cost_minor,
    b.golden_amount + coalesce((b.ends_in - b.golden_amount % b.ends_of + b.ends_of) % b.ends_of, 0) AS golden_amount,
    b.golden_compare_at + coalesce((b.ends_in - b.golden_compare_at % b.ends_of + b.ends_of) % b.ends_of, 0) AS golden_compare_at
  FROM derived AS b
)
SELECT b.system, b.vendor_id, b.vendor_price_list AS vendor_sub_id, b.item_id AS subject_id, b.price_list_id AS subject_sub_id,
  b.currency, b.version, b.write_context AS context, b.authority, b.rule, b.reason, b.desired_until, b.amount AS amount_observed,
  b.golden_amount AS amount_desired, coalesce(b.golden_compare_at, b.golden_amount) AS list_desired, b.list_rule,
  b.compare_at AS compare_at_observed, b.golden_compare_at AS compare_at_desired, b.cost_minor
FROM ended AS b
WHERE b.golden_amount IS NOT NULL

-- grain: one price of one system beside the golden price of the same item and list, both on the system's own tax basis
-- key: system, vendor_id, vendor_sub_id
-- why: `amount_desired` is what a system that shows promotions must hold, `list_desired` what all others must hold.
--      Derived prices (policy.derivations) are marked up, half up (as a rate is added), then lifted to their ending. Where
--      net and gross meet without a tax rate there is no desired value, so nothing is guessed
--      (reconcile.incomparable_prices reports it).
--      `rule` and `list_rule` say of each where it comes from: "source of truth" alone is a price that this one holds.
--      The cost, net, is turned into the lowest price on this basis that is not below it.
WITH both_sides AS (
  SELECT o.system, o.vendor_id, o.vendor_price_list, o.item_id, o.price_list_id, o.currency, o.version, o.write_context,
    o.amount, o.compare_at, o.tax_basis, g.tax_rate_bp AS rate, g.authority, g.reason, g.desired_until, g.amount AS golden_amount,
    CASE WHEN d.system IS NOT NULL THEN 'derived price' ELSE g.rule END AS rule,
    CASE WHEN d.system IS NOT NULL THEN 'derived price' WHEN g.rule = 'promotion' THEN 'source of truth'
      WHEN g.compare_at > g.amount THEN 'struck-through price' ELSE g.rule END AS list_rule,
    CASE WHEN g.compare_at > g.amount THEN g.compare_at END AS golden_compare_at, g.tax_basis AS golden_basis,
    coalesce(d.markup_bp, 0) AS markup_bp, d.ends_in,
    CASE WHEN i.cost_currency = o.currency THEN i.cost_minor END AS cost
  FROM observed.prices AS o
  JOIN golden.prices AS g ON g.item_id = o.item_id AND g.price_list_id = o.price_list_id
  LEFT JOIN golden.items AS i ON i.item_id = o.item_id
  LEFT JOIN policy.derivations AS d ON d.system = o.system AND d.price_list_id = o.price_list_id AND g.authority <> o.system
  WHERE o.currency = g.currency
), on_basis AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.item_id, b.price_list_id, b.currency, b.version, b.write_context, b.amount,
    b.compare_at, b.authority, b.rule, b.list_rule, b.reason, b.desired_until, b.markup_bp, b.ends_in,
    CASE WHEN b.tax_basis = b.golden_basis THEN b.golden_amount WHEN b.tax_basis = 'net' THEN to_net(b.golden_amount, b.rate)
      ELSE to_gross(b.golden_amount, b.rate) END AS golden_amount,
    CASE WHEN b.tax_basis = b.golden_basis THEN b.golden_compare_at
      WHEN b.tax_basis = 'net' THEN to_net(b.golden_compare_at, b.rate) ELSE to_gross(b.golden_compare_at, b.rate) END
      AS golden_compare_at,
    lowest_price(b.cost, b.tax_basis, b.rate) AS cost_minor
  FROM both_sides AS b
), marked_up AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.item_id, b.price_list_id, b.currency, b.version, b.write_context, b.amount,
    b.compare_at, b.authority, b.rule, b.list_rule, b.reason, b.desired_until, b.cost_minor, b.ends_in,
    to_gross(b.golden_amount, b.markup_bp) AS golden_amount, to_gross(b.golden_compare_at, b.markup_bp) AS golden_compare_at
  FROM on_basis AS b
), ended AS (
  SELECT b.system, b.vendor_id, b.vendor_price_list, b.item_id, b.price_list_id, b.currency, b.version, b.write_context, b.amount,
    b.compare_at, b.authority, b.rule, b.list_rule, b.reason, b.desired_until, b.cost_minor,
    b.golden_amount + coalesce((b.ends_in - b.golden_amount % 100 + 100) % 100, 0) AS golden_amount,
    b.golden_compare_at + coalesce((b.ends_in - b.golden_compare_at % 100 + 100) % 100, 0) AS golden_compare_at
  FROM marked_up AS b
)
SELECT b.system, b.vendor_id, b.vendor_price_list AS vendor_sub_id, b.item_id AS subject_id, b.price_list_id AS subject_sub_id,
  b.currency, b.version, b.write_context AS context, b.authority, b.rule, b.reason, b.desired_until, b.amount AS amount_observed,
  b.golden_amount AS amount_desired, coalesce(b.golden_compare_at, b.golden_amount) AS list_desired, b.list_rule,
  b.compare_at AS compare_at_observed, b.golden_compare_at AS compare_at_desired, b.cost_minor
FROM ended AS b
WHERE b.golden_amount IS NOT NULL

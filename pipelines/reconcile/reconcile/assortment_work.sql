-- grain: one item that a person is to create, publish or withdraw in one system
-- key: system, item_id
-- why: the work list of the assortment; nothing here is ever written by a sync. Asked for is what the item's own status
--      says: an active one is to be listed, an archived one is not to be; one that is only unpublished is each system's
--      own affair. An unknown state asks for nothing. `entered` is what would be typed in: the golden values, and the prices
--      of the system's own lists on their tax basis, as a price correction would set them.
WITH asked AS (
  SELECT a.system, a.item_id, a.vendor_id, a.state, a.reason, a.proof, a.proved_at, g.sku, g.gtin, g.title, g.is_tracked, g.is_kit,
    g.tax_rate_bp,
    CASE
      WHEN g.status = 'active' AND a.state = 'missing' THEN 'create'
      WHEN g.status = 'active' AND a.state = 'deleted' THEN 'create again'
      WHEN g.status = 'active' AND a.state = 'unpublished' THEN 'publish'
      WHEN g.status = 'archived' AND a.state = 'listed' THEN 'withdraw'
    END AS action
  FROM reconcile.assortment AS a
  JOIN golden.items AS g ON g.item_id = a.item_id
), texts AS (
  SELECT m.item_id, arg_min(i.option_title, {'rank': coalesce(s.rank, 1000), 'system': m.system}) AS option_title,
    arg_min(i.category, {'rank': coalesce(s.rank, 1000), 'system': m.system}) AS category
  FROM reconcile.item_matches AS m
  JOIN staged.items AS i ON i.system = m.system AND i.vendor_id = m.vendor_id
  LEFT JOIN policy.sources AS s ON s.system = m.system AND s.entity = 'items' AND s.field = 'gtin'
  GROUP BY m.item_id
), on_basis AS (
  SELECT l.system, p.item_id, l.vendor_price_list, p.currency, l.tax_basis, coalesce(d.markup_bp, 0) AS markup_bp, d.ends_in,
    t.system IS NOT NULL AS shows_promotions,
    CASE WHEN l.tax_basis = p.tax_basis THEN p.amount WHEN l.tax_basis = 'net' THEN to_net(p.amount, p.tax_rate_bp)
      ELSE to_gross(p.amount, p.tax_rate_bp) END AS amount,
    CASE WHEN NOT coalesce(p.compare_at > p.amount, false) THEN NULL WHEN l.tax_basis = p.tax_basis THEN p.compare_at
      WHEN l.tax_basis = 'net' THEN to_net(p.compare_at, p.tax_rate_bp) ELSE to_gross(p.compare_at, p.tax_rate_bp) END AS compare_at
  FROM golden.prices AS p
  JOIN estate.price_lists AS l ON l.price_list_id = p.price_list_id AND l.currency = p.currency
  LEFT JOIN policy.derivations AS d ON d.system = l.system AND d.price_list_id = l.price_list_id AND p.authority <> l.system
  LEFT JOIN policy.targets AS t ON t.system = l.system AND t.entity = 'prices' AND t.field = 'compare_at'
), marked_up AS (
  SELECT b.system, b.item_id, b.vendor_price_list, b.currency, b.tax_basis, b.ends_in, b.shows_promotions,
    to_gross(b.amount, b.markup_bp) AS amount, to_gross(b.compare_at, b.markup_bp) AS compare_at
  FROM on_basis AS b
), ended AS (
  SELECT m.system, m.item_id, m.vendor_price_list, m.currency, m.tax_basis, m.shows_promotions,
    m.amount + coalesce((m.ends_in - m.amount % 100 + 100) % 100, 0) AS amount,
    m.compare_at + coalesce((m.ends_in - m.compare_at % 100 + 100) % 100, 0) AS compare_at
  FROM marked_up AS m
), prices AS (
  SELECT e.system, e.item_id,
    list({'price_list': e.vendor_price_list, 'currency': e.currency, 'tax_basis': e.tax_basis,
      'amount_minor': CASE WHEN e.shows_promotions THEN e.amount ELSE coalesce(e.compare_at, e.amount) END,
      'compare_at_minor': CASE WHEN e.shows_promotions THEN e.compare_at END}
      ORDER BY e.vendor_price_list, e.currency) AS prices
  FROM ended AS e
  WHERE e.amount IS NOT NULL
  GROUP BY e.system, e.item_id
)
SELECT a.system, a.item_id, a.vendor_id, a.sku, a.title, a.state, a.action,
  CASE
    WHEN a.action IN ('create', 'create again') THEN CAST(to_json({'sku': a.sku, 'gtin': a.gtin, 'title': a.title,
      'option_title': t.option_title, 'category': t.category, 'status': 'active', 'is_tracked': a.is_tracked, 'is_kit': a.is_kit,
      'tax_rate_bp': a.tax_rate_bp, 'prices': p.prices}) AS VARCHAR)
    WHEN a.action = 'publish' THEN CAST(to_json({'status': 'active'}) AS VARCHAR)
    ELSE CAST(to_json({'status': 'archived'}) AS VARCHAR)
  END AS entered,
  concat(a.reason, ' (', a.proof, ' of ', strftime(timezone('UTC', a.proved_at), '%Y-%m-%d %H:%M'), ' UTC)',
    CASE WHEN a.action = 'withdraw' THEN '; the first system in the order of the policy has archived it'
      WHEN a.action = 'create again' THEN '; if that was meant, name it in leaves_out of this system' ELSE '' END) AS reason
FROM asked AS a
LEFT JOIN texts AS t ON t.item_id = a.item_id
LEFT JOIN prices AS p ON p.system = a.system AND p.item_id = a.item_id
WHERE a.action IS NOT NULL

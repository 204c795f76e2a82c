-- grain: one item of a category that a rule of the estate names, as `fold_text` writes it
-- key: item_id
-- why: safety stock and buffers ask for the category of few items or none; where no rule names one, this is empty and
--      costs nothing. The category is the first that is not blank, in the order of the policy; case and accents are as
--      people type them. Without one an item falls back to the rules of its place.
WITH named AS (
  SELECT fold_text(r.category) AS category FROM estate.safety_rules AS r
  UNION
  SELECT fold_text(b.category) FROM estate.buffers AS b WHERE b.category <> ''
), chosen AS (
  SELECT m.item_id,
    arg_min(fold_text(i.category), {'rank': coalesce(s.rank, 1000), 'system': m.system, 'vendor_id': m.vendor_id}) AS category
  FROM staged.items AS i
  JOIN reconcile.item_matches AS m ON m.system = i.system AND m.vendor_id = i.vendor_id
  LEFT JOIN policy.sources AS s ON s.system = m.system AND s.entity = 'items' AND s.field = 'gtin'
  WHERE EXISTS (SELECT 1 FROM named AS n) AND fold_text(i.category) IS NOT NULL
  GROUP BY m.item_id
)
SELECT c.item_id, c.category FROM chosen AS c JOIN named AS n ON n.category = c.category

-- grain: one movement that the authority is proven to have been told of
-- key: system, movement_id
-- why: by the first proof, of exactly the movements that made up the level written; by the second, of what is outstanding
--   tonight: the authority holds golden's on_hand, from which these units are already off
SELECT t.system, t.movement_id
FROM ledger.sync.told AS t
JOIN ledger.sync.verifications AS v ON v.plan_id = t.plan_id AND v.correction_key = t.correction_key
WHERE v.status = 'confirmed' AND v.agreed_night IS NULL
UNION
SELECT o.system, o.movement_id
FROM reconcile.outstanding AS o
JOIN golden.stock AS g ON g.item_id = o.item_id AND g.location_id = o.location_id
JOIN agree.stock AS s ON s.item_id = o.item_id AND s.location_id = o.location_id AND s.system = g.authority
WHERE o.term = 'fulfilled' AND NOT EXISTS (
  SELECT 1 FROM agree.written AS w
  WHERE w.entity = 'stock' AND w.system = s.system AND w.vendor_id = s.vendor_id AND w.vendor_sub_id = s.vendor_location_id)

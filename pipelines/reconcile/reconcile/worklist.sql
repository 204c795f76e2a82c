-- grain: one thing that a person is to do, or to decide, by hand in one system
-- key: kind, system, vendor_id, subject_id, action
-- why: what no sync may do by itself, in one list: items to create, publish or withdraw, keys that must be mended before
--      a record can be told to be one item, and points that two systems counted or that no event explains. Of persons it
--      holds ids alone, and of points no number.
SELECT 'assortment' AS kind, a.system, a.vendor_id, a.item_id AS subject_id, concat_ws(' ', a.sku, a.title) AS name, a.state, a.action,
  a.entered, a.reason
FROM reconcile.assortment_work AS a
UNION ALL
SELECT 'keys', k.system, k.vendor_id, NULL, k.sku, 'in quarantine', k.suggestion, NULL, k.reason
FROM reconcile.item_suggestions AS k
WHERE NOT starts_with(k.reason, 'archived')
UNION ALL
SELECT 'loyalty', t.doubted_system, t.doubted_id, t.person_id, concat('card ', t.doubted_card), 'counted twice',
  concat('look at both, and take it back in one of them: ', t.doubted_system, ' is doubted'),
  CAST(to_json({'doubted': {'system': t.doubted_system, 'event_id': t.doubted_id, 'card_id': t.doubted_card},
    'other': {'system': t.other_system, 'event_id': t.other_id, 'card_id': t.other_card}}) AS VARCHAR),
  concat(t.reason, ': ', t.other_system, ' ', t.other_id)
FROM reconcile.loyalty_twins AS t
UNION ALL
SELECT 'loyalty', b.system, b.card_id, NULL, concat('card ', b.card_id), 'unexplained', 'find what changed its balance', NULL, b.reason
FROM reconcile.loyalty_balances AS b
WHERE b.state = 'unexplained'

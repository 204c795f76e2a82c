-- grain: one record of one item in one system, as read tonight
-- key: system, vendor_id
-- why: the observed tree; a record that is in quarantine is not observed, so nothing is concluded from it
SELECT m.system, m.vendor_id, m.item_id, i.gtin_norm AS gtin, i.title, i.status, i.is_tracked, i.is_kit, i.version, i.write_context
FROM reconcile.item_matches AS m
JOIN staged.items AS i ON i.system = m.system AND i.vendor_id = m.vendor_id

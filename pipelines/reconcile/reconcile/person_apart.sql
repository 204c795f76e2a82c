-- grain: one pair of tonight's records that a person has parted
-- key: l, r
-- why: what linkage must never join, whatever key or score speaks for it; by record numbers, as it knows records
SELECT a.record_id AS l, b.record_id AS r
FROM reconcile.person_parted AS p
JOIN reconcile.person_records AS a ON a.source = p.system AND a.vendor_id = p.vendor_id
JOIN reconcile.person_records AS b ON b.source = p.other_system AND b.vendor_id = p.other_id AND b.record_id > a.record_id

-- grain: one record with the fields in which it differs from golden tonight
-- key: system, entity, vendor_id, vendor_sub_id
-- why: what differs is not agreed
SELECT d.system, d.entity, d.vendor_id, d.vendor_sub_id, list(DISTINCT d.field) AS fields
FROM (
  SELECT a.system, a.entity, a.vendor_id, coalesce(a.vendor_sub_id, '') AS vendor_sub_id, a.field FROM reconcile.drift AS a
  UNION ALL
  SELECT b.system, b.entity, b.vendor_id, coalesce(b.vendor_sub_id, ''), b.field FROM reconcile.consent_drift AS b
) AS d
GROUP BY d.system, d.entity, d.vendor_id, d.vendor_sub_id

-- check: No event of loyalty points is counted in two systems.
-- table: reconcile.loyalty_twins
-- severity: warning
SELECT t.doubted_system AS system, 'loyalty' AS entity, t.doubted_id
FROM reconcile.loyalty_twins AS t

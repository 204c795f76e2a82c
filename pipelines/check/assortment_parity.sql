-- check: Every system lists the items that it is expected to carry, and none that the source of truth has archived.
-- table: reconcile.assortment
-- severity: warning
SELECT w.system, 'items' AS entity, w.item_id, w.state
FROM reconcile.assortment_work AS w

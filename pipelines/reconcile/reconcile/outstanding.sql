-- grain: one movement outside the authority that the authority has not been told of
-- key: system, movement_id
-- why: the two terms that connect a counter in the till with one in the webshop. `fulfilled`: the units have left, so they
--      are to come off the authority's on_hand. `open`: they are promised, so they come off what can be sold. A cancelled
--      order is neither. Quantities are signed as the system's own counter moved; an order is negative.
--      Settled once it is proven that the authority has been told (pipelines.agree), or its own log shows it (logged.sql).
SELECT m.system, m.movement_id, m.item_id, m.location_id, m.order_state AS term, m.quantity
FROM reconcile.movement_log AS m
WHERE m.settled_night IS NULL AND m.authority <> m.system AND m.item_id IS NOT NULL AND m.order_state IN ('open', 'fulfilled')

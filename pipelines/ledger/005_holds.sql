-- Goods set aside for click & collect, as events: each is told once. `held`: the units that came off what can be sold
-- because of the hold alone, where no movement of an order says so. Rows are appended, none changes.
CREATE TABLE ledger.identity.hold_events (
  system VARCHAR NOT NULL, hold_id VARCHAR NOT NULL, order_id VARCHAR NOT NULL, item_id VARCHAR NOT NULL,
  location_id VARCHAR NOT NULL,
  event VARCHAR NOT NULL CHECK (event IN ('placed', 'collected', 'expired', 'cancelled', 'orphaned')),
  quantity BIGINT NOT NULL, held BIGINT NOT NULL, occurred_at TIMESTAMPTZ, reason VARCHAR NOT NULL,
  seen_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
-- settled_by: the authority's own movement of the same units, where it was that which told it (a web order's return that the
-- till took in): one stands for one alone. Set once, with settled_night.
ALTER TABLE ledger.identity.movements ADD COLUMN settled_by VARCHAR;

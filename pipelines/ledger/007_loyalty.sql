-- Points as a ledger: every event that a system told of, once, as it was first told. Append only.
CREATE TABLE ledger.identity.loyalty_events (
  system VARCHAR NOT NULL, event_id VARCHAR NOT NULL, card_id VARCHAR NOT NULL, vendor_customer_id VARCHAR,
  program_id VARCHAR, kind VARCHAR NOT NULL, points DECIMAL(18, 3) NOT NULL, order_id VARCHAR,
  occurred_at TIMESTAMPTZ NOT NULL, first_seen_at TIMESTAMPTZ NOT NULL, first_seen_night VARCHAR NOT NULL);

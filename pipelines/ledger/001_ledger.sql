-- What cannot be rebuilt: the three-way base, bindings, consent events, history, and all that was planned and done.
-- Append only, but for: agreed.* and history.prices (moved by delta), identity.movements.settled_night,
-- sync.intents.state, sync.nights (finished), sync.cursors. No primary keys on big tables: uniqueness is kept by MERGE.

CREATE SCHEMA IF NOT EXISTS ledger.agreed;
CREATE SCHEMA IF NOT EXISTS ledger.identity;
CREATE SCHEMA IF NOT EXISTS ledger.sync;
CREATE SCHEMA IF NOT EXISTS ledger.history;

-- agreed: the value on which a system and golden last agreed, proven. `fields` names the columns that have a base.
CREATE TABLE ledger.agreed.items (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, item_id VARCHAR, gtin VARCHAR,
  fields VARCHAR[] NOT NULL, agreed_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.agreed.prices (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, vendor_price_list VARCHAR NOT NULL, item_id VARCHAR,
  price_list_id VARCHAR, currency VARCHAR, amount BIGINT, compare_at BIGINT,
  fields VARCHAR[] NOT NULL, agreed_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.agreed.stock (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, vendor_location_id VARCHAR NOT NULL, item_id VARCHAR,
  location_id VARCHAR, quantity BIGINT,
  fields VARCHAR[] NOT NULL, agreed_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.agreed.customers (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, person_id VARCHAR, first_name VARCHAR, last_name VARCHAR,
  phone VARCHAR, street VARCHAR, city VARCHAR, postcode VARCHAR,
  fields VARCHAR[] NOT NULL, agreed_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.agreed.consents (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, vendor_audience_id VARCHAR NOT NULL, contact_point VARCHAR,
  channel VARCHAR, purpose VARCHAR, state VARCHAR,
  fields VARCHAR[] NOT NULL, agreed_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);

-- identity: who is who, and what was ever said about permission and stock.
CREATE TABLE ledger.identity.items (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, item_id VARCHAR NOT NULL, sku_norm VARCHAR,
  gtin_norm VARCHAR, rule VARCHAR NOT NULL, bound_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.identity.persons (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, person_id VARCHAR NOT NULL, rule VARCHAR NOT NULL,
  score DOUBLE, bound_at TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.identity.person_history (
  person_id VARCHAR NOT NULL, event VARCHAR NOT NULL CHECK (event IN ('created', 'merged', 'split')),
  other_person_id VARCHAR, "at" TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL, reason VARCHAR);
CREATE TABLE ledger.identity.consent_events (
  contact_point VARCHAR NOT NULL, channel VARCHAR NOT NULL, purpose VARCHAR NOT NULL, system VARCHAR NOT NULL,
  vendor_id VARCHAR, state VARCHAR NOT NULL, vendor_state VARCHAR, changed_at TIMESTAMPTZ,
  seen_at TIMESTAMPTZ NOT NULL, has_proof BOOLEAN NOT NULL, proof VARCHAR, night_id VARCHAR NOT NULL);
CREATE TABLE ledger.identity.movements (
  system VARCHAR NOT NULL, movement_id VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL,
  vendor_location_id VARCHAR NOT NULL, item_id VARCHAR, location_id VARCHAR, kind VARCHAR NOT NULL,
  quantity BIGINT NOT NULL, first_seen_at TIMESTAMPTZ NOT NULL, first_seen_night VARCHAR NOT NULL,
  settled_night VARCHAR);

-- sync: nights, plans, approvals, writes and their proofs. ("at" is a word of DuckDB: quote it or write t.at.)
CREATE TABLE ledger.sync.nights (
  night_id VARCHAR PRIMARY KEY, estate VARCHAR NOT NULL,
  kind VARCHAR NOT NULL CHECK (kind IN ('adopt', 'nightly', 'sync_now', 'backfill')),
  as_of TIMESTAMPTZ NOT NULL, started_at TIMESTAMPTZ NOT NULL, finished_at TIMESTAMPTZ, status VARCHAR NOT NULL,
  summary JSON);
CREATE TABLE ledger.sync.reads (
  system VARCHAR NOT NULL, endpoint VARCHAR NOT NULL, entities VARCHAR[] NOT NULL, kind VARCHAR NOT NULL,
  is_complete BOOLEAN NOT NULL, reason VARCHAR NOT NULL, row_count BIGINT NOT NULL, page_count BIGINT NOT NULL,
  declared_total BIGINT, started_at TIMESTAMPTZ NOT NULL, finished_at TIMESTAMPTZ NOT NULL,
  cursor_from TIMESTAMPTZ, cursor_to TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL,
  waited_seconds DOUBLE, calls BIGINT);
CREATE TABLE ledger.sync.cursors (
  system VARCHAR NOT NULL, endpoint VARCHAR NOT NULL, cursor_at TIMESTAMPTZ NOT NULL, census_at TIMESTAMPTZ,
  night_id VARCHAR NOT NULL);
CREATE TABLE ledger.sync.plans (
  plan_id VARCHAR PRIMARY KEY, night_id VARCHAR NOT NULL,
  lane VARCHAR NOT NULL CHECK (lane IN ('suppression', 'main')), estate VARCHAR NOT NULL,
  as_of TIMESTAMPTZ NOT NULL, created_at TIMESTAMPTZ NOT NULL, expires_at TIMESTAMPTZ NOT NULL,
  fingerprint VARCHAR NOT NULL, row_count BIGINT NOT NULL, summary JSON NOT NULL);
-- approver: who approves the row when it is planned: 'policy', a person who answered before, or nobody (NULL).
-- is_releasable: whether a person's approval lifts the hold (not where a read was incomplete or a write's end is unknown).
CREATE TABLE ledger.sync.corrections (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL, estate VARCHAR NOT NULL, system VARCHAR NOT NULL,
  entity VARCHAR NOT NULL, field VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, vendor_sub_id VARCHAR NOT NULL,
  subject_id VARCHAR NOT NULL, subject_sub_id VARCHAR NOT NULL, currency VARCHAR, observed VARCHAR, base VARCHAR,
  has_base BOOLEAN NOT NULL, desired VARCHAR, drift_class VARCHAR NOT NULL, authority VARCHAR, rule VARCHAR NOT NULL,
  reason VARCHAR NOT NULL, version VARCHAR, context VARCHAR, cost_minor BIGINT, old_minor BIGINT,
  risk VARCHAR NOT NULL CHECK (risk IN ('low', 'medium', 'high')),
  disposition VARCHAR NOT NULL
    CHECK (disposition IN ('approve', 'hold', 'refuse', 'not_writable', 'observe', 'pin', 'reject')),
  disposition_reason VARCHAR NOT NULL, approver VARCHAR, is_releasable BOOLEAN NOT NULL, held_since TIMESTAMPTZ,
  is_new BOOLEAN NOT NULL);
CREATE TABLE ledger.sync.approvals (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL, approver VARCHAR NOT NULL, reason VARCHAR NOT NULL,
  approved_at TIMESTAMPTZ NOT NULL, valid_until TIMESTAMPTZ NOT NULL, fingerprint VARCHAR NOT NULL);
CREATE TABLE ledger.sync.answers (
  answer_id VARCHAR PRIMARY KEY, correction_key VARCHAR NOT NULL,
  answer VARCHAR NOT NULL CHECK (answer IN ('approve', 'reject', 'accept-theirs', 'pin')),
  author VARCHAR NOT NULL, reason VARCHAR NOT NULL, until TIMESTAMPTZ, "at" TIMESTAMPTZ NOT NULL);
-- One row per (plan, correction, batch); a split or a second attempt is a new batch. The composition never changes.
CREATE TABLE ledger.sync.intents (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL, batch_id VARCHAR NOT NULL, vendor_key VARCHAR NOT NULL,
  attempt INTEGER NOT NULL, state VARCHAR NOT NULL CHECK (state IN ('planned', 'sent', 'settled')),
  composed_at TIMESTAMPTZ NOT NULL, sent_at TIMESTAMPTZ);
CREATE TABLE ledger.sync.outcomes (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL,
  status VARCHAR NOT NULL CHECK (status IN ('applied', 'rejected', 'stale', 'unknown', 'skipped')),
  code VARCHAR NOT NULL, message VARCHAR NOT NULL, request_id VARCHAR NOT NULL, version_after VARCHAR,
  "at" TIMESTAMPTZ NOT NULL, batch_id VARCHAR);
CREATE TABLE ledger.sync.verifications (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL,
  status VARCHAR NOT NULL CHECK (status IN ('confirmed', 'overwritten', 'settling', 'unconfirmed')),
  value VARCHAR, "at" TIMESTAMPTZ NOT NULL);

-- history: what a price was, as change rows (Omnibus prior price, shadow replay).
CREATE TABLE ledger.history.prices (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, vendor_price_list VARCHAR NOT NULL, item_id VARCHAR,
  currency VARCHAR NOT NULL, amount BIGINT, compare_at BIGINT, first_seen_at TIMESTAMPTZ NOT NULL,
  last_confirmed_at TIMESTAMPTZ NOT NULL);

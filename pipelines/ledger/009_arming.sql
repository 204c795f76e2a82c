-- What people say, signed: the very bytes, whose key, and the signature. Every use checks them anew; rows never change.
CREATE TABLE ledger.sync.words (
  word_id VARCHAR NOT NULL, word VARCHAR NOT NULL, payload VARCHAR NOT NULL, key_id VARCHAR NOT NULL,
  signature VARCHAR NOT NULL, taken_at TIMESTAMPTZ NOT NULL, link BIGINT, seal UBIGINT);
-- Policy and estate as nights have run under them, by the hash that armings name: to say what changed since.
CREATE TABLE ledger.sync.policies (policy_hash VARCHAR NOT NULL, settings VARCHAR NOT NULL);
-- policy_hash: which policy and estate a night's plans were decided under; an arming of another one is not of them.
ALTER TABLE ledger.sync.nights ADD COLUMN policy_hash VARCHAR;
-- The audit: each append to these tables is a link of one chain (pipelines/ledger/audit.py). link: which; seal: of this row,
-- to name one that was changed. Rows from before are sealed once, as they were found.
CREATE TABLE ledger.sync.chain (
  link BIGINT NOT NULL, relation VARCHAR NOT NULL, plan_id VARCHAR, row_count BIGINT NOT NULL, digest VARCHAR NOT NULL,
  hash VARCHAR NOT NULL);
ALTER TABLE ledger.sync.approvals ADD COLUMN link BIGINT;
ALTER TABLE ledger.sync.approvals ADD COLUMN seal UBIGINT;
ALTER TABLE ledger.sync.intents ADD COLUMN link BIGINT;
ALTER TABLE ledger.sync.intents ADD COLUMN seal UBIGINT;
ALTER TABLE ledger.sync.outcomes ADD COLUMN link BIGINT;
ALTER TABLE ledger.sync.outcomes ADD COLUMN seal UBIGINT;
ALTER TABLE ledger.sync.verifications ADD COLUMN link BIGINT;
ALTER TABLE ledger.sync.verifications ADD COLUMN seal UBIGINT;
ALTER TABLE ledger.sync.corrections ADD COLUMN seal UBIGINT;
-- Answers that had been taken in and do not count any more: the signature that they rest on does not hold.
CREATE TABLE ledger.sync.void_answers (answer_id VARCHAR NOT NULL, reason VARCHAR NOT NULL, "at" TIMESTAMPTZ NOT NULL);

-- What a person said about who is not one person. One row per pair of records; a parting is all pairs of those that were
-- taken out with those that were kept, said together. It holds for ever, unless `apart_undone` names it.
-- together_since: since when both had been bound to one person. last_plan_at: the youngest plan that still took them for one.
CREATE TABLE ledger.identity.apart (
  parting_id VARCHAR NOT NULL, taken_system VARCHAR NOT NULL, taken_id VARCHAR NOT NULL, kept_system VARCHAR NOT NULL,
  kept_id VARCHAR NOT NULL, author VARCHAR NOT NULL, reason VARCHAR NOT NULL, "at" TIMESTAMPTZ NOT NULL,
  together_since TIMESTAMPTZ NOT NULL, last_plan_at TIMESTAMPTZ);
CREATE TABLE ledger.identity.apart_undone (
  parting_id VARCHAR NOT NULL, author VARCHAR NOT NULL, reason VARCHAR NOT NULL, "at" TIMESTAMPTZ NOT NULL);
-- Which record went from which person to which, so that a person who is parted again gets the id from before.
CREATE TABLE ledger.identity.person_moves (
  system VARCHAR NOT NULL, vendor_id VARCHAR NOT NULL, person_id VARCHAR NOT NULL, old_person_id VARCHAR NOT NULL,
  "at" TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);
ALTER TABLE ledger.identity.person_history ADD COLUMN author VARCHAR;

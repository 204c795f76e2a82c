-- A person's word that what a plan wrote is to be undone. One row per order, and one per written correction that it names:
-- of a plan all that it wrote or may have written, or the part that the order was narrowed to. Rows are appended, none changes.
-- last_plan_at: the youngest plan when the order was taken in; what carries it out is younger, whatever clocks say.
CREATE TABLE ledger.sync.rollbacks (
  rollback_id VARCHAR NOT NULL, plan_id VARCHAR NOT NULL, author VARCHAR NOT NULL, reason VARCHAR NOT NULL,
  "at" TIMESTAMPTZ NOT NULL, last_plan_at TIMESTAMPTZ NOT NULL);
CREATE TABLE ledger.sync.rollback_rows (
  rollback_id VARCHAR NOT NULL, plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL);
-- Which movements the authority of a place no longer knows of, once a level that told it of them is proven to be undone.
CREATE TABLE ledger.sync.untold (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL, system VARCHAR NOT NULL, movement_id VARCHAR NOT NULL);

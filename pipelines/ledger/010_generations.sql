-- How often this ledger was written on: the same number is kept in a file beside it (R18). A ledger whose highest number is
-- below the file's is an older copy, or another ledger.
CREATE TABLE ledger.sync.generations (generation BIGINT NOT NULL, "at" TIMESTAMPTZ NOT NULL, reason VARCHAR NOT NULL);

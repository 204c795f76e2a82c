-- What staging keeps out, until it can use it: the endpoint is read again from where the read of it began.
-- Kept as a digest of the vendor's keys and the reason, with how many rows bear it. Not append only: what is usable leaves.
-- read_from: the cursor from which it is read again; NULL where a census brought it: that began at no cursor.
CREATE TABLE ledger.sync.kept_out (
  system VARCHAR NOT NULL, endpoint VARCHAR NOT NULL, entity VARCHAR NOT NULL, field VARCHAR NOT NULL,
  digest VARCHAR NOT NULL, row_count BIGINT NOT NULL, read_from TIMESTAMPTZ, since TIMESTAMPTZ NOT NULL,
  night_id VARCHAR NOT NULL);

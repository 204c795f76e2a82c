-- Records that staging keeps out, until it can use them: their endpoint is read again from where that read began.
-- Kept as a digest of the vendor's keys, with the rows that it is kept out by. Not append only: what is usable leaves.
-- read_from: the cursor before the delta that brought it; NULL where a census did, or no read of that endpoint.
CREATE TABLE ledger.sync.kept_out (
  system VARCHAR NOT NULL, endpoint VARCHAR NOT NULL, entity VARCHAR NOT NULL, digest VARCHAR NOT NULL,
  row_count BIGINT NOT NULL, read_from TIMESTAMPTZ, since TIMESTAMPTZ NOT NULL, night_id VARCHAR NOT NULL);

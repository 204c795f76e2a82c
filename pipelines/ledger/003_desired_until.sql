-- desired_until: when what is desired stops being right (a promotion of the till begins or ends); NULL: it does not.
ALTER TABLE ledger.sync.corrections ADD COLUMN desired_until TIMESTAMPTZ;

-- grain: the night; one row
SELECT night_id, estate, kind, as_of, status FROM ledger.sync.nights WHERE night_id = $night_id

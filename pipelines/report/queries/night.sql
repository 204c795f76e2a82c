-- grain: the night; one row
SELECT night_id, estate, kind, as_of, finished_at, status, CAST(summary AS VARCHAR) AS summary
FROM ledger.sync.nights WHERE night_id = $night_id

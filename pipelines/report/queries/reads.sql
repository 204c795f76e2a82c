-- grain: system and endpoint read that night
SELECT system, endpoint, kind, row_count, page_count, calls, waited_seconds, is_complete, reason
FROM ledger.sync.reads WHERE night_id = $night_id ORDER BY system, endpoint

-- grain: one system whose word on one person is missing tonight
-- key: person_id, system
-- why: a record in quarantine is not a blank record. Its fields are frozen: the next system does not stand in for it
SELECT DISTINCT b.person_id, b.system
FROM ledger.identity.persons AS b
JOIN staged.quarantine AS q ON q.system = b.system AND q.vendor_id = b.vendor_id AND q.entity = 'customers'

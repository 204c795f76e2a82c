-- check: The balance of every loyalty card is the sum of its events.
-- table: reconcile.loyalty_balances
-- severity: warning
SELECT b.system, 'loyalty' AS entity, b.card_id
FROM reconcile.loyalty_balances AS b
WHERE b.state = 'unexplained'

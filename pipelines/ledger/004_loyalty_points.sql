-- Loyalty points are a customer's field like a name: what every system held when all last agreed.
ALTER TABLE ledger.agreed.customers ADD COLUMN loyalty_points VARCHAR;

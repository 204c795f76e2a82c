-- Which movements a planned level takes off the authority's count, kept with the plan: when the write is proven, whenever
-- that is, the authority has been told of exactly these. And which night moved the base by a proof: each is used once.
-- (verifications.agreed_night is set later, like identity.movements.settled_night; what was there before has been used.)
CREATE TABLE ledger.sync.told (
  plan_id VARCHAR NOT NULL, correction_key VARCHAR NOT NULL, system VARCHAR NOT NULL, movement_id VARCHAR NOT NULL);
ALTER TABLE ledger.sync.verifications ADD COLUMN agreed_night VARCHAR;
UPDATE ledger.sync.verifications AS v SET agreed_night = p.night_id
FROM ledger.sync.plans AS p WHERE p.plan_id = v.plan_id AND v.status = 'confirmed';

-- Tables that Python code fills and models read, for the runner of cases.
CREATE TABLE IF NOT EXISTS reconcile.person_pairs (
  l BIGINT, r BIGINT, weight DOUBLE, probability DOUBLE, first_name VARCHAR, last_name VARCHAR, birth VARCHAR,
  email VARCHAR, phone VARCHAR, card VARCHAR, street VARCHAR, city VARCHAR, postcode VARCHAR, address VARCHAR);
CREATE TABLE IF NOT EXISTS reconcile.person_components (record_id BIGINT, component BIGINT);
CREATE TABLE IF NOT EXISTS reconcile.person_bound (l BIGINT, r BIGINT, is_weighed BOOLEAN);

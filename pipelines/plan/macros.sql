-- Identity of a correction across nights (NULL is written as a zero byte).
CREATE OR REPLACE TEMP MACRO correction_key(estate, system, vendor_id, vendor_sub_id, entity, field, observed, desired, rule) AS
  sha256(concat_ws('|', estate, system, vendor_id, vendor_sub_id, entity, field,
    coalesce(observed, chr(0)), coalesce(desired, chr(0)), rule));

-- The parts of one value, a postal address: a street of one place beside the postcode of another is nobody's.
CREATE OR REPLACE TEMP MACRO is_address_part(entity, field) AS
  entity = 'customers' AND field IN ('street', 'city', 'postcode');

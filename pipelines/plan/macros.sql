-- Identity of a correction across nights (NULL is written as a zero byte).
CREATE OR REPLACE TEMP MACRO correction_key(estate, system, vendor_id, vendor_sub_id, entity, field, observed, desired, rule) AS
  sha256(concat_ws('|', estate, system, vendor_id, vendor_sub_id, entity, field,
    coalesce(observed, chr(0)), coalesce(desired, chr(0)), rule));

-- The parts of one value, a postal address: a street of one place beside the postcode of another is nobody's.
CREATE OR REPLACE TEMP MACRO is_address_part(entity, field) AS
  entity = 'customers' AND field IN ('street', 'city', 'postcode');

-- Whether a write is to be made again: the value is not as the write before had left it, and what stood there before that
-- one is back, or the very same is to be written.
CREATE OR REPLACE TEMP MACRO is_written_over(observed, desired, observed_before, desired_before) AS
  observed IS DISTINCT FROM desired_before
  AND (observed IS NOT DISTINCT FROM observed_before OR desired IS NOT DISTINCT FROM desired_before);

-- Identity of a correction across nights (NULL is written as a zero byte).
CREATE OR REPLACE TEMP MACRO correction_key(estate, system, vendor_id, vendor_sub_id, entity, field, observed, desired, rule) AS
  sha256(concat_ws('|', estate, system, vendor_id, vendor_sub_id, entity, field,
    coalesce(observed, chr(0)), coalesce(desired, chr(0)), rule));

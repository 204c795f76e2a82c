-- grain: one permission of one record with what is proven about it tonight
-- key: system, vendor_id, vendor_audience_id, channel, purpose
-- why: agreement is of explicit states only; unknown agrees with nothing
WITH equal AS (
  SELECT o.system, o.vendor_id, o.vendor_audience_id, o.contact_point, o.channel, o.purpose, o.state
  FROM observed.consents AS o
  JOIN golden.consents AS g
    ON g.contact_point = o.contact_point AND g.channel = o.channel AND g.purpose = o.purpose AND g.state = o.state
  JOIN agree.comparable AS t ON t.system = o.system AND t.entity = 'consents' AND t.field = 'state'
  LEFT JOIN agree.drifted AS d
    ON d.system = o.system AND d.entity = 'consents' AND d.vendor_id = o.vendor_id AND d.vendor_sub_id = o.vendor_audience_id
  WHERE d.system IS NULL AND o.state IN ('yes', 'no', 'pending')
), written AS (
  SELECT w.system, w.vendor_id, w.vendor_sub_id, w.subject_id, split_part(w.subject_sub_id, ':', 1) AS channel,
    substr(w.subject_sub_id, length(split_part(w.subject_sub_id, ':', 1)) + 2) AS purpose, w.desired AS state
  FROM agree.written AS w WHERE w.entity = 'consents' AND w.is_undone IS NOT TRUE
)
SELECT e.system, e.vendor_id, e.vendor_audience_id, e.contact_point, e.channel, e.purpose, e.state, ['state'] AS fields
FROM equal AS e
WHERE NOT EXISTS (
  SELECT 1 FROM written AS w WHERE w.system = e.system AND w.vendor_id = e.vendor_id AND w.vendor_sub_id = e.vendor_audience_id)
UNION ALL
SELECT w.system, w.vendor_id, w.vendor_sub_id, w.subject_id, w.channel, w.purpose, w.state, ['state'] FROM written AS w

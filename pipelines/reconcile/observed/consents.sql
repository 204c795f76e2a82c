-- grain: one permission of one record, in an audience that the estate maps, in a system that was read whole tonight
-- key: system, vendor_id, vendor_audience_id, channel, purpose
-- why: what each system holds now, `unknown` too. What is not mapped is read, never written; what was not read is not here
SELECT c.system, c.vendor_id, c.vendor_audience_id, c.contact_point, a.channel, a.purpose, c.state, c.changed_at,
  coalesce(c.has_proof, false) AS has_proof, c.email, c.version, c.write_context
FROM staged.consents AS c
JOIN estate.systems AS s ON s.system = c.system
JOIN estate.audiences AS a
  ON a.system = c.system AND a.vendor_audience_id = c.vendor_audience_id AND a.channel = c.channel
JOIN reads.verdicts AS v ON v.system = c.system AND v.entity = 'consents' AND v.is_complete
WHERE c.contact_point IS NOT NULL

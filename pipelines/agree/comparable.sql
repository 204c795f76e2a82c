-- grain: one field of one system whose agreement may be concluded from tonight's read
-- key: system, entity, field
-- why: the second proof asks for a whole read and a whole comparison: where a read was incomplete, or the policy compares
--      nothing, no difference found means nothing; and a run on demand proves what it wrote, no more
SELECT t.system, t.entity, t.field
FROM policy.targets AS t
JOIN estate.night AS n ON n.kind IN ('adopt', 'nightly')
WHERE NOT EXISTS (
    SELECT 1 FROM (VALUES (t.entity), (CASE WHEN t.entity IN ('prices', 'stock') THEN 'items' ELSE t.entity END)) AS e(entity)
    WHERE NOT EXISTS (SELECT 1 FROM reads.verdicts AS v WHERE v.system = t.system AND v.entity = e.entity AND v.is_complete))

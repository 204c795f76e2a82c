-- grain: system, entity, class and disposition
-- key: system, entity, drift_class, disposition
-- why: the plan in one glance; kept with the plan
SELECT d.system, d.entity, d.drift_class, d.disposition, count(*) AS row_count, count(*) FILTER (WHERE d.is_new) AS new_count,
  count(*) FILTER (WHERE d.disposition = 'approve' AND e.was_approved) AS approved_again_count
FROM plan.decided AS d LEFT JOIN plan.earlier AS e ON e.correction_key = d.correction_key
GROUP BY d.system, d.entity, d.drift_class, d.disposition
ORDER BY d.system, d.entity, d.drift_class, d.disposition

-- grain: how many values of one entity a system holds
-- key: system, entity
-- why: caps are a share of this
SELECT o.system, 'consents' AS entity, count(*) AS row_count FROM observed.consents AS o GROUP BY o.system

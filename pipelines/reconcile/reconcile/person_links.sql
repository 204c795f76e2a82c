-- grain: one pair of records that may be one person
-- key: l, r
-- why: deterministic keys first (card, e-mail, phone with both names), the score after them. Never without asking: a
--   contradiction of strong keys (card, birth date); first names that are clearly two (households, couples who share an
--   address or a phone, twins) or might be (Lea and Leo). A shared street proves a household, not a person: where e-mails
--   or phones differ and no key of one's own is shared (father and son of one name), its weight does not count; nor does
--   the town's where weights are the defaults. Two names alone are two people of one name. Nor
--   are two joined whom a person has parted
WITH judged AS (
  SELECT p.l, p.r, p.weight, p.probability, p.card, p.email, p.phone, p.birth,
    p.card = 'other' OR p.birth = 'other' AS is_contradicted,
    CASE WHEN p.first_name IN ('same', 'typo', 'short', 'turned') THEN 'yes'
         WHEN p.first_name = 'missing' THEN 'unknown'
         WHEN p.first_name = 'alike' THEN 'unsure' ELSE 'no' END AS first_agrees,
    CASE WHEN p.last_name IN ('same', 'typo', 'part', 'turned') THEN 'yes'
         WHEN p.last_name = 'missing' THEN 'unknown' ELSE 'no' END AS last_agrees,
    p.card = 'same' OR p.email = 'same' OR p.phone = 'same' OR p.birth = 'same' AS shares_own_key,
    p.birth = 'near' OR p.phone = 'typo' OR p.street IN ('same', 'typo')
      OR p.place NOT IN ('missing', 'other') AS shares_more_than_names,
    x.l IS NOT NULL AS is_apart,
    p.weight - CASE WHEN p.email = 'other' OR p.phone = 'other'
                    THEN coalesce(s.weight, 0) + coalesce(t.weight, 0) ELSE 0 END AS own_weight
  FROM reconcile.person_pairs AS p
  LEFT JOIN reconcile.person_weights AS s ON s.comparison = 'street' AND s.level = p.street AND s.weight > 0
  LEFT JOIN reconcile.person_weights AS t
    ON t.comparison = 'place' AND t.level = p.place AND t.weight > 0 AND NOT t.is_trained
  LEFT JOIN reconcile.person_apart AS x ON x.l = p.l AND x.r = p.r
),
ruled AS (
  SELECT l, r, weight, probability, is_contradicted, first_agrees, last_agrees, shares_own_key, shares_more_than_names,
    own_weight, is_apart,
    CASE WHEN card = 'same' AND first_agrees <> 'no' THEN 'card'
         WHEN email = 'same' AND (first_agrees = 'yes' OR (first_agrees = 'unknown' AND last_agrees <> 'no')) THEN 'email'
         WHEN phone = 'same' AND first_agrees = 'yes' AND (last_agrees = 'yes' OR birth = 'same') THEN 'phone'
         ELSE 'splink' END AS rule
  FROM judged
)
SELECT l, r, weight, probability, rule, is_contradicted, shares_own_key OR shares_more_than_names AS shares_more,
  NOT is_apart AND NOT is_contradicted AND (
    rule <> 'splink'
    OR (probability >= 0.99
        AND ((first_agrees = 'yes' AND (shares_own_key
                                    OR (last_agrees = 'yes' AND shares_more_than_names AND own_weight >= log2(0.99 / 0.01))))
             OR (first_agrees = 'unknown' AND shares_own_key)))) AS is_auto
FROM ruled

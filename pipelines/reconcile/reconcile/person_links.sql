-- grain: one pair of records that may be one person
-- key: l, r
-- why: deterministic keys first (card, e-mail, phone with both names), the score after them. Never without asking: a
--   contradiction of strong keys (card, birth date), or first names that are clearly two (households, couples who share
--   an address or a phone, twins), unless the loyalty card says otherwise
SELECT l, r, weight, probability, rule, is_contradicted,
  NOT is_contradicted AND (rule <> 'splink' OR (probability >= 0.99 AND first_agrees <> 'no' AND first_agrees <> 'unsure')) AS is_auto
FROM (
  SELECT l, r, weight, probability, is_contradicted, first_agrees,
    CASE WHEN card = 'same' AND first_agrees <> 'no' THEN 'card'
         WHEN email = 'same' AND (first_agrees = 'yes' OR (first_agrees = 'unknown' AND last_agrees <> 'no')) THEN 'email'
         WHEN phone = 'same' AND first_agrees = 'yes' AND (last_agrees = 'yes' OR birth = 'same') THEN 'phone'
         ELSE 'splink' END AS rule
  FROM (
    SELECT l, r, weight, probability, card, email, phone, birth,
      card = 'other' OR birth = 'other' AS is_contradicted,
      CASE WHEN first_name IN ('same', 'typo', 'short', 'turned') THEN 'yes'
           WHEN first_name = 'missing' THEN 'unknown'
           WHEN first_name = 'alike' THEN 'unsure' ELSE 'no' END AS first_agrees,
      CASE WHEN last_name IN ('same', 'typo', 'part', 'turned') THEN 'yes'
           WHEN last_name = 'missing' THEN 'unknown' ELSE 'no' END AS last_agrees
    FROM reconcile.person_pairs))

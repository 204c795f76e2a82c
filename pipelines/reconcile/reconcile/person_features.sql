-- grain: one record of reconcile.person_records
-- key: record_id
-- why: values as they are typed become keys that can be compared; what many different people share (a shop's own
--   address, a default birth date) is no key; first and last names entered the wrong way round are put right where the
--   data themselves leave no doubt
WITH month_first AS (
  -- A source that has days over 12 in second place and never in first writes the month first.
  SELECT coalesce(source, '') AS source,
    bool_or(TRY_CAST(regexp_extract(birth_date, '^[0-9]+.([0-9]+)', 1) AS INTEGER) > 12)
      AND NOT bool_or(TRY_CAST(regexp_extract(birth_date, '^[0-9]+') AS INTEGER) > 12) AS is_so
  FROM reconcile.person_records
  WHERE regexp_full_match(birth_date, '[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}')
  GROUP BY ALL
),
named AS (
  SELECT record_id, coalesce(source, '') AS source, email, phone, birth_date, street, city, postcode, card,
    CASE WHEN first_name IS NULL AND last_name IS NULL AND full_name IS NOT NULL THEN
      CASE WHEN contains(full_name, ',') THEN split_part(full_name, ',', 2)
           WHEN regexp_matches(full_name, '\p{Ll}') AND regexp_matches(full_name, '\p{Lu}[\p{Lu}''-]+')
             THEN regexp_replace(full_name, '\p{Lu}[\p{Lu}''-]+', ' ', 'g')
           WHEN regexp_full_match(trim(full_name), '\P{Ll}{2,} \p{Lu}\.?')
             THEN regexp_extract(full_name, '\p{Lu}\.?\s*$')
           ELSE split_part(trim(full_name), ' ', 1) END
      ELSE first_name END AS given,
    CASE WHEN first_name IS NULL AND last_name IS NULL AND full_name IS NOT NULL THEN
      CASE WHEN contains(full_name, ',') THEN split_part(full_name, ',', 1)
           WHEN regexp_matches(full_name, '\p{Ll}') AND regexp_matches(full_name, '\p{Lu}[\p{Lu}''-]+')
             THEN regexp_replace(regexp_replace(full_name, '[-'']*\p{Lu}?\p{Ll}+', ' ', 'g'), ' \p{Lu} ', ' ', 'g')
           WHEN regexp_full_match(trim(full_name), '\P{Ll}{2,} \p{Lu}\.?')
             THEN regexp_replace(full_name, '\p{Lu}\.?\s*$', '')
           ELSE substr(trim(full_name), length(split_part(trim(full_name), ' ', 1)) + 2) END
      ELSE last_name END AS family
  FROM reconcile.person_records
),
folded AS (
  SELECT record_id, source, fold_text(given) AS given, fold_text(family) AS family, email, phone, birth_date,
    fold_text(street) AS street, fold_text(city) AS city, postcode, card
  FROM named
),
keyed AS (
  SELECT n.record_id, n.source, first_name_key(n.given) AS given, last_name_key(n.family) AS family,
    email_key(n.email) AS email, phone_key(n.phone) AS phone, birth_key(n.birth_date, coalesce(m.is_so, false)) AS birth,
    street_key(n.street) AS street, city_key(n.city) AS city, postcode_key(n.postcode) AS postcode,
    card_key(n.card) AS card
  FROM folded AS n
  LEFT JOIN month_first AS m ON m.source = n.source
),
names AS (
  SELECT name, count(*) FILTER (is_given) AS as_given, count(*) FILTER (NOT is_given) AS as_family
  FROM (SELECT given AS name, true AS is_given FROM keyed UNION ALL SELECT family, false FROM keyed)
  WHERE name IS NOT NULL
  GROUP BY name
),
crowded AS (
  -- Values on many records; whether they belong to one person is asked of these few alone.
  SELECT kind, value FROM (
    SELECT 'email' AS kind, email AS value, count(*) AS records FROM keyed GROUP BY email
    UNION ALL SELECT 'phone', phone, count(*) FROM keyed GROUP BY phone
    UNION ALL SELECT 'card', card, count(*) FROM keyed GROUP BY card)
  WHERE value IS NOT NULL AND records > 8
),
shared AS (
  SELECT c.kind, c.value
  FROM crowded AS c
  JOIN (SELECT given, unnest([{'kind': 'email', 'value': email}, {'kind': 'phone', 'value': phone},
                              {'kind': 'card', 'value': card}]) AS held FROM keyed) AS k
    ON k.held.kind = c.kind AND k.held.value = c.value
  GROUP BY c.kind, c.value
  HAVING count(DISTINCT k.given) > 3
),
defaults AS (
  SELECT birth FROM keyed WHERE birth IS NOT NULL GROUP BY birth
  HAVING count(*) > greatest(25, (SELECT count(birth) FROM keyed) // 200)
),
turned AS (
  SELECT k.record_id, k.source, k.email, k.phone, k.birth, k.street, k.city, k.postcode, k.card,
    -- What the other records say of both names (hence - 1), with half a record for what was never seen.
    coalesce((g.as_family + 0.5) * (f.as_given + 0.5) > 100 * (g.as_given - 0.5) * (f.as_family - 0.5), false)
      AS is_turned,
    k.given, k.family, g.as_given AS given_as_given, g.as_family AS given_as_family,
    f.as_given AS family_as_given, f.as_family AS family_as_family
  FROM keyed AS k
  LEFT JOIN names AS g ON g.name = k.given
  LEFT JOIN names AS f ON f.name = k.family
)
SELECT t.record_id, t.source,
  CASE WHEN t.is_turned THEN t.family ELSE t.given END AS first_name,
  CASE WHEN t.is_turned THEN t.given ELSE t.family END AS last_name,
  left(CASE WHEN t.is_turned THEN t.family ELSE t.given END, 1) AS initial,
  CASE WHEN t.is_turned THEN t.family_as_given ELSE t.given_as_given END AS first_count,
  CASE WHEN t.is_turned THEN t.given_as_family ELSE t.family_as_family END AS last_count,
  least(t.given, t.family) || ' ' || greatest(t.given, t.family) AS name,
  CASE WHEN e.value IS NULL THEN t.email END AS email,
  CASE WHEN p.value IS NULL THEN t.phone END AS phone,
  CASE WHEN d.birth IS NULL THEN t.birth END AS birth,
  t.street, t.city, t.postcode,
  CASE WHEN c.value IS NULL THEN t.card END AS card
FROM turned AS t
LEFT JOIN shared AS e ON e.kind = 'email' AND e.value = t.email
LEFT JOIN shared AS p ON p.kind = 'phone' AND p.value = t.phone
LEFT JOIN shared AS c ON c.kind = 'card' AND c.value = t.card
LEFT JOIN defaults AS d ON d.birth = t.birth

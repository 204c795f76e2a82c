-- Macros that turn identifiers and amounts as people type them into the one form that may be compared.
-- The only implementation: Python code and tests call these through DuckDB. Each is total: what cannot be
-- read is NULL, never an error and never a guess. norm(norm(x)) = norm(x).

-- SKU: upper case, no outer or inner white space or control characters; NULL when nothing is left.
CREATE OR REPLACE MACRO norm_sku(value) AS
  nullif(upper(regexp_replace(CAST(value AS VARCHAR), '[\s\p{C}\p{Z}]+', '', 'g')), '');

-- GTIN-8/12/13/14: digits with a right check digit, zeros kept, returned as 14 digits; NULL otherwise.
CREATE OR REPLACE MACRO gtin_check_digit(body) AS
  (10 - list_sum(list_transform(range(1, length(body) + 1),
     lambda i: CAST(body[length(body) + 1 - i] AS INTEGER) * CASE WHEN i % 2 = 1 THEN 3 ELSE 1 END)) % 10) % 10;
CREATE OR REPLACE MACRO gtin_digits(value) AS regexp_replace(CAST(value AS VARCHAR), '[\s\p{Z}-]+', '', 'g');
CREATE OR REPLACE MACRO norm_gtin(value) AS
  CASE WHEN regexp_full_match(gtin_digits(value), '[0-9]{8}|[0-9]{12}|[0-9]{13}|[0-9]{14}')
        AND NOT regexp_full_match(gtin_digits(value), '0+')
        AND CAST(gtin_check_digit(left(gtin_digits(value), length(gtin_digits(value)) - 1)) AS VARCHAR)
            = right(gtin_digits(value), 1)
       THEN lpad(gtin_digits(value), 14, '0') END;

-- E-mail: trimmed, lower case; NULL when it is not one local part, one @ and a dotted domain.
CREATE OR REPLACE MACRO norm_email(value) AS
  CASE WHEN regexp_full_match(lower(trim(CAST(value AS VARCHAR))),
              '[a-z0-9.!#$%&''*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+')
        AND NOT contains(CAST(value AS VARCHAR), '..')
        AND length(trim(CAST(value AS VARCHAR))) <= 254
       THEN lower(trim(CAST(value AS VARCHAR))) END;

-- Phone to E.164. A number without a country prefix is read as one of `country` (FR, CH, BE, JP); else NULL.
CREATE OR REPLACE MACRO phone_digits(value) AS
  regexp_replace(regexp_replace(regexp_replace(trim(CAST(value AS VARCHAR)), '\(0\)', '', 'g'), '[^0-9+]', '', 'g'), '^00', '+');
CREATE OR REPLACE MACRO norm_phone(value, country) AS
  CASE WHEN value IS NULL OR regexp_matches(CAST(value AS VARCHAR), '[A-Za-z@]') THEN NULL
       WHEN regexp_full_match(phone_digits(value), '\+330?[1-9][0-9]{8}')
         THEN '+33' || right(phone_digits(value), 9)
       WHEN regexp_full_match(phone_digits(value), '\+[1-9][0-9]{7,14}') THEN phone_digits(value)
       WHEN coalesce(country, 'FR') = 'FR' AND regexp_full_match(phone_digits(value), '0[1-9][0-9]{8}')
         THEN '+33' || right(phone_digits(value), 9)
       WHEN coalesce(country, 'FR') = 'FR' AND regexp_full_match(phone_digits(value), '33[1-9][0-9]{8}')
         THEN '+' || phone_digits(value)
       WHEN country = 'CH' AND regexp_full_match(phone_digits(value), '0[1-9][0-9]{8}')
         THEN '+41' || right(phone_digits(value), 9)
       WHEN country = 'BE' AND regexp_full_match(phone_digits(value), '0[1-9][0-9]{7,8}')
         THEN '+32' || substr(phone_digits(value), 2)
       WHEN country = 'JP' AND regexp_full_match(phone_digits(value), '0[1-9][0-9]{8,9}')
         THEN '+81' || substr(phone_digits(value), 2)
  END;

-- Decimal digits of a currency's minor unit (ISO 4217); NULL for a currency we do not know.
CREATE OR REPLACE MACRO currency_digits(currency) AS
  CASE WHEN currency IN ('EUR', 'CHF', 'USD', 'GBP', 'SEK', 'DKK', 'NOK', 'PLN', 'CZK', 'CAD', 'AUD') THEN 2
       WHEN currency IN ('JPY', 'KRW', 'CLP', 'XOF', 'XAF', 'XPF', 'ISK', 'VND') THEN 0
       WHEN currency IN ('TND', 'KWD', 'BHD', 'JOD', 'OMR') THEN 3 END;

-- Decimal text ("49.9", "49.90") to minor units, exactly; NULL for anything else, more digits than the
-- currency has, or an unknown currency. "12,50" is not a decimal here: it is refused, never read as 1250.
CREATE OR REPLACE MACRO to_minor(value, currency) AS
  CASE WHEN regexp_full_match(CAST(value AS VARCHAR), '-?[0-9]{1,12}(\.[0-9]{1,6})?')
        AND CAST(value AS DECIMAL(24, 6)) * CAST(power(10, currency_digits(currency)) AS BIGINT)
            = floor(CAST(value AS DECIMAL(24, 6)) * CAST(power(10, currency_digits(currency)) AS BIGINT))
       THEN CAST(CAST(value AS DECIMAL(24, 6)) * CAST(power(10, currency_digits(currency)) AS BIGINT) AS BIGINT) END;

-- Half-up conversions between net and gross minor units; rate in basis points (2000 = 20 %).
CREATE OR REPLACE MACRO to_gross(net_minor, rate_bp) AS
  CAST((CAST(net_minor AS HUGEINT) * (10000 + rate_bp) * 2 + 10000) // 20000 AS BIGINT);
CREATE OR REPLACE MACRO to_net(gross_minor, rate_bp) AS
  CAST((CAST(gross_minor AS HUGEINT) * 20000 + 10000 + rate_bp) // (2 * (10000 + rate_bp)) AS BIGINT);

-- Keyed hash (HMAC-SHA256, hex) of a contact point; the key lives in session variables, never in a table.
CREATE OR REPLACE MACRO contact_point(kind, norm) AS
  CASE WHEN norm IS NOT NULL THEN
    sha256(getvariable('contact_opad') || unhex(sha256(getvariable('contact_ipad') || encode(kind || ':' || norm)))) END;

-- One problem of a row, for the `problems` list that stage models carry (see CONTRIBUTING, "a bad row").
CREATE OR REPLACE MACRO problem(is_bad, field, reason, value_class) AS
  CASE WHEN is_bad THEN {'field': field, 'reason': reason, 'value_class': value_class} END;
CREATE OR REPLACE MACRO problems(list) AS list_filter(list, lambda p: p IS NOT NULL);

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

-- Decimal digits of a currency's minor unit (ISO 4217, all legal tender; `currencies.py` says the same to Python); NULL
-- for a currency we do not know. Texts, since DuckDB makes a table of each list of values, for each use, in each query.
CREATE OR REPLACE MACRO currency_digits(currency) AS
  CASE WHEN length(currency) <> 3 THEN NULL
       WHEN contains('|AED|AFN|ALL|AMD|AOA|ARS|AUD|AWG|AZN|BAM|BBD|BDT|BGN|BMD|BND|BOB|BRL|BSD|BTN|BWP|BYN|BZD|
         |CAD|CDF|CHF|CNY|COP|CRC|CUP|CVE|CZK|DKK|DOP|DZD|EGP|ERN|ETB|EUR|FJD|FKP|GBP|GEL|GHS|GIP|
         |GMD|GTQ|GYD|HKD|HNL|HTG|HUF|IDR|ILS|INR|IRR|JMD|KES|KGS|KHR|KPW|KYD|KZT|LAK|LBP|LKR|LRD|
         |LSL|MAD|MDL|MGA|MKD|MMK|MNT|MOP|MRU|MUR|MVR|MWK|MXN|MYR|MZN|NAD|NGN|NIO|NOK|NPR|NZD|PAB|
         |PEN|PGK|PHP|PKR|PLN|QAR|RON|RSD|RUB|SAR|SBD|SCR|SDG|SEK|SGD|SHP|SLE|SOS|SRD|SSP|STN|SYP|
         |SZL|THB|TJS|TMT|TOP|TRY|TTD|TWD|TZS|UAH|USD|UYU|UZS|VES|WST|XCD|XCG|YER|ZAR|ZMW|ZWG|', '|' || currency || '|') THEN 2
       WHEN contains('|BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF|', '|' || currency || '|') THEN 0
       WHEN contains('|BHD|IQD|JOD|KWD|LYD|OMR|TND|', '|' || currency || '|') THEN 3 END;

-- What no single thing costs, in minor units: a million euros, a hundred million yen.
CREATE OR REPLACE MACRO price_limit() AS 100000000::BIGINT;

-- Decimal text ("49.9", "49.90") to minor units, exactly; NULL for anything else, more digits than the
-- currency has, or an unknown currency. "12,50" is not a decimal here: it is refused, never read as 1250. The casts try,
-- since DuckDB may take them out of the CASE, and out of its guard, to compute them once.
CREATE OR REPLACE MACRO to_minor(value, currency) AS
  CASE WHEN regexp_full_match(CAST(value AS VARCHAR), '-?[0-9]{1,12}(\.[0-9]{1,6})?')
        AND TRY_CAST(value AS DECIMAL(24, 6)) * CAST(power(10, currency_digits(currency)) AS BIGINT)
            = floor(TRY_CAST(value AS DECIMAL(24, 6)) * CAST(power(10, currency_digits(currency)) AS BIGINT))
       THEN TRY_CAST(TRY_CAST(value AS DECIMAL(24, 6)) * CAST(power(10, currency_digits(currency)) AS BIGINT) AS BIGINT) END;

-- How many minor units one unit of a currency has: 100, 1 (yen), 1000 (dinar).
CREATE OR REPLACE MACRO minor_units(currency) AS CAST(power(10, currency_digits(currency)) AS BIGINT);

-- Minor units as decimal text, all digits of the currency written ("49.90"; yen: "4990"); NULL for an unknown currency.
-- to_minor(as_decimal(x, currency), currency) = x.
CREATE OR REPLACE MACRO as_decimal(minor, currency) AS
  CASE WHEN minor IS NULL THEN NULL
       WHEN currency_digits(currency) = 0 THEN CAST(minor AS VARCHAR)
       WHEN currency_digits(currency) > 0 THEN concat(CASE WHEN minor < 0 THEN '-' ELSE '' END,
         abs(CAST(minor AS HUGEINT)) // minor_units(currency), '.',
         lpad(CAST(abs(CAST(minor AS HUGEINT)) % minor_units(currency) AS VARCHAR), currency_digits(currency), '0')) END;

-- Units: a whole number in digits, or a vendor's decimal of one ("7", "7.000"); NULL for anything else.
CREATE OR REPLACE MACRO to_units(value) AS
  CASE WHEN regexp_full_match(CAST(value AS VARCHAR), '-?[0-9]{1,15}(\.0*)?')
       THEN TRY_CAST(split_part(CAST(value AS VARCHAR), '.', 1) AS BIGINT) END;

-- A moment as vendors write it; NULL for anything else, and for what no record can be of: before 1970, after 2100, never.
CREATE OR REPLACE MACRO to_moment(value) AS
  CASE WHEN TRY_CAST(value AS TIMESTAMPTZ) BETWEEN TIMESTAMPTZ '1970-01-01 00:00Z' AND TIMESTAMPTZ '2100-01-01 00:00Z'
       THEN TRY_CAST(value AS TIMESTAMPTZ) END;

-- Half-up conversions between net and gross minor units; rate in basis points (2000 = 20 %).
CREATE OR REPLACE MACRO to_gross(net_minor, rate_bp) AS
  CAST((CAST(net_minor AS HUGEINT) * (10000 + rate_bp) * 2 + 10000) // 20000 AS BIGINT);
CREATE OR REPLACE MACRO to_net(gross_minor, rate_bp) AS
  CAST((CAST(gross_minor AS HUGEINT) * 20000 + 10000 + rate_bp) // (2 * (10000 + rate_bp)) AS BIGINT);

-- A fraction of whole numbers as one whole number, in a mode of rounding as Python's decimal and Java name them; half up
-- where none is named. Whole numbers alone: no float is ever asked.
CREATE OR REPLACE MACRO rounded(numerator, denominator, mode) AS
  CAST(CASE WHEN CAST(numerator AS HUGEINT) < 0 THEN -1 ELSE 1 END AS HUGEINT) * (
    abs(CAST(numerator AS HUGEINT)) // CAST(denominator AS HUGEINT) + CASE
      WHEN mode = 'down' THEN 0
      WHEN mode = 'up' THEN CAST(abs(CAST(numerator AS HUGEINT)) % CAST(denominator AS HUGEINT) > 0 AS INTEGER)
      WHEN 2 * (abs(CAST(numerator AS HUGEINT)) % CAST(denominator AS HUGEINT)) <> CAST(denominator AS HUGEINT)
        THEN CAST(2 * (abs(CAST(numerator AS HUGEINT)) % CAST(denominator AS HUGEINT)) > CAST(denominator AS HUGEINT) AS INTEGER)
      WHEN mode = 'half_down' THEN 0
      WHEN mode = 'half_even' THEN abs(CAST(numerator AS HUGEINT)) // CAST(denominator AS HUGEINT) % 2
      ELSE 1 END);

-- What a system that holds a net price charges with tax, rounded in its own way; and the net price from which it comes to
-- a given gross one. At most one does; where none does (no net at 20 % makes 0.03), the nearest.
CREATE OR REPLACE MACRO gross_in(net_minor, rate_bp, mode) AS
  CAST(rounded(CAST(net_minor AS HUGEINT) * (10000 + rate_bp), 10000, mode) AS BIGINT);
CREATE OR REPLACE MACRO net_in(gross_minor, rate_bp, mode) AS
  to_net(gross_minor, rate_bp) + CASE
    WHEN coalesce(mode, 'half_up') NOT IN ('up', 'down') THEN 0
    WHEN gross_in(to_net(gross_minor, rate_bp), rate_bp, mode) = gross_minor THEN 0
    WHEN gross_in(to_net(gross_minor, rate_bp) + 1, rate_bp, mode) = gross_minor THEN 1
    WHEN gross_in(to_net(gross_minor, rate_bp) - 1, rate_bp, mode) = gross_minor THEN -1
    ELSE 0 END;

-- The lowest price on a tax basis that is not below a net cost; NULL where the rate is not known but needed.
CREATE OR REPLACE MACRO lowest_price(cost_minor, tax_basis, rate_bp) AS
  CASE WHEN tax_basis = 'net' THEN cost_minor
       WHEN to_net(to_gross(cost_minor, rate_bp) - 1, rate_bp) >= cost_minor THEN to_gross(cost_minor, rate_bp) - 1
       ELSE to_gross(cost_minor, rate_bp) END;

-- Keyed hash (HMAC-SHA256, hex) of a contact point; the key lives in session variables, never in a table.
CREATE OR REPLACE MACRO contact_point(kind, norm) AS
  CASE WHEN norm IS NOT NULL THEN
    sha256(getvariable('contact_opad') || unhex(sha256(getvariable('contact_ipad') || encode(kind || ':' || norm)))) END;

-- One problem of a row, for the `problems` list that stage models carry (see CONTRIBUTING, "a bad row").
CREATE OR REPLACE MACRO problem(is_bad, field, reason, value_class) AS
  CASE WHEN is_bad THEN {'field': field, 'reason': reason, 'value_class': value_class} END;
CREATE OR REPLACE MACRO problems(list) AS list_filter(list, lambda p: p IS NOT NULL);

-- The faults that every system can have, each in one macro: one name and one class of value for it everywhere.
-- Text that steers a terminal or a page, or hides in it: control characters, marks that turn the direction of writing,
-- and the spaces that have no width.
CREATE OR REPLACE MACRO has_control(value) AS
  regexp_matches(value, '[\p{Cc}\x{061C}\x{200B}\x{200E}\x{200F}\x{202A}-\x{202E}\x{2066}-\x{2069}\x{FEFF}]');
CREATE OR REPLACE MACRO control_in(field) AS
  problem(field IS NOT NULL, field, 'control characters', 'control character');
CREATE OR REPLACE MACRO control_problem(value, field) AS control_in(CASE WHEN has_control(value) THEN field END);
CREATE OR REPLACE MACRO too_long_in(field, most) AS
  problem(field IS NOT NULL, field, 'longer than ' || CAST(most AS VARCHAR) || ' characters', 'too long');
CREATE OR REPLACE MACRO too_long_problem(value, field, most) AS
  too_long_in(CASE WHEN length(value) > most THEN field END, most);
-- Which of a person's texts has such a fault, where a system has them all: one is told of, the first.
CREATE OR REPLACE MACRO too_long_text(first_name, last_name, street, city, postcode, phone, most) AS
  CASE WHEN length(first_name) > most THEN 'first_name'
       WHEN length(last_name) > most THEN 'last_name'
       WHEN length(street) > most THEN 'street'
       WHEN length(city) > most THEN 'city'
       WHEN length(postcode) > most THEN 'postcode'
       WHEN length(phone) > most THEN 'phone' END;
CREATE OR REPLACE MACRO control_text(first_name, last_name, street, city, postcode, phone, card) AS
  CASE WHEN has_control(first_name) THEN 'first_name'
       WHEN has_control(last_name) THEN 'last_name'
       WHEN has_control(street) THEN 'street'
       WHEN has_control(city) THEN 'city'
       WHEN has_control(postcode) THEN 'postcode'
       WHEN has_control(phone) THEN 'phone'
       WHEN has_control(card) THEN 'card' END;
CREATE OR REPLACE MACRO wrong_type_problem(json, field, kind) AS
  problem(json_type(json) NOT IN (kind, 'NULL'), field, 'wrong type', lower(json_type(json)));
CREATE OR REPLACE MACRO blank_problem(norm, field) AS problem(norm IS NULL, field, 'blank', 'blank');
CREATE OR REPLACE MACRO missing_problem(is_missing, field) AS problem(is_missing, field, 'missing', 'missing');
CREATE OR REPLACE MACRO negative_problem(number, field) AS problem(number < 0, field, 'negative', 'negative');
CREATE OR REPLACE MACRO large_problem(is_large, field) AS
  problem(is_large, field, 'impossible quantity', 'large number');
-- A hundred thousand at one place, or in one sale, are no units of ours.
CREATE OR REPLACE MACRO too_many_problem(units, field) AS large_problem(abs(units) >= 100000, field);
-- The price of no thing, and the total of no order. Below them no product of amounts, rates and markups leaves its type.
CREATE OR REPLACE MACRO too_high_problem(minor, field, most) AS
  problem(minor > most, field, 'impossible amount', 'large number');
CREATE OR REPLACE MACRO price_problem(minor, field) AS
  CASE WHEN minor < 0 THEN negative_problem(minor, field) ELSE too_high_problem(minor, field, price_limit()) END;
CREATE OR REPLACE MACRO total_problem(minor, field) AS
  CASE WHEN minor < 0 THEN negative_problem(minor, field) ELSE too_high_problem(minor, field, 1000 * price_limit()) END;
CREATE OR REPLACE MACRO count_problem(is_bad, field) AS problem(is_bad, field, 'not a whole number', 'text');
CREATE OR REPLACE MACRO email_problem(is_bad) AS problem(is_bad, 'email', 'not an e-mail address', 'text');
CREATE OR REPLACE MACRO moment_problem(is_bad, field) AS problem(is_bad, field, 'not a moment', 'text');
CREATE OR REPLACE MACRO date_problem(is_bad, field) AS problem(is_bad, field, 'not a date', 'text');
CREATE OR REPLACE MACRO unknown_problem(is_bad, field, what) AS
  problem(is_bad, field, 'not a known ' || what, 'unknown value');
CREATE OR REPLACE MACRO amount_problem(is_bad, value, field) AS
  problem(is_bad, field, 'not an amount of its currency',
    CASE WHEN contains(value, ',') THEN 'comma decimal'
         WHEN TRY_CAST(value AS DOUBLE) IS NOT NULL THEN 'too many decimals' ELSE 'text' END);

-- Problems of the fields that hold JSON of another type than belongs there. `types` is json_type(payload, [their paths]),
-- `kinds` what each is where it is there: VARCHAR, BOOLEAN, OBJECT or ARRAY. Read as VARCHAR, an object or a number would
-- look like text and be compared, and pushed, as such; what holds the fields would read as if it were empty.
CREATE OR REPLACE MACRO wrong_kinds(types, kinds, fields) AS
  problems(list_transform(types, lambda t, i:
    problem(t NOT IN (kinds[i], 'NULL'), fields[i], 'wrong type', lower(t))));
CREATE OR REPLACE MACRO wrong_types(types, fields) AS
  wrong_kinds(types, list_transform(fields, lambda f: 'VARCHAR'), fields);
CREATE OR REPLACE MACRO wrong_elements(types, kind, field) AS
  coalesce(problems(list_transform(types, lambda t: problem(t <> kind, field, 'wrong type', lower(t))))[1:1], []);

-- The key of another record, without which a row cannot be told to belong to anything: it is staged as a problem, never
-- dropped. NULL where it is not there or of another type, so that no such thing stands in a key.
CREATE OR REPLACE MACRO as_key(json) AS CASE WHEN json_type(json) = 'VARCHAR' THEN nullif(json ->> '$', '') END;
CREATE OR REPLACE MACRO key_problem(json, field) AS
  CASE WHEN coalesce(json ->> '$', '') = '' THEN missing_problem(true, field)
       ELSE wrong_type_problem(json, field, 'VARCHAR') END;

-- The same for vendors that number their records: the key is the whole number, as text. And the fields that hold numbers.
CREATE OR REPLACE MACRO as_number_key(json) AS CASE WHEN json_type(json) IN ('UBIGINT', 'BIGINT') THEN json ->> '$' END;
CREATE OR REPLACE MACRO number_key_problem(json, field) AS
  CASE WHEN coalesce(json_type(json), 'NULL') = 'NULL' THEN missing_problem(true, field)
       ELSE problem(json_type(json) NOT IN ('UBIGINT', 'BIGINT'), field, 'wrong type', lower(json_type(json))) END;
CREATE OR REPLACE MACRO wrong_numbers(types, fields) AS
  problems(list_transform(types, lambda t, i:
    problem(t NOT IN ('UBIGINT', 'BIGINT', 'DOUBLE', 'NULL'), fields[i], 'wrong type', lower(t))));

-- Matching keys of persons: coarser than the norms above, for comparing records only, never shown, never written.

-- What is neither letter nor digit (categories P, S, Z and C of Unicode), where European shops meet it: scripts up to Arabic,
-- symbols, the punctuation of East Asia, emoji. By code point, for DuckDB compiles a pattern anew at each use in each query,
-- and one of all letters (\p{L}) takes it seven times as long.
CREATE OR REPLACE MACRO mark_class() AS
  '[' ||
  '\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\xa9\xab-\xb1\xb4\xb6-\xb8\xbb\xbf\xd7\xf7\x{2c2}-\x{2c5}\x{2d2}-\x{2df}' ||
  '\x{2e5}-\x{2eb}\x{2ed}\x{2ef}-\x{2ff}\x{375}\x{37e}\x{384}-\x{385}\x{387}\x{3f6}\x{482}\x{55a}-\x{55f}' ||
  '\x{589}-\x{5c6}\x{5f3}-\x{61f}\x{66a}-\x{66d}\x{6d4}\x{6dd}-\x{6de}\x{6e9}\x{6fd}-\x{6fe}\x{700}-\x{70f}' ||
  '\x{7f6}-\x{7f9}\x{7fe}-\x{7ff}\x{2000}-\x{206f}\x{207a}-\x{207e}\x{208a}-\x{208e}\x{20a0}-\x{2101}' ||
  '\x{2103}-\x{2106}\x{2108}-\x{2109}\x{2114}\x{2116}-\x{2118}\x{211e}-\x{2123}\x{2125}\x{2127}\x{2129}' ||
  '\x{212e}\x{213a}-\x{213b}\x{2140}-\x{2144}\x{214a}-\x{214d}\x{214f}\x{218a}-\x{244a}\x{249c}-\x{24e9}' ||
  '\x{2500}-\x{2775}\x{2794}-\x{2bff}\x{2e00}-\x{2e2e}\x{2e30}-\x{3004}\x{3008}-\x{3020}\x{3030}' ||
  '\x{3036}-\x{3037}\x{303d}-\x{303f}\x{309b}-\x{309c}\x{30a0}\x{30fb}\x{3190}-\x{3191}\x{3196}-\x{319f}' ||
  '\x{31c0}-\x{31e3}\x{3200}-\x{321e}\x{322a}-\x{3247}\x{3250}\x{3260}-\x{327f}\x{328a}-\x{32b0}' ||
  '\x{32c0}-\x{33ff}\x{fe10}-\x{fe6b}\x{feff}-\x{ff0f}\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff65}' ||
  '\x{ffe0}-\x{fffd}\x{1f000}-\x{1f0f5}\x{1f10d}-\x{1fbca}' ||
  ']+';

-- Text: lower case, no accents, ligatures opened, everything but letters and digits one space; NULL when nothing is
-- left or it only says that nothing is known.
CREATE OR REPLACE MACRO fold_text(value) AS
  CASE WHEN regexp_full_match(CAST(value AS VARCHAR), '[A-Za-z]+') THEN lower(CAST(value AS VARCHAR))
       ELSE nullif(trim(regexp_replace(strip_accents(replace(replace(replace(
              lower(CAST(value AS VARCHAR)), 'œ', 'oe'), 'æ', 'ae'), 'ß', 'ss')), mark_class(), ' ', 'g')), '') END;
-- Whether two texts are one for whoever reads them: case, accents and blanks are looks; no value and a blank are one.
CREATE OR REPLACE MACRO is_same_text(a, b) AS coalesce(fold_text(a), '') = coalesce(fold_text(b), '');
-- Whether two texts are one for a machine: as they are, but for how blanks and accents are encoded.
CREATE OR REPLACE MACRO is_same_writing(a, b) AS
  coalesce(trim(regexp_replace(nfc_normalize(a), '\s+', ' ', 'g')), '')
    = coalesce(trim(regexp_replace(nfc_normalize(b), '\s+', ' ', 'g')), '');
CREATE OR REPLACE MACRO known_text(folded) AS
  CASE WHEN NOT regexp_full_match(folded, 'na|n a|nan|none|null|unknown|inconnue?|anonymous|anonyme|test|x+|client|customer|non renseigne')
       THEN folded END;

-- First name without title: "M. Jean-Luc" -> "jean luc", "Anne (Mme)" -> "anne".
CREATE OR REPLACE MACRO first_name_key(value) AS
  known_text(CASE WHEN NOT contains(fold_text(value), ' ') THEN fold_text(value)
    ELSE regexp_replace(fold_text(value),
      '^(?:m|mr|mrs|ms|miss|mme|mlle|monsieur|madame|mademoiselle|dr|herr|frau) (.)|(.) (?:mr|mme|mlle|monsieur|madame)$',
      '\1\2') END);

-- Last name: titles and particles of nobility dropped ("Mme d'Estaing" -> "estaing"), articles joined, after a particle too
-- ("Le Goff" -> "legoff", "de La Fontaine" and "Lafontaine" -> "lafontaine", "O'Brien" -> "obrien"), saints opened ("St
-- Exupéry" -> "saintexupery"), the parts of a double name kept apart ("Martin-Durand" -> "martin durand"), those of a
-- married one too, whatever joins them ("Durand épouse Martin" -> "durand martin", "Martin née Durand" -> "martin durand").
CREATE OR REPLACE MACRO last_name_key(value) AS
  known_text(CASE WHEN NOT contains(fold_text(value), ' ') THEN fold_text(value)
    ELSE regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(fold_text(value),
      '^(?:m|mr|mrs|mme|mlle|monsieur|madame|mademoiselle) (.)', '\1'),
      '(.) (?:epouse|epse|ep|nee|ne|veuve|vve) (.)', '\1 \2'),
      '^(?:de|d|von der|von dem|von|van der|van den|van de|van|zu|zur|di|da|dos|del|della|ter|ten) (.)', '\1'),
      '\b(?:saint|st)(e?) ', 'saint\1', 'g'),
      '\b(le|la|les|l|du|des|o|mc|mac|el|al|ben) |^(n) ', '\1\2', 'g') END);

-- E-mail: lower case, without the "+tag", and without the dots that Gmail ignores; NULL where it cannot be one.
CREATE OR REPLACE MACRO email_key(value) AS
  CASE WHEN NOT coalesce(CAST(value AS VARCHAR) LIKE '%_@_%._%', false) THEN NULL
       WHEN regexp_matches(CAST(value AS VARCHAR), '(?i)@(?:gmail|googlemail)\.com\s*$')
         THEN replace(regexp_extract(lower(trim(CAST(value AS VARCHAR))), '^[^@+]+'), '.', '') || '@gmail.com'
       WHEN contains(CAST(value AS VARCHAR), '+')
         THEN regexp_replace(lower(trim(CAST(value AS VARCHAR))), '\+[^@]*@', '@')
       ELSE lower(trim(CAST(value AS VARCHAR))) END;

-- Phone: the last nine digits, which do not depend on how the country was written; NULL under 8 digits or all alike.
CREATE OR REPLACE MACRO phone_key(value) AS
  CASE WHEN length(regexp_replace(CAST(value AS VARCHAR), '[^0-9]+', '', 'g')) BETWEEN 8 AND 17
        AND NOT regexp_full_match(regexp_replace(CAST(value AS VARCHAR), '[^0-9]+', '', 'g'),
              '[0-9]?(?:0+|1+|2+|3+|4+|5+|6+|7+|8+|9+)|0?123456789?0?')
       THEN right(regexp_replace(CAST(value AS VARCHAR), '[^0-9]+', '', 'g'), 9) END;

-- Birth date to eight digits, year first; not checked against the calendar, since a mistyped one still compares.
-- Day before month where both read, unless `month_first`. NULL for what forms put there by themselves.
CREATE OR REPLACE MACRO date_digits(parts, month_first) AS
  CASE WHEN length(parts.y) = 2 THEN CASE WHEN parts.y > '30' THEN '19' ELSE '20' END ELSE '' END || parts.y
  || CASE WHEN month_first = (TRY_CAST(CASE WHEN month_first THEN parts.a ELSE parts.b END AS INTEGER) <= 12)
       THEN lpad(parts.a, 2, '0') || lpad(parts.b, 2, '0') ELSE lpad(parts.b, 2, '0') || lpad(parts.a, 2, '0') END;
CREATE OR REPLACE MACRO birth_digits(value, month_first) AS
  CASE WHEN regexp_full_match(value, '[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ].*)?') THEN replace(left(value, 10), '-', '')
       WHEN regexp_full_match(value, '(?:1[89]|20)[0-9]{6}') THEN value
       WHEN regexp_full_match(value, '[0-9]{8}') THEN right(value, 4) || substr(value, 3, 2) || left(value, 2)
       WHEN regexp_full_match(value, '[0-9]{4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}(?:[T ].*)?')
         THEN date_digits(regexp_extract(value, '^([0-9]+)[-/. ]([0-9]+)[-/. ]([0-9]+)', ['y', 'a', 'b']), true)
       WHEN regexp_full_match(value, '[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{2}|[0-9]{4})(?:[T ].*)?')
         THEN date_digits(regexp_extract(value, '^([0-9]+)[-/. ]([0-9]+)[-/. ]([0-9]+)', ['a', 'b', 'y']), month_first)
       WHEN regexp_matches(value, '[A-Za-z]')
         THEN strftime(try_strptime(value, ['%d %B %Y', '%d %b %Y', '%B %d, %Y', '%b %d, %Y', '%B %d %Y', '%b %d %Y',
                                            '%d-%b-%Y', '%d %b, %Y', '%A, %B %d, %Y']), '%Y%m%d') END;
CREATE OR REPLACE MACRO birth_key(value, month_first) AS
  CASE WHEN NOT regexp_full_match(birth_digits(trim(CAST(value AS VARCHAR)), month_first),
              '19000101|18991231|19010101|00010101|1+|0+|99991231')
       THEN birth_digits(trim(CAST(value AS VARCHAR)), month_first) END;

-- Street: number and name, without the kind of street, articles, saints and titles, which are abbreviated at will
-- ("12bis, bd du Gal St-Michel" -> "12 bis michel"). After the number a B or a T is what La Poste makes of bis and ter.
CREATE OR REPLACE MACRO street_number(folded) AS
  CASE WHEN NOT regexp_matches(folded, '^[0-9]+ ?[a-z]+\b') THEN folded
       WHEN regexp_matches(folded, '^[0-9]+ ?b(?:is)?\b') THEN regexp_replace(folded, '^([0-9]+) ?b(?:is)?\b', '\1 bis')
       WHEN regexp_matches(folded, '^[0-9]+ ?t(?:er)?\b') THEN regexp_replace(folded, '^([0-9]+) ?t(?:er)?\b', '\1 ter')
       ELSE regexp_replace(folded, '^([0-9]+) ?([a-z]|quater)\b', '\1 \2') END;
CREATE OR REPLACE MACRO street_key(value) AS
  coalesce(nullif(trim(regexp_replace(regexp_replace(street_number(fold_text(value)),
    '\b(?:rue|r|avenue|av|ave|boulevard|boul|bd|bld|bvd|blvd|place|pl|chemin|ch|route|rte|impasse|imp|allee|all|quai|square|sq|cours|crs|faubourg|fbg|fg|residence|res|lieu dit|lieudit|ld|general|gal|marechal|mal|president|pdt|docteur|professeur|saint|sainte|ste|street|st|road|rd|lane|ln|drive|dr|court|ct|crescent|cres|close|terrace|circuit|strasse|str|via|calle|de|du|des|la|le|les|l|d)\b', '', 'g'),
    ' +', ' ', 'g')), ''), fold_text(value));

-- City: without CEDEX and district ("PARIS CEDEX 08", "Paris 8e arrondissement" -> "paris"), "St" and "s/" opened; NULL
-- where it says no more than CEDEX.
CREATE OR REPLACE MACRO city_key(value) AS
  CASE WHEN NOT contains(fold_text(value), ' ') THEN nullif(known_text(fold_text(value)), 'cedex')
       ELSE nullif(known_text(replace(regexp_replace(regexp_replace(regexp_replace(fold_text(value),
         '(?:^| )cedex(?: .*)?$| [0-9]+(?:e|er|eme|th|st|nd|rd)?(?: arr[a-z]*| ardt)?$', ''), '\bst ', 'saint '),
         '\bste ', 'sainte '), ' s ', ' sur ')), '') END;

-- Postcode: letters and digits, country prefix, CEDEX and a town beside it dropped, short numbers filled up with zeros.
CREATE OR REPLACE MACRO postcode_key(value) AS
  CASE WHEN regexp_full_match(CAST(value AS VARCHAR), '[0-9]{5}') THEN CAST(value AS VARCHAR)
       WHEN regexp_full_match(trim(CAST(value AS VARCHAR)), '[0-9]{3,4}') THEN lpad(trim(CAST(value AS VARCHAR)), 5, '0')
       WHEN regexp_full_match(trim(CAST(value AS VARCHAR)), '(?:[A-Za-z]{1,2}-? ?)?[0-9]{4,5}(?:-[0-9]{4}| [Cc][Ee][Dd][Ee][Xx].*)?')
         THEN lpad(regexp_extract(CAST(value AS VARCHAR), '[0-9]{4,5}'), 5, '0')
       WHEN regexp_full_match(trim(CAST(value AS VARCHAR)), '[0-9]{5}[ -]+[^0-9].*') THEN left(trim(CAST(value AS VARCHAR)), 5)
       ELSE nullif(replace(fold_text(value), ' ', ''), '') END;

-- Loyalty card: letters and digits, at least four of them and not all the same digit.
CREATE OR REPLACE MACRO card_key(value) AS
  CASE WHEN length(regexp_replace(CAST(value AS VARCHAR), '[^0-9A-Za-z]+', '', 'g')) >= 4
        AND NOT regexp_full_match(regexp_replace(CAST(value AS VARCHAR), '[^0-9A-Za-z]+', '', 'g'), '0+|1+|9+')
       THEN upper(regexp_replace(CAST(value AS VARCHAR), '[^0-9A-Za-z]+', '', 'g')) END;

-- Two names that are alike are one name mistyped where one of them is hardly ever met (counts: records that bear it).
CREATE OR REPLACE MACRO name_is_typo(a, b, a_count, b_count) AS
  jaro_winkler_similarity(a, b) >= 0.88
  AND (least(a_count, b_count) <= 2 OR least(a_count, b_count) * 10 < greatest(a_count, b_count));

-- Whether a first name is another record's last name, or that with one slip; one that goes on at its end is another name.
CREATE OR REPLACE MACRO name_is_turned(a, b) AS
  a = b OR (left(a, 1) = left(b, 1) AND damerau_levenshtein(a, b) <= 1 AND NOT starts_with(a, b) AND NOT starts_with(b, a));

-- Whether two matching keys contradict each other: both known, and neither equal nor a usual slip of the same value.
CREATE OR REPLACE MACRO births_are_near(a, b) AS
  damerau_levenshtein(a, b) <= 1
  OR (left(a, 4) = left(b, 4) AND substr(a, 5, 2) = right(b, 2) AND right(a, 2) = substr(b, 5, 2));
CREATE OR REPLACE MACRO births_differ(a, b) AS coalesce(a <> b AND NOT births_are_near(a, b), false);
CREATE OR REPLACE MACRO first_names_differ(a, b) AS
  coalesce(a <> b AND NOT starts_with(a, b) AND NOT starts_with(b, a) AND jaro_winkler_similarity(a, b) < 0.8, false);

-- An id of ours, minted from where a thing was first seen: a UUID (version 8, RFC 9562) of its SHA-256.
CREATE OR REPLACE MACRO minted_id(origin) AS
  concat_ws('-', substr(sha256(origin), 1, 8), substr(sha256(origin), 9, 4), '8' || substr(sha256(origin), 14, 3),
            '8' || substr(sha256(origin), 18, 3), substr(sha256(origin), 21, 12));

-- Numbers, words and moments as people's files write them, each in a writing of its own that the file's mapping names.
-- Number with `decimal` and `thousands` signs: as plain decimal text ("1.234,50" -> "1234.50"); NULL for anything else.
-- A thousands sign stands before every three digits or nowhere. A blank as thousands sign may be one that does not break.
CREATE OR REPLACE MACRO sign_of(sign, decimal_sign, thousands) AS
  CASE WHEN decimal_sign = sign THEN '.' WHEN thousands = sign THEN '_' ELSE '!' END;
CREATE OR REPLACE MACRO signs_told(value, decimal_sign, thousands) AS
  translate(regexp_replace(value, '^[\s\p{Z}]+|[\s\p{Z}]+$', '', 'g'), ',.'' ’' || chr(160) || chr(8239),
    sign_of(',', decimal_sign, thousands) || sign_of('.', decimal_sign, thousands)
    || sign_of('''', decimal_sign, thousands) || sign_of(' ', decimal_sign, thousands)
    || sign_of('''', decimal_sign, thousands) || sign_of(' ', decimal_sign, thousands)
    || sign_of(' ', decimal_sign, thousands));
CREATE OR REPLACE MACRO plain_decimal(value, decimal_sign, thousands) AS
  CASE WHEN regexp_full_match(signs_told(value, decimal_sign, thousands),
              '[-+]?(?:[0-9]{1,3}(?:_[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?')
       THEN ltrim(replace(signs_told(value, decimal_sign, thousands), '_', ''), '+') END;

-- An amount of a file in minor units: written in major units, or in whole minor ones; NULL for anything else.
CREATE OR REPLACE MACRO amount_of_file(value, decimal_sign, thousands, unit, currency) AS
  CASE WHEN unit = 'minor' THEN CASE WHEN currency_digits(currency) IS NOT NULL
              THEN to_units(plain_decimal(value, decimal_sign, thousands)) END
       ELSE to_minor(plain_decimal(value, decimal_sign, thousands), currency) END;
CREATE OR REPLACE MACRO file_amount_problem(value, minor, decimal_sign, thousands, currency, field) AS
  problem(value IS NOT NULL AND minor IS NULL AND currency_digits(currency) IS NOT NULL, field,
    'not an amount of its currency',
    CASE WHEN plain_decimal(value, decimal_sign, thousands) IS NOT NULL THEN 'too many decimals'
         WHEN regexp_full_match(trim(value), '[-+]?[0-9][0-9., ''’]*') THEN 'other writing of numbers' ELSE 'text' END);

-- Yes or no in the words of the file; NULL for another word, and for none.
CREATE OR REPLACE MACRO said(value, yes, no) AS
  CASE WHEN list_contains(yes, lower(trim(value))) THEN true WHEN list_contains(no, lower(trim(value))) THEN false END;

-- A moment of a file, day, month and year in the order that the mapping names, year first with four digits in any; its
-- own zone where it says one, else `timezone`. NULL for anything else.
CREATE OR REPLACE MACRO date_parts(value) AS regexp_extract(trim(value),
  '^([0-9]{1,4})[-/. ]([0-9]{1,2})[-/. ]([0-9]{1,4})(?:[T ]+([0-9]{1,2})[:hH]([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?)?$',
  ['a', 'b', 'c', 'h', 'm', 's']);
CREATE OR REPLACE MACRO full_year(year) AS CASE WHEN length(year) = 2 THEN '20' || year ELSE year END;
CREATE OR REPLACE MACRO written_moment(p, dates) AS
  CASE WHEN length(p.a) = 4 THEN concat(p.a, '-', p.b, '-', p.c)
       WHEN length(p.c) NOT IN (2, 4) AND dates <> 'year-month-day' THEN NULL
       WHEN dates = 'day-month-year' THEN concat(full_year(p.c), '-', p.b, '-', p.a)
       WHEN dates = 'month-day-year' THEN concat(full_year(p.c), '-', p.a, '-', p.b)
       ELSE concat(full_year(p.a), '-', p.b, '-', p.c) END
  || concat(' ', coalesce(nullif(p.h, ''), '0'), ':', coalesce(nullif(p.m, ''), '00'), ':', coalesce(nullif(p.s, ''), '00'));
CREATE OR REPLACE MACRO moment_of_file(value, dates, timezone) AS
  CASE WHEN regexp_matches(value, '[0-9][zZ]$|:[0-9]{2}(?:\.[0-9]+)?[+-][0-9]{2}:?[0-9]{2}$') THEN to_moment(value)
       ELSE to_moment(TRY_CAST(written_moment(date_parts(value), dates) AS TIMESTAMP) AT TIME ZONE timezone) END;

-- Where in a file a problem is, for whoever mends it there: beside the class of the value, for reasons are counted.
CREATE OR REPLACE MACRO at_line(problems, file, line) AS
  list_transform(problems, lambda p: {'field': p.field, 'reason': p.reason,
    'value_class': concat(p.value_class, ', ', file, ' line ', line)});
CREATE OR REPLACE MACRO twice_problem(times) AS
  problem(times > 1, 'key', 'stands in the file more than once', 'duplicate');

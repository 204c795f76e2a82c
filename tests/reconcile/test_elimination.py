"""An error in a first name and a relative look alike in one pair; all records together tell them apart."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.reconcile import persons_link
from pipelines.reconcile.persons import reconcile_persons
from pipelines.reconcile.persons_blocks import build_candidates, filled_features
from pipelines.reconcile.persons_clusters import join_eliminated
from pipelines.reconcile.persons_settings import FEATURES, linkage
from pipelines.sql import build
from tests.reconcile.people import persons, put_customers, start_night, together

PERSONS = 400
ERRORS = 15
SYLLABLES = [c + v for c in "bdfgklmnprstv" for v in ("a", "e", "i", "o", "u")]


def name(number: int, parts: int) -> str:
    steps = [(number * 7 + part * (number // 9 + 11)) % len(SYLLABLES) for part in range(parts)]
    return "".join(SYLLABLES[step] for step in steps).title()


def person(number: int, **other: Any) -> dict[str, Any]:
    return {
        "first_name": name(number, 2), "last_name": name(number + 500, 4),
        "street": f"{number} rue {name(number + 60, 3)}",
        "postcode": f"{10000 + 331 * number}", "city": name(number + 90, 3),
        "birth_date": f"{1940 + number % 60}-{1 + number % 12:02}-{1 + number % 28:02}",
    } | other


def world(partners: int = PERSONS) -> list[dict[str, Any]]:
    """Persons with a record in the till and, `partners` of them, one in the CRM; some first names differ there."""
    wrong = {n: {"first_name": name(n + 40, 2)} for n in range(ERRORS)}
    return [{"key": f"square/{n}", **person(n)} for n in range(PERSONS)] + [
        {"key": f"hubspot/{n}", **person(n, **wrong.get(n, {}))} for n in range(partners)
    ]


@pytest.fixture
def night(con):
    start_night(con)
    return con


def test_where_nearly_all_have_a_partner_and_none_a_relative_another_first_name_is_an_error(night):
    put_customers(night, world())
    reconcile_persons(night)
    found = together(night)
    assert {frozenset({f"square/{n}", f"hubspot/{n}"}) for n in range(ERRORS)} <= found
    rules = dict(night.execute(
        "SELECT vendor_id, rule FROM reconcile.person_matches WHERE system = 'square'"
    ).fetchall())
    assert {rules[str(n)] for n in range(ERRORS)} == {"elimination"}
    assert rules[str(ERRORS)] == "splink"


def test_where_twins_live_and_many_stand_alone_another_first_name_is_put_before_a_person(night):
    twins = [
        {"key": f"{system}/t{n}", **person(n, first_name=name(n + 77, 2))}
        for n in range(ERRORS, 5 * ERRORS) for system in ("square", "hubspot")
    ]
    put_customers(night, [*world(partners=260), *twins])
    reconcile_persons(night)
    found = together(night)
    assert not any({f"square/{n}", f"square/t{n}"} <= who for who in found for n in range(ERRORS, 5 * ERRORS))
    assert {frozenset({f"square/{n}", f"hubspot/{n}"}) for n in range(ERRORS)}.isdisjoint(found)
    asked = night.execute("SELECT vendor_a, vendor_b FROM reconcile.person_reviews").fetchall()
    assert {(str(n), str(n)) for n in range(ERRORS)} <= set(asked)


def test_where_most_records_stand_alone_nobody_is_the_last_one_left(night):
    put_customers(night, world(partners=80))
    reconcile_persons(night)
    assert {frozenset({f"square/{n}", f"hubspot/{n}"}) for n in range(ERRORS)}.isdisjoint(together(night))


def test_a_group_that_would_hold_two_cards_is_left_as_it_was(night):
    rows = world()
    for row in rows:
        if row["key"] in ("square/0", "hubspot/0"):
            row["card"] = f"FID-{row['key']}"
    put_customers(night, rows)
    reconcile_persons(night)
    found = together(night)
    assert frozenset({"square/0", "hubspot/0"}) not in found
    assert frozenset({"square/1", "hubspot/1"}) in found


def eliminations(con, is_borne, doubt):
    """How many are joined of 30 pairs of lone records that differ in the doubted value; 20 others are lone, too.

    Of 200 persons each has two records, which bear one such value where `is_borne` says so of his number; 60 pairs of
    them, 0 and 1, 2 and 3 and so on, are as alike as the lone ones. What is not doubted agrees.
    """
    sure = "birth" if doubt == "first_name" else "first_name"
    con.execute("CREATE OR REPLACE TABLE reconcile.person_clusters AS SELECT r AS record_id, "
                "CASE WHEN r <= 80 THEN r ELSE r - (r - 1) % 2 END AS cluster FROM range(1, 481) AS t (r)")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_features AS "
                f"SELECT record_id, 's' || cluster AS {sure}, "
                f"'n' || CASE WHEN cluster IN (SELECT unnest(?)) THEN cluster ELSE record_id END AS {doubt} "
                "FROM reconcile.person_clusters", [[81 + 2 * n for n in range(200) if is_borne(n)]])
    con.execute("CREATE OR REPLACE TABLE reconcile.person_links AS "
                "SELECT 2 * n - 1 AS l, 2 * n AS r, 'splink' AS rule, true AS shares_more, false AS is_auto "
                "FROM range(1, 31) AS t (n)")
    con.execute("INSERT INTO reconcile.person_links SELECT 81 + 4 * n, 83 + 4 * n, 'splink', true, false "
                "FROM range(60) AS t (n)")
    con.execute(f"CREATE OR REPLACE TABLE reconcile.person_pairs AS SELECT l, r, 20.0 AS weight, 'other' AS {doubt}, "
                f"'same' AS {sure}, 'missing' AS card FROM reconcile.person_links")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_apart (l BIGINT, r BIGINT)")
    return build(con, persons_link.model("person_eliminations"))


@pytest.mark.parametrize("doubt", ["first_name", "birth"])
@pytest.mark.parametrize(("is_borne", "expected"), [
    (lambda n: True, 0), (lambda n: n >= 120 or n % 2, 30), (lambda n: n >= 60 or n % 2, 0), (lambda n: False, 0),
], ids=["relatives", "errors that kept two parts of a person apart", "some of both", "nothing can be told"])
def test_who_bears_what_is_in_doubt_in_one_record_only_is_no_relative(con, is_borne, expected, doubt):
    assert eliminations(con, is_borne, doubt) == expected


@pytest.mark.parametrize(
    ("column", "one", "other", "is_kept_apart"),
    [("card", "FID-A", "FID-B", True), ("email", "a@example.fr", "b@example.fr", True),
     ("card", "FID-A", "FID-A", False)],
    ids=["two cards", "two e-mails of one system", "one card"],
)
def test_a_group_is_left_as_it_was_where_two_that_join_it_contradict_each_other(con, column, one, other, is_kept_apart):
    """Persons 1 and 3 have two records each; 2 and 4 are eliminated into 1, 6 into 3. No pair contradicts itself."""
    con.execute("CREATE OR REPLACE TABLE reconcile.person_eliminations (l BIGINT, r BIGINT)")
    con.execute("INSERT INTO reconcile.person_eliminations VALUES (1, 2), (1, 4), (3, 6)")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_clusters (record_id BIGINT, cluster BIGINT)")
    con.execute("INSERT INTO reconcile.person_clusters VALUES (1, 1), (5, 1), (2, 2), (3, 3), (7, 3), (4, 4), (6, 6)")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_features "
                "(record_id BIGINT, card VARCHAR, email VARCHAR, source VARCHAR)")
    con.execute("INSERT INTO reconcile.person_features SELECT unnest(range(1, 8)), NULL, NULL, 'square'")
    con.execute(f"UPDATE reconcile.person_features SET {column} = ? WHERE record_id = 2", [one])
    con.execute(f"UPDATE reconcile.person_features SET {column} = ? WHERE record_id = 4", [other])
    con.execute("CREATE OR REPLACE TABLE reconcile.person_apart (l BIGINT, r BIGINT)")
    con.execute("CREATE OR REPLACE TABLE reconcile.person_links (l BIGINT, r BIGINT, rule VARCHAR, is_auto BOOLEAN)")
    con.execute("INSERT INTO reconcile.person_links VALUES (1, 2, 'splink', false), (1, 4, 'splink', false), "
                "(3, 6, 'splink', false)")
    join_eliminated(con)
    found = dict(con.execute("SELECT record_id, cluster FROM reconcile.person_clusters").fetchall())
    expected = {1: 1, 5: 1, 2: 1, 4: 1, 3: 3, 7: 3, 6: 3} | ({2: 2, 4: 4} if is_kept_apart else {})
    assert found == expected
    links = con.execute("SELECT l, r, rule FROM reconcile.person_links WHERE is_auto ORDER BY ALL").fetchall()
    joined = [] if is_kept_apart else [(1, 2), (1, 4)]
    assert links == [(left, right, "elimination") for left, right in [*joined, (3, 6)]]


def looks(monkeypatch, con, records, *found):
    """How often is looked for eliminations where each look finds so many."""
    seen = []

    def build(_con, model):
        if model.name != "reconcile.person_eliminations":
            return 0
        seen.append(model.name)
        return found[len(seen) - 1]

    con.execute("CREATE OR REPLACE TABLE reconcile.person_features AS "
                "SELECT unnest(range(1, ? + 1)) AS record_id", [records])
    for table in persons_link.SCRATCH:
        con.execute(f"CREATE TABLE IF NOT EXISTS reconcile.{table} (l BIGINT)")
    monkeypatch.setattr(persons_link, "build", build)
    for name in ("filled_features", "build_candidates", "score_candidates", "build_clusters", "join_eliminated"):
        monkeypatch.setattr(persons_link, name, lambda *_: None)
    persons_link.link_records(con)
    return len(seen)


@pytest.mark.parametrize(
    ("found", "expected"), [((0,), 1), ((10,), 1), ((11, 10), 2), ((11, 11, 11), 3)],
    ids=["nothing", "hardly any", "many, then hardly any", "many every time"],
)
def test_another_look_is_taken_while_the_last_one_joined_many_and_three_at_most(monkeypatch, con, found, expected):
    assert looks(monkeypatch, con, 1_000, *found) == expected


@pytest.mark.parametrize(
    ("records", "is_looked_at"), [(2_000, True), (1_999, False), (2_002, False)],
    ids=["few", "too few to train on", "too many"],
)
def test_few_records_are_looked_at_more_closely(con, records, is_looked_at):
    """Two records that share a street, and nothing else, are a pair where the rules for few hold."""
    limits = linkage()
    few = replace(limits, blocking={**limits.blocking, "few_records": 2_001})
    con.execute("CREATE OR REPLACE TABLE reconcile.person_features AS SELECT unnest(range(1, ? + 1)) AS record_id, "
                + ", ".join(f"CAST(NULL AS VARCHAR) AS {name}" for name in FEATURES), [records])
    con.execute("UPDATE reconcile.person_features SET street = '12 rue foch' WHERE record_id <= 2")
    build_candidates(con, few, filled_features(con))
    found = con.execute("SELECT l, r FROM reconcile.person_candidates").fetchall()
    assert found == ([(1, 2)] if is_looked_at else [])


def test_who_was_joined_stays_one_when_a_later_night_would_not_have_joined_them(night):
    put_customers(night, world())
    reconcile_persons(night)
    before = persons(night)
    start_night(night, 1)
    put_customers(night, [  # many who stand alone: tonight nothing is joined by elimination any more
        {"key": f"square/new{n}", **person(n + PERSONS)} for n in range(2 * PERSONS)
    ])
    reconcile_persons(night)
    links = night.execute("SELECT count(*) FROM reconcile.person_links WHERE rule = 'elimination'").fetchall()
    assert links == [(0,)]
    after = persons(night)
    assert {record: after[record] for record in before} == before

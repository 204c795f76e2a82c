"""Parting two who were taken for one: for ever, by whatever they are linked, and back to the ids from before."""

import random
from datetime import timedelta
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.errors import DataError
from pipelines.ledger.partings import Parting, Record, Rejoining, find_parting, find_undone, keep_word
from pipelines.reconcile.persons import reconcile_persons
from pipelines.reconcile.persons_clusters import join_eliminated
from tests.reconcile.people import NIGHT, not_read, persons, put_customers, start_night, together
from tests.reconcile.test_elimination import ERRORS, world

ANNE = {"first_name": "Anne", "last_name": "Roux"}
LEA = {"first_name": "Anne", "last_name": "Roux", "card": "FID0001", "phone": "0612345670"}
TABLES = (
    "hubspot.customers", "square.customers", "shopify.customers", "mailchimp.customers", "ledger.identity.persons",
    "ledger.identity.person_history", "ledger.identity.person_moves", "ledger.identity.apart",
    "ledger.identity.apart_undone",
)
REBUILT = ("ledger.identity.persons", "ledger.identity.person_moves")


@pytest.fixture
def night(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    start_night(con)
    return con


def part(con: duckdb.DuckDBPyConnection, *words: str, day: int = 9) -> str:
    """A person's word, taken in; returns the person that is parted."""
    person, taken, kept = find_parting(con, words)
    at = NIGHT + timedelta(days=day)
    keep_word(con, Parting(taken=tuple(taken), kept=tuple(kept), author="Ana", reason="mother and daughter", at=at))
    return person


def rejoin(con: duckdb.DuckDBPyConnection, *words: str, day: int = 10) -> None:
    at = NIGHT + timedelta(days=day)
    keep_word(con, Rejoining(parting_ids=tuple(find_undone(con, words)), author="Ana", reason="a slip", at=at))


def history(con: duckdb.DuckDBPyConnection, night_id: str) -> list[tuple[Any, ...]]:
    return con.execute(
        "SELECT person_id, event, other_person_id, author, reason FROM ledger.identity.person_history "
        "WHERE night_id = ? ORDER BY ALL", [night_id],
    ).fetchall()


def merged(con: duckdb.DuckDBPyConnection) -> tuple[str, str]:
    """Two persons who became one on the third night; their ids, the older first."""
    put_customers(con, [{"key": "square/1", **ANNE, "phone": "0612345670"}])
    reconcile_persons(con)
    start_night(con, 1)
    put_customers(con, [
        {"key": "mailchimp/1", **ANNE, "email": "a@example.fr"}, {"key": "hubspot/1", **ANNE, "email": "a@example.fr"},
    ])
    reconcile_persons(con)
    older, younger = persons(con)["square/1"], persons(con)["hubspot/1"]
    start_night(con, 2)
    con.execute("UPDATE hubspot.customers SET phone = '0612345670', phone_e164 = '+33612345670'")
    reconcile_persons(con)
    assert set(persons(con).values()) == {older}
    return older, younger


@pytest.mark.parametrize("words", [
    ["hubspot:1", "mailchimp:1"], ["square:1"], ["{younger}"], ["{older}", "square:1"],
], ids=["those that came", "the one that was there", "the person that went into the other", "out of a person"])
def test_both_persons_get_their_own_ids_back_whichever_side_is_named(night, words):
    older, younger = merged(night)
    assert part(night, *(word.format(older=older, younger=younger) for word in words)) == older
    for number in (3, 4):
        start_night(night, number)
        reconcile_persons(night)
        assert persons(night) == {"square/1": older, "hubspot/1": younger, "mailchimp/1": younger}
    assert history(night, "n3") == [(younger, "split", older, "Ana", "mother and daughter")]
    assert history(night, "n4") == []


@pytest.mark.parametrize("away", ["square", "hubspot", "mailchimp"])
def test_who_is_not_read_when_they_are_parted_has_the_right_id_all_the_same(night, away):
    older, younger = merged(night)
    part(night, "hubspot:1", "mailchimp:1")
    start_night(night, 3)
    held = {table: night.execute(f"SELECT * FROM {table}.customers").fetchall() for table in (away,)}
    not_read(night, away)
    reconcile_persons(night)
    own = {"square/1": older, "hubspot/1": younger, "mailchimp/1": younger}
    assert persons(night) == {key: person for key, person in own.items() if not key.startswith(away)}
    start_night(night, 4)
    for row in held[away]:
        night.execute(f"INSERT INTO {away}.customers VALUES ({', '.join('?' for _ in row)})", row)
    reconcile_persons(night)
    assert persons(night) == own


@pytest.mark.parametrize("shared", [
    {"card": "FID0001"}, {"email": "a@example.fr"}, {"phone": "0612345670"},
    {"birth_date": "1980-02-03", "street": "12 rue de la Paix", "city": "Lyon", "postcode": "69002"},
], ids=["card", "e-mail", "phone", "score"])
def test_neither_a_key_nor_a_score_joins_again_whom_a_person_has_parted(night, shared):
    put_customers(night, [{"key": "square/1", **ANNE, **shared}, {"key": "shopify/1", **ANNE, **shared}])
    reconcile_persons(night)
    assert together(night) == {frozenset({"square/1", "shopify/1"})}, "else nothing is shown"
    part(night, "square:1")
    start_night(night, 3)
    reconcile_persons(night)
    assert together(night) == set()
    assert night.execute("SELECT count(*) FROM reconcile.person_reviews").fetchall() == [(0,)]


def test_no_chain_joins_whom_a_person_has_parted(night):
    put_customers(night, [{"key": "square/1", **LEA}, {"key": "shopify/1", **LEA}])
    reconcile_persons(night)
    part(night, "square:1")
    start_night(night, 3)
    put_customers(night, [{"key": "hubspot/1", **LEA}, {"key": "mailchimp/1", **LEA}])
    reconcile_persons(night)
    found = together(night)
    assert not any({"square/1", "shopify/1"} <= person for person in found)
    assert sum(len(person) for person in found) >= 3, "the newcomers are of one of them"


def test_no_elimination_joins_whom_a_person_has_parted(night):
    put_customers(night, world())
    reconcile_persons(night)
    pair = frozenset({"square/3", "hubspot/3"})
    assert pair in together(night) and ERRORS > 3
    part(night, "square:3")
    start_night(night, 3)
    night.execute("DELETE FROM ledger.identity.persons")
    reconcile_persons(night)
    found = night.execute("SELECT vendor_id, rule FROM reconcile.person_matches WHERE system = 'square'")
    rules = dict(found.fetchall())
    assert rules["4"] == "elimination", "others still are"
    assert not any(pair <= person for person in together(night))


def test_a_chain_of_eliminations_over_whom_a_person_has_parted_joins_nobody(con):
    for table, rows in (
        ("person_clusters (record_id BIGINT, cluster BIGINT)", "(1, 1), (2, 2), (3, 3), (4, 4), (5, 5)"),
        ("person_features (record_id BIGINT, card VARCHAR, email VARCHAR, source VARCHAR)",
         "(1, NULL, NULL, ''), (2, NULL, NULL, ''), (3, NULL, NULL, ''), (4, NULL, NULL, ''), (5, NULL, NULL, '')"),
        ("person_eliminations (l BIGINT, r BIGINT)", "(1, 2), (2, 3), (4, 5)"),
        ("person_links (l BIGINT, r BIGINT, is_auto BOOLEAN, rule VARCHAR)", "(1, 2, false, 'splink')"),
        ("person_apart (l BIGINT, r BIGINT)", "(1, 3)"),
    ):
        con.execute(f"CREATE OR REPLACE TABLE reconcile.{table}")
        con.execute(f"INSERT INTO reconcile.{table.split()[0]} VALUES {rows}")
    join_eliminated(con)
    found = con.execute("SELECT record_id, cluster FROM reconcile.person_clusters ORDER BY record_id").fetchall()
    assert found == [(1, 1), (2, 2), (3, 3), (4, 4), (5, 4)]


def test_a_system_that_is_away_is_not_carried_over_to_whom_it_was_parted_from(night):
    put_customers(night, [{"key": "square/1", **LEA}, {"key": "shopify/1", **LEA}])
    reconcile_persons(night)
    part(night, "square:1")
    start_night(night, 3)
    put_customers(night, [{"key": "hubspot/1", "first_name": "Zoe", "last_name": "Petit", "email": "z@example.fr"}])
    night.execute("UPDATE square.customers SET email = 'z@example.fr', email_norm = 'z@example.fr', first_name = 'Zoe'")
    reconcile_persons(night)
    assert together(night) == {frozenset({"square/1", "hubspot/1"})}
    start_night(night, 4)
    not_read(night, "square")
    night.execute("UPDATE hubspot.customers SET first_name = 'Anne', last_name = 'Roux', card = 'FID0001'")
    reconcile_persons(night)
    assert together(night) == {frozenset({"shopify/1", "hubspot/1"})}, "hubspot goes over"
    bound = dict(night.execute("SELECT system, person_id FROM ledger.identity.persons").fetchall())
    assert bound["square"] != bound["shopify"] == bound["hubspot"]


def test_taken_back_they_are_joined_again_by_their_keys(night):
    older, younger = merged(night)
    part(night, "square:1")
    start_night(night, 3)
    reconcile_persons(night)
    rejoin(night, "square:1", "hubspot:1")
    start_night(night, 4)
    reconcile_persons(night)
    assert set(persons(night).values()) == {older}
    assert history(night, "n4") == [(younger, "merged", older, None, "its records are linked to an older person")]
    with pytest.raises(DataError, match="no unmerge that stands"):
        find_undone(night, ["square:1"])


@pytest.mark.parametrize(("words", "message"), [
    (["square:9"], "no night has seen a customer by this record"),
    (["square"], "no record and no person goes by this"),
    (["{older}"], "name the records to take out"),
    (["square:1", "hubspot:1", "mailchimp:1"], "nothing would be left"),
    (["square:1", "shopify:7"], "not one person now"),
    (["square:"], "a record is named system:vendor_id"),
])
def test_a_word_that_parts_nobody_is_refused_with_the_cure(night, words, message):
    older, _ = merged(night)
    put_customers(night, [{"key": "shopify/7", "first_name": "Luc", "last_name": "Petit"}])
    reconcile_persons(night)
    with pytest.raises(DataError, match=message):
        find_parting(night, [word.format(older=older) for word in words])


def test_a_word_said_twice_is_one_and_one_about_nobody_is_refused(night):
    merged(night)
    word = Parting(taken=(Record("square", "1"),), kept=(Record("hubspot", "1"),), author="A", reason="r", at=NIGHT)
    for _ in range(2):
        keep_word(night, word)
    assert night.execute("SELECT count(*) FROM ledger.identity.apart").fetchall() == [(1,)]
    with pytest.raises(DataError, match="square:nobody"):
        keep_word(night, Parting(
            taken=(Record("square", "nobody"),), kept=(Record("hubspot", "1"),), author="A", reason="r", at=NIGHT))


KEYS = [f"{system}/{number}" for system in ("square", "hubspot", "shopify", "mailchimp") for number in (1, 2)]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@example(  # the one that is parted is all that links another to the rest
    shares=[LEA, *[{"card": "FID0001"}] * 6, {"phone": "0612345670"}], apart={"square/1"}, late=set(), seed=0,
)
@given(
    shares=st.lists(st.sampled_from([{"card": "FID0001"}, {"phone": "0612345670"}, {"email": "a@example.fr"}, LEA]),
                    min_size=len(KEYS), max_size=len(KEYS)),
    apart=st.sets(st.sampled_from(KEYS), min_size=1, max_size=4), late=st.sets(st.sampled_from(KEYS), max_size=3),
    seed=st.integers(0, 99),
)
def test_whoever_was_parted_stays_so_whatever_comes_and_in_whatever_order_it_is_read(con, shares, apart, late, seed):
    rows = [{"key": key, **ANNE, **shared} for key, shared in zip(KEYS, shares, strict=True)]
    for table in TABLES:
        con.execute(f"DELETE FROM {table}")
    start_night(con)
    put_customers(con, [row for row in rows if row["key"] not in late])
    reconcile_persons(con)
    found = {key: person for key, person in persons(con).items() if key in apart}
    pairs = set()
    for key, person in found.items():
        others = {other for other, of in persons(con).items() if of == person and other not in apart}
        if others:
            part(con, *(k.replace("/", ":") for k, of in found.items() if of == person))
            pairs |= {frozenset({key, other}) for other in others}
    ids: list[dict[str, str]] = []
    for number, lost in enumerate(((), (), REBUILT), start=1):
        for table in (*TABLES[:4], *lost):
            con.execute(f"DELETE FROM {table}")
        start_night(con, number)
        shuffled = list(rows)
        random.Random(seed + number).shuffle(shuffled)
        put_customers(con, shuffled)
        reconcile_persons(con)
        ids.append(persons(con))
        assert all(len({ids[-1][key] for key in pair}) == 2 for pair in pairs)
    assert ids[0] == ids[1], "read in another order, each is who it was"
    assert all(any(few <= many for many in persons_of(ids[1])) for few in persons_of(ids[2])), (
        "who is told apart without what earlier nights knew was at most one with it"
    )


def persons_of(found: dict[str, str]) -> set[frozenset[str]]:
    """The same whatever the ids."""
    return {frozenset(key for key, of in found.items() if of == person) for person in found.values()}

"""Persons: who is joined and who is kept apart, ids that stay, what the ledger remembers; the command on any table."""

import json
import random
import subprocess
import sys
import tomllib
from types import SimpleNamespace

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.linkage import main
from pipelines.errors import ConfigurationError
from pipelines.reconcile import persons_link
from pipelines.reconcile.persons import reconcile_persons
from pipelines.reconcile.persons_clusters import _take_apart, connected
from pipelines.reconcile.persons_score import _learn, _merged
from pipelines.reconcile.persons_settings import FILE, linkage
from tests.law import law
from tests.reconcile.people import not_read, persons, put_customers, start_night, together

ANNE = {"first_name": "Anne", "last_name": "Roux"}
HOME = {"street": "12 rue de la Paix", "city": "Lyon", "postcode": "69002"}


@pytest.fixture
def night(con):
    start_night(con)
    return con


def joined(con, *rows):
    """The persons that some records make, as sets of records."""
    put_customers(con, rows)
    reconcile_persons(con)
    return together(con)


def test_each_deterministic_key_joins(night):
    found = joined(
        night,
        {"key": "square/1", **ANNE, "card": "FID-0001"},
        {"key": "hubspot/1", "first_name": "Anne", "last_name": "Roux", "card": "fid0001"},
        {"key": "square/2", "first_name": "Zoé", "last_name": "Faure", "email": "Zoe@Example.fr"},
        {"key": "mailchimp/2", "first_name": "Zoe", "email": " zoe+news@example.fr"},
        {"key": "square/3", "first_name": "Jean-Luc", "last_name": "Le Goff", "phone": "06 12 34 56 70"},
        {"key": "shopify/3", "first_name": "Jean Luc", "last_name": "LEGOFF", "phone": "+33 (0)6 12 34 56 70"},
    )
    assert found == {
        frozenset({"square/1", "hubspot/1"}), frozenset({"square/2", "mailchimp/2"}),
        frozenset({"square/3", "shopify/3"}),
    }
    rules = night.execute("SELECT vendor_id, rule FROM reconcile.person_matches WHERE system = 'square'").fetchall()
    assert dict(rules) == {"1": "card", "2": "email", "3": "phone"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"first_name": "Anne", "last_name": "Roux"}, {"first_name": "Paul", "last_name": "Roux"}),
        ({**ANNE, "birth_date": "1980-02-03"}, {"first_name": "Léa", "last_name": "Roux", "birth_date": "1980-02-03"}),
        ({**ANNE, "birth_date": "1980-02-03"}, {**ANNE, "birth_date": "1951-11-30"}),
        ({**ANNE, "card": "FID0001"}, {**ANNE, "card": "FID0002"}),
        ({"first_name": "Laurent", "last_name": "Martin"}, {"first_name": "Martine", "last_name": "Laurent"}),
    ],
    ids=["a couple", "twins", "mother and daughter of one name", "two loyalty cards", "a couple of like names"],
)
def test_a_shared_home_phone_and_address_join_nobody_who_differs(night, one, other):
    shared = {**HOME, "phone": "04 72 00 11 22", "email": "famille@example.fr"}
    assert joined(night, {"key": "square/1", **one, **shared}, {"key": "shopify/1", **other, **shared}) == set()
    reviews = night.execute("SELECT vendor_a, vendor_b FROM reconcile.person_reviews").fetchall()
    assert reviews == [("1", "1")]


def levels(con, first, second):
    """The levels of first and last name of two records, by their vendor ids; none where they are no pair."""
    return con.execute(
        "SELECT p.first_name, p.last_name FROM reconcile.person_pairs AS p "
        "JOIN reconcile.person_records AS a ON a.record_id = p.l "
        "JOIN reconcile.person_records AS b ON b.record_id = p.r "
        "WHERE list_sort([a.source || '/' || a.vendor_id, b.source || '/' || b.vendor_id]) = list_sort([?, ?])",
        [first, second],
    ).fetchall()


@pytest.mark.parametrize(
    ("first_name", "last_name", "expected"),
    [("Rouxel", "Anne", ("turned", "turned")), ("Rouxle", "Anne", ("turned", "turned")),
     ("Rouxlel", "Annie", ("turned", "turned")), ("Rouxelle", "Anne", ("other", "crossed")),
     ("Paul", "Anne", ("other", "crossed")), ("Roussel", "Annie", ("other", "other"))],
    ids=["turned", "turned and mistyped", "turned and both mistyped", "goes on at its end", "crossed", "other names"],
)
def test_names_the_wrong_way_round_agree_where_both_are_as_good_as_the_same(night, first_name, last_name, expected):
    home = {**HOME, "phone": "04 72 00 11 22"}
    found = joined(
        night,
        {"key": "square/1", "first_name": "Anne", "last_name": "Rouxel", **home},
        {"key": "shopify/1", "first_name": first_name, "last_name": last_name, **home},
    )
    assert levels(night, "square/1", "shopify/1") == [expected]
    assert (frozenset({"square/1", "shopify/1"}) in found) == (expected[0] == "turned")


@pytest.mark.parametrize(
    "other",
    [
        {"first_name": "Anne", "last_name": "Petit"},
        {"first_name": "Roux", "last_name": "Anne"},
        {"first_name": "A.", "last_name": "Roux"},
        {"first_name": "ANNE", "last_name": "de Roux"},
        {"first_name": "Mme Anne", "last_name": "Roux-Petit"},
        {"last_name": "Roux"},
        {},
    ],
    ids=["married", "turned", "initial", "particle", "double name", "no first name", "no name"],
)
def test_one_e_mail_joins_the_many_forms_of_a_name(night, other):
    email = {"email": "anne.roux@example.fr"}
    found = joined(night, {"key": "square/1", **ANNE, **email}, {"key": "mailchimp/1", **other, **email})
    assert found == {frozenset({"square/1", "mailchimp/1"})}


def test_nothing_blank_ever_joins(night):
    blanks = {"email": " ", "phone": "", "card": "0000", "birth_date": None, "first_name": "n/a", "last_name": "-"}
    assert joined(night, {"key": "square/1", **blanks}, {"key": "shopify/1", **blanks}) == set()


def test_a_chain_is_cut_where_its_ends_contradict_each_other(night):
    found = joined(
        night,
        {"key": "square/1", **ANNE, "card": "FID0001", "phone": "0612345670", "email": "a@example.fr"},
        {"key": "hubspot/1", **ANNE, "phone": "0612345670", "email": "a@example.fr"},
        {"key": "shopify/1", **ANNE, "card": "FID0002", "phone": "0612345670"},
    )
    assert found == {frozenset({"square/1", "hubspot/1"})}


def test_two_accounts_with_two_addresses_in_one_system_are_not_chained(night):
    found = joined(
        night,
        {"key": "shopify/1", **ANNE, "email": "a@example.fr"},
        {"key": "shopify/2", **ANNE, "email": "b@example.fr"},
        {"key": "hubspot/1", **ANNE, "email": "a@example.fr", "card": "FID0001"},
        {"key": "square/1", **ANNE, "email": "b@example.fr", "card": "FID0001"},
    )
    assert not any({"shopify/1", "shopify/2"} <= person for person in found)


def rows_of_many():
    dice = random.Random(3)
    firsts, lasts = ["Anne", "Paul", "Marc", "Lise", "Rose"], ["Roux", "Faure", "Blanc", "Noir", "Petit", "Morel"]
    rows = []
    for number in range(60):
        name = {"first_name": dice.choice(firsts), "last_name": dice.choice(lasts)}
        known = {"email": f"p{number}@example.fr", "phone": f"06{number:08d}"}
        for system in dice.sample(["hubspot", "square", "shopify", "mailchimp"], 2):
            given = {field: value for field, value in known.items() if dice.random() < 0.8}
            rows.append({"key": f"{system}/{number}", **name, **given})
    return rows


def test_ids_depend_neither_on_the_order_of_records_nor_on_a_rebuild(con):
    rows, found = rows_of_many(), []
    for seed in (1, 2):
        for table in ("hubspot.customers", "square.customers", "shopify.customers", "mailchimp.customers",
                      "ledger.identity.persons", "ledger.identity.person_history"):
            con.execute(f"DELETE FROM {table}")
        start_night(con)
        random.Random(seed).shuffle(rows)
        put_customers(con, rows)
        reconcile_persons(con)
        found.append(persons(con))
    assert found[0] == found[1] and len(set(found[0].values())) < len(found[0])


def test_the_same_night_again_and_a_quiet_next_night_change_nothing(con):
    start_night(con)
    put_customers(con, rows_of_many())
    reconcile_persons(con)
    first, bound = persons(con), con.execute("SELECT * FROM ledger.identity.persons ORDER BY ALL").fetchall()
    for night in (0, 1):
        start_night(con, night)
        built = reconcile_persons(con)
        assert persons(con) == first
        assert con.execute("SELECT * FROM ledger.identity.persons ORDER BY ALL").fetchall() == bound
        assert built["reconcile.person_bindings"] == built["reconcile.person_events"] == 0


def test_a_changed_address_leaves_the_person_whole(night):
    put_customers(night, [
        {"key": "square/1", **ANNE, "email": "a@example.fr"}, {"key": "mailchimp/1", "email": "a@example.fr"},
    ])
    reconcile_persons(night)
    before = persons(night)
    start_night(night, 1)
    night.execute("UPDATE square.customers SET email = 'new@example.fr', email_norm = 'new@example.fr'")
    reconcile_persons(night)
    assert persons(night) == before and len(set(before.values())) == 1


def test_a_system_that_was_not_read_splits_nobody_and_loses_no_binding(night):
    put_customers(night, [
        {"key": "square/1", **ANNE, "phone": "0612345670"},
        {"key": "hubspot/1", **ANNE, "phone": "0612345670", "email": "a@example.fr"},
        {"key": "mailchimp/1", "email": "a@example.fr"},
    ])
    reconcile_persons(night)
    before = persons(night)
    start_night(night, 1)
    not_read(night, "hubspot")
    reconcile_persons(night)
    assert persons(night) == {k: v for k, v in before.items() if k != "hubspot/1"}
    assert len(set(before.values())) == 1
    kept = night.execute("SELECT count(*) FROM ledger.identity.persons WHERE system = 'hubspot'").fetchall()
    assert kept == [(1,)]


def test_a_merge_keeps_the_older_id_takes_absent_records_along_and_is_remembered(night):
    put_customers(night, [{"key": "square/1", **ANNE, "phone": "0612345670"}])
    reconcile_persons(night)
    older = persons(night)["square/1"]
    start_night(night, 1)
    put_customers(night, [
        {"key": "mailchimp/1", **ANNE, "email": "a@example.fr"}, {"key": "hubspot/1", **ANNE, "email": "a@example.fr"},
    ])
    reconcile_persons(night)
    younger = persons(night)["hubspot/1"]
    assert younger != older
    start_night(night, 2)
    not_read(night, "mailchimp")
    night.execute("UPDATE hubspot.customers SET phone = '0612345670', phone_e164 = '+33612345670'")
    reconcile_persons(night)
    assert set(night.execute("SELECT DISTINCT person_id FROM ledger.identity.persons").fetchall()) == {(older,)}
    history = night.execute(
        "SELECT person_id, event, other_person_id, night_id FROM ledger.identity.person_history ORDER BY night_id"
    ).fetchall()
    assert history == [
        (older, "created", None, "n0"), (younger, "created", None, "n1"), (younger, "merged", older, "n2"),
    ]


def test_a_contradiction_splits_and_the_oldest_binding_keeps_the_id(night):
    put_customers(night, [
        {"key": "square/1", **ANNE, "email": "a@example.fr"}, {"key": "hubspot/1", **ANNE, "email": "a@example.fr"},
    ])
    reconcile_persons(night)
    before = persons(night)
    start_night(night, 1)
    night.execute("UPDATE square.customers SET card = 'FID0001'")
    night.execute("UPDATE hubspot.customers SET card = 'FID0002'")
    reconcile_persons(night)
    after = persons(night)
    assert after["hubspot/1"] == before["hubspot/1"] != after["square/1"]
    events = night.execute("SELECT event, other_person_id FROM ledger.identity.person_history WHERE night_id = 'n1'")
    assert events.fetchall() == [("split", before["hubspot/1"])]


def test_golden_takes_each_field_from_the_first_that_holds_it_and_freezes_what_was_not_read(night):
    email = {"email": "a@example.fr"}
    put_customers(night, [
        {"key": "square/1", **ANNE, **email, "phone": "06 12 34 56 70", "street": "1 rue A", "city": " Lyon  3e "},
        {"key": "hubspot/1", "first_name": "Anne-Marie", "last_name": "Roux", **email, "city": "Paris"},
    ])
    reconcile_persons(night)
    query = "SELECT first_name, first_name_authority, phone, phone_authority, city FROM golden.customers"
    assert night.execute(query).fetchall() == [("Anne-Marie", "hubspot", "+33612345670", "square", "Lyon 3e")]
    not_read(night, "hubspot")
    reconcile_persons(night)
    assert night.execute(query).fetchall() == [(None, None, None, None, None)]


def test_a_failure_leaves_the_ledger_as_it_was_and_no_scratch_behind(night, monkeypatch):
    put_customers(night, rows_of_many())
    monkeypatch.setattr(persons_link, "build_clusters", lambda *_: (_ for _ in ()).throw(duckdb.Error("broken")))
    with pytest.raises(duckdb.Error, match="broken"):
        reconcile_persons(night)
    assert night.execute("SELECT count(*) FROM ledger.identity.persons").fetchall() == [(0,)]
    assert night.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = 'linkage'").fetchall() == []


def test_an_estate_without_customers_has_no_persons(night):
    assert reconcile_persons(night)["golden.customers"] == 0


def test_splink_is_not_loaded_by_importing_reconcile():
    code = "import sys, pipelines.reconcile.persons; sys.exit('splink' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_settings_name_no_column_or_comparison_that_there_is_not():
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    features = {"card", "email", "phone", "birth", "postcode", "city", "street", "name", "initial", "first_name",
                "last_name"}
    assert features.issuperset(column for rule in read["blocking"]["rules"] for column in rule)
    assert features.issuperset(column for session in read["training"]["sessions"] for column in session)
    for comparison in linkage().comparisons:
        known = [level for level in comparison.levels if level.m is not None]
        assert comparison.levels[-1].when == "" or comparison.name == "source"
        assert 0.9 < sum(level.m or 0 for level in known) <= 1.1 and 0.9 < sum(level.u or 0 for level in known) <= 1.1


def test_learnt_weights_are_floored_and_never_turn_agreement_into_doubt():
    def learnt(label, m, u):
        return {"label_for_charts": label, "m_probability": m, "u_probability": u}

    weights = _merged(linkage(), {"comparisons": [
        {"output_column_name": "card", "comparison_levels": [learnt("same", 0.4, 0.9), learnt("other", 0.6, 0.1)]},
        {"output_column_name": "email", "comparison_levels": [learnt("same", 1e-20, 0.0), learnt("typo", None, 1e-5)]},
        {"output_column_name": "place", "comparison_levels": [
            learnt("same postcode", 0.8, None), learnt("other", 0.1, 0.95)]},
        {"output_column_name": "street", "comparison_levels": [
            learnt("same", None, None), learnt("other", None, None)]},
    ]})
    assert weights["card", "same"] == (0.9, 0.9) and weights["card", "other"] == (0.1, 0.1)
    floors = linkage().training
    assert weights["email", "same"] == (floors["m_floor"], floors["u_floor"])
    assert weights["place", "same postcode"] == (0.8, 1 / floors["u_pairs"]), "chance never met it in the sample"
    for level in ("same", "other"):
        assert weights["street", level] == linkage().default_weights["street", level]


def test_a_level_that_dies_out_in_training_leaves_its_session_out_and_nothing_else():
    from splink.internals.comparison_level import _validate_m_u_probability

    def linker(train):
        learn = SimpleNamespace(estimate_parameters_using_expectation_maximisation=lambda *_, **__: train())
        return SimpleNamespace(training=learn)

    def broken():
        raise ValueError("no pairs to learn from")

    def learnt(m):  # Splink's own judgement of a value
        return lambda: _validate_m_u_probability(m, "m_probability", "not observed")

    assert _learn(linker(learnt(0.5)), None, 1)
    assert not _learn(linker(learnt(1e-314)), None, 1), "Splink refuses what no float holds"
    with pytest.raises(ValueError, match="no pairs"):
        _learn(linker(broken), None, 1)


EDGES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)).filter(lambda e: e[0] != e[1]), max_size=20)


@law(300)
@given(edges=EDGES, conflicts=EDGES)
def test_no_person_holds_two_records_that_contradict_each_other(edges, conflicts):
    left, right = (np.array([edge[side] for edge in edges], dtype=np.int64) for side in (0, 1))
    labels = connected(left, right, 9)
    inside = [pair for pair in conflicts if labels[pair[0]] == labels[pair[1]]]
    before = labels.copy()
    first, second = (np.array([pair[side] for pair in inside], dtype=np.int64) for side in (0, 1))
    _take_apart(labels, left, right, first, second)
    assert all(labels[a] != labels[b] for a, b in inside)
    assert all(labels[label] == label and label <= record for record, label in enumerate(labels))
    assert all(before[record] == before[label] for record, label in enumerate(labels))
    torn = {int(before[a]) for a, _ in inside}
    assert all(labels[r] == before[r] for r in range(10) if int(before[r]) not in torn)


def make_people(path, persons, seed):
    """Two to three records a person with slips, blanks and several date formats, as a Parquet file with the truth."""
    dice = random.Random(seed)
    syllables = [c + v for c in "bdfgklmnprstv" for v in ("a", "e", "i", "o", "u", "an", "ou")]
    firsts = ["".join(dice.sample(syllables, 2)) for _ in range(60)]
    lasts = ["".join(dice.sample(syllables, 3)) for _ in range(400)]
    rows = []
    for number in range(persons):
        first, last, code = dice.choice(firsts), dice.choice(lasts), dice.randint(10000, 95000)
        email, phone = f"{first}{number}@example.fr", float(f"06{dice.randint(10**7, 10**8 - 1)}")
        year, month, day = f"19{dice.randint(40, 99)}", f"0{dice.randint(1, 9)}", f"1{dice.randint(0, 9)}"
        for source in dice.sample(["till", "web", "crm"], dice.choice([1, 2, 2, 3])):
            born = f"{year}-{month}-{day}" if source == "web" else f"{day}/{month}/{year}"
            rows.append({
                "id": len(rows) + 100, "person": number, "system": source,
                "given": first.upper() if dice.random() < 0.3 else first,
                "family": last[:2] + last[3:] if dice.random() < 0.08 else last,
                "mail": email if dice.random() < 0.7 else None, "mobile": phone if dice.random() < 0.7 else None,
                "born": born if dice.random() < 0.7 else None,
                "number": str(dice.randint(1, 9)), "road": "rue Foch", "code": code,
            })
    pq.write_table(pa.Table.from_pylist(rows), path)
    return {row["id"]: row["person"] for row in rows}


def test_the_command_matches_any_table_of_persons(tmp_path, capsys):
    truth = make_people(tmp_path / "people.parquet", 1_400, seed=5)
    (tmp_path / "columns.toml").write_text(
        '[columns]\nrecord_id = "id"\nsource = "system"\nfirst_name = "given"\nlast_name = "family"\nemail = "mail"\n'
        'phone = "mobile"\nbirth_date = "born"\nstreet = ["number", "road"]\npostcode = "code"\n'
    )
    arguments = ["--records", str(tmp_path / "people.parquet"), "--columns", str(tmp_path / "columns.toml"), "--out"]
    main([*arguments, str(tmp_path / "out.parquet")])
    assert f'"records": {len(truth)}' in capsys.readouterr().out
    found = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert {row["record_id"] for row in found} == truth.keys()
    pairs: dict[str, set[tuple[int, int]]] = {"found": set(), "true": set()}
    for kind, group in (("found", {r["record_id"]: r["cluster_id"] for r in found}), ("true", truth)):
        members: dict[int, list[int]] = {}
        for record, key in sorted(group.items()):
            members.setdefault(key, []).append(record)
        pairs[kind] = {(a, b) for records in members.values() for a in records for b in records if a < b}
    right = len(pairs["found"] & pairs["true"])
    assert right / len(pairs["found"]) >= 0.99
    assert right / len(pairs["true"]) >= 0.95


@pytest.mark.parametrize("columns", [
    'full_name = ["given", "family"]\nbirth_date = "born"', 'first_name = "given"\nbirth_date = "born"',
    'last_name = "family"\npostcode = "code"', 'email = "mail"', "",
], ids=["names and birth", "first name and birth", "last name and postcode", "e-mail alone", "nothing"])
def test_the_command_does_with_few_columns(tmp_path, columns):
    """Enough records to train on, and in each session of the training no comparison may be left."""
    truth = make_people(tmp_path / "people.parquet", 1_400, seed=5)
    assert len(truth) > linkage().training["from_records"]
    (tmp_path / "columns.toml").write_text(f'[columns]\nrecord_id = "id"\n{columns}\n')
    main(["--records", str(tmp_path / "people.parquet"), "--columns", str(tmp_path / "columns.toml"),
          "--out", str(tmp_path / "out.parquet")])
    assert {row["record_id"] for row in pq.read_table(tmp_path / "out.parquet").to_pylist()} == truth.keys()


def test_the_command_takes_columns_whatever_they_are_called(tmp_path):
    """As our own names, as words of SQL, with blanks and quotes."""
    make_people(tmp_path / "people.parquet", 40, seed=3)
    people = pq.read_table(tmp_path / "people.parquet")
    called = {"id": "record_id", "system": "source", "given": "name", "family": "place", "mail": "select",
              "mobile": "row", "born": 'Date "of" Birth', "code": "number", "number": "i", "road": "group"}
    pq.write_table(people.rename_columns([called.get(name, name) for name in people.column_names]),
                   tmp_path / "called.parquet")
    names = {"record_id": "id", "source": "system", "first_name": "given", "last_name": "family", "email": "mail",
             "phone": "mobile", "birth_date": "born", "postcode": "code", "street": ["number", "road"]}
    found = []
    for file, columns in (("people", names), ("called", {
        name: [called[one] for one in plain] if isinstance(plain, list) else called[plain]
        for name, plain in names.items()
    })):
        lines = [f"{name} = {json.dumps(column)}" for name, column in columns.items()]
        (tmp_path / "columns.toml").write_text("\n".join(["[columns]", *lines]))
        main(["--records", str(tmp_path / f"{file}.parquet"), "--columns", str(tmp_path / "columns.toml"),
              "--out", str(tmp_path / "out.parquet")])
        found.append(sorted(tuple(row.values()) for row in pq.read_table(tmp_path / "out.parquet").to_pylist()))
    assert found[0] == found[1]
    assert len({person for _, person in found[0]}) < len(found[0]) == people.num_rows


def test_the_command_names_a_column_that_is_not_there(tmp_path):
    make_people(tmp_path / "people.parquet", 3, seed=1)
    for text, message in (
        ('[columns]\nrecord_id = "id"\nemail = "e_mail"\n', "no column"), ('[columns]\nemail = "mail"\n', "record_id"),
        ('[columns]\nrecord_id = "id"\nnickname = "given"\n', "nickname"),
    ):
        (tmp_path / "columns.toml").write_text(text)
        with pytest.raises(ConfigurationError, match=message):
            main(["--records", str(tmp_path / "people.parquet"), "--columns", str(tmp_path / "columns.toml"),
                  "--out", str(tmp_path / "out.parquet")])

"""What candidates weigh is what Splink's own prediction says under the same model; blocks give every pair once."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.duck import connect
from pipelines.reconcile.persons_blocks import pairs_in_blocks
from pipelines.reconcile.persons_settings import FEATURES, linkage, splink_settings
from pipelines.reconcile.persons_weigh import write_pairs
from pipelines.sql import load_macros
from tests.law import law

RECORDS = 400
VALUES = {
    "first_name": ["lea", "leo", "martin", "martine", "marc", "durand"],
    "last_name": ["durand", "durant", "martin", "martin durand", "durand martin", "roux", "martin"],
    "email": ["a.b@web.fr", "a.b@mail.fr", "a.c@web.fr", "zoe@web.fr"],
    "phone": ["612345678", "612345687", "698765432"], "birth": ["19700312", "19701203", "19700313", "19880101"],
    "street": ["12 foch", "foch 12", "7 hugo"], "city": ["lyon", "lyons", "paris", "paris", "paris"],
    "postcode": ["69002", "69003", "75001"], "card": ["C1001", "C1002"], "source": ["till", "web"],
}


@pytest.fixture
def crowd():
    con = connect()
    load_macros(con, contact_key=b"none")
    dice = random.Random(3)
    con.execute("CREATE SCHEMA reconcile")
    con.execute("CREATE TABLE reconcile.person_features (record_id BIGINT, first_count BIGINT, last_count BIGINT, "
                + ", ".join(f"{name} VARCHAR" for name in VALUES) + ")")
    con.executemany(
        "INSERT INTO reconcile.person_features VALUES (" + ", ".join("?" * (len(VALUES) + 3)) + ")",
        [[number, dice.randint(1, 40), dice.randint(1, 40),
          *[dice.choice(some) if name == "source" or dice.random() < 0.8 else None for name, some in VALUES.items()]]
         for number in range(1, RECORDS + 1)])
    con.execute("CREATE TABLE reconcile.person_candidates AS SELECT a AS l, b AS r, 0 AS rule "
                "FROM range(1, ? + 1) x(a), range(1, ? + 1) y(b) WHERE a < b AND (a * 7 + b) % 5 = 0", [RECORDS] * 2)
    return con


def splinks(con, settings, comparisons, prior, has_frequencies):
    """Splink's own answer: (l, r) -> weight, probability and the number of each level."""
    from splink import DuckDBAPI, Linker

    model = splink_settings(comparisons, settings.default_weights, prior=prior)
    model["retain_matching_columns"] = True
    for comparison, told in zip(comparisons, model["comparisons"], strict=True):
        for level, entry in zip(comparison.levels, told["comparison_levels"], strict=True):
            if level.frequency and has_frequencies:
                entry |= {"tf_adjustment_column": level.frequency, "tf_adjustment_weight": 1.0}
    database = DuckDBAPI(connection=con)
    con.execute("CREATE VIEW crowd AS FROM reconcile.person_features")
    con.execute("CREATE VIEW blocked AS SELECT '0' AS match_key, l AS join_key_l, r AS join_key_r "
                "FROM reconcile.person_candidates")
    linker = Linker(database.register("crowd"), model, log_level=None, validate_settings=False)
    linker.table_management.register_blocked_pairs_for_predict(database.register("blocked"))
    table = linker.inference.predict(
        threshold_match_weight=settings.scoring["from_weight"], warning_mode="never").physical_name
    levels = ", ".join(f"gamma_{comparison.name}" for comparison in comparisons)
    rows = con.execute(f"SELECT record_id_l, record_id_r, match_weight, match_probability, {levels} FROM {table}")
    return {row[:2]: (row[2], row[3], [c.label_of(value) for c, value in zip(comparisons, row[4:], strict=True)])
            for row in rows.fetchall()}


@pytest.mark.parametrize("has_frequencies", [True, False])
@pytest.mark.parametrize("filled", [set(FEATURES), {"first_name", "last_name", "city"}], ids=["all", "names and city"])
def test_candidates_weigh_what_splink_says(crowd, has_frequencies, filled):
    settings, prior = linkage(), 0.001
    comparisons = settings.usable(filled)
    write_pairs(crowd, settings, comparisons, settings.default_weights, prior=prior, has_frequencies=has_frequencies)
    names = ", ".join(comparison.name for comparison in comparisons)
    found = {row[:2]: (row[2], row[3], list(row[4:])) for row in crowd.execute(
        f"SELECT l, r, weight, probability, {names} FROM reconcile.person_pairs").fetchall()}
    expected = splinks(crowd, settings, comparisons, prior, has_frequencies)
    assert len(expected) > 200
    assert {level for *_, levels in expected.values() for level in levels} >= {"same", "typo", "other", "missing"}
    assert found.keys() == expected.keys()
    for pair, (weight, probability, levels) in expected.items():
        assert found[pair][2] == levels
        assert found[pair][:2] == pytest.approx((weight, probability), rel=1e-12)


@law(200)
@given(st.lists(st.integers(0, 6), max_size=30), st.integers(2, 6), st.integers(0, 60))
def test_blocks_give_every_pair_once_within_their_limits(blocks, most, budget):
    records = np.array([100 + 3 * place for place in range(len(blocks))], dtype=np.int64)
    found = pairs_in_blocks(records, np.array(blocks, dtype=np.uint64), most, budget)
    expected = {(100 + 3 * a, 100 + 3 * b) for a, b in itertools.combinations(range(len(blocks)), 2)
                if blocks[a] == blocks[b] and blocks.count(blocks[a]) <= most}
    if len(expected) > budget:
        assert found is None
    else:
        pairs = [tuple(sorted(pair)) for pair in zip(*[side.tolist() for side in found], strict=True)]
        assert len(pairs) == len(set(pairs))
        assert set(pairs) == expected

"""How alike two records are, in log2 of the odds that they are one person: Splink, on the same database, unsupervised.

Reads reconcile.person_features and person_candidates, writes reconcile.person_pairs (by `persons_weigh`) and
reconcile.person_weights (the model of tonight, for `why`). Splink trains the model; it keeps its scratch tables in the
schema `linkage`, on a cursor of its own, and they are dropped. Its sampling is by record number with a fixed seed, and
learnt weights are rounded, so that the same records give the same model whatever the order of reading.
"""

import logging
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb

from pipelines.reconcile.persons_blocks import count_pairs, one_number
from pipelines.reconcile.persons_settings import Comparison, Linkage, Weights, splink_settings
from pipelines.reconcile.persons_weigh import write_pairs

FEATURES = "reconcile.person_features"


def score_candidates(con: duckdb.DuckDBPyConnection, settings: Linkage, filled: frozenset[str]) -> None:
    """Fill reconcile.person_pairs and reconcile.person_weights."""
    comparisons = settings.usable(filled)
    records = one_number(con, f"SELECT count(*) FROM {FEATURES}")
    is_trained = records >= settings.training["from_records"]
    with _scratch(con) as cursor:
        prior = _prior(cursor, settings, filled, records)
        weights = settings.default_weights
        if is_trained:
            weights = _train(cursor, settings, comparisons, filled, prior)
    write_pairs(con, settings, comparisons, weights, prior=prior, has_frequencies=is_trained)
    _write_weights(con, comparisons, weights, is_trained)


@contextmanager
def _scratch(con: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor whose unqualified names live in the schema `linkage`, emptied before and after."""
    con.execute("DROP SCHEMA IF EXISTS linkage CASCADE")
    con.execute("CREATE SCHEMA linkage")
    quiet = logging.getLogger("splink")
    level = quiet.level
    quiet.setLevel(logging.ERROR)
    cursor = con.cursor()
    try:
        cursor.execute("SET search_path = 'linkage,main'")
        yield cursor
    finally:
        quiet.setLevel(level)
        cursor.close()
        con.execute("DROP SCHEMA IF EXISTS linkage CASCADE")


def _prior(con: duckdb.DuckDBPyConnection, settings: Linkage, filled: frozenset[str], records: int) -> float:
    """The chance that two records drawn blindly are one person, from pairs that agree on an exact key."""
    key = next((key for key in (["email"], ["name", "birth"], ["phone"]) if filled.issuperset(key)), None)
    found = count_pairs(con, key) if key else 0
    expected = found / float(settings.prior["exact_key_recall"])
    if not found or records < settings.training["from_records"]:
        expected = max(expected, records * float(settings.prior["partners_per_record"]) / 2)
    return min(0.5, max(expected, 1.0) / max(1.0, records * (records - 1) / 2))


def _train(
    con: duckdb.DuckDBPyConnection, settings: Linkage, comparisons: Sequence[Comparison], filled: frozenset[str],
    prior: float,
) -> Weights:
    """u by random pairs, m by expectation maximisation; a level that was not seen keeps its default."""
    from splink import block_on

    training = settings.training
    records = one_number(con, f"SELECT count(*) FROM {FEATURES}")
    modulus = 1_000_003
    share = min(1.0, float(training["sample_records"]) / records)
    con.execute(
        f"CREATE TABLE linkage_sample AS SELECT * FROM {FEATURES} WHERE record_id * 7919 % ? < ?",
        [modulus, math.ceil(share * modulus)],
    )
    model = splink_settings(comparisons, settings.default_weights, prior=prior)
    for level in (level for comparison in model["comparisons"] for level in comparison["comparison_levels"]):
        level.pop("m_probability", None)
        level.pop("u_probability", None)
    linker = _linker(con, "linkage_sample", model)
    linker.training.estimate_u_using_random_sampling(max_pairs=training["u_pairs"], seed=training["seed"], num_chunks=1)
    used: set[str] = set()
    for session in training["sessions"]:
        if not filled.issuperset(session) or used & set(session) or not _teaches(comparisons, session):
            continue
        if count_pairs(con, session, table="linkage_sample") < training["least_pairs"]:
            continue
        if not _learn(linker, block_on(*session), training["em_pairs"]):
            continue
        used |= set(session)
        if len(used) >= 3:
            break
    learnt = linker.misc.save_model_to_json()
    return _merged(settings, learnt)


def _teaches(comparisons: Sequence[Comparison], session: Sequence[str]) -> bool:
    """Whether a comparison is left that none of the session's columns has a part in; Splink leaves out the others."""
    parts = re.compile(rf"\b({'|'.join(session)})_[lr]\b")
    return not all(any(parts.search(level.when or "") for level in comparison.levels) for comparison in comparisons)


def _learn(linker: Any, session: Any, max_pairs: int) -> bool:
    """Train on one session; False where it teaches nothing, and the next one is tried.

    Among the pairs of a session a level may die out: its share halves with every step until no float holds it, at which
    Splink 5 raises. It says that the level is rarer than our floor, not that persons cannot be told apart.
    """
    try:
        linker.training.estimate_parameters_using_expectation_maximisation(
            session, estimate_without_term_frequencies=True, max_pairs=max_pairs, record_sample_proportion=1.0
        )
    except ValueError as error:
        if "below the minimum allowed value" not in str(error):
            raise
        return False
    return True


def _merged(settings: Linkage, learnt: dict[str, Any]) -> Weights:
    """Learnt weights over the defaults, with the floors of the settings, rounded."""
    merged = dict(settings.default_weights)
    floors = float(settings.training["m_floor"]), float(settings.training["u_floor"])
    least = 1 / float(settings.training["u_pairs"])
    for comparison in learnt["comparisons"]:
        was_sampled = any(level.get("u_probability") is not None for level in comparison["comparison_levels"])
        for level in comparison["comparison_levels"]:
            key = comparison["output_column_name"], level["label_for_charts"]
            if key in merged:
                if was_sampled and level.get("u_probability") is None:  # not met once: rarer than one in the sample
                    merged[key] = merged[key][0], min(merged[key][1], least)
                pair = level.get("m_probability"), level.get("u_probability")
                m, u = (
                    default if value is None or not 0 <= value <= 1 else max(floor, float(f"{value:.6g}"))
                    for value, default, floor in zip(pair, merged[key], floors, strict=True)
                )
                merged[key] = m, u
    for comparison in settings.comparisons:
        if comparison.name != "source":
            _never_inverted(comparison, merged)
    return merged


def _never_inverted(comparison: Comparison, weights: dict[tuple[str, str], tuple[float, float]]) -> None:
    """Agreement in the best level never speaks against, and in the last one never for: at worst they say nothing."""
    graded = [(comparison.name, level.label) for level in comparison.levels if level.m is not None]
    best, last = weights[graded[0]], weights[graded[-1]]
    weights[graded[0]] = max(best), best[1]
    weights[graded[-1]] = min(last), last[1]


def _linker(con: duckdb.DuckDBPyConnection, table: str, model: dict[str, Any]) -> Any:
    """Splink's linker over one table, silent."""
    from splink import DuckDBAPI, Linker

    return Linker(DuckDBAPI(connection=con).register(table), model, log_level=None, validate_settings=False)


def _write_weights(
    con: duckdb.DuckDBPyConnection, comparisons: Sequence[Comparison], weights: Weights, is_trained: bool
) -> None:
    con.execute(
        "CREATE OR REPLACE TABLE reconcile.person_weights "
        "(comparison VARCHAR, level VARCHAR, m DOUBLE, u DOUBLE, weight DOUBLE, is_trained BOOLEAN)"
    )
    rows = [
        (comparison.name, level.label, m, u, math.log2(m / u), is_trained)
        for comparison in comparisons
        for level in comparison.levels
        if level.m is not None
        for m, u in [weights[comparison.name, level.label]]
    ]
    if rows:
        con.executemany("INSERT INTO reconcile.person_weights VALUES (?, ?, ?, ?, ?, ?)", rows)

"""From links between records to persons: connected records, less the weakest links that would join contradictions.

Reads reconcile.person_links (and person_bound: links of earlier nights), writes reconcile.person_components and
person_clusters. Connecting is array arithmetic; contradictions are found by one SQL join over connected records. Only
components that hold a contradiction, a few per cent, are taken apart in Python, strongest link first (exact keys, then
the score, then what earlier nights bound): a join depends on the joins before it, which no set operation expresses.
"""

from collections import defaultdict
from collections.abc import Callable

import duckdb
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
MOST_IN_PERSON = 200
"""Above, the score alone is not believed: only exact keys and bindings join."""


def build_clusters(con: duckdb.DuckDBPyConnection, find_conflicts: Callable[[], object]) -> None:
    """Fill reconcile.person_clusters (record_id, cluster: the lowest record number) for all records.

    `find_conflicts` builds reconcile.person_conflicts from reconcile.person_components.
    """
    rows = con.execute("SELECT coalesce(max(record_id), 0) FROM reconcile.person_records").fetchall()
    count = int(rows[0][0])
    links = con.execute(
        "SELECT l, r, weight, CASE rule WHEN 'splink' THEN 1 ELSE 0 END AS turn FROM reconcile.person_links "
        "WHERE is_auto UNION ALL SELECT l, r, 0.0, 2 FROM reconcile.person_bound ORDER BY turn, weight DESC, l, r"
    ).fetchnumpy()
    left, right = links["l"].astype(np.int64), links["r"].astype(np.int64)
    labels = connected(left, right, count)
    sizes = np.bincount(labels, minlength=count + 1)
    crowded = sizes[labels[left]] > MOST_IN_PERSON
    if crowded.any():
        keep = ~crowded | (links["turn"] != 1)
        left, right = left[keep], right[keep]
        labels = connected(left, right, count)
    _write(con, "person_components", "component", labels, only_connected=True)
    find_conflicts()
    conflicts = con.execute("SELECT l, r FROM reconcile.person_conflicts ORDER BY l, r").fetchnumpy()
    _take_apart(labels, left, right, conflicts["l"].astype(np.int64), conflicts["r"].astype(np.int64))
    _write(con, "person_clusters", "cluster", labels, only_connected=False)


def join_eliminated(con: duckdb.DuckDBPyConnection) -> None:
    """Join the clusters of reconcile.person_eliminations, in person_clusters, and say so in person_links.

    Their names and birth dates have been weighed; a group that would hold two cards, two e-mails of one system, or two
    records that somebody has parted, is left as it was.
    """
    edges = con.execute(
        "SELECT a.cluster AS l, b.cluster AS r FROM reconcile.person_eliminations AS e "
        "JOIN reconcile.person_clusters AS a ON a.record_id = e.l "
        "JOIN reconcile.person_clusters AS b ON b.record_id = e.r"
    ).fetchnumpy()
    names, places = np.unique(np.concatenate([edges["l"], edges["r"]]).astype(np.int64), return_inverse=True)
    half = len(edges["l"])
    groups = names[connected(places[:half], places[half:], len(names) - 1)]
    con.register("person_groups", {"cluster": names, "person": groups})
    try:
        con.execute(_JOINED)
    finally:
        con.unregister("person_groups")
    con.execute(_ELIMINATED)


_JOINED = """
WITH members AS (
  SELECT g.person, f.record_id, f.card, f.email, nullif(f.source, '') AS source
  FROM person_groups AS g
  JOIN reconcile.person_clusters AS c ON c.cluster = g.cluster
  JOIN reconcile.person_features AS f ON f.record_id = c.record_id
), contradicted AS (
  SELECT person FROM members GROUP BY person HAVING count(DISTINCT card) > 1
  UNION ALL SELECT person FROM members WHERE source IS NOT NULL GROUP BY person, source HAVING count(DISTINCT email) > 1
  UNION ALL SELECT a.person FROM reconcile.person_apart AS p JOIN members AS a ON a.record_id = p.l
  JOIN members AS b ON b.record_id = p.r AND b.person = a.person
)
UPDATE reconcile.person_clusters AS c SET cluster = g.person FROM person_groups AS g
WHERE c.cluster = g.cluster AND g.person <> g.cluster AND g.person NOT IN (SELECT person FROM contradicted)
"""
_ELIMINATED = """
UPDATE reconcile.person_links AS k SET is_auto = true, rule = 'elimination'
FROM reconcile.person_eliminations AS e, reconcile.person_clusters AS a, reconcile.person_clusters AS b
WHERE k.l = e.l AND k.r = e.r AND a.record_id = e.l AND b.record_id = e.r AND a.cluster = b.cluster
"""


def connected(left: Ints, right: Ints, count: int) -> Ints:
    """For each number 0..count the lowest number that it is connected to."""
    labels = np.arange(count + 1, dtype=np.int64)
    while True:
        lowest = np.minimum(labels[left], labels[right])
        before = labels.copy()
        np.minimum.at(labels, left, lowest)
        np.minimum.at(labels, right, lowest)
        np.minimum.at(labels, before[left], lowest)
        np.minimum.at(labels, before[right], lowest)
        labels = labels[labels]
        if np.array_equal(labels, before):
            return labels


def _take_apart(labels: Ints, left: Ints, right: Ints, first: Ints, second: Ints) -> None:
    """Join anew, strongest link first, the components in which `first` and `second` must stay apart; in place."""
    torn = np.unique(labels[first])
    if not len(torn):
        return
    is_torn = np.zeros(len(labels), dtype=bool)
    is_torn[torn] = True
    inside = is_torn[labels[left]]
    members: dict[int, set[int]] = {int(record): {int(record)} for record in np.flatnonzero(is_torn[labels])}
    enemies: defaultdict[int, set[int]] = defaultdict(set)
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        enemies[a].add(b)
        enemies[b].add(a)
    root = {record: record for record in members}
    for a, b in zip(left[inside].tolist(), right[inside].tolist(), strict=True):
        into, other = sorted((root[a], root[b]))
        if into != other and members[into].isdisjoint(enemies[other]):
            for record in members[other]:
                root[record] = into
            members[into] |= members.pop(other)
            enemies[into] |= enemies.pop(other, set())
    for record, label in root.items():
        labels[record] = label


def _write(con: duckdb.DuckDBPyConnection, table: str, column: str, labels: Ints, *, only_connected: bool) -> None:
    records = np.arange(1, len(labels), dtype=np.int64)
    values = labels[1:]
    if only_connected:
        sizes = np.bincount(labels, minlength=len(labels))
        several = sizes[values] > 1
        records, values = records[several], values[several]
    arrays = {"record_id": records, column: values}
    con.register("person_labels", arrays)
    try:
        con.execute(
            f"CREATE OR REPLACE TABLE reconcile.{table} AS SELECT CAST(record_id AS BIGINT) AS record_id, "
            f"CAST({column} AS BIGINT) AS {column} FROM person_labels"
        )
    finally:
        con.unregister("person_labels")

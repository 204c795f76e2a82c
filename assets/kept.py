"""The tables that no model of its own fills: the ledger's, and those that reconcile fills in Python or by statement.

Each with what it is made of, by step. What a model reads is in its SQL (`catalogue`); here is only what SQL cannot say.
"""

from dataclasses import dataclass

from assets.systems import SHOWN

ENTITIES = ("items", "prices", "stock", "customers", "consents")
_SYNC, _IDENTITY = "ledger.sync", "ledger.identity"


@dataclass(frozen=True, slots=True)
class Table:
    """One table: what it reads, what it is, and whose it is."""

    name: str
    inputs: frozenset[str] = frozenset()
    doc: str = ""
    system: str = ""


def _kept(name: str, doc: str, *inputs: str) -> Table:
    return Table(name, frozenset(inputs), doc)


def _reads() -> tuple[Table, ...]:
    raw = [f"raw_{channel.name}.{endpoint.name}" for channel in SHOWN for endpoint in channel.endpoints]
    return (
        _kept("reads.verdicts", "How far each read can be believed, per system and entity.", *raw),
        _kept(f"{_SYNC}.reads", "Every read of every night: rows, pages, calls, whether it was whole.", *raw),
        _kept(f"{_SYNC}.answers", "What people answered to held rows, taken in from the inbox."),
        _kept(f"{_SYNC}.rollbacks", "Plans that a person has rolled back, taken in from the inbox."),
        _kept(f"{_SYNC}.rollback_rows", "What of them is to be undone.", f"{_SYNC}.rollbacks"),
        _kept(f"{_SYNC}.words", "What people say, as they signed it: armings, answers, partings."),
        _kept(f"{_SYNC}.void_answers", "Answers whose signature does not hold any more, and why.",
              f"{_SYNC}.answers", f"{_SYNC}.words"),
        _kept(f"{_IDENTITY}.apart", "Pairs of records that a person has parted, taken in from the inbox."),
        _kept(f"{_IDENTITY}.apart_undone", "Partings that a person has taken back, taken in from the inbox."),
    )


_SCRATCH = "Of the linking alone, and emptied when it is done. "
KEPT: dict[str, tuple[Table, ...]] = {
    "extract": _reads(),
    "stage": (
        _kept(f"{_SYNC}.cursors", "From where the next read of each endpoint goes on.", f"{_SYNC}.reads"),
        _kept(f"{_SYNC}.kept_out", "Records that staging keeps out, and from where they are read again.",
              *(f"quarantine.{channel.name}" for channel in SHOWN)),
    ),
    "consents": (
        _kept(f"{_IDENTITY}.consent_events", "All that was ever said about a permission, by whom and with what proof.",
              "reconcile.consent_news"),
    ),
    "items": (
        _kept(f"{_IDENTITY}.items", "Which record of a system is which item, since when and by which rule.",
              "reconcile.item_matches", "reconcile.item_records", "reconcile.renamed_items"),
    ),
    "persons": (
        _kept("reconcile.person_candidates", f"{_SCRATCH}Pairs of records worth weighing.",
              "reconcile.person_features"),
        _kept("reconcile.person_pairs", "Pairs of records with what speaks for and against one person.",
              "reconcile.person_features", "reconcile.person_candidates"),
        _kept("reconcile.person_weights", "What each level of each comparison weighs, and whether it was trained.",
              "reconcile.person_features", "reconcile.person_candidates"),
        _kept("reconcile.person_components", f"{_SCRATCH}Records that any chain of links connects.",
              "reconcile.person_links", "reconcile.person_bound", "reconcile.person_records"),
        _kept("reconcile.person_clusters", "Which records are one person.",
              "reconcile.person_links", "reconcile.person_bound", "reconcile.person_records",
              "reconcile.person_conflicts"),
        _kept(f"{_IDENTITY}.persons", "Which record of a system is which person, and how sure that is.",
              "reconcile.person_bindings"),
        _kept(f"{_IDENTITY}.person_moves", "Which record went from which person to which.",
              "reconcile.person_bindings"),
        _kept(f"{_IDENTITY}.person_history", "Persons created, merged and split, and why.", "reconcile.person_events"),
    ),
    "trees": (
        _kept("quarantine.reconcile", "Rows that reconcile kept out, and why.",
              "reconcile.item_faults", "reconcile.price_faults", "reconcile.incomparable_prices"),
        _kept(f"{_IDENTITY}.movements", "Movements of stock, each counted once, and the night that settled it.",
              "reconcile.new_movements", "reconcile.logged", "reconcile.returned"),
        _kept(f"{_IDENTITY}.hold_events", "What became of goods set aside for collection, each event once.",
              "reconcile.hold_news"),
        _kept(f"{_IDENTITY}.loyalty_events", "Every event of loyalty points, once, as it was first told.",
              "reconcile.new_loyalty_events"),
    ),
    "drift": (
        _kept("reconcile.stock_drifted", "Stock levels that differ, before the why.",
              "compared.stock", "compared.counts", "reads.verdicts"),
        _kept("reconcile.drift", "Every value of every system that is not what it ought to be, with who moved.",
              *(f"compared.{entity}" for entity in ENTITIES if entity != "consents"),
              *(f"ledger.agreed.{entity}" for entity in ENTITIES if entity != "consents"),
              "reads.verdicts", "reconcile.stock_drifted", "reconcile.stock_explained", "reconcile.person_undo",
              "reconcile.rollback_drift"),
    ),
    "plan": (
        _kept("checks.of_plan", "What the checks of the plan's draft found, before it was sealed.", "plan.decided"),
        _kept(f"{_SYNC}.corrections", "One row per value to change: observed, desired, why.", "plan.decided"),
        _kept(f"{_SYNC}.told", "Which movements a planned level takes off the authority's count.", "plan.told"),
        _kept(f"{_SYNC}.untold", "Which movements the authority no longer knows of after a rollback.", "plan.untold"),
        _kept(f"{_SYNC}.plans", "Fingerprinted sets of corrections.", f"{_SYNC}.corrections"),
    ),
    "approve": (
        _kept(f"{_SYNC}.approvals", "Who allows which correction, until when.",
              f"{_SYNC}.corrections", f"{_SYNC}.plans", f"{_SYNC}.answers", f"{_SYNC}.void_answers",
              f"{_SYNC}.words"),
    ),
    "push": (
        _kept(f"{_SYNC}.intents", "What was to be sent, kept before it was.", f"{_SYNC}.approvals"),
        _kept(f"{_SYNC}.outcomes", "The vendor's word on each correction.", f"{_SYNC}.intents"),
    ),
    "verify": (
        _kept(f"{_SYNC}.verifications", "What the re-read by id showed.", f"{_SYNC}.outcomes"),
        *(
            _kept(f"ledger.agreed.{entity}", "The value on which system and golden last agreed, proven.",
                  f"agree.{entity}")
            for entity in ENTITIES
        ),
        _kept("ledger.history.prices", "What a price was, as change rows.",
              "observed.prices", "reads.verdicts", "agree.written"),
        _kept(f"{_SYNC}.nights", "The nights, their status and summary.", f"{_SYNC}.verifications"),
    ),
}

NO_ASSETS = {
    "catalogue.lineage": "a cache of what is read from the SQL; holds no row of anybody",
    "ledger.sync.chain": "hashes over what other tables hold; `trueup doctor` goes through it",
    "ledger.sync.generations": "how far the ledger has come; told from an older copy by it",
    "ledger.sync.policies": "settings as they were, by the hash that an arming names; holds no row of anybody",
    "ledger.main.migrations": "which migrations the ledger has had; changes with a release, not with a night",
    "raw_*._dlt_*": "dlt's own notes on its loads",
}
"""Tables that stay after a night and are no assets, by pattern, each with the reason."""

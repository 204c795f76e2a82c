"""The policy: per field the source of truth, where it is compared, caps, guards, and what to do with each class.

`policy.toml` beside this file holds the defaults with their reasons; a user's own file and the estate's `[policy]`
are laid over it. Checked here, published as `policy.schema.json`, and compiled to the rows of `policy.*`, which is
all that reconcile and the planner ever see of it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import duckdb
from pydantic import Field, Strict

from pipelines.channels.base import Channel
from pipelines.configuration import Section, TomlFile, parse, read_file
from pipelines.errors import ConfigurationError
from pipelines.estate import Estate, ListAt
from pipelines.model import DriftClass
from pipelines.policy_derive import Derivation as Derivation
from pipelines.policy_derive import derivations
from pipelines.policy_parking import Parking
from pipelines.policy_words import COMES_WITH, faults, restrict
from pipelines.policy_words import FIELDS as FIELDS
from pipelines.policy_writing import Create, Push, Reads
from pipelines.tables import create_tables, fill_table

DEFAULTS = Path(__file__).with_suffix(".toml")
SCHEMA = Path(__file__).with_suffix(".schema.json")

Action = Literal["approve", "hold", "refuse"]
Carries = Literal["known", "products", "all"]


class FieldPolicy(Section):
    """One `[fields."<entity>.<field>"]`."""

    sources: list[str] = Field(default_factory=list, description="Source of truth first, then who stands in for it.")
    targets: list[str] = Field(default_factory=list, description="Systems in which the field is compared.")
    tolerance: int = Field(default=0, ge=0, description="Minor units or units by which a value may differ.")
    enforce: bool = Field(default=False, description="Push back an edit made by hand without asking.")


class Adopt(Section):
    """What the first night does with values that never agreed."""

    never_agreed: Action = "hold"


class Cap(Section):
    """More approved rows than max(floor_rows, max_share_pct), or than max_rows, and the group is held."""

    max_share_pct: float | None = Field(default=None, ge=0, le=100, description="Of the rows observed, 0-100.")
    floor_rows: int | None = Field(default=None, ge=0, description="The share never bites under this many rows.")
    max_rows: int | None = Field(default=None, ge=0, description="The absolute cap.")


class Guard(Section):
    """What is refused whoever approves. Money is in minor units of the row's own currency."""

    max_jump_pct: float | None = Field(default=None, gt=0, description="Largest change of a price, 0-100.")
    refuses_zero: bool = True
    refuses_below_cost: bool = True
    floor_minor: int | None = Field(default=None, ge=0)
    ceiling_minor: int | None = Field(default=None, ge=0)
    prior_price_days: int = Field(default=30, ge=0, le=366, description=(
        "Of prices.compare_at: days before a reduction whose lowest price it may be announced against; 0: not asked."
    ))
    prior_price_days_in: dict[str, Annotated[int, Field(ge=0, le=366)]] = Field(
        default_factory=dict, description="The same for single price lists of the estate, by our id."
    )


class Assortment(Section):
    """What one system, or by "default" each, is expected to carry."""

    carries: Carries | None = Field(
        default=None, description="What it ever carried; also the rest of its products; or all that is active anywhere."
    )
    leaves_out: list[str] = Field(default_factory=list, description="SKUs that it is not to carry.")


class Loyalty(Section):
    """When points that two systems counted are one event."""

    same_within_minutes: int = Field(default=10, ge=0, le=1440, description="No further apart than this.")


class Policy(Section):
    """All of `policy.toml`."""

    fields: dict[str, FieldPolicy] = Field(default_factory=dict)
    decisions: dict[str, dict[Annotated[DriftClass, Strict(False)], Action]] = Field(default_factory=dict)
    adopt: Adopt = Field(default_factory=Adopt)
    caps: dict[str, Cap] = Field(default_factory=dict)
    guards: dict[str, Guard] = Field(default_factory=dict)
    derive: dict[str, Derivation] = Field(default_factory=dict)
    assortment: dict[str, Assortment] = Field(default_factory=dict)
    loyalty: Loyalty = Field(default_factory=Loyalty)
    parking: Parking = Field(default_factory=Parking)
    reads: Reads = Field(default_factory=Reads)
    push: Push = Field(default_factory=Push)
    create: Create = Field(default_factory=Create)


def read_policy(
    path: Path | None = None, estate: Estate | None = None, *, estate_file: TomlFile | None = None
) -> Policy:
    """The defaults, the user's file over them, the estate's `[policy]` over both.

    ConfigurationError tells what is wrong in the first layer that has a fault; `estate_file` gives its lines.
    """
    layers = [_Layer(read_file(DEFAULTS))]
    if path is not None:
        layers.append(_Layer(read_file(path)))
    if estate is not None and estate.policy:
        layers.append(_Layer(estate_file or TomlFile("estate.toml", ""), estate.policy, ("policy",)))
    parsed = [layer.parsed() for layer in layers]
    merged: dict[str, Any] = {}
    for content in parsed:
        merged = _laid_over(merged, content)
    targets = {field: merged["fields"].get(field, {}).get("targets", ()) for field in FIELDS}
    for layer, content in zip(layers, parsed, strict=True):
        layer.judge(content, targets=targets, lists=_lists(estate) if estate is not None else None)
    return Policy.model_validate(merged)


def compile_policy(
    con: duckdb.DuckDBPyConnection, policy: Policy, estate: Estate, channels: Iterable[Channel], *,
    is_adopting: bool = False,
) -> None:
    """Fill `policy.*` (but the pilots, which are the estate's) for one night.

    A system of the policy that the estate does not have is left out, and so is one where its roles do not have the
    entity: a source of truth that is never read would freeze the field. What is writable is what a channel's writers
    declare; the rest is planned as a work list, never pushed.
    """
    create_tables(con)
    channels = list(channels)
    writable = {(c.name, w.entity, field) for c in channels for w in c.writers for field in w.fields}
    fill_table(con, "policy.creates", list(_creates(policy, estate, channels)))
    fill_table(con, "policy.raises", [(c.name, w.entity) for c in channels for w in c.writers if w.raises])
    fill_table(con, "policy.clears", [(c.name, w.entity) for c in channels for w in c.writers if w.clears])
    fill_table(con, "policy.requests", [
        (c.name, w.entity, int(w.settles_within.total_seconds()))
        for c in channels for w in c.writers if w.settles_within is not None
    ])
    spoken = _Spoken(frozenset(estate.systems), {c.name: c.entities for c in channels})
    fill_table(con, "policy.sources", list(_sources(policy, spoken)))
    fill_table(con, "policy.targets", list(_targets(policy, estate, spoken, writable)))
    fill_table(con, "policy.decisions", list(_decisions(policy, is_adopting)))
    fill_table(con, "policy.caps", list(_caps(policy, spoken)))
    fill_table(con, "policy.guards", [
        (*key.split("."), g.max_jump_pct, g.refuses_zero, g.refuses_below_cost, g.floor_minor, g.ceiling_minor)
        for key, g in policy.guards.items()
    ])
    fill_table(con, "policy.prior_prices", list(_prior_prices(policy, estate)))
    fill_table(con, "policy.derivations", list(derivations(policy.derive, estate)))
    fill_table(con, "policy.roundings", [
        (channel.name, ours, at.rounding if isinstance(at, ListAt) and at.rounding else channel.rounding.mode)
        for channel in channels for ours, listed in estate.price_lists.items()
        for at in [listed.vendor_ids.get(channel.name)] if at is not None
    ])
    fill_table(con, "policy.loyalty", [(policy.loyalty.same_within_minutes * 60,)])
    fill_table(con, "policy.parking", [policy.parking.row])
    expected = policy.assortment.get("default", Assortment()).carries or "known"
    carried = {system: policy.assortment.get(system, Assortment()) for system in spoken.of("items", estate.systems)}
    fill_table(con, "policy.assortment", [(system, one.carries or expected) for system, one in carried.items()])
    fill_table(con, "policy.left_out", [(system, sku) for system, one in carried.items() for sku in one.leaves_out])


def json_schema() -> dict[str, Any]:
    """What `policy.schema.json` holds, for editors that complete and check TOML."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **restrict(Policy.model_json_schema())}


@dataclass(frozen=True, slots=True)
class _Spoken:
    """Which systems of the estate say anything of an entity."""

    systems: frozenset[str]
    entities: Mapping[str, frozenset[str]]

    def of(self, entity: str, named: Iterable[str]) -> list[str]:
        """Those of the systems named, in their order."""
        return [s for s in named if s in self.systems and entity in self.entities.get(s, {entity})]


def _sources(policy: Policy, spoken: _Spoken) -> Iterator[tuple[object, ...]]:
    for entity, field, rules in _fields(policy):
        leading = policy.fields.get(COMES_WITH.get(f"{entity}.{field}", ""), rules)
        for rank, system in enumerate(spoken.of(entity, leading.sources), start=1):
            yield entity, field, system, rank


def _targets(
    policy: Policy, estate: Estate, spoken: _Spoken, writable: set[tuple[str, str, str]]
) -> Iterator[tuple[object, ...]]:
    for entity, field, rules in _fields(policy):
        for system in spoken.of(entity, rules.targets):
            is_writable = (system, entity, field) in writable
            yield system, entity, field, estate.mode_of(system, entity), is_writable, rules.tolerance


def _creates(policy: Policy, estate: Estate, channels: Iterable[Channel]) -> Iterator[tuple[object, ...]]:
    able = sorted(c.name for c in channels if any(w.creates and w.entity == "consents" for w in c.writers))
    for system in policy.create.subscribers_in:
        if system not in able:
            raise ConfigurationError(
                f"policy [create] subscribers_in: no subscriber can be made in {system!r}; allowed: {', '.join(able)}"
            )
        if system in estate.systems:
            yield system, "consents"


def _decisions(policy: Policy, is_adopting: bool) -> Iterator[tuple[object, ...]]:
    for entity, field, rules in _fields(policy):
        decided: dict[DriftClass, str] = dict.fromkeys(DriftClass, "hold")
        decided |= policy.decisions.get("default", {})
        if rules.enforce:
            decided[DriftClass.HERE] = "approve"
        decided |= policy.decisions.get(entity, {}) | policy.decisions.get(f"{entity}.{field}", {})
        if is_adopting:
            decided[DriftClass.NEVER_AGREED] = policy.adopt.never_agreed
        for drift_class, action in decided.items():
            yield entity, field, str(drift_class), action


def _prior_prices(policy: Policy, estate: Estate) -> Iterator[tuple[str, int]]:
    """The days of every list of the estate."""
    guard = policy.guards.get("prices.compare_at", Guard())
    for ours in estate.price_lists:
        yield ours, guard.prior_price_days_in.get(ours, guard.prior_price_days)


def _caps(policy: Policy, spoken: _Spoken) -> Iterator[tuple[object, ...]]:
    for entity, field, rules in _fields(policy):
        for system in spoken.of(entity, rules.targets):
            merged: dict[str, float] = {}
            for key in ("default", entity, f"{entity}.{field}", f"{system}.{entity}.{field}"):
                merged |= policy.caps.get(key, Cap()).model_dump(exclude_none=True)
            yield system, entity, field, merged.get("max_share_pct"), merged.get("floor_rows"), merged.get("max_rows")


def _fields(policy: Policy) -> Iterator[tuple[str, str, FieldPolicy]]:
    for key, rules in policy.fields.items():
        entity, field = key.split(".")
        yield entity, field, rules


@dataclass(frozen=True, slots=True)
class _Layer:
    """One file, or the part of one, that is laid over those before."""

    file: TomlFile
    content: dict[str, Any] | None = None
    under: Sequence[str] = ()

    def parsed(self) -> dict[str, Any]:
        """Only the keys that are written down, of the right types."""
        return parse(self.file, Policy, self.content, self.under).model_dump(exclude_unset=True)

    def judge(
        self, content: dict[str, Any], *, targets: dict[str, Sequence[str]], lists: dict[str, list[str]] | None
    ) -> None:
        """ConfigurationError with all that names nothing or has no effect."""
        told = [
            self.file.error([*self.under, *path], message).message
            for path, message in faults(content, targets=targets, lists=lists)
        ]
        if told:
            raise ConfigurationError("\n".join(told))


def _lists(estate: Estate) -> dict[str, list[str]]:
    """The estate's price lists by system."""
    return {
        system: [ours for ours, listed in estate.price_lists.items() if system in listed.vendor_ids]
        for system in estate.systems
    }


def _laid_over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _laid_over(merged[key], value) if both else value
    return merged


if __name__ == "__main__":
    SCHEMA.write_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

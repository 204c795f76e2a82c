"""The words that may stand in a policy: fields, systems, classes and actions, each where it has an effect.

A setting that names nothing, or that nothing would ever read, is a fault: its author believes that it protects them.
`faults` finds those of one layer; `restrict` writes the same words into the published JSON Schema. The form of a
policy (types and bounds) is `policy.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.channels import CHANNELS
from pipelines.configuration import suggestion
from pipelines.model import DriftClass

FIELDS = (
    "items.gtin", "prices.amount", "prices.compare_at", "stock.on_hand", "stock.available", "customers.first_name",
    "customers.last_name", "customers.phone", "customers.street", "customers.city", "customers.postcode",
    "customers.loyalty_points", "consents.state",
)
"""Everything that is compared, as `<entity>.<field>`; a new one also needs its column in the trees."""

COMES_WITH: Mapping[str, str] = {
    "prices.compare_at": "prices.amount", "customers.city": "customers.street",
    "customers.postcode": "customers.street",
}
"""The fields that have no sources of their own, and the field whose sources are theirs."""

ENTITIES = tuple(dict.fromkeys(field.split(".")[0] for field in FIELDS))
WITH_SOURCES = tuple(
    field for field in FIELDS if field.split(".")[0] in ("items", "prices", "customers") and field not in COMES_WITH
)
GUARDED = tuple(field for field in FIELDS if field.startswith("prices."))
CAPPED = tuple(field for field in FIELDS if not field.startswith("consents."))

_MOVED = ("never_agreed", "here", "elsewhere", "both", "rule")
CLASSES: Mapping[str, tuple[str, ...]] = {
    "items": _MOVED, "prices": _MOVED, "customers": _MOVED, "stock": ("never_agreed", "explained", "unexplained"),
    "consents": ("lower", "raise_with_proof", "raise_without_proof"), "default": tuple(DriftClass),
}
"""The drift classes that each entity can have."""

ACTIONS = ("approve", "hold", "refuse")
_ACTIONS_OF: Mapping[str, tuple[str, ...]] = {
    "lower": ("approve",), "raise_with_proof": ("hold", "refuse"), "raise_without_proof": ("refuse",),
}
_NO_SOURCES = {
    "stock": "the truth of a location is its authority in estate.toml",
    "consents": "a permission is not a vote: a withdrawal wins unless a later opt-in has proof",
    "customers": "an address is one value and comes with the street, from the sources of customers.street",
    "prices": "it comes with the price, from the sources of prices.amount",
}

Fault = tuple[tuple[str, ...], str]
"""Where in the layer, and what is wrong there."""


def systems_of(entity: str) -> tuple[str, ...]:
    """The systems that hold an entity."""
    return tuple(c.name for c in CHANNELS if entity in c.entities)


def faults(
    layer: Mapping[str, Any], *, lists: Mapping[str, Sequence[str]] | None, targets: Mapping[str, Sequence[str]]
) -> Iterator[Fault]:
    """What in a layer names nothing, or has no effect.

    `lists`: the estate's price lists by system, None where no estate is known; `targets`: the systems in which each
    field is compared once all layers are laid over each other.
    """
    yield from _fields(layer.get("fields", {}))
    yield from _decisions(layer.get("decisions", {}))
    yield from _caps(layer.get("caps", {}), targets)
    yield from _guards(layer.get("guards", {}), lists)
    yield from _derivations(layer.get("derive", {}), lists)
    yield from _assortment(layer.get("assortment", {}))


def actions_of(drift_class: str) -> tuple[str, ...]:
    """What a policy may say about a class; about permissions the law has said most of it."""
    return _ACTIONS_OF.get(drift_class, ACTIONS)


def restrict(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a policy, with the words that it allows in place of any key and any text."""
    properties = schema["properties"]
    properties["fields"] = _only({field: _field_schema(schema, field) for field in FIELDS})
    properties["decisions"] = _only({
        key: _only({name: {"enum": list(actions_of(name))} for name in CLASSES[key.split(".")[0]]})
        for key in ("default", *ENTITIES, *FIELDS)
    })
    exact = [f"{system}.{field}" for field in CAPPED for system in systems_of(field.split(".")[0])]
    general = ["default", *(entity for entity in ENTITIES if entity != "consents"), *CAPPED]
    properties["caps"] = _only(dict.fromkeys([*general, *exact], {"$ref": "#/$defs/Cap"}))
    properties["guards"] = _only(dict.fromkeys(GUARDED, {"$ref": "#/$defs/Guard"}))
    properties["derive"]["propertyNames"] = {"pattern": rf"^({'|'.join(systems_of('prices'))})\..+$"}
    for_all = _only({"carries": schema["$defs"]["Assortment"]["properties"]["carries"]})
    one = {"$ref": "#/$defs/Assortment"}
    properties["assortment"] = _only({"default": for_all, **dict.fromkeys(systems_of("items"), one)})
    schema["$defs"].pop("DriftClass", None)
    return schema


def _fields(fields: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    for key, rules in fields.items():
        if key not in FIELDS:
            yield ("fields", key), _unknown(key, FIELDS)
            continue
        entity = key.split(".")[0]
        for name in ("sources", "targets"):
            if name in rules:
                yield from _systems(("fields", key, name), rules[name], entity)
        if "sources" in rules and key not in WITH_SOURCES:
            yield ("fields", key, "sources"), f"has no effect: {_NO_SOURCES[entity]}; allowed: no sources here"
        if rules.get("enforce") and "here" not in CLASSES[entity]:
            yield ("fields", key, "enforce"), f"has no effect: {entity} have no class `here`; allowed: false"
        if rules.get("tolerance") and entity not in ("prices", "stock"):
            yield ("fields", key, "tolerance"), f"has no effect: {key} is not a number; allowed: 0"


def _systems(path: tuple[str, ...], names: Sequence[str], entity: str) -> Iterator[Fault]:
    allowed = systems_of(entity)
    if not names:
        yield path, f"is empty; allowed: one or more of {', '.join(allowed)}"
    for name in dict.fromkeys(names):
        if name not in allowed:
            yield path, _unknown(name, allowed, f"{name!r} is no system that holds {entity}")
        elif names.count(name) > 1:
            yield path, f"{name!r} stands there {names.count(name)} times; allowed: each of {', '.join(allowed)} once"


def _decisions(decisions: Mapping[str, Mapping[str, str]]) -> Iterator[Fault]:
    keys = ("default", *ENTITIES, *FIELDS)
    for key, actions in decisions.items():
        if key not in keys:
            yield ("decisions", key), _unknown(key, keys)
            continue
        allowed = CLASSES[key.split(".")[0]]
        for name, action in ((str(name), action) for name, action in actions.items()):
            if name not in allowed:
                yield ("decisions", key, name), f"has no effect: {key} has no such class; allowed: {', '.join(allowed)}"
            elif action not in actions_of(name):
                words = f"{action!r} has no effect: permissions are lowered always, and raised by a person or never"
                yield ("decisions", key, name), f"{words}; allowed: {', '.join(actions_of(name))}"


def _caps(caps: Mapping[str, Mapping[str, Any]], targets: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    general = ("default", *ENTITIES, *FIELDS)
    for key, cap in caps.items():
        system, _, field = key.partition(".")
        if not cap:
            yield ("caps", key), "says nothing; allowed: floor_rows, max_rows, max_share_pct"
        if key.startswith("consents") or field.startswith("consents"):
            yield ("caps", key), f"has no effect: an opt-out is always obeyed; allowed: {', '.join(CAPPED)}"
        elif key in general:
            continue
        elif key.count(".") != 2:
            yield ("caps", key), _unknown(key, general)
        elif field not in FIELDS:
            yield ("caps", key), _unknown(field, FIELDS, "is not <system>.<entity>.<field>")
        elif system not in targets[field]:
            yield ("caps", key), _unknown(system, targets[field], f"{field} is not compared in {system!r}")


def _guards(
    guards: Mapping[str, Mapping[str, Any]], lists: Mapping[str, Sequence[str]] | None
) -> Iterator[Fault]:
    known = tuple(dict.fromkeys(name for names in (lists or {}).values() for name in names))
    for key, guard in guards.items():
        if key not in GUARDED:
            why = "has no effect: guards are for prices" if key in FIELDS else ""
            yield ("guards", key), _unknown(key, GUARDED, why)
            continue
        for name in ("prior_price_days", "prior_price_days_in"):
            if name in guard and key != "prices.compare_at":
                yield ("guards", key, name), "has no effect: it is about \"was\" prices; allowed: prices.compare_at"
        for name in guard.get("prior_price_days_in", ()):
            if lists is not None and name not in known:
                why = f"the estate has no price list {name!r}"
                yield ("guards", key, "prior_price_days_in", name), _unknown(name, known, why)


def _derivations(
    derived: Mapping[str, Mapping[str, Any]], lists: Mapping[str, Sequence[str]] | None
) -> Iterator[Fault]:
    systems = systems_of("prices")
    for key, rule in derived.items():
        system, dot, name = key.partition(".")
        if not dot:
            yield ("derive", key), f"is not <system>.<price list>; systems: {', '.join(systems)}"
        elif system not in systems:
            yield ("derive", key), _unknown(system, systems, f"{system!r} is no system that holds prices")
        elif lists is not None and name not in lists.get(system, ()):
            there = tuple(f"{s}.{n}" for s, names in lists.items() if s in systems for n in names)
            yield ("derive", key), _unknown(key, there, f"the estate maps no price list {name!r} of {system}")
        elif not rule:
            yield ("derive", key), "says nothing; allowed: ends_in, from_list, markup_pct, rate, rate_days, rate_on"


def _assortment(expected: Mapping[str, Mapping[str, Any]]) -> Iterator[Fault]:
    allowed = ("default", *systems_of("items"))
    for key, rule in expected.items():
        if key not in allowed:
            yield ("assortment", key), _unknown(key, allowed, f"{key!r} is no system that holds items")
        elif not rule:
            yield ("assortment", key), "says nothing; allowed: carries, leaves_out"
        elif key == "default" and "leaves_out" in rule:
            yield ("assortment", key, "leaves_out"), "has no effect: name the system; allowed: carries"
        elif blank := [sku for sku in rule.get("leaves_out", ()) if not sku.strip()]:
            yield ("assortment", key, "leaves_out"), f"{blank[0]!r} is no SKU; allowed: SKUs as the systems have them"


def _unknown(word: str, allowed: Sequence[str], why: str = "") -> str:
    return f"{why or 'unknown key'}{suggestion(word, allowed)}; allowed: {', '.join(allowed) or 'none'}"


def _only(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _field_schema(schema: dict[str, Any], field: str) -> dict[str, Any]:
    rules = schema["$defs"]["FieldPolicy"]["properties"]
    systems = {"enum": list(systems_of(field.split(".")[0]))}
    listed = {"type": "array", "items": systems, "minItems": 1, "uniqueItems": True}
    allowed = dict(rules)
    allowed["targets"] = {"description": rules["targets"]["description"], **listed}
    allowed["sources"] = {"description": rules["sources"]["description"], **listed}
    if field not in WITH_SOURCES:
        del allowed["sources"]
    return _only(allowed)

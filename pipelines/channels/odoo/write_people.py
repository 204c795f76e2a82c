"""Writes fields of partners and the points of their loyalty cards.

All fields of all partners of a batch go out in as few loads as they have different sets of fields. Odoo keeps one name:
a first or last name is written into it, where the name then still splits into what was meant. It keeps one address of a
firm and its contacts: such a one is not written. Points are set together with a line in the card's history, as Odoo's
own form does it, and without the mail that a milestone would send.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pipelines.channels.base import Writer
from pipelines.channels.odoo.levels import ALL, number
from pipelines.channels.odoo.outcomes import Part, ids_of, in_parts, is_blank, load, loaded, within_rights
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.channels.outcomes import blank, in_order, rejected
from pipelines.http import Session
from pipelines.model import Correction, Outcome

BATCH = 100
PARTNER_FIELDS = {"phone": "phone", "street": "street", "city": "city", "postcode": "zip"}
ADDRESS_FIELDS = frozenset({"street", "city", "postcode"})
"""What Odoo writes on to the firm, and from there to its other contacts (`_fields_sync`)."""
NAME_FIELDS = ("first_name", "last_name")
POINTS_FIELD = "loyalty_points"


def split_name(name: str, *, is_company: bool) -> tuple[str, str]:
    """First and last name as customers.sql takes a name apart; '' for what is not there.

    >>> split_name("Claire Martin", is_company=False), split_name("de La Tour, Anne", is_company=False)
    (('Claire', 'Martin'), ('Anne', 'de La Tour'))
    """
    words = " ".join(name.split())
    if is_company:
        return "", words
    if ", " in words:
        last, first = words.split(", ")[:2]
        return first.strip(), last.strip()
    first, blank, last = words.partition(" ")
    return (first, last) if blank else ("", words)


async def write_customers(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set phone, address and name of partners; one outcome each, in order."""
    own = odoo(session)
    outcomes = {c.correction_key: blank(c) for c in corrections if is_blank(c)}
    values: dict[str, dict[str, str]] = {}
    shared = await _sharing(own, [c for c in corrections if c.correction_key not in outcomes])
    message = "a firm and its contacts share this address: Odoo would change all of theirs; write it in Odoo"
    outcomes |= {
        c.correction_key: rejected(c, "SHARED_ADDRESS", message)
        for c in corrections
        if c.field in ADDRESS_FIELDS and c.vendor_id in shared and c.correction_key not in outcomes
    }
    ready = [c for c in corrections if c.correction_key not in outcomes]
    named = [c for c in ready if c.field in NAME_FIELDS]
    if named:
        names, refused_names = _names(named, await own.execute(
            "res.partner", "search_read", domain=[["id", "in", ids_of(named)]], fields=["name", "is_company"],
            context=ALL,
        ))
        outcomes |= refused_names
        for partner, name in names.items():
            values.setdefault(partner, {})["name"] = name
    for c in ready:
        if c.field in PARTNER_FIELDS:
            values.setdefault(c.vendor_id, {})[PARTNER_FIELDS[c.field]] = (c.desired or "").strip()
    left = [c for c in ready if c.correction_key not in outcomes]
    parts: list[Part] = []
    for fields in dict.fromkeys(tuple(sorted(held)) for held in values.values()):
        rows = {k: [held[f] for f in fields] for k, held in values.items() if tuple(sorted(held)) == fields}
        mine = [c for c in left if c.vendor_id in rows]
        parts.append((mine, partial(_load_partners, own, fields, rows, mine)))
    return in_order(corrections, outcomes | await in_parts(parts))


async def _load_partners(
    own: OdooSession, fields: Sequence[str], rows: Mapping[str, Sequence[str]], corrections: Sequence[Correction]
) -> dict[str, Outcome]:
    refused = await load(own, "res.partner", fields, rows)
    return {c.correction_key: loaded(c, refused.get(c.vendor_id)) for c in corrections}


async def _sharing(own: OdooSession, corrections: Sequence[Correction]) -> set[str]:
    """The partners whose address is also a firm's or a contact's, of those whose address is to be written."""
    ids = ids_of([c for c in corrections if c.field in ADDRESS_FIELDS])
    if not ids:
        return set()
    held = await own.execute(
        "res.partner", "search_read", domain=[["id", "in", ids]], fields=["parent_id", "type"], load=None, context=ALL
    )
    # Only active contacts are written on to: archived ones are left out here too.
    contacts = await own.execute(
        "res.partner", "search_read", domain=[["parent_id", "in", ids], ["type", "=", "contact"]],
        fields=["parent_id"], load=None,
    )
    is_contact = {str(each["id"]) for each in held if each["parent_id"] and each["type"] == "contact"}
    return is_contact | {str(each["parent_id"]) for each in contacts}


def _names(corrections: Sequence[Correction], held: list[dict[str, Any]]) -> tuple[dict[str, str], dict[str, Outcome]]:
    """The new names by partner, and outcomes for what cannot stand in one name."""
    partners = {str(each["id"]): each for each in held}
    wanted: dict[str, dict[str, Correction]] = {}
    for c in corrections:
        wanted.setdefault(c.vendor_id, {})[c.field] = c
    names: dict[str, str] = {}
    outcomes: dict[str, Outcome] = {}
    for partner, fields in wanted.items():
        now = partners.get(partner)
        if now is None:
            outcomes |= {c.correction_key: rejected(c, "GONE", "the partner is gone") for c in fields.values()}
            continue
        old, is_company = str(now["name"] or ""), bool(now["is_company"])
        first, last = split_name(old, is_company=is_company)
        meant = (
            (fields["first_name"].desired or "").strip() if "first_name" in fields else first,
            (fields["last_name"].desired or "").strip() if "last_name" in fields else last,
        )
        name = f"{meant[1]}, {meant[0]}" if ", " in old else " ".join(filter(None, meant))
        if split_name(name, is_company=is_company) == meant:
            names[partner] = name
        else:
            message = "Odoo keeps one name, and this one would not come apart as it was put together: write it in Odoo"
            outcomes |= {c.correction_key: rejected(c, "ONE_NAME", message) for c in fields.values()}
    return names, outcomes


async def write_points(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set the points of loyalty cards; one outcome each, in order."""
    own = odoo(session)
    outcomes: dict[str, Outcome] = {}
    ready: dict[str, Correction] = {}
    for c in corrections:
        if not (c.desired or "").isdecimal():
            outcomes[c.correction_key] = rejected(c, "NOT_POINTS", "points are a whole number, 0 or more")
        elif not c.context.get("card_id"):
            message = "the customer has no loyalty card in Odoo: give one there"
            outcomes[c.correction_key] = rejected(c, "NO_CARD", message)
        else:
            ready[str(c.context["card_id"])] = c
    held = await own.execute(
        "loyalty.card", "search_read", domain=[["id", "in", [int(card) for card in ready]]], fields=["points"],
        context=ALL,
    ) if ready else []
    points = {str(card["id"]): float(card["points"]) for card in held}
    rows = {}
    for card, c in ready.items():
        if card not in points:
            outcomes[c.correction_key] = rejected(c, "GONE", "the loyalty card is gone")
            continue
        more = int(c.desired or 0) - points[card]
        rows[card] = [c.desired or "", "trueup", number(max(more, 0)), number(max(-more, 0))]
    fields = ["points", "history_ids/description", "history_ids/issued", "history_ids/used"]
    refused = await load(own, "loyalty.card", fields, rows, context={"loyalty_no_mail": True})
    for card in rows:
        outcomes[ready[card].correction_key] = loaded(ready[card], refused.get(card))
    return in_order(corrections, outcomes)


CUSTOMER_WRITER = Writer(
    "customers", frozenset({*PARTNER_FIELDS, *NAME_FIELDS}), BATCH, within_rights(write_customers), needs_check=True,
    max_in_flight=2,
)
POINTS_WRITER = Writer(
    "customers", frozenset({POINTS_FIELD}), BATCH, within_rights(write_points), needs_check=True, max_in_flight=2
)

"""Reads the present values of corrections by id, each as the SQL beside stages it.

A record that is archived is there; one that is deleted is not. A permission is of an address: where the record has
another by now, the one that was asked for is gone.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from pipelines.channels.base import ReadBack
from pipelines.channels.odoo.levels import ALL, read_levels
from pipelines.channels.odoo.outcomes import ids_of
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.channels.odoo.write_consents import BLACKLIST
from pipelines.channels.odoo.write_people import NAME_FIELDS, PARTNER_FIELDS, POINTS_FIELD, split_name
from pipelines.http import Session
from pipelines.model import Correction, Reading

MAX = 500
Record = dict[str, Any]


def reading(correction: Correction, value: str | None, *, exists: bool = True) -> Reading:
    """What Odoo holds for a correction."""
    return Reading(
        correction.system, correction.entity, correction.field, correction.vendor_id, correction.vendor_sub_id,
        value, exists=exists,
    )


async def _held(own: OdooSession, model: str, ids: Sequence[int], fields: Sequence[str]) -> dict[str, Record]:
    """Records by id; what is not there is left out (`read` would refuse all for one)."""
    if not ids:
        return {}
    found = await own.execute(
        model, "search_read", domain=[["id", "in", list(ids)]], fields=list(fields), load=None, context=ALL
    )
    return {str(each["id"]): each for each in found}


async def _read(
    session: Session, corrections: Sequence[Correction], model: str, fields: Sequence[str],
    value: Callable[[Correction, Record], str | None],
) -> list[Reading]:
    held = await _held(odoo(session), model, ids_of(corrections), fields)
    return [
        reading(c, value(c, held[c.vendor_id])) if c.vendor_id in held else reading(c, None, exists=False)
        for c in corrections
    ]


async def read_prices(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Variants' prices in minor units."""

    def value(c: Correction, found: Record) -> str | None:
        major = Decimal(str(found["list_price"])) + Decimal(str(found["price_extra"]))
        minor = major.scaleb(int(c.context["digits"]))
        return str(int(minor)) if minor == minor.to_integral_value() else str(major)

    return await _read(session, corrections, "product.product", ("list_price", "price_extra"), value)


async def read_barcodes(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Variants' barcodes."""
    return await _read(
        session, corrections, "product.product", ("barcode",), lambda _, found: _text(found["barcode"])
    )


async def read_stock(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Units in warehouses."""
    levels = await read_levels(odoo(session), corrections)
    places = [(c, levels.get((c.vendor_id, c.vendor_sub_id))) for c in corrections]
    return [reading(c, level.value(c.field) if level else None, exists=level is not None) for c, level in places]


async def read_customers(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Partners' fields and points; an untouched free-text phone reads as it was observed."""
    own = odoo(session)
    partners = await _held(
        own, "res.partner", ids_of(corrections), ("name", "is_company", "active", *PARTNER_FIELDS.values())
    )
    cards = [int(c.context["card_id"]) for c in corrections if c.field == POINTS_FIELD and c.context.get("card_id")]
    points = await _held(own, "loyalty.card", cards, ("points",))

    def value(c: Correction) -> str | None:
        if c.field == POINTS_FIELD:
            card = points.get(str(c.context.get("card_id")))
            return None if card is None else str(int(card["points"] // 1))
        found = partners[c.vendor_id]
        if c.field in NAME_FIELDS:
            names = split_name(str(found["name"] or ""), is_company=bool(found["is_company"]))
            return names[NAME_FIELDS.index(c.field)] or None
        text = _text(found[PARTNER_FIELDS[c.field]])
        return c.observed if c.field == "phone" and text and text == c.context.get("phone") else text

    there = {key for key, partner in partners.items() if partner["active"]}
    return [reading(c, value(c)) if c.vendor_id in there else reading(c, None, exists=False) for c in corrections]


async def read_consents(session: Session, corrections: Sequence[Correction]) -> list[Reading]:
    """Permissions of addresses: by Odoo's own word on contact, partner or ban, and on the subscription."""
    own = odoo(session)
    owned: dict[str, list[int]] = {"": [], "contact": [], BLACKLIST: []}
    for vendor_id in dict.fromkeys(c.vendor_id for c in corrections if not c.makes_record):
        kind, _, key = vendor_id.rpartition(":")
        owned[kind].append(int(key))
    fields = ("email_normalized", "is_blacklisted")
    held = await _held(own, "res.partner", owned[""], fields)
    contacts = await _held(own, "mailing.contact", owned["contact"], fields)
    held |= {f"contact:{key}": each for key, each in contacts.items()}
    bans = await _held(own, "mail.blacklist", owned[BLACKLIST], ("email", "active"))
    held |= {
        f"{BLACKLIST}:{key}": {"email_normalized": ban["email"], "is_blacklisted": True}
        for key, ban in bans.items() if ban["active"]
    }
    subscribed = sorted({int(c.context["subscription_id"]) for c in corrections if "subscription_id" in c.context})
    subscriptions = await _held(own, "mailing.subscription", subscribed, ("opt_out", "contact_id", "list_id"))
    return [_permission(c, held.get(c.vendor_id), subscriptions) for c in corrections]


def _permission(c: Correction, owner: Record | None, subscriptions: dict[str, Record]) -> Reading:
    email = str(c.context.get("email") or "").lower()
    if owner is None or str(owner["email_normalized"] or "").lower() != email:
        return reading(c, None, exists=False)
    if c.vendor_sub_id == BLACKLIST:
        return reading(c, "no" if owner["is_blacklisted"] else "yes")
    if "subscription_id" not in c.context:  # the ban alone says something about a list that the address is not in
        return reading(c, "no") if owner["is_blacklisted"] else reading(c, None, exists=False)
    found = subscriptions.get(str(c.context["subscription_id"]))
    if found is None or (f"contact:{found['contact_id']}", str(found["list_id"])) != (c.vendor_id, c.vendor_sub_id):
        return reading(c, None, exists=False)
    return reading(c, "no" if found["opt_out"] or owner["is_blacklisted"] else "yes")


def _text(value: Any) -> str | None:
    """A text as staged: without outer blanks; `false` is none."""
    return str(value).strip() or None if value else None


READ_BACKS = (
    ReadBack("items", MAX, read_barcodes),
    ReadBack("prices", MAX, read_prices),
    ReadBack("stock", MAX, read_stock),
    ReadBack("customers", MAX, read_customers),
    ReadBack("consents", MAX, read_consents),
)

"""Writes sales prices and barcodes.

A price belongs to the template, and all its variants share it: where there are several, either all of them are
corrected alike in one batch or none is. Both are absolute values without a guard: push reads back just before.
"""

from collections.abc import Sequence
from decimal import Decimal

from pipelines.channels.barcodes import printed
from pipelines.channels.base import Writer
from pipelines.channels.odoo.outcomes import is_blank, load, loaded, within_rights
from pipelines.channels.odoo.session import odoo
from pipelines.channels.outcomes import blank, in_order, rejected
from pipelines.http import Session
from pipelines.model import Correction, Outcome

BATCH = 200
"""A load of so many takes about two seconds of one of Odoo's workers, which end a call after 120."""


def group_of(correction: Correction) -> str:
    """The variants of one template in a batch of their own; all other prices together."""
    return str(correction.context["template_id"]) if _variants(correction) > 1 else ""


def _variants(correction: Correction) -> int:
    return int(correction.context.get("variants") or 1)


async def write_prices(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set the templates' sales prices; one outcome each, in order."""
    outcomes: dict[str, Outcome] = {}
    templates: dict[str, list[Correction]] = {}
    for c in corrections:
        if not (c.desired or "").isdecimal():
            outcomes[c.correction_key] = rejected(c, "NOT_AN_AMOUNT", "a price is a whole number of minor units")
        elif int(c.desired or 0) < int(c.context["extra_minor"]):
            message = "the variant's options alone cost more than this: change their extra price in Odoo"
            outcomes[c.correction_key] = rejected(c, "BELOW_EXTRA", message)
        else:
            templates.setdefault(str(c.context["template_id"]), []).append(c)
    rows: dict[str, list[str]] = {}
    for template, some in templates.items():
        prices, sharing = {_listed(c) for c in some}, max(_variants(c) for c in some)
        if len(prices) > 1 or len({c.vendor_id for c in some}) < sharing:
            message = f"{sharing} variants share this price: correct all of them alike, or in Odoo"
            outcomes |= {c.correction_key: rejected(c, "SHARED_PRICE", message) for c in some}
        else:
            rows[template] = list(prices)
    refused = await load(odoo(session), "product.template", ["list_price"], rows)
    for template in rows:
        for c in templates[template]:
            outcomes[c.correction_key] = loaded(c, refused.get(template))
    return in_order(corrections, outcomes)


def _listed(correction: Correction) -> str:
    """The template's price in major units: the variant's without what its options cost more."""
    digits = int(correction.context["digits"])
    minor = int(correction.desired or 0) - int(correction.context["extra_minor"])
    return f"{Decimal(minor).scaleb(-digits):.{digits}f}"


async def write_barcodes(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Set variants' barcodes; one outcome each, in order. Odoo refuses one that another product has."""
    outcomes = {c.correction_key: blank(c) for c in corrections if is_blank(c)}
    ready = [c for c in corrections if c.correction_key not in outcomes]
    rows = {c.vendor_id: [printed(c.desired or "")] for c in ready}
    refused = await load(odoo(session), "product.product", ["barcode"], rows)
    outcomes |= {c.correction_key: loaded(c, refused.get(c.vendor_id)) for c in ready}
    return in_order(corrections, outcomes)


PRICE_WRITER = Writer(
    "prices", frozenset({"amount"}), BATCH, within_rights(write_prices), group=group_of, needs_check=True,
    max_in_flight=2,
)
ITEM_WRITER = Writer(
    "items", frozenset({"gtin"}), BATCH, within_rights(write_barcodes), needs_check=True, max_in_flight=2
)

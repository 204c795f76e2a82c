"""Writes permission down, never up: opts subscriptions out of their list, and puts addresses on the blacklist.

Both are absolute and only ever downward, so a lost answer may be asked for again.
"""

from collections.abc import Sequence

from pipelines.channels.base import Writer
from pipelines.channels.odoo.levels import ALL
from pipelines.channels.odoo.outcomes import applied, in_order, rejected, within_rights
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.http import Session
from pipelines.model import Correction, Outcome

BATCH = 500
BLACKLIST = "blacklist"
"""The audience of all that Odoo sends."""


def group_of(correction: Correction) -> str:
    """Opt-outs in one batch, addresses for the blacklist in another."""
    return BLACKLIST if correction.vendor_sub_id == BLACKLIST else "list"


async def write_consents(session: Session, corrections: Sequence[Correction], key: str) -> list[Outcome]:
    """Take permissions away; one outcome each, in order. Any other wish is refused without a call."""
    own = odoo(session)
    refused = "a permission is never raised by a sync"
    outcomes = {
        c.correction_key: rejected(c, "RAISE_REFUSED", refused)
        for c in corrections if c.desired != "no" or c.makes_record
    }
    lowered = [c for c in corrections if c.correction_key not in outcomes]
    out = [c for c in lowered if c.vendor_sub_id != BLACKLIST]
    if out:
        ids = sorted({int(c.context["subscription_id"]) for c in out})
        await own.execute("mailing.subscription", "write", ids=ids, vals={"opt_out": True})
    listed = [c for c in lowered if c.vendor_sub_id == BLACKLIST]
    if listed:
        await _blacklist(own, list(dict.fromkeys(str(c.context["email"]) for c in listed)))
    outcomes |= {c.correction_key: applied(c) for c in lowered}
    return in_order(corrections, outcomes)


async def _blacklist(own: OdooSession, emails: list[str]) -> None:
    """Put addresses on the list. Odoo leaves one that was taken off it as it is when it is added: it is put back."""
    held = await own.execute(
        "mail.blacklist", "search_read", domain=[["email", "in", emails]], fields=["email", "active"], context=ALL
    )
    archived = [each["id"] for each in held if not each["active"]]
    known = {str(each["email"]).lower() for each in held}
    if archived:
        await own.execute("mail.blacklist", "write", ids=archived, vals={"active": True})
    missing = [email for email in emails if email.lower() not in known]
    if missing:
        await own.execute("mail.blacklist", "create", vals_list=[{"email": email} for email in missing])


CONSENT_WRITER = Writer(
    "consents", frozenset({"state"}), BATCH, within_rights(write_consents), group=group_of, needs_check=True,
    max_in_flight=2,
)

"""Writes permission down, never up: opts subscriptions out of their list, and puts addresses on the blacklist.

Both are absolute and only ever downward, so a lost answer may be asked for again.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from pipelines.channels.base import Writer
from pipelines.channels.odoo.levels import ALL
from pipelines.channels.odoo.outcomes import Part, applied, in_parts, within_rights
from pipelines.channels.odoo.session import OdooSession, odoo
from pipelines.channels.outcomes import in_order, rejected
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
    parts = [
        *_opt_outs(own, [c for c in lowered if c.vendor_sub_id != BLACKLIST]),
        *await _bans(own, [c for c in lowered if c.vendor_sub_id == BLACKLIST]),
    ]
    written = {c.correction_key for some, _ in parts for c in some}
    outcomes |= {c.correction_key: applied(c) for c in lowered if c.correction_key not in written}
    return in_order(corrections, outcomes | await in_parts(parts))


def _opt_outs(own: OdooSession, corrections: Sequence[Correction]) -> list[Part]:
    ids = sorted({int(c.context["subscription_id"]) for c in corrections})
    return _part(corrections, partial(own.execute, "mailing.subscription", "write", ids=ids, vals={"opt_out": True}))


async def _bans(own: OdooSession, corrections: Sequence[Correction]) -> list[Part]:
    """Puts addresses onto the list; one that was taken off it stays off when it is added again, so it is put back.

    Those that are on it already are in no part.
    """
    emails = {c.correction_key: str(c.context["email"]) for c in corrections}
    if not emails:
        return []
    held = await own.execute(
        "mail.blacklist", "search_read", domain=[["email", "in", list(dict.fromkeys(emails.values()))]],
        fields=["email", "active"], context=ALL,
    )
    known = {str(each["email"]).lower() for each in held}
    archived = {str(each["email"]).lower(): int(each["id"]) for each in held if not each["active"]}
    back = [c for c in corrections if emails[c.correction_key].lower() in archived]
    new = [c for c in corrections if emails[c.correction_key].lower() not in known]
    entries = [{"email": email} for email in dict.fromkeys(emails[c.correction_key] for c in new)]
    return [
        *_part(back, partial(
            own.execute, "mail.blacklist", "write", ids=list(archived.values()), vals={"active": True})),
        *_part(new, partial(own.execute, "mail.blacklist", "create", vals_list=entries)),
    ]


def _part(corrections: Sequence[Correction], call: Callable[[], Awaitable[object]]) -> list[Part]:
    async def write() -> dict[str, Outcome]:
        await call()
        return {c.correction_key: applied(c) for c in corrections}

    return [(corrections, write)] if corrections else []


CONSENT_WRITER = Writer(
    "consents", frozenset({"state"}), BATCH, within_rights(write_consents), group=group_of, needs_check=True,
    max_in_flight=2,
)

"""WooCommerce's hands: accounts by batch, with what a newsletter plugin keeps where the estate says under which key.

A real shop greets whoever is made by mail, unless that mail is switched off: the addresses are of a reserved domain.
Over plain HTTP the pages are signed with their size, so smaller ones are shown over TLS alone.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import httpx

from conformance.hands import Person
from conformance.wire import rebuilt
from pipelines.errors import FatalChannelError
from pipelines.http import Session

PATH = "wp-json/wc/v3/customers/batch"
PAGE, BATCH = 8, 100
"""Rows a page, more than the connector's pages overlap; and rows a batch, all that WooCommerce takes."""
GONE = frozenset({"woocommerce_rest_invalid_id", "wc_user_invalid_id"})
"""Before WooCommerce 10, and since."""


class WoocommerceHands:
    """By the REST API v3."""

    endpoint, crowd, can_opt_in, pages_follow = "customers", 30, True, True

    def few(self, request: httpx.Request) -> httpx.Request:
        """By the parameter `per_page`; what is asked for by id comes in one page."""
        asked = request.url.params
        is_list = request.method == "GET" and "include" not in asked and int(asked.get("per_page", 0)) > PAGE
        if not is_list or "oauth_signature" in asked:
            return request
        return rebuilt(request, url=request.url.copy_set_param("per_page", PAGE))

    async def make(self, session: Session, persons: Sequence[Person]) -> list[str]:
        """Accounts with a password that nobody knows, in case the shop makes none."""
        key = session.options.get("consent_meta_key", "")
        rows = [_account(person, key) for person in persons]
        return [str(made["id"]) for made in await _batch(session, "create", rows)]

    async def edit(self, session: Session, ids: Sequence[str], first_name: str) -> None:
        """By batch."""
        await _batch(session, "update", [{"id": int(key), "first_name": first_name} for key in ids])

    async def remove(self, session: Session, ids: Sequence[str]) -> None:
        """By batch, for good: there is no trash for accounts."""
        await _batch(session, "delete", [int(key) for key in ids], passes=GONE)


async def _batch(
    session: Session, what: str, rows: Sequence[Any], *, passes: frozenset[str] = frozenset()
) -> list[dict[str, Any]]:
    """What became of each row. FatalChannelError where one was refused, but for what `passes`."""
    told: list[dict[str, Any]] = []
    for start in range(0, len(rows), BATCH):
        answer = await session.post(PATH, {what: list(rows[start : start + BATCH])}, is_repeatable=False)
        told += answer.json()[what]
    for row in told:
        if (code := row.get("error", {}).get("code", "")) and code not in passes:
            raise FatalChannelError(f"{what} was refused: {code}", system="woocommerce", code=code)
    return told


def _account(person: Person, consent_key: str) -> dict[str, Any]:
    said = [{"key": consent_key, "value": "yes"}] if consent_key and person.opted_in else []
    return {
        "email": person.email, "username": person.email.partition("@")[0], "password": secrets.token_urlsafe(24),
        "first_name": person.first_name, "last_name": person.last_name, "meta_data": said,
        "billing": {
            "first_name": person.first_name, "last_name": person.last_name, "email": person.email,
            "phone": person.phone, "address_1": person.street, "city": person.city, "postcode": person.postcode,
            "country": person.country,
        },
    }


HANDS = WoocommerceHands()

"""Present records by id, for read-backs and for writers that need the rest of a value. Never by search.

`include` names ids; without `per_page` only ten would come, and without `role` only customers of one role. Variations
are asked for under their product. What is trashed or deleted does not come.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pipelines.channels.woocommerce.lists import PAGE, records_of
from pipelines.channels.woocommerce.session import API, MAX_OPEN
from pipelines.errors import FatalChannelError
from pipelines.http import Session
from pipelines.model import Correction

Present = dict[str, Any]


def product_of(correction: Correction) -> str:
    """The product above a variation; '' for a product of its own."""
    return str(correction.context.get("product_id") or "")


async def present_goods(session: Session, corrections: Sequence[Correction]) -> dict[str, Present]:
    """Products and variations by id."""
    wanted: dict[str, list[str]] = {}
    for correction in corrections:
        ids = wanted.setdefault(product_of(correction), [])
        if correction.vendor_id not in ids:
            ids.append(correction.vendor_id)
    gate = asyncio.Semaphore(MAX_OPEN)

    async def under(product: str, ids: list[str]) -> dict[str, Present]:
        async with gate:
            return await _named(session, f"products/{product}/variations" if product else "products", ids, {})

    found = await asyncio.gather(*(under(product, ids) for product, ids in wanted.items()))
    return {key: record for some in found for key, record in some.items()}


async def present_customers(session: Session, corrections: Iterable[Correction]) -> dict[str, Present]:
    """Accounts by id, of whatever role."""
    ids = list(dict.fromkeys(correction.vendor_id for correction in corrections))
    return await _named(session, "customers", ids, {"role": "all"})


async def _named(session: Session, path: str, ids: Sequence[str], params: dict[str, str | int]) -> dict[str, Present]:
    if len(ids) > PAGE:
        raise ValueError(f"at most {PAGE} records are read at once")
    asked = {**params, "include": ",".join(ids), "per_page": PAGE}
    try:
        answer = await session.get(f"{API}/{path}", params=asked)
    except FatalChannelError as error:
        if error.status == 404 and error.code.endswith("_invalid_id"):
            return {}  # the product above is gone, and its variations with it
        raise
    found = {}
    for record in records_of(answer):
        # An `include` that is ignored gives other records: they are not what was asked for.
        key = record.head.key
        if key is not None and key in ids:
            found[key] = msgspec.json.decode(record.raw, type=Present)
    return found


def kept(record: Present, key: str) -> Any:
    """What a plugin keeps beside a record, under a key; None for nothing."""
    some = record.get("meta_data")
    for one in some if isinstance(some, list) else ():
        if isinstance(one, dict) and one.get("key") == key:
            return one.get("value")
    return None

"""How many records the shop has, by its own count: what a delta cannot show as gone, a smaller number does."""

import msgspec

from pipelines.channels.shopify.documents import read_document
from pipelines.channels.shopify.session import ask
from pipelines.http import Session


class _Count(msgspec.Struct):
    count: int


class _Counted(msgspec.Struct):
    found: _Count


async def count_variants(session: Session) -> int:
    """Variants that there are."""
    return await _count(session, "variants_count")


async def count_customers(session: Session) -> int:
    """Customers that there are."""
    return await _count(session, "customers_count")


async def _count(session: Session, name: str) -> int:
    answer, _ = await ask(session, read_document(name), {}, _Counted)
    return answer.found.count

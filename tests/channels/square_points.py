"""Accounts and events of Square's loyalty program, in its own shape."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.store import stamp
from tests.channels.harness import EPOCH

JUNE = EPOCH - timedelta(days=10)


def account(number: int, balance: int = 49, customer: str = "", at: datetime = JUNE) -> dict[str, Any]:
    """One account, of a customer or of a phone alone."""
    found = {
        "id": f"A{number:04d}", "program_id": "LOYALTY", "balance": balance, "lifetime_points": max(balance, 0),
        "created_at": stamp(at), "updated_at": stamp(at),
    }
    return found | ({"customer_id": customer} if customer else {})


def event(
    number: int, points: int = 49, card: int = 1, at: datetime = JUNE, order: str = "", kind: str = "ACCUMULATE_POINTS"
) -> dict[str, Any]:
    """One event of an account."""
    told: dict[str, Any] = {"loyalty_program_id": "LOYALTY", "points": points} | ({"order_id": order} if order else {})
    return {
        "id": f"E{number:04d}", "type": kind, "created_at": stamp(at), "loyalty_account_id": f"A{card:04d}",
        "source": "SQUARE", "location_id": "LPARIS", kind.lower(): told,
    }

"""What to ask Shopify's search for, by time of change. The vendor's stamps are whole seconds, and its search lags."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pipelines.channels.base import Window

ORDERS_DAYS = 400
"""How far back a census of orders goes; the option `orders_days` says otherwise."""
OVERLAP = timedelta(minutes=10)
"""Search lags behind writes by seconds, in bad hours by minutes."""


def changed_since(moment: datetime) -> str:
    """The filter for all that changed at or after a moment."""
    return f"updated_at:>='{_second(moment)}'"


def orders_within(window: Window, options: Mapping[str, str]) -> str:
    """The filter for the orders of a window; one that is closed ends before `until`."""
    days = timedelta(days=int(options.get("orders_days", ORDERS_DAYS)))
    found = changed_since(window.since or window.until - days)
    return f"{found} AND updated_at:<'{_second(window.until)}'" if window.is_closed else found


def _second(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

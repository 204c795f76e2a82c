"""The account: whose it is, what its app was granted, and which call needs which grant."""

from collections.abc import Set
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

HUB_ID, TIMEZONE = 26_260_001, "Europe/Paris"
SCOPES = (
    "oauth", "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.products.read",
    "crm.objects.products.write", "communication_preferences.read", "communication_preferences.read_write",
)


def details(now: datetime) -> dict[str, Any]:
    """What the account-info endpoint says."""
    offset = now.astimezone(ZoneInfo(TIMEZONE)).utcoffset() or timedelta()
    hours, minutes = divmod(int(offset.total_seconds()) // 60, 60)
    return {
        "portalId": HUB_ID, "accountType": "STANDARD", "timeZone": TIMEZONE, "companyCurrency": "EUR",
        "additionalCurrencies": ["CHF", "JPY"], "utcOffset": f"{hours:+03d}:{minutes:02d}",
        "utcOffsetMilliseconds": int(offset.total_seconds() * 1000), "uiDomain": "app-eu1.hubspot.com",
        "dataHostingLocation": "eu1",
    }


def token_info(lacks: Set[str]) -> dict[str, Any]:
    """What is known of a static token of the account's app."""
    return {"userId": 1, "hubId": HUB_ID, "appId": 1, "scopes": [scope for scope in SCOPES if scope not in lacks]}


def scope_of(operation: str) -> str:
    """The scope that a call ("POST /path") needs; '' for those that need none of ours."""
    method, _, path = operation.partition(" ")
    if path.startswith("/communication-preferences/"):
        return "communication_preferences.read_write" if method == "POST" else "communication_preferences.read"
    if not path.startswith("/crm/v3/objects/"):
        return ""
    is_read = method == "GET" or path.endswith(("/search", "/batch/read"))
    return f"crm.objects.{path.split('/')[4]}.{'read' if is_read else 'write'}"

"""Audiences and members as Mailchimp shows them, and the world's records turned into members and back.

A member's `id` is the MD5 of its lower-case address, so it changes when the address does; `contact_id` stays. An
absent text is "", an absent address merge field too. Proof of a double opt-in is `timestamp_opt` with `ip_opt`.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import md5
from typing import Any

import msgspec

from sandbox.records import Consent, ConsentState, Customer
from sandbox.store import Doc, parse_stamp

VENDOR = "mailchimp"
STATUSES = ("subscribed", "unsubscribed", "cleaned", "pending", "transactional", "archived")
MERGE_TAGS = ("FNAME", "LNAME", "PHONE", "ADDRESS", "CARD", "BIRTHDATE")
ADDRESS_PARTS = ("addr1", "addr2", "city", "state", "zip", "country")
_IP = "203.0.113.7"
_STATUS_OF: dict[ConsentState, str] = {
    "yes": "subscribed", "no": "unsubscribed", "pending": "pending", "none": "transactional",
}
_STATE_OF: dict[str, ConsentState] = {"subscribed": "yes", "unsubscribed": "no", "pending": "pending"}

Member = dict[str, Any]


def moment(at: datetime) -> str:
    """A time as Mailchimp writes it: to the second."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+00:00")


def member_id(email: str) -> str:
    """The subscriber hash."""
    return md5(email.strip().lower().encode(), usedforsecurity=False).hexdigest()


def store_key(list_id: str, member: str) -> str:
    """A member is one of an audience: the same address in another is another record."""
    return f"{list_id}:{member}"


def state_of(status: str) -> ConsentState:
    """A member's status as the permission that it is."""
    return _STATE_OF.get(status, "none")


def new_member(list_id: str, email: str, status: str, at: datetime) -> Member:
    """A member with nothing but an address."""
    key = member_id(email)
    return {
        "id": key, "email_address": email, "unique_email_id": key[:10],
        "contact_id": md5(f"{list_id}:{key}".encode(), usedforsecurity=False).hexdigest(), "full_name": "",
        "web_id": int(key[:7], 16), "email_type": "html", "status": status,
        "merge_fields": dict.fromkeys(MERGE_TAGS, ""), "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": "", "timestamp_signup": "", "ip_opt": "", "timestamp_opt": "", "member_rating": 2,
        "last_changed": moment(at), "language": "fr", "vip": False, "email_client": "",
        "location": {"latitude": 0, "longitude": 0, "country_code": "", "timezone": ""}, "source": "API",
        "tags_count": 0, "tags": [], "list_id": list_id, "_links": [],
    }


def named(member: Member) -> Member:
    """With the name that Mailchimp derives."""
    fields = member["merge_fields"]
    member["full_name"] = f"{fields['FNAME']} {fields['LNAME']}".strip()
    return member


def text_of(member: Member) -> str:
    """The JSON that is stored and served."""
    return msgspec.json.encode(member).decode()


def member_of(customer: Customer, list_id: str, at: datetime, held: Mapping[str, Any] | None = None) -> Member:
    """A world's customer as a member; what Mailchimp alone knows of it is kept from `held`."""
    member = new_member(list_id, customer.email, _STATUS_OF[customer.consent.state], at)
    if held is not None:
        member |= {"contact_id": held["contact_id"], "web_id": held["web_id"], "tags": held["tags"]}
    address = {
        "addr1": customer.street, "addr2": "", "city": customer.city, "state": "", "zip": customer.postcode,
        "country": customer.country,
    }
    is_placed = customer.street or customer.city or customer.postcode
    member["id"] = customer.key
    member["merge_fields"] = {
        "FNAME": customer.first_name, "LNAME": customer.last_name, "PHONE": customer.phone,
        "ADDRESS": address if is_placed else "", "CARD": customer.card, "BIRTHDATE": customer.birth_date,
    }
    consent = customer.consent
    if consent.at is not None and consent.state == "pending":
        member |= {"timestamp_signup": moment(consent.at), "ip_signup": _IP}
    if consent.at is not None and consent.state == "yes":
        member["timestamp_opt"] = moment(consent.at)
        if consent.is_proven:
            member |= {"timestamp_signup": moment(consent.at), "ip_signup": _IP, "ip_opt": _IP}
    member["source"] = consent.source or "API"
    return named(member)


def customer_of(doc: Doc) -> Customer:
    """A member as the world's record. Mailchimp knows no country without an address."""
    member = doc.body
    fields = member["merge_fields"]
    address = fields["ADDRESS"] or dict.fromkeys(ADDRESS_PARTS, "")
    state = state_of(member["status"])
    said = {"yes": "timestamp_opt", "no": "last_changed", "pending": "timestamp_signup"}.get(state)
    at = member[said] if said else ""
    return Customer(
        key=member["id"], first_name=fields["FNAME"], last_name=fields["LNAME"], email=member["email_address"],
        phone=fields["PHONE"], street=address["addr1"], city=address["city"], postcode=address["zip"],
        country=address["country"] or "FR", card=fields["CARD"], birth_date=fields["BIRTHDATE"],
        consent=Consent(
            state, parse_stamp(at) if at else None, state == "yes" and bool(at and member["ip_opt"]),
            member["source"],
        ),
    )


def audience(key: str, name: str, at: datetime) -> dict[str, Any]:
    """An audience; counts are added when it is shown."""
    return {
        "id": key, "web_id": int(key[:6], 16) if all(c in "0123456789abcdef" for c in key[:6]) else 1, "name": name,
        "contact": {
            "company": "Sandbox", "address1": "1 rue X", "city": "Paris", "state": "", "zip": "75001", "country": "FR",
        },
        "permission_reminder": "Vous vous êtes inscrit dans nos boutiques.", "use_archive_bar": False,
        "campaign_defaults": {"from_name": "Sandbox", "from_email": "a@example.fr", "subject": "", "language": "fr"},
        "date_created": moment(at), "list_rating": 0, "email_type_option": False, "double_optin": True,
        "has_welcome": False, "marketing_permissions": False, "visibility": "prv", "modules": [], "_links": [],
    }

"""What may become of a member: upserts by batch, PUT and PATCH, archiving, erasure; each effect logged.

The rules that matter: who unsubscribed, bounced or was erased is never subscribed again by the API (`pending` asks the
person); an address is needed whole; an archived member leaves the lists; an erased one is kept as a hash.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sandbox.mailchimp.documents import (
    ADDRESS_PARTS,
    MERGE_TAGS,
    STATUSES,
    VENDOR,
    Member,
    member_id,
    moment,
    named,
    new_member,
    state_of,
    store_key,
    text_of,
)
from sandbox.store import Doc, Store

_MAX_TEXT = 255
_COPIED = (
    "email_type", "language", "vip", "ip_signup", "timestamp_signup", "ip_opt", "timestamp_opt",
)
_WRITABLE_STATUSES = frozenset(STATUSES) - {"archived"}


class Refusal(Exception):
    """A request, or one row of a batch, that Mailchimp does not take."""

    def __init__(self, title: str, detail: str, *, status: int = 400, field: str = "", exists: bool = False) -> None:
        super().__init__(detail)
        self.title, self.detail, self.status, self.field, self.exists = title, detail, status, field, exists


def find(store: Store, list_id: str, who: str) -> Doc | None:
    """A member by hash or address, archived ones included; not those that were renamed or erased."""
    key = member_id(who) if "@" in who else who
    doc = store.get(VENDOR, "members", store_key(list_id, key))
    return doc if doc is not None and doc.text != "{}" else None


def is_forgotten(store: Store, list_id: str, email: str) -> bool:
    """Whether an address was erased from an audience."""
    return store.get(VENDOR, "forgotten", store_key(list_id, member_id(email))) is not None


def upsert(
    store: Store, list_id: str, row: Mapping[str, Any], at: datetime, *, operation: str, may_create: bool = True,
    may_update: bool = True, who: str = "", is_lenient: bool = False,
) -> tuple[Doc, bool]:
    """Create or change one member; (document, whether it is new). Fields left out stay as they are."""
    email = str(row.get("email_address") or "").strip()
    doc = find(store, list_id, who or email)
    if doc is None:
        if not may_create:
            raise Refusal("Resource Not Found", "The requested resource could not be found.", status=404)
        return _create(store, list_id, row, email, at, operation=operation, is_lenient=is_lenient), True
    if not may_update:
        raise Refusal("Member Exists", f"{email} is already a list member.", exists=True)
    return _change(store, list_id, doc, row, email, at, operation=operation, is_lenient=is_lenient), False


def _create(
    store: Store, list_id: str, row: Mapping[str, Any], email: str, at: datetime, *, operation: str, is_lenient: bool
) -> Doc:
    status = str(row.get("status") or row.get("status_if_new") or "")
    _check_email(email)
    if is_forgotten(store, list_id, email):
        raise Refusal("Forgotten Email Not Subscribed", f"{email} was permanently deleted and cannot be re-imported.")
    if status not in _WRITABLE_STATUSES:
        raise Refusal("Invalid Resource", "status is needed for a new member", field="status")
    member = new_member(list_id, email, status, at)
    _fill(member, row, at, is_lenient=is_lenient)
    doc = _keep(store, list_id, member, at)
    store.effect(VENDOR, "members", member["id"], "created", None, list_id, origin="api", operation=operation)
    _log_state(store, list_id, member["id"], "none", state_of(status), operation)
    return doc


def _change(
    store: Store, list_id: str, doc: Doc, row: Mapping[str, Any], email: str, at: datetime, *, operation: str,
    is_lenient: bool,
) -> Doc:
    before = doc.body
    member = {**before, "merge_fields": dict(before["merge_fields"])}
    status = str(row.get("status") or "")
    if not status and before["status"] == "archived":
        raise Refusal("Invalid Resource", "an archived contact needs a status", field="status")
    if status:
        was = store.get(VENDOR, "was", doc.key) if before["status"] == "archived" else None
        _check_status(email or before["email_address"], was.body["status"] if was else before["status"], status)
        member["status"] = status
    _fill(member, row, at, is_lenient=is_lenient, was=before["status"])
    if email and email != before["email_address"]:
        _check_email(email)
        member["email_address"] = email
        member["id"] = member_id(email)
    if member == before:
        return doc
    if member["id"] != before["id"]:
        if find(store, list_id, member["id"]) is not None:
            raise Refusal("Invalid Resource", f"{email} is already a list member.", field="email_address")
        store.put(VENDOR, "members", doc.key, "{}", updated_at=at, parent=list_id, deleted=True)
    member["last_changed"] = moment(at)
    changed = _keep(store, list_id, member, at)
    log_changes(store, before, member, origin="api", operation=operation)
    return changed


def _keep(store: Store, list_id: str, member: Member, at: datetime) -> Doc:
    key = store_key(list_id, member["id"])
    store.put(
        VENDOR, "members", key, text_of(named(member)), updated_at=at, parent=list_id,
        lookup=member["email_address"].lower(), deleted=member["status"] == "archived",
    )
    doc = store.get(VENDOR, "members", key)
    assert doc is not None
    return doc


def _check_email(email: str) -> None:
    local, _, domain = email.partition("@")
    if not local or "." not in domain or any(c.isspace() for c in email):
        raise Refusal("Invalid Resource", "Please provide a valid email address.", field="email_address")


def _check_status(email: str, held: str, status: str) -> None:
    if status not in _WRITABLE_STATUSES:
        raise Refusal("Invalid Resource", f"{status} is no status that can be set", field="status")
    if (held in ("unsubscribed", "cleaned") and status == "subscribed") or (held == "cleaned" and status == "pending"):
        raise Refusal(
            "Member In Compliance State",
            f"{email} is in a compliance state due to unsubscribe, bounce, or compliance review and cannot be "
            "subscribed.",
        )


def _fill(member: Member, row: Mapping[str, Any], at: datetime, *, is_lenient: bool, was: str = "") -> None:
    """Take over what the row names, and stamp what follows from a new status."""
    for name in _COPIED:
        if name in row:
            member[name] = row[name]
    for tag, value in dict(row.get("merge_fields") or {}).items():
        member["merge_fields"][tag] = _merge_value(str(tag), value, is_lenient=is_lenient)
    if member["status"] == was:
        return
    if member["status"] == "subscribed" and not row.get("timestamp_opt"):
        member["timestamp_opt"] = moment(at)
    if member["status"] == "pending":
        member |= {"timestamp_signup": moment(at), "timestamp_opt": "", "ip_opt": ""}


def _merge_value(tag: str, value: Any, *, is_lenient: bool) -> Any:
    if tag not in MERGE_TAGS:
        raise Refusal("Invalid Resource", f"merge field {tag} does not exist", field=tag)
    if tag == "ADDRESS":
        parts = {part: str((value or {}).get(part) or "") for part in ADDRESS_PARTS} if value else None
        if parts and not is_lenient and not (parts["addr1"] and parts["city"] and parts["zip"]):
            raise Refusal("Invalid Resource", "Please enter a complete address", field=tag)
        _check_text(tag, "".join((parts or {}).values()))
        return parts or ""
    text = "" if value is None else str(value)
    _check_text(tag, text)
    if tag == "BIRTHDATE" and text:
        try:
            datetime.strptime(text, "%Y-%m-%d")
        except ValueError as error:
            raise Refusal("Invalid Resource", "Please enter the date", field=tag) from error
    return text


def _check_text(tag: str, text: str) -> None:
    if len(text) > _MAX_TEXT or any(ord(c) < 32 for c in text):
        raise Refusal("Invalid Resource", "This value is not valid text", field=tag)


def archive(store: Store, doc: Doc, at: datetime, *, origin: str, operation: str) -> None:
    """Take a member out of the lists; what it was stays known, so that a no cannot be washed off."""
    member = doc.body
    if member["status"] == "archived":
        return
    list_id, was = member["list_id"], member["status"]
    store.put(VENDOR, "was", doc.key, {"status": was}, updated_at=at)
    member |= {"status": "archived", "last_changed": moment(at)}
    _keep(store, list_id, member, at)
    store.effect(VENDOR, "members", member["id"], "status", was, "archived", origin=origin, operation=operation)


def erase(store: Store, list_id: str, doc: Doc, at: datetime, *, operation: str) -> None:
    """Delete for good and block the address."""
    member = doc.body
    store.put(VENDOR, "forgotten", store_key(list_id, member["id"]), {}, updated_at=at)
    store.put(VENDOR, "members", doc.key, "{}", updated_at=at, parent=list_id, deleted=True)
    store.effect(VENDOR, "members", member["id"], "erased", "false", "true", origin="api", operation=operation)


def log_changes(store: Store, before: Member, after: Member, *, origin: str, operation: str) -> None:
    """One effect a value that moved, the permission's own beside them."""
    key = after["id"]
    for name in ("id", "email_address", "status"):
        if before[name] != after[name]:
            store.effect(VENDOR, "members", key, name, before[name], after[name], origin=origin, operation=operation)
    for tag, value in after["merge_fields"].items():
        held = before["merge_fields"].get(tag, "")
        if held != value:
            store.effect(VENDOR, "members", key, tag, held, value, origin=origin, operation=operation)
    _log_state(
        store, after["list_id"], key, state_of(before["status"]), state_of(after["status"]), operation, origin=origin
    )


def _log_state(
    store: Store, list_id: str, key: str, before: str, after: str, operation: str, *, origin: str = "api"
) -> None:
    if before != after:
        store.effect(VENDOR, "consents", key, list_id, before, after, origin=origin, operation=operation)

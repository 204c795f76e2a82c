"""Who calls: HTTP Basic over TLS only, OAuth 1.0a with one leg over plain HTTP (RFC 5849, without a token).

The signature covers the method, the address and every parameter of the query. A timestamp is taken within 15 minutes,
a nonce once. Written apart from the library that clients sign with, so that one mistake cannot hide in both.
"""

import hashlib
import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from datetime import timedelta
from urllib.parse import parse_qsl, quote

from starlette.requests import Request

from sandbox.store import Store, parse_stamp, stamp
from sandbox.woocommerce.documents import VENDOR

WINDOW = timedelta(minutes=15)
_NEEDED = ("oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method")
_METHODS = {"HMAC-SHA1": hashlib.sha1, "HMAC-SHA256": hashlib.sha256}
_ERROR = "woocommerce_rest_authentication_error"


class Unknown(Exception):
    """The call is not let in: the vendor's code and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


def let_in(request: Request, store: Store, token: str) -> None:
    """Return for a call with the shop's key (both halves are `token`); Unknown for any other."""
    if request.url.scheme == "https" and _basic(request.headers.get("authorization", ""), token):
        return
    given = dict(parse_qsl(request.url.query, keep_blank_values=True))
    if not any(given.get(name) for name in _NEEDED):
        # Basic over plain HTTP is not looked at: the call is then one of nobody.
        raise Unknown("woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")
    if absent := [name for name in _NEEDED if not given.get(name)]:
        words = f"Missing OAuth parameters {', '.join(absent)}"
        raise Unknown("woocommerce_rest_authentication_missing_parameter", words)
    if given["oauth_consumer_key"] != token:
        raise Unknown(_ERROR, "Consumer key is invalid.")
    if given["oauth_signature_method"] not in _METHODS:
        raise Unknown(_ERROR, "Invalid signature - signature method is invalid.")
    if not hmac.compare_digest(_signature(request, token, given["oauth_signature_method"]), given["oauth_signature"]):
        raise Unknown(_ERROR, "Invalid signature - provided signature does not match.")
    _once(store, given["oauth_timestamp"], given["oauth_nonce"])


def _basic(header: str, token: str) -> bool:
    scheme, _, value = header.partition(" ")
    try:
        return scheme.lower() == "basic" and b64decode(value).decode() == f"{token}:{token}"
    except (Base64Error, UnicodeDecodeError):
        return False


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _signature(request: Request, token: str, method: str) -> str:
    pairs = sorted(
        (_encoded(name), _encoded(value))
        for name, value in parse_qsl(request.url.query, keep_blank_values=True) if name != "oauth_signature"
    )
    address = f"{request.url.scheme}://{request.url.netloc}{request.url.path}"
    query = "&".join(f"{name}={value}" for name, value in pairs)
    text = f"{request.method}&{_encoded(address)}&{_encoded(query)}"
    return b64encode(hmac.new(f"{token}&".encode(), text.encode(), _METHODS[method]).digest()).decode()


def _once(store: Store, timestamp: str, nonce: str) -> None:
    now = store.now()
    if not timestamp.isdigit() or abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise Unknown(_ERROR, "Invalid timestamp.")
    used = store.get(VENDOR, "nonces", nonce)
    if used is not None and now - parse_stamp(used.updated_at) <= WINDOW:
        raise Unknown(_ERROR, "Invalid nonce - nonce has already been used.")
    store.put(VENDOR, "nonces", nonce, {}, updated_at=stamp(now))

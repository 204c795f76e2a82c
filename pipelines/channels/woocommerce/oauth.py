"""Signs calls over plain HTTP: OAuth 1.0a with one leg, as WooCommerce takes it (RFC 5849, without a token).

The parameters go into the query, since WordPress has no reliable way to see the header; `oauth_version` is left out, as
the vendor asks. Each try is signed anew: the vendor takes a nonce once, and a timestamp within 15 minutes of its own.
"""

import hmac
import logging
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import httpx
from oauthlib.oauth1 import SIGNATURE_HMAC_SHA256, SIGNATURE_TYPE_QUERY, Client

from pipelines.clock import Clock
from pipelines.http import Chance

_COUNT = count()
"""Of all calls of this process: with the time and chance, no two of them have the same nonce."""
_NONCE_SIGNS = 32
_TALKATIVE = "oauthlib"
"""Its log quotes what it signs: the key, and addresses that are asked for."""


class _OneLegged(Client):  # type: ignore[misc]  # the library has no types
    def get_oauth_params(self, request: Any) -> list[tuple[str, str]]:
        """The parameters without the version."""
        return [pair for pair in super().get_oauth_params(request) if pair[0] != "oauth_version"]


class OneLegged(httpx.Auth):
    """The signature of one key."""

    def __init__(self, key: str, secret: str, clock: Clock, chance: Chance) -> None:
        logging.getLogger(_TALKATIVE).setLevel(logging.WARNING)
        self._key, self._secret, self._clock, self._chance = key, secret, clock, chance

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        """Add the signature to the address; a body in JSON is not signed."""
        now = self._clock.now()
        client = _OneLegged(
            self._key, client_secret=self._secret, signature_method=SIGNATURE_HMAC_SHA256,
            signature_type=SIGNATURE_TYPE_QUERY, nonce=self._nonce(now), timestamp=str(int(now.timestamp())),
        )
        address, _, _ = client.sign(str(request.url), http_method=request.method)
        request.url = httpx.URL(address)
        yield request

    def _nonce(self, now: datetime) -> str:
        words = f"{now.isoformat()}|{next(_COUNT)}|{self._chance()}"
        return hmac.new(self._secret.encode(), words.encode(), "sha256").hexdigest()[:_NONCE_SIGNS]

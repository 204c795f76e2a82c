"""How a WooCommerce shop is reached: the two ways to prove who calls, pacing, and what each of its errors means.

Over TLS the key goes as HTTP Basic; over plain HTTP, where WooCommerce does not look at Basic, each call is signed (see
`oauth`). WooCommerce itself has no rate limit, but the host behind it has one, and a shop is there for its customers
first: calls are paced, and few are under way at once. Messages of errors may quote values: they are not passed on.
"""

from typing import Any, cast
from urllib.parse import urlsplit

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.channels.woocommerce.oauth import OneLegged
from pipelines.channels.woocommerce.options import calls_per_second, no_words, orders_days
from pipelines.clock import Clock
from pipelines.errors import CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

SYSTEM = "woocommerce"
KEY, SECRET = "TRUEUP_WOOCOMMERCE_KEY", "TRUEUP_WOOCOMMERCE_SECRET"
API = "wp-json/wc/v3"
MAX_OPEN = 6
TIMEOUT_SECONDS = 60.0
"""A batch of 100 products takes a small host half a minute."""


def connect(connection: Connection) -> Session:
    """The session of one shop. `base_url` is the site's own address, as WordPress knows it (its home URL).

    ConfigurationError for an option that cannot be read.
    """
    orders_days(connection.options)
    no_words(connection.options)  # else a wrong word stops the settings and the proof of permissions, every night
    clock = cast(Clock, connection.clock)
    key, secret = connection.secrets[KEY], connection.secrets[SECRET]
    is_safe = urlsplit(connection.base_url).scheme == "https"
    auth: httpx.Auth = httpx.BasicAuth(key, secret) if is_safe else OneLegged(key, secret, clock, connection.chance)
    return Session(
        system=SYSTEM,
        base_url=connection.base_url,
        headers={"accept": "application/json"},
        limiter=RateLimiter(calls_per_second(connection.options), 1.0, clock),
        judge=judge_of(clock),
        clock=clock,
        options=connection.options,
        transport=cast(httpx.AsyncBaseTransport | None, connection.transport),
        auth=auth,
        timeout_seconds=TIMEOUT_SECONDS,
        max_connections=MAX_OPEN,
        chance=connection.chance,
    )


class _Data(msgspec.Struct):
    status: int | None = None


class _Trouble(msgspec.Struct):
    code: str = ""
    data: _Data | None = None


def judge_of(clock: Clock) -> Judge:
    """WooCommerce's errors, sorted by what is to be done; only codes are quoted."""

    def judge(answer: Answer) -> None:
        status = answer.status
        if status < 400:
            return
        try:
            trouble = msgspec.json.decode(answer.body, type=_Trouble)
        except msgspec.DecodeError:
            trouble = _Trouble()  # the host, a firewall or a shop under maintenance answers in HTML
        code = trouble.code or str(status)
        where: dict[str, Any] = {"system": SYSTEM, "status": status, "code": code}
        if status in (401, 403):
            raise CredentialError(_refused(status, trouble.code), **where)
        if status == 429 or status >= 500 and status != 501:
            raise RetriableChannelError(f"WooCommerce: {code}", retry_after=retry_after(answer, clock), **where)
        if trouble.code == "rest_no_route" or (status == 404 and not trouble.code):
            cure = "is the plugin on, and are permalinks other than plain?"
            raise FatalChannelError(f"there is no WooCommerce API at base_url: {code}; {cure}", **where)
        raise FatalChannelError(f"WooCommerce refused the call: {code}", **where)

    return judge


def _refused(status: int, code: str) -> str:
    """What to look at where the key was not taken."""
    if not code:
        return f"something before WooCommerce refused the call: {status}; a firewall or a plugin of the site?"
    if code == "woocommerce_rest_authentication_error":
        return (
            f"WooCommerce refused the key: {code}; is it whole, may it read and write, is base_url the site's own "
            "address, and is this machine's clock right?"
        )
    return f"WooCommerce refused the key: {code}; its user must be an administrator or a shop manager"


class _Environment(msgspec.Struct):
    home_url: str


class _Status(msgspec.Struct):
    environment: _Environment


async def identify(session: Session) -> Identity:
    """The shop by its home address without the scheme, which a move to TLS changes. A key shows no scopes."""
    answer = await session.get(f"{API}/system_status", params={"_fields": "environment"})
    try:
        found = msgspec.json.decode(answer.body, type=_Status).environment.home_url
    except msgspec.DecodeError as error:
        raise FatalChannelError("WooCommerce does not say which site it is", system=SYSTEM) from error
    parts = urlsplit(found)
    name = f"{parts.netloc}{parts.path}".rstrip("/").lower()
    return Identity(name, name)

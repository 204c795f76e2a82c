"""How Square is reached: headers, pace, what its errors mean, and whom the token belongs to.

No entity here. Square publishes no rate limit; the default pace is ours and the option `calls_per_second` changes it.
Error messages carry code and field only: Square's `detail` may quote what a person typed.
"""

from typing import Any, cast

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

SYSTEM = "square"
TOKEN = "TRUEUP_SQUARE_TOKEN"
VERSION = "2025-08-20"
LOYALTY = "loyalty"
"""The option that is "on" where the loyalty program is to be read; the token then needs one scope more."""
OPTIONAL_SCOPES = {"LOYALTY_READ": "the events of the loyalty program (option loyalty)"}
CALLS_PER_SECOND = "30"
_PATIENCE_SECONDS = 120.0
"""One call may write ten thousand objects; to hang up meanwhile would only find the catalogue locked by ourselves."""
NEEDED_SCOPES = frozenset(
    {
        "CUSTOMERS_READ", "CUSTOMERS_WRITE", "INVENTORY_READ", "INVENTORY_WRITE", "ITEMS_READ", "ITEMS_WRITE",
        "MERCHANT_PROFILE_READ", "ORDERS_READ",
    }
)


class VendorError(msgspec.Struct):
    """One entry of `errors`."""

    category: str = ""
    code: str = ""
    field: str | None = None

    @property
    def words(self) -> str:
        """Code and field, never the detail."""
        return f"{self.code} in {self.field}" if self.field else self.code


class _Errors(msgspec.Struct):
    errors: list[VendorError] = []


_decode_errors = msgspec.json.Decoder(_Errors).decode


def connect(connection: Connection) -> Session:
    """A session with one merchant; opens nothing."""
    clock = cast(Clock, connection.clock)
    rate = connection.options.get("calls_per_second", CALLS_PER_SECOND)
    try:
        limiter = RateLimiter(float(rate), 1, clock)
    except ValueError as error:
        raise ConfigurationError(
            f"option calls_per_second must be a number above 0, not {rate!r}", system=SYSTEM
        ) from error
    if connection.options.get(LOYALTY, "on") != "on":
        message = 'option loyalty can only be "on"; leave it out where none is to be read'
        raise ConfigurationError(message, system=SYSTEM)
    token = connection.secrets.get(TOKEN)
    if not token:
        raise ConfigurationError(f"{TOKEN} is not set", system=SYSTEM)
    return Session(
        system=SYSTEM,
        base_url=connection.base_url,
        headers={"authorization": f"Bearer {token}", "square-version": VERSION},
        limiter=limiter,
        judge=judge(clock),
        clock=clock,
        options=connection.options,
        timeout_seconds=_PATIENCE_SECONDS,
        transport=cast("httpx.AsyncBaseTransport | None", connection.transport),
        chance=connection.chance,
    )


def judge(clock: Clock) -> Judge:
    """Square's error model as ours."""

    def check(answer: Answer) -> None:
        if 200 <= answer.status < 300:
            return
        first = first_error(answer.body)
        message = first.words or f"HTTP {answer.status}"
        if answer.status in (401, 403):
            raise CredentialError(message, system=SYSTEM, status=answer.status, code=first.code)
        if answer.status in (408, 429) or (answer.status >= 500 and answer.status != 501):
            raise RetriableChannelError(
                message, system=SYSTEM, status=answer.status, code=first.code,
                retry_after=retry_after(answer, clock),
            )
        raise FatalChannelError(message, system=SYSTEM, status=answer.status, code=first.code)

    return check


def first_error(body: bytes) -> VendorError:
    """The first error of an answer; an empty one where the body is not Square's."""
    try:
        errors = _decode_errors(body).errors
    except msgspec.DecodeError:
        return VendorError()
    return errors[0] if errors else VendorError()


async def identify(session: Session) -> Identity:
    """The merchant behind the token, the time zone of its main location, and what the token may do."""
    merchant = (await session.get("/v2/merchants/me")).json().get("merchant") or {}
    if not merchant.get("id"):
        raise FatalChannelError("no merchant in the answer", system=SYSTEM)
    places = (await session.get("/v2/locations")).json().get("locations") or []
    main: dict[str, Any] = next((p for p in places if p.get("id") == merchant.get("main_location_id")), {})
    status = (await session.call("POST", "/oauth2/token/status")).json()
    return Identity(
        shop_id=merchant["id"],
        name=merchant.get("business_name") or merchant["id"],
        timezone=main.get("timezone"),
        scopes=frozenset(status.get("scopes") or ()),
    )

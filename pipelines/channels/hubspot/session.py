"""How HubSpot is reached: the bearer token, its two rate limits, and what each of its errors means.

Calls are paced to 190 in ten seconds, corrected by X-HubSpot-RateLimit-*; searches to five a second besides, which
HubSpot counts apart and sends no headers for. Messages of HubSpot's errors quote values: they are not passed on.
"""

from typing import Any, cast

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.clock import Clock
from pipelines.errors import CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

TOKEN = "TRUEUP_HUBSPOT_TOKEN"
MISSING_SCOPES = "MISSING_SCOPES"
CALLS, PERIOD_SECONDS = 190, 10.0
SEARCHES_A_SECOND = 5
_SLACK = 1.02
"""HubSpot counts calls as they arrive, we as they leave: the same ten seconds are not quite the same."""
_POLICY_SECONDS = {"SECONDLY": 1.0, "TEN_SECONDLY_ROLLING": PERIOD_SECONDS}


class HubspotLimiter:
    """The ten-second limit, as wide as HubSpot says that it is for this account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rate = (CALLS, PERIOD_SECONDS)
        self._limiter = RateLimiter(CALLS, PERIOD_SECONDS * _SLACK, clock)

    async def acquire(self, cost: float) -> None:
        """Wait until a call may be made."""
        await self._limiter.acquire(cost)

    def observe(self, answer: Answer) -> None:
        """Take over the account's own limit, and close while HubSpot asks to wait."""
        calls = answer.headers.get("x-hubspot-ratelimit-max", "")
        milliseconds = answer.headers.get("x-hubspot-ratelimit-interval-milliseconds", "")
        if calls.isdigit() and milliseconds.isdigit() and int(calls) and int(milliseconds):
            rate = (int(calls), int(milliseconds) / 1000)
            if rate != self._rate:
                self._rate, self._limiter = rate, RateLimiter(rate[0], rate[1] * _SLACK, self._clock)
        self._limiter.observe(answer)


class HubspotSession(Session):
    """A session that also paces searches, and knows its token for the one call that takes it in its body."""

    def __init__(self, *, token: str, **rest: Any) -> None:
        super().__init__(system="hubspot", headers={"authorization": f"Bearer {token}"}, **rest)
        self._token = token
        self._searches = RateLimiter(SEARCHES_A_SECOND, 1.1, self.clock)

    async def search(self, kind: str, request: dict[str, Any]) -> Answer:
        """One page of a search."""
        before = self.clock.monotonic()
        await self._searches.acquire(1)
        self.counters.waited_seconds += self.clock.monotonic() - before
        return await self.post(f"crm/v3/objects/{kind}/search", request)

    async def token_info(self) -> Answer:
        """What HubSpot says of our token; it stands in the body, since paths end up in logs."""
        return await self.post("oauth/v2/private-apps/get/access-token-info", {"tokenKey": self._token})


def connect(connection: Connection) -> Session:
    """The session of one HubSpot account."""
    clock = cast(Clock, connection.clock)
    return HubspotSession(
        token=connection.secrets[TOKEN],
        base_url=connection.base_url,
        limiter=HubspotLimiter(clock),
        judge=judge_of(clock),
        clock=clock,
        options=connection.options,
        transport=cast(httpx.AsyncBaseTransport | None, connection.transport),
        chance=connection.chance,
    )


class _Context(msgspec.Struct):
    scopes: list[str] = msgspec.field(name="requiredScopes", default_factory=list)


class _Detail(msgspec.Struct):
    context: _Context = msgspec.field(default_factory=_Context)


class _Trouble(msgspec.Struct):
    category: str = ""
    policy: str = msgspec.field(name="policyName", default="")
    correlation_id: str = msgspec.field(name="correlationId", default="")
    errors: list[_Detail] = []


class _Account(msgspec.Struct):
    portal_id: int = msgspec.field(name="portalId")
    timezone: str = msgspec.field(name="timeZone")


class _TokenInfo(msgspec.Struct):
    hub_id: int = msgspec.field(name="hubId")
    scopes: list[str] = []


def judge_of(clock: Clock) -> Judge:
    """HubSpot's errors, sorted by what is to be done; only categories and ids are quoted."""

    def judge(answer: Answer) -> None:
        status = answer.status
        if status < 400:
            return
        try:
            trouble = msgspec.json.decode(answer.body, type=_Trouble)
        except msgspec.DecodeError:
            trouble = _Trouble()  # a proxy in between answers in HTML: the status says enough
        code = trouble.category or trouble.policy or str(status)
        where = {"system": "hubspot", "request_id": trouble.correlation_id}
        if status == 403 and trouble.category == MISSING_SCOPES:
            named = ", ".join(sorted({scope for detail in trouble.errors for scope in detail.context.scopes}))
            raise CredentialError(f"the app lacks a scope: {named or 'HubSpot does not say which'}", status=status,
                                  code=MISSING_SCOPES, **where)
        if status in (401, 403):
            raise CredentialError(f"HubSpot refused the token: {code}", status=status, code=code, **where)
        if trouble.policy == "DAILY":
            message = "HubSpot's calls of today are used up; there are new ones at midnight of the account's time zone"
            raise FatalChannelError(message, status=status, code="DAILY", **where)
        if status == 429 or status >= 500:
            asked = retry_after(answer, clock)
            wait = _POLICY_SECONDS.get(trouble.policy) if asked is None else asked
            raise RetriableChannelError(f"HubSpot: {code}", retry_after=wait, status=status, code=code, **where)
        raise FatalChannelError(f"HubSpot refused the call: {code}", status=status, code=code, **where)

    return judge


async def identify(session: Session) -> Identity:
    """The account, its time zone, and the scopes of the token, which must be a static one of an app of the account."""
    if not isinstance(session, HubspotSession):
        raise FatalChannelError("not a HubSpot session", system="hubspot")
    try:
        account = msgspec.json.decode((await session.get("account-info/v3/details")).body, type=_Account)
        info = msgspec.json.decode((await session.token_info()).body, type=_TokenInfo)
    except msgspec.DecodeError as error:
        raise FatalChannelError("HubSpot does not say whose token this is", system="hubspot") from error
    if info.hub_id != account.portal_id:
        raise FatalChannelError("HubSpot names two accounts for one token", system="hubspot")
    return Identity(str(account.portal_id), str(account.portal_id), account.timezone, frozenset(info.scopes))

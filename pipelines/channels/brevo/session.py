"""How Brevo is reached: the key, its limits, and what each of its errors means.

Ten calls a second on contacts (twenty on an Enterprise plan: option `calls_per_second`); nearly everything else may be
asked a hundred times an hour, and is asked a few times a night. Every answer says how much is left and, in seconds,
when there is more; after a 429 that is what is waited for. Messages of Brevo's errors quote addresses: they are not
passed on.
"""

from hashlib import sha256
from typing import cast

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.brevo.attributes import CHOSEN
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.clock import Clock
from pipelines.configuration import suggestion
from pipelines.errors import ConfigurationError, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

TOKEN = "TRUEUP_BREVO_KEY"
CALLS_PER_SECOND = "10"
OPTIONS = frozenset({*CHOSEN, "changes", "calls_per_second"})
CHANGES = ("sweep", "modified")
_SLACK = 1.02
"""Brevo counts calls as they arrive, we as they leave: the same second is not quite the same."""
_HINT = {401: " (or its list of allowed IP addresses leaves this machine out)"}


class BrevoLimiter:
    """So many calls a second; closed for everybody while Brevo asks to wait."""

    def __init__(self, calls_per_second: float, clock: Clock) -> None:
        self._limiter = RateLimiter(calls_per_second, _SLACK, clock)

    async def acquire(self, cost: float) -> None:
        """Wait until a call may be made."""
        await self._limiter.acquire(cost)

    def observe(self, answer: Answer) -> None:
        """Hold back while a window is full. The reset of an answer that came through is of that path's window alone."""
        if answer.status == 429:
            waits = answer.headers.get("x-sib-ratelimit-reset", answer.headers.get("retry-after", ""))
            self._limiter.observe(Answer(429, {"retry-after": waits}, b""))


def connect(connection: Connection) -> Session:
    """The session of one Brevo account. ConfigurationError for an option that is not known."""
    clock, options = cast(Clock, connection.clock), connection.options
    for name in sorted(options.keys() - OPTIONS):
        allowed = ", ".join(sorted(OPTIONS))
        raise ConfigurationError(
            f"[systems.brevo] options: {name!r} is not known{suggestion(name, sorted(OPTIONS))}; allowed: {allowed}"
        )
    if options.get("changes", CHANGES[0]) not in CHANGES:
        raise ConfigurationError(f"[systems.brevo] options: changes is one of {', '.join(CHANGES)}")
    return Session(
        system="brevo",
        base_url=connection.base_url.rstrip("/").removesuffix("/v3"),  # Brevo's pages name it with the version
        headers={"api-key": connection.secrets[TOKEN], "accept": "application/json"},
        limiter=BrevoLimiter(_rate(options.get("calls_per_second", CALLS_PER_SECOND)), clock),
        judge=judge_of(clock),
        clock=clock,
        options=options,
        transport=cast(httpx.AsyncBaseTransport | None, connection.transport),
        chance=connection.chance,
    )


def _rate(text: str) -> float:
    if not text.isdecimal() or int(text) == 0:
        raise ConfigurationError("[systems.brevo] options: calls_per_second is a whole number above 0, as \"10\"")
    return float(text)


class _Problem(msgspec.Struct):
    code: str = ""


def judge_of(clock: Clock) -> Judge:
    """Brevo's errors, sorted by what is to be done; only codes are quoted."""

    def judge(answer: Answer) -> None:
        status = answer.status
        if status < 400:
            return
        try:
            code = msgspec.json.decode(answer.body, type=_Problem).code or str(status)
        except msgspec.DecodeError:
            code = str(status)
        where = {"system": "brevo", "request_id": answer.headers.get("x-request-id", "")}
        if status in (425, 429):
            # 425: somebody else is at this contact at the moment; nothing was done, as with 429.
            raise RetriableChannelError(
                "Brevo asks to wait", retry_after=_reset(answer, clock) if status == 429 else None, status=status,
                code="THROTTLED", **where,
            )
        if status in (401, 403):
            raise CredentialError(f"Brevo refused the key: {code}{_HINT.get(status, '')}", status=status, code=code,
                                  **where)
        if status >= 500:
            raise RetriableChannelError(
                f"Brevo: {code}", retry_after=retry_after(answer, clock), status=status, code=code, **where
            )
        raise FatalChannelError(f"Brevo refused the call: {code}", status=status, code=code, **where)

    return judge


def _reset(answer: Answer, clock: Clock) -> float | None:
    """Seconds until the window has room again; None where nothing readable is said."""
    text = answer.headers.get("x-sib-ratelimit-reset", "").strip()
    return float(text) if text.isdecimal() else retry_after(answer, clock)


class _Account(msgspec.Struct):
    """What the description of 2024 promises, and the id that newer accounts say beside it."""

    company: str = msgspec.field(name="companyName", default="")
    organization: str | None = msgspec.field(name="organization_id", default=None)
    email: str = ""


async def identify(session: Session) -> Identity:
    """The account that the key belongs to. Brevo's keys have no scopes.

    `shop_id` is the organization's id; of an account that does not say it, a fingerprint of its login, since an estate
    file is no place for a person's address.
    """
    answer = await session.get("v3/account")
    try:
        account = msgspec.json.decode(answer.body, type=_Account)
    except msgspec.DecodeError as error:
        raise FatalChannelError("an answer is no account", system="brevo", status=answer.status) from error
    shop_id = account.organization or _fingerprint(account.email)
    if not shop_id:
        raise FatalChannelError("the account names neither its organization nor its login", system="brevo")
    return Identity(shop_id=shop_id, name=account.company or shop_id)


def _fingerprint(login: str) -> str:
    return f"login-{sha256(login.strip().lower().encode()).hexdigest()[:16]}" if login.strip() else ""

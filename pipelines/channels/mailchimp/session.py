"""How Mailchimp is reached: the key, ten open connections for all users of it, and what each of its errors means.

Mailchimp counts connections, not calls: at most eight of ours are open at a time, so that a person's own tools find
room. Over the limit it answers 429 or 403 without a JSON body; only a 403 with a problem document is a refusal
(VENDORS.md, trap 6). Details of problems quote addresses: they are not passed on.
"""

import asyncio
from typing import Any, cast

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.limits import retry_after
from pipelines.clock import Clock
from pipelines.errors import CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

TOKEN = "TRUEUP_MAILCHIMP_TOKEN"
MAX_OPEN = 8
TIMEOUT_SECONDS = 120.0
"""Mailchimp itself gives up after this long."""


class Unpaced:
    """No pacing by time: Mailchimp has no such limit."""

    async def acquire(self, cost: float) -> None:
        """Nothing to wait for."""

    def observe(self, answer: Answer) -> None:
        """Nothing to learn: Mailchimp sends no figures."""


class MailchimpSession(Session):
    """A session with at most MAX_OPEN calls under way."""

    def __init__(self, **rest: Any) -> None:
        super().__init__(
            system="mailchimp", headers={}, limiter=Unpaced(), timeout_seconds=TIMEOUT_SECONDS,
            max_connections=MAX_OPEN, **rest,
        )
        self._gate = asyncio.Semaphore(MAX_OPEN)

    async def _once(self, *args: Any) -> Answer:
        async with self._gate:
            return await super()._once(*args)


def connect(connection: Connection) -> Session:
    """The session of one Mailchimp account; the base URL carries its data centre."""
    clock = cast(Clock, connection.clock)
    return MailchimpSession(
        base_url=connection.base_url,
        auth=("trueup", connection.secrets[TOKEN]),
        judge=judge_of(clock),
        clock=clock,
        options=connection.options,
        transport=cast(httpx.AsyncBaseTransport | None, connection.transport),
        chance=connection.chance,
    )


class _Problem(msgspec.Struct):
    title: str
    instance: str = ""


def judge_of(clock: Clock) -> Judge:
    """Mailchimp's errors, sorted by what is to be done; only titles and ids are quoted."""

    def judge(answer: Answer) -> None:
        status = answer.status
        if status < 400:
            return
        try:
            problem = msgspec.json.decode(answer.body, type=_Problem)
        except msgspec.DecodeError:
            problem = None
        code = problem.title if problem else str(status)
        where = {
            "system": "mailchimp",
            "request_id": answer.headers.get("x-request-id", "") or (problem.instance if problem else ""),
        }
        if status == 429 or (status == 403 and problem is None):
            raise RetriableChannelError(
                "Mailchimp has too many open connections", retry_after=retry_after(answer, clock), status=status,
                code="THROTTLED", **where,
            )
        if status in (401, 403):
            raise CredentialError(f"Mailchimp refused the key: {code}", status=status, code=code, **where)
        if status >= 500:
            raise RetriableChannelError(
                f"Mailchimp: {code}", retry_after=retry_after(answer, clock), status=status, code=code, **where
            )
        raise FatalChannelError(f"Mailchimp refused the call: {code}", status=status, code=code, **where)

    return judge


async def identify(session: Session) -> Identity:
    """The account that the key belongs to. Mailchimp's keys have no scopes."""
    account = (await session.get("3.0/")).json()
    return Identity(
        shop_id=str(account["account_id"]),
        name=str(account.get("account_name") or account["account_id"]),
        timezone=account.get("account_timezone") or None,
    )

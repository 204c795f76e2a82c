"""How Odoo is reached: JSON-2 with a bearer key, its own pace, what its errors mean, and whose company it is.

Every call is `POST /json/2/<model>/<method>` with the method's arguments as the body. Odoo puts a traceback into the
body of an error, and the record's values into its message: only the exception's name is passed on. No entity here.
"""

from typing import Any, Literal, cast

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.clock import Clock
from pipelines.errors import ConfigurationError, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

SYSTEM = "odoo"
KEY = "TRUEUP_ODOO_KEY"
NO_ACCESS = "AccessError"
CALLS_PER_SECOND = "20"
MAX_CONNECTIONS = 4
"""Each call holds one of Odoo's workers; a shop has few of them, and its tills need them too."""
_PATIENCE_SECONDS = 150.0
"""A little more than the 120 s after which Odoo itself ends a call (`limit_time_real`)."""
_OUR_FAULT = ("builtins.", "odoo.tools.")
"""Exceptions that come with 500 and come again: an argument that Odoo does not know, a field that it does not have."""


class _Trouble(msgspec.Struct):
    name: str = ""


class _User(msgspec.Struct):
    company_id: int
    tz: str | Literal[False] = False


class OdooSession(Session):
    """A session with one company of one Odoo database; every call is made in that company and no other."""

    def __init__(self, *, company: int | None, **rest: Any) -> None:
        super().__init__(**rest)
        self._company = company
        self._uid: int | None = None
        self._user: _User | None = None

    async def uid(self) -> int:
        """The id of the key's user, asked for once."""
        if self._uid is None:
            try:
                self._uid = int((await self._unscoped("res.users", "context_get", {})).json()["uid"])
            except (KeyError, TypeError, ValueError) as error:
                raise FatalChannelError("Odoo does not say whose key this is", system=SYSTEM) from error
        return self._uid

    async def user(self) -> _User:
        """The key's user, asked for once."""
        if self._user is None:
            asked = {"ids": [await self.uid()], "fields": ["company_id", "tz"], "load": None}
            answer = await self._unscoped("res.users", "read", asked)
            try:
                (self._user,) = msgspec.json.decode(answer.body, type=list[_User])
            except (msgspec.DecodeError, ValueError) as error:
                raise FatalChannelError("Odoo does not say whose key this is", system=SYSTEM) from error
        return self._user

    async def company(self) -> int:
        """The company that every call is made in: the option's, else the key's user's own."""
        return (await self.user()).company_id if self._company is None else self._company

    async def execute(
        self, model: str, method: str, *, is_repeatable: bool = True, context: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> Any:
        """What a method answers; see `answer`."""
        found = await self.answer(model, method, is_repeatable=is_repeatable, context=context, **arguments)
        return found.json()

    async def answer(
        self, model: str, method: str, *, is_repeatable: bool = True, context: dict[str, Any] | None = None,
        **arguments: Any,
    ) -> Answer:
        """One call of a public method of a model; its answer as bytes. Raises the ChannelErrors of `judge`."""
        scope = {"allowed_company_ids": [await self.company()], **(context or {})}
        return await self._unscoped(model, method, {**arguments, "context": scope}, is_repeatable=is_repeatable)

    async def _unscoped(
        self, model: str, method: str, body: dict[str, Any], *, is_repeatable: bool = True
    ) -> Answer:
        return await self.post(f"json/2/{model}/{method}", body, is_repeatable=is_repeatable)


def odoo(session: Session) -> OdooSession:
    """The session as what it must be."""
    if not isinstance(session, OdooSession):
        raise FatalChannelError("not an Odoo session", system=SYSTEM)
    return session


def connect(connection: Connection) -> Session:
    """A session with one company; opens nothing.

    Options: `calls_per_second`; `company`, its id in Odoo (else the one that the key's user works in by default);
    `loyalty = "off"` where the module pos_loyalty is not there.
    """
    clock = cast(Clock, connection.clock)
    rate = connection.options.get("calls_per_second", CALLS_PER_SECOND)
    try:
        limiter = RateLimiter(float(rate), 1, clock)
    except ValueError as error:
        raise ConfigurationError(
            f"option calls_per_second must be a number above 0, not {rate!r}", system=SYSTEM
        ) from error
    company = connection.options.get("company")
    if company is not None and not company.isdecimal():
        raise ConfigurationError(f"option company must be the id of a company in Odoo, not {company!r}", system=SYSTEM)
    if connection.options.get("loyalty", "off") != "off":
        raise ConfigurationError('option loyalty can only be "off"; leave it out where there are cards', system=SYSTEM)
    key = connection.secrets.get(KEY)
    if not key:
        raise ConfigurationError(f"{KEY} is not set", system=SYSTEM)
    return OdooSession(
        company=None if company is None else int(company),
        system=SYSTEM,
        base_url=connection.base_url,
        headers={"authorization": f"Bearer {key}"},
        limiter=limiter,
        judge=judge(clock),
        clock=clock,
        options=connection.options,
        timeout_seconds=_PATIENCE_SECONDS,
        max_connections=MAX_CONNECTIONS,
        transport=cast("httpx.AsyncBaseTransport | None", connection.transport),
        chance=connection.chance,
    )


def judge(clock: Clock) -> Judge:
    """Odoo's errors, sorted by what is to be done; only the exception's name is quoted."""

    def check(answer: Answer) -> None:
        status = answer.status
        if 200 <= status < 300:
            return
        try:
            name = msgspec.json.decode(answer.body, type=_Trouble).name
        except msgspec.DecodeError:
            name = ""  # a proxy in between answers in HTML: the status says enough
        code = name.rsplit(".", 1)[-1] or str(status)
        where: dict[str, Any] = {"system": SYSTEM, "status": status, "code": code}
        if status == 401:
            raise CredentialError(
                f"Odoo refused the key in {KEY}: make a new one (Preferences, Security, API keys)", **where
            )
        if status == 403:
            raise CredentialError(f"the key's user may not do this ({code}): give the user the rights", **where)
        if status in (408, 429) or (status >= 500 and not name.startswith(_OUR_FAULT)):
            raise RetriableChannelError(f"Odoo: {code}", retry_after=retry_after(answer, clock), **where)
        if status == 404 and name.startswith("werkzeug."):
            raise FatalChannelError(
                "Odoo has no such model or method: is it Odoo 19 with the modules rpc and those of the estate's roles "
                "(point_of_sale, pos_loyalty, mass_mailing)? Without pos_loyalty, set the option loyalty to off",
                **where,
            )
        raise FatalChannelError(f"Odoo refused the call: {code}", **where)

    return check


class _Company(msgspec.Struct):
    id: int
    name: str
    create_date: str


async def identify(session: Session) -> Identity:
    """The company that the key works in, as `<id>@<when it was made>`, and the time zone of the key's user.

    The database's own uuid would say more (a copy of a database has the same companies), but only an administrator may
    read it, and the key should not be one's.
    """
    own = odoo(session)
    user, asked = await own.user(), await own.company()
    companies = await own.execute(
        "res.company", "search_read", domain=[["id", "=", asked]], fields=["name", "create_date"]
    )
    try:
        found = msgspec.convert(companies, list[_Company])
    except msgspec.ValidationError as error:
        raise FatalChannelError("res.company: not the expected answer", system=SYSTEM) from error
    if not found:
        raise FatalChannelError(f"the key's user does not work in company {asked}: see option company", system=SYSTEM)
    company = found[0]
    return Identity(f"{company.id}@{company.create_date.replace(' ', 'T')}", company.name, user.tz or None)

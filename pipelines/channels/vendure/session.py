"""How Vendure is reached: an API key or a login, the channel's token, what each error means, and one way to ask.

Knows no entity. Errors come with HTTP 200, so an answer is judged by its body; their messages quote values and are not
passed on. Vendure says FORBIDDEN to an expired session as to a missing permission: a session is renewed once, and who
is refused again lacks the permission.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from functools import cache
from typing import Any, Generic, TypeVar, cast

import httpx
import msgspec

from pipelines.channels.base import Connection, Identity
from pipelines.channels.limits import RateLimiter, retry_after
from pipelines.channels.vendure.documents import Document, read_document
from pipelines.channels.vendure.options import SYSTEM, check_options
from pipelines.clock import Clock
from pipelines.errors import CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer, Judge, Session

KEY = "TRUEUP_VENDURE_KEY"
API_KEY_HEADER = "vendure-api-key"
TOKEN_HEADER = "vendure-auth-token"
CALLS, PERIOD_SECONDS = 20, 1.0
"""Vendure has no limit of its own; this one spares the shop, which answers its customers from the same process."""
TIMEOUT_SECONDS = 120.0
FORBIDDEN = frozenset({"FORBIDDEN", "UNAUTHORIZED", "UNAUTHENTICATED"})
_MALFORMED = frozenset({"GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "BAD_USER_INPUT", "BAD_REQUEST"})
_PASSING = "INTERNAL_SERVER_ERROR"

T = TypeVar("T")


class Refused(FatalChannelError):
    """A mutation that Vendure took back; `place`: which of its document. Those before it stand, the rest never ran."""

    def __init__(self, message: str, *, place: int, **where: Any) -> None:
        super().__init__(message, **where)
        self.place = place


class Forbidden(CredentialError):
    """The key or session is not valid, or lacks the right to the mutation at `place`; those before that one stand."""

    def __init__(self, message: str, *, place: int, **where: Any) -> None:
        super().__init__(message, **where)
        self.place = place


class _Error(msgspec.Struct):
    path: list[str | int] = []
    extensions: dict[str, Any] = {}

    @property
    def code(self) -> str:
        return str(self.extensions.get("code", ""))

    @property
    def place(self) -> int | None:
        """The number of the mutation that it is about."""
        root = str(self.path[0]) if self.path else ""
        return int(root[1:]) if root[:1] == "m" and root[1:].isdecimal() else None


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


class _Envelope(msgspec.Struct, Generic[T]):
    data: T


class _Channel(msgspec.Struct):
    code: str
    token: str


class _Shop(msgspec.Struct):
    channel: _Channel


class _Login(msgspec.Struct, rename={"kind": "__typename"}):
    kind: str


class _LoggedIn(msgspec.Struct):
    login: _Login


class LoginAuth(httpx.Auth):
    """Logs an administrator in, once for all calls, and anew where a session has run out."""

    def __init__(self, url: str, username: str, password: str) -> None:
        self._url, self._username, self._password = url, username, password
        self._token, self._lock = "", asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """The request with the session's token; sent once more with a new one where the old was not taken."""
        token = self._token
        if not token:
            async with self._lock:
                if not self._token:
                    self._token = await self._token_of((yield self._login()))
                token = self._token
        request.headers["authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code != 401 and not _is_forbidden(await answer.aread()):
            return
        async with self._lock:
            if self._token == token:
                self._token = await self._token_of((yield self._login()))
        request.headers["authorization"] = f"Bearer {self._token}"
        yield request

    def _login(self) -> httpx.Request:
        variables = {"username": self._username, "password": self._password}
        body = {"query": read_document("login").text, "variables": variables}
        return httpx.Request("POST", self._url, json=body)

    async def _token_of(self, answer: httpx.Response) -> str:
        body = await answer.aread()
        if answer.status_code == 429 or answer.status_code >= 500:
            raise RetriableChannelError(f"HTTP {answer.status_code} at login", system=SYSTEM, status=answer.status_code)
        try:
            kind = msgspec.json.decode(body, type=_Envelope[_LoggedIn]).data.login.kind
        except msgspec.DecodeError as error:
            raise FatalChannelError("the login's answer is not GraphQL: is base_url right?", system=SYSTEM) from error
        token = str(answer.headers.get(TOKEN_HEADER, ""))
        if kind != "CurrentUser":
            raise CredentialError("the login was refused: check username and " + KEY, system=SYSTEM, code=kind)
        if not token:
            raise CredentialError("no token came back: the server's tokenMethod lacks 'bearer'", system=SYSTEM)
        return token


def _is_forbidden(body: bytes) -> bool:
    """Whether nothing of a call was allowed; where mutations before ran the session is good, and they run but once."""
    try:
        errors = msgspec.json.decode(body, type=_Errors).errors
        return any(error.code in FORBIDDEN and not error.place for error in errors)
    except msgspec.DecodeError:
        return False


def connect(connection: Connection) -> Session:
    """A session; opens nothing. With the option `username` the secret is its password, else an API key."""
    options = connection.options
    check_options(options)
    clock = cast(Clock, connection.clock)
    headers = {"accept": "application/json"}
    if token := options.get("channel_token"):
        headers["vendure-token"] = token
    auth = None
    if username := options.get("username"):
        url = f"{connection.base_url.rstrip('/')}/{_path(options)}"
        auth = LoginAuth(url, username, connection.secrets[KEY])
    else:
        headers[options.get("api_key_header", API_KEY_HEADER)] = connection.secrets[KEY]
    return Session(
        system=SYSTEM, base_url=connection.base_url, headers=headers, auth=auth,
        limiter=RateLimiter(CALLS, PERIOD_SECONDS, clock), judge=judge_of(clock), clock=clock, options=options,
        transport=cast("httpx.AsyncBaseTransport | None", connection.transport), timeout_seconds=TIMEOUT_SECONDS,
        chance=connection.chance,
    )


def _path(options: Mapping[str, str]) -> str:
    return options.get("api_path", "admin-api").strip("/")


def judge_of(clock: Clock) -> Judge:
    """Vendure's errors, sorted by what is to be done: by status, else by the codes in the body."""

    def judge(answer: Answer) -> None:
        status = answer.status
        if status in (401, 403):
            raise CredentialError("Vendure refused the credential", system=SYSTEM, status=status)
        if status == 429 or status >= 500:
            wait = retry_after(answer, clock)
            raise RetriableChannelError(f"HTTP {status}", system=SYSTEM, status=status, retry_after=wait)
        try:
            errors = msgspec.json.decode(answer.body, type=_Errors).errors
        except msgspec.DecodeError as error:
            raise FatalChannelError("the answer is not GraphQL", system=SYSTEM, status=status) from error
        if errors:
            _raise(errors, status)
        if status != 200:
            raise FatalChannelError(f"HTTP {status}", system=SYSTEM, status=status)

    return judge


def _raise(errors: list[_Error], status: int) -> None:
    first = errors[0]
    where: dict[str, Any] = {"system": SYSTEM, "status": status, "code": first.code}
    if forbidden := [error for error in errors if error.code in FORBIDDEN]:
        message = "not allowed: the key or session is not valid, or lacks a permission"
        where["code"] = forbidden[0].code
        if forbidden[0].place is None:
            raise CredentialError(message, **where)
        raise Forbidden(message, place=forbidden[0].place, **where)
    if first.code in _MALFORMED:
        message = f"Vendure does not know what it is asked ({first.code}): check the custom fields named in the options"
        raise FatalChannelError(message, **where)
    if first.place is not None:
        raise Refused(f"refused: {first.code}", place=first.place, **where)
    if first.code == _PASSING:
        raise RetriableChannelError("Vendure failed inside", **where)
    raise FatalChannelError(f"Vendure refused the call: {first.code}", **where)


@cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(_Envelope[kind])


async def ask(
    session: Session, document: Document, variables: Mapping[str, Any], kind: type[T], *, is_repeatable: bool = True
) -> T:
    """An answer's `data` read as `kind`."""
    body = {"query": document.text, "variables": dict(variables)}
    answer = await session.post(_path(session.options), body, is_repeatable=is_repeatable)
    try:
        return cast(T, _decoder(cast(Any, kind)).decode(answer.body).data)
    except msgspec.DecodeError as error:  # its words name fields, and quote no value
        raise FatalChannelError(f"unexpected answer to {document.name}", system=SYSTEM) from error


async def identify(session: Session) -> Identity:
    """The channel: by its token, which is every installation's own, while code and id are the same in all."""
    found = await ask(session, read_document("shop"), {}, _Shop)
    return Identity(found.channel.token, found.channel.code)

"""One system's HTTP: auth, pacing, retries, the breaker, the host guard and the counters. Knows no vendor and no table.

Clock, transport and chance are handed in. Redirects are never followed and links off the configured host are refused,
since custom auth headers would travel with them. A write whose answer is lost raises AmbiguousWrite: whether
the same bytes may be sent again is the caller's decision, stated by `is_repeatable`.
"""

import logging
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import msgspec
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from pipelines.answers import Answers, TooSlow
from pipelines.breaker import Breaker
from pipelines.clock import Clock
from pipelines.errors import AmbiguousWrite, FatalChannelError, RetriableChannelError
from pipelines.fence import Fence, Fenced, open_fence
from pipelines.readable import readable

MAX_TRIES = 5
BACKOFF_SECONDS, MAX_BACKOFF_SECONDS = 0.5, 30.0
_TALKATIVE = ("httpx", "httpcore")
"""Their logs quote paths and headers; a path may hold an address, a header always holds the credential."""


class Limiter(Protocol):
    """Paces calls to what the vendor allows; `observe` corrects it from an answer."""

    async def acquire(self, cost: float) -> None:
        """Wait until `cost` may be spent."""
        ...

    def observe(self, answer: "Answer") -> None:
        """Learn from the vendor's own figures."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A vendor's answer, read whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON; FatalChannelError where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError as error:
            raise FatalChannelError("the answer is not JSON", status=self.status) from error


@dataclass(slots=True)
class Counters:
    """What one session did: for the summary and for `calls made against the least possible`."""

    calls: int = 0
    retries: int = 0
    throttled: int = 0
    waited_seconds: float = 0.0
    bytes_read: int = 0


Chance = Callable[[], float]
"""A number from 0 to 1, as `random.Random(seed).random` draws it: handed in, so that a simulation can repeat itself."""


def middling() -> float:
    """No chance at all: always half, for who has only one caller to spread."""
    return 0.5


def moment_stated(headers: httpx.Headers) -> datetime | None:
    """An answer's `Date`: the first, where a proxy adds its own; None where there is none that is a time."""
    for text in headers.get_list("date"):
        try:
            moment = parsedate_to_datetime(text)
        except (TypeError, ValueError):
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return None


def origin(url: str) -> tuple[str, str]:
    """Scheme and host, with the port if one is said: over plain HTTP the same host is another place for a key."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


@cache
def trust() -> ssl.SSLContext:
    """Whom TLS trusts: read once for all sessions, since reading it takes longer than a call."""
    return httpx.create_ssl_context()


Judge = Callable[[Answer], None]
"""Raises the right ChannelError for an answer that is not a success; returns for one that is."""


class Session(AbstractAsyncContextManager["Session"]):
    """All calls to one system go through here."""

    def __init__(
        self,
        *,
        system: str,
        base_url: str,
        headers: Mapping[str, str],
        limiter: Limiter,
        judge: Judge,
        clock: Clock,
        options: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        auth: httpx.Auth | tuple[str, str] | None = None,
        timeout_seconds: float = 30.0,
        max_connections: int = 8,
        chance: Chance = middling,
    ) -> None:
        self.system, self.base_url, self.clock = system, base_url.rstrip("/"), clock
        self.options: Mapping[str, str] = options or {}
        self.counters = Counters()
        self.clock_offset: timedelta | None = None
        """The system's own time (its `Date` header) less ours, from its last answer (R11)."""
        self.fence: Fence = open_fence
        """Asked before every call, repeats and logins too: a run that stood still past its lease makes none (R5)."""
        self.breaker = Breaker(system, clock)
        """Asked before every call, repeats too: nothing is sent for a while to who fails call after call (R16)."""
        self._limiter, self._judge, self._chance = limiter, judge, chance
        self._origin = origin(base_url)
        for name in _TALKATIVE:
            logging.getLogger(name).setLevel(logging.WARNING)
        limits = httpx.Limits(max_connections=max_connections, max_keepalive_connections=max_connections)
        sockets = transport or httpx.AsyncHTTPTransport(verify=trust(), limits=limits, trust_env=False)
        self._client = httpx.AsyncClient(
            headers=dict(headers),
            auth=auth,
            transport=Answers(Fenced(sockets, lambda: self.fence()), system=system),
            timeout=timeout_seconds,
            follow_redirects=False,
            trust_env=False,
        )

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, path: str, *, params: Mapping[str, str | int] | None = None, cost: float = 1) -> Answer:
        """Read; repeated on retriable errors."""
        return await self.call("GET", path, params=params, cost=cost)

    async def post(
        self, path: str, body: Any, *, cost: float = 1, headers: Mapping[str, str] | None = None,
        is_repeatable: bool = True,
    ) -> Answer:
        """Post JSON. `is_repeatable=False` for writes without key or compare-and-set."""
        return await self.call("POST", path, body=body, cost=cost, headers=headers, is_repeatable=is_repeatable)

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        cost: float = 1,
        is_repeatable: bool = True,
    ) -> Answer:
        """One call within the vendor's limits; up to MAX_TRIES tries. Raises the ChannelErrors of `judge`.

        BreakerOpen where the breaker forbids the first try or a repeat; an earlier try may have been applied.
        """
        url = self._url(path)
        content = None if body is None else msgspec.json.encode(body)
        sent = {"content-type": "application/json", **(headers or {})} if content is not None else dict(headers or {})

        def note(state: RetryCallState) -> None:
            self.counters.retries += 1

        def wait(state: RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            if isinstance(error, RetriableChannelError) and error.retry_after is not None:
                return error.retry_after
            longest = min(MAX_BACKOFF_SECONDS, BACKOFF_SECONDS * float(2 ** (state.attempt_number - 1)))
            return self._chance() * longest

        async for attempt in AsyncRetrying(
            sleep=self.clock.sleep,
            stop=stop_after_attempt(MAX_TRIES),
            wait=wait,
            retry=retry_if_exception_type(RetriableChannelError),
            before_sleep=note,
            reraise=True,
        ):
            with attempt:
                return await self._once(method, url, content, params, sent, cost, is_repeatable)
        raise AssertionError("unreachable: tenacity re-raises")

    async def _once(
        self, method: str, url: str, content: bytes | None, params: Mapping[str, str | int] | None,
        headers: Mapping[str, str], cost: float, is_repeatable: bool,
    ) -> Answer:
        before = self.clock.monotonic()
        await self._limiter.acquire(cost)
        self.counters.waited_seconds += self.clock.monotonic() - before
        self.fence()
        with self.breaker.call():
            self.counters.calls += 1
            return await self._sent(method, url, content, params, headers, is_repeatable)

    async def _sent(
        self, method: str, url: str, content: bytes | None, params: Mapping[str, str | int] | None,
        headers: Mapping[str, str], is_repeatable: bool,
    ) -> Answer:
        try:
            response = await self._client.request(
                method, url, content=content, params=dict(params) if params else None, headers=headers
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            if reason := _refused_certificate(error):
                words = f"its certificate is refused: {reason} (SSL_CERT_FILE names a house's own authority)"
                raise FatalChannelError(words, system=self.system) from error
            raise RetriableChannelError(f"no connection: {type(error).__name__}", system=self.system) from error
        except httpx.TransportError as error:
            words = f"answer lost: {error if isinstance(error, TooSlow) else type(error).__name__}"
            if is_repeatable:
                raise RetriableChannelError(words, system=self.system) from error
            raise AmbiguousWrite(words, system=self.system) from error
        self.counters.bytes_read += len(response.content)
        answer = Answer(response.status_code, response.headers, readable(response.content, system=self.system))
        self._limiter.observe(answer)
        if (stated := moment_stated(response.headers)) is not None:
            self.clock_offset = stated - self.clock.now()
        if response.is_redirect:
            raise FatalChannelError("redirect refused", system=self.system, status=answer.status)
        try:
            self._judge(answer)
        except RetriableChannelError as error:
            if error.status == 429 or error.code == "THROTTLED":
                self.counters.throttled += 1
            elif not is_repeatable:
                raise AmbiguousWrite(
                    error.message, system=self.system, status=error.status, code=error.code
                ) from error
            raise
        return answer

    def _url(self, path: str) -> str:
        if "://" not in path:
            return f"{self.base_url}/{path.lstrip('/')}"
        if origin(path) != self._origin:
            raise FatalChannelError("link off the configured host refused", system=self.system)
        return path


def _refused_certificate(error: BaseException | None) -> str:
    """Why TLS refused whoever answered; '' where it is something else. That does not pass by trying again."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return "" if error is None else error.verify_message

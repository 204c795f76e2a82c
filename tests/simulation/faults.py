"""What may happen to a call on its way: one small class a fault, put together by `Weather`. Chance is handed in.

Each says with `share` how many of the calls that it is about it spoils. What the world does meanwhile is `hands`, what
becomes of answers' shapes is `shapes`, and how a process dies is the estate's.
"""

import json
import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.simulation.network import Call, Clear, Faults, Take, Undo, Wire, refusal

LATE_SECONDS = 60.0
"""How long a vendor's replica may show what was (VENDORS.md, trap 1)."""


@dataclass(slots=True)
class Fault(Clear):
    """Spoils a share of the calls it is about."""

    dice: random.Random
    share: float
    systems: frozenset[str] = frozenset({"square", "shopify", "hubspot", "mailchimp"})
    happened: int = 0

    def strikes(self, call: Call, name: str = "") -> bool:
        """Whether this call is spoilt; noted where it is."""
        if call.system not in self.systems or self.dice.random() >= self.share:
            return False
        self.happened += 1
        call.suffer(name or type(self).__name__.lower())
        return True


class Reset(Fault):
    """The connection breaks before the vendor has heard anything."""

    async def before(self, wire: Wire, call: Call, request: httpx.Request) -> httpx.Response | None:
        if self.strikes(call):
            raise self.dice.choice([httpx.ConnectError, httpx.ReadError, httpx.WriteError])("reset", request=request)
        return None


class Lost(Fault):
    """The vendor does it, and the answer is waited for in vain."""

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        if self.strikes(call):
            raise httpx.ReadTimeout("no answer")
        return answer


class Half(Fault):
    """The vendor does it, and half of the answer arrives: as a broken connection, or as a whole that is none."""

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        if not answer.content or not self.strikes(call):
            return answer
        if self.dice.random() < 0.5:
            raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")
        return _with(answer, answer.content[: len(answer.content) // 2])


@dataclass(slots=True)
class Storm(Fault):
    """For some time a system refuses everything: 429 of its limiter, or 503 of what stands before it."""

    status: int = 503
    begins: float = 0.0
    lasts: float = 60.0
    _from: float | None = None

    async def before(self, wire: Wire, call: Call, request: httpx.Request) -> httpx.Response | None:
        now = wire.time.seconds()
        if self._from is None:
            self._from = now + self.begins
        if call.system not in self.systems or not self._from <= now < self._from + self.lasts:
            return None
        self.happened += 1
        call.suffer(f"storm {self.status}")
        retry = self.dice.choice([None, 1, 5, 20]) if self.status == 429 else None
        return refusal(self.status, "too many requests" if self.status == 429 else "unavailable", retry_after=retry)


class Idle(Fault):
    """200, and nothing was done: the vendor says so and takes it back."""

    async def deliver(self, wire: Wire, call: Call, take: Take) -> httpx.Response:
        if not call.is_write or not self.strikes(call):
            return await take()
        answer: httpx.Response | None = None
        with suppress(Undo), wire.store.transaction():
            answer = await take()
            raise Undo
        assert answer is not None
        return answer


class Twice(Fault):
    """What is between delivers a call a second time; either answer may be the one that comes back."""

    async def deliver(self, wire: Wire, call: Call, take: Take) -> httpx.Response:
        first = await take()
        if not self.strikes(call):
            return first
        second = await take()
        return self.dice.choice([first, second])


@dataclass(slots=True)
class Late(Fault):
    """A reading shows what the same question was answered a while ago."""

    _kept: dict[tuple[str, str, str, bytes], tuple[float, httpx.Response]] = field(default_factory=dict)

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        if call.is_write or call.fault or answer.status_code != 200 or "/bulk" in call.path or b"bulkOp" in call.body:
            return answer
        asked, now = (call.method, call.path, call.query, call.body), wire.time.seconds()
        kept = self._kept.get(asked)
        if kept is not None and now - kept[0] <= LATE_SECONDS and kept[1].content != answer.content:
            if self.strikes(call):
                return _with(kept[1], kept[1].content)
            return answer
        self._kept[asked] = now, answer
        return answer


class Partial(Fault):
    """The vendor takes some rows of a batch and refuses one, as each says that."""

    async def deliver(self, wire: Wire, call: Call, take: Take) -> httpx.Response:
        spoil = {"hubspot": _without_an_input, "mailchimp": _without_a_member, "square": _without_a_profile}.get(
            call.system
        )
        whole = call.body
        if spoil is None or not call.is_write or (found := spoil(whole, self.dice)) is None or not self.strikes(call):
            return await take()
        call.body, told = found
        try:
            answer = await take()
        finally:
            call.body = whole
        return told(answer) if answer.status_code in (200, 207) else answer


def _without_an_input(body: bytes, dice: random.Random) -> Any:
    asked = json.loads(body)
    rows = asked.get("inputs")
    if not isinstance(rows, list) or len(rows) < 2 or "objectWriteTraceId" not in rows[0]:
        return None
    bad = rows.pop(dice.randrange(len(rows)))

    def told(answer: httpx.Response) -> httpx.Response:
        shown = json.loads(answer.content)
        shown["numErrors"] = shown.get("numErrors", 0) + 1
        shown.setdefault("errors", []).append({
            "status": "error", "category": "VALIDATION_ERROR", "message": "Property values were not valid",
            "errors": [{"code": "INVALID_VALUE", "message": "not valid"}],
            "context": {"objectWriteTraceId": [bad["objectWriteTraceId"]]},
        })
        return _with(answer, json.dumps(shown).encode(), 207)

    return json.dumps(asked).encode(), told


def _without_a_member(body: bytes, dice: random.Random) -> Any:
    asked = json.loads(body) if body else {}
    rows = asked.get("members")
    if not isinstance(rows, list) or len(rows) < 2:
        return None
    bad = rows.pop(dice.randrange(len(rows)))

    def told(answer: httpx.Response) -> httpx.Response:
        shown = json.loads(answer.content)
        shown["error_count"] = shown.get("error_count", 0) + 1
        shown.setdefault("errors", []).append({
            "email_address": bad["email_address"], "error": "not valid", "error_code": "ERROR_GENERIC",
        })
        return _with(answer, json.dumps(shown).encode())

    return json.dumps(asked).encode(), told


def _without_a_profile(body: bytes, dice: random.Random) -> Any:
    asked = json.loads(body) if body else {}
    rows = asked.get("customers")
    if not isinstance(rows, dict) or len(rows) < 2:
        return None
    bad = dice.choice(sorted(rows))
    del rows[bad]

    def told(answer: httpx.Response) -> httpx.Response:
        shown = json.loads(answer.content)
        error = {"category": "INVALID_REQUEST_ERROR", "code": "INVALID_VALUE", "detail": "not valid"}
        shown.setdefault("responses", {})[bad] = {"errors": [error]}
        return _with(answer, json.dumps(shown).encode())

    return json.dumps(asked).encode(), told


def _with(answer: httpx.Response, content: bytes, status: int | None = None) -> httpx.Response:
    headers = [(n, v) for n, v in answer.headers.multi_items() if n not in ("content-length", "content-encoding")]
    return httpx.Response(status or answer.status_code, headers=headers, content=content)


@dataclass(slots=True)
class Weather:
    """Several faults over one run: the first that has an answer gives it, each in its turn on the way back."""

    parts: list[Faults]

    async def before(self, wire: Wire, call: Call, request: httpx.Request) -> httpx.Response | None:
        for part in self.parts:
            if (answer := await part.before(wire, call, request)) is not None:
                return answer
        return None

    async def deliver(self, wire: Wire, call: Call, take: Take) -> httpx.Response:
        for part in reversed(self.parts):
            take = _through(part, wire, call, take)
        answer: httpx.Response = await take()
        return answer

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        for part in self.parts:
            answer = await part.after(wire, call, answer)
        return answer


def _through(part: Faults, wire: Wire, call: Call, take: Take) -> Take:
    return lambda: part.deliver(wire, call, take)

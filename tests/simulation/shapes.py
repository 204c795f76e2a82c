"""Answers that are not what they were: fields renamed, retyped or dropped for a night; pages lost, repeated or cut."""

import json
import random
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.simulation.faults import Fault, _with
from tests.simulation.network import Call, Wire

FIELDS = {
    "square": ("price_money", "sku", "quantity", "given_name", "email_address", "version", "location_id", "state"),
    "shopify": ("price", "sku", "barcode", "quantities", "firstName", "emailMarketingConsent", "quantity", "name"),
    "hubspot": ("price", "hs_sku", "firstname", "email", "properties", "hs_email_optout"),
    "mailchimp": ("merge_fields", "status", "email_address", "FNAME"),
}
"""Keys of the vendors' records that may change overnight."""


@dataclass(slots=True)
class Schema(Fault):
    """One field of one system is another tonight, in all that is read."""

    name: str = ""
    way: str = "renamed"
    """renamed, retyped or dropped"""

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        if call.is_write or call.system not in self.systems or answer.status_code != 200:
            return answer
        lines = answer.content.split(b"\n") if "/bulk/" in call.path else [answer.content]
        try:
            changed = [json.dumps(self._walk(json.loads(line))).encode() if line else line for line in lines]
        except ValueError:
            return answer
        content = b"\n".join(changed)
        if not any(f'"{self.name}"'.encode() in line for line in lines):
            return answer
        self.happened += 1
        call.suffer(f"schema {self.way} {self.name}")
        answer = _with(answer, content)
        if "content-range" in answer.headers:
            answer.headers["content-range"] = f"bytes 0-{len(content) - 1}/{len(content)}"
        return answer

    def _walk(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._walk(one) for one in value]
        if not isinstance(value, dict):
            return value
        found = {}
        for key, held in value.items():
            if key != self.name:
                found[key] = self._walk(held)
            elif self.way == "renamed":
                found[f"{key}_v2"] = held
            elif self.way == "retyped":
                found[key] = {"value": held} if not isinstance(held, dict) else json.dumps(held)
        return found


_LISTS = ("objects", "counts", "changes", "customers", "orders", "results", "members", "nodes")


@dataclass(slots=True)
class Pages(Fault):
    """A page comes without some of its rows (`lost`), or with some of them twice (`repeated`)."""

    way: str = "lost"
    rows: list[str] = field(default_factory=list)
    """What was lost without a sign, as JSON."""

    async def after(self, wire: Wire, call: Call, answer: httpx.Response) -> httpx.Response:
        if call.is_write or answer.status_code != 200 or not self._is_list(call):
            return answer
        try:
            shown = json.loads(answer.content)
        except ValueError:
            return answer
        found = self._rows(shown)
        if found is None or len(found) < 2 or not self.strikes(call, f"page {self.way}"):
            return answer
        middle = self.dice.randrange(len(found))
        if self.way == "lost":
            if not {"total", "count", "total_items"} & shown.keys():  # by which it is seen that some are missing
                self.rows += [json.dumps(row) for row in found[middle:]]
            del found[middle:]
        else:
            found += found[: middle + 1]
        return _with(answer, json.dumps(shown).encode())

    def _is_list(self, call: Call) -> bool:
        """Lists of the extraction; reading back by id is no page."""
        return not any(word in call.path for word in ("batch/read", "bulk-retrieve", "batch-retrieve", "/lists/"))

    def _rows(self, value: Any) -> list[Any] | None:
        if isinstance(value, dict):
            for key, held in value.items():
                if key in _LISTS and isinstance(held, list):
                    return held
                if (found := self._rows(held)) is not None:
                    return found
        return None


def schema_of(dice: random.Random) -> Schema:
    """Some field of some system, in some way."""
    system = dice.choice(sorted(FIELDS))
    return Schema(
        dice, 1.0, frozenset({system}), name=dice.choice(FIELDS[system]),
        way=dice.choice(["renamed", "retyped", "dropped"]),
    )

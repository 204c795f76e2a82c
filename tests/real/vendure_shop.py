"""What tests of a running Vendure share: the connector's session, and an operator's beside it, on one server."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest

from deploy.real.vendure_api import VendureApi
from pipelines.channels.base import Connection, RawRow, Window
from pipelines.channels.vendure import VENDURE
from pipelines.channels.vendure.session import KEY
from pipelines.http import Session
from pipelines.model import Correction
from pipelines.stage import stage_system

URL, USER, PASSWORD = "TRUEUP_VENDURE_URL", "TRUEUP_VENDURE_USER", "TRUEUP_VENDURE_PASSWORD"
FIELDS = {
    "gtin_field": "ean", "consent_field": "emailConsent", "consent_at_field": "emailConsentAt",
    "consent_proof_field": "emailConsentProof", "card_field": "loyaltyCard", "points_field": "loyaltyPoints",
    "country": "FR",
}


class WallClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)  # noqa: TID251 a real server lives in real time

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(f"a wait of {seconds} s: a server of our own needs none")


def operator() -> VendureApi:
    """An administrator's session; skips where the environment names no server."""
    if not os.environ.get(URL):
        pytest.skip(f"no running Vendure is named: set {URL}, {USER} and {PASSWORD} (deploy.real --keep leaves one)")
    return VendureApi(os.environ[URL], os.environ[USER], os.environ[PASSWORD])


def connected(secret: str, **options: str) -> Session:
    """The connector's session."""
    return VENDURE.connect(Connection(os.environ[URL], {KEY: secret}, {**FIELDS, **options}, WallClock()))


@dataclass
class Reader:
    """Reads, stages and writes through the connector."""

    session: Session
    con: duckdb.DuckDBPyConnection

    async def rows(self, name: str, since: datetime | None = None) -> list[RawRow]:
        """One endpoint, whole or since a moment."""
        endpoint = next(e for e in VENDURE.endpoints if e.name == name)
        window = Window(since, WallClock().now())
        return [row async for page in endpoint.read(self.session, window) for row in page.rows]

    async def stage(self) -> dict[str, int]:
        """A census of everything, staged."""
        for endpoint in VENDURE.endpoints:
            table = f"raw_vendure.{endpoint.name}"
            rows = [[row.id, row.updated_at, row.payload.decode()] for row in await self.rows(endpoint.name)]
            self.con.execute(f"DELETE FROM {table}")
            if rows:
                columns = [list(column) for column in zip(*rows, strict=True)]
                self.con.execute(f"INSERT INTO {table} SELECT unnest(?), unnest(?), unnest(?), NULL", columns)
        return stage_system(self.con, "vendure")

    def one(self, query: str, *values: Any) -> tuple[Any, ...]:
        """The only row of a query."""
        found = self.con.execute(query, list(values)).fetchall()
        assert len(found) == 1, found
        return tuple(found[0])

    def correction(self, entity: str, field: str, vendor_id: str, desired: str | None, **rest: Any) -> Correction:
        """A correction as push hands it to a writer, with the context that stage gave its row."""
        sub, observed = rest.pop("sub", ""), rest.pop("observed", None)
        key = f"{entity}.{field}.{vendor_id}.{sub}"
        return Correction(
            key, "plan-1", "vendure", entity, field, vendor_id, sub, "subject", "", observed, desired, **rest
        )

    async def write(self, corrections: Sequence[Correction]) -> list[tuple[str, str]]:
        """Status and code of each outcome."""
        writer = next(w for w in VENDURE.writers if w.entity == corrections[0].entity)
        outcomes = await writer.write(self.session, corrections, "key-1")
        assert [o.correction_key for o in outcomes] == [c.correction_key for c in corrections]
        return [(str(o.status), o.code) for o in outcomes]

    async def read_back(self, corrections: Sequence[Correction]) -> list[str | None]:
        """Present values."""
        reader = next(r for r in VENDURE.read_backs if r.entity == corrections[0].entity)
        return [reading.value for reading in await reader.read(self.session, corrections)]

"""The only reader of the environment: where things lie, which estate this is, and the credentials of its systems.

    TRUEUP_HOME                where trueup keeps its files (default: .trueup)
    TRUEUP_ESTATE              the estate file; required
    TRUEUP_POLICY              a policy file laid over the defaults
    TRUEUP_CONTACT_KEY         key of the contact points' hashes; or the file secrets/contact_key under TRUEUP_HOME
    TRUEUP_SIGNING_KEY         the file of your private key: what you say is signed with it (`trueup keygen`)
    TRUEUP_SIGNING_PASSPHRASE  what it is encrypted with, if it is
    TRUEUP_THREADS             DuckDB's threads (default: all)
    TRUEUP_ORDERS_FROM         the first day that backfill_orders can read again (default: 2025-01-01)
    TRUEUP_<SYSTEM>_URL        a base URL that takes the place of the estate's
    TRUEUP_FILES_USER          user, or key id, of a folder of drops that is not on this machine
    TRUEUP_FILES_PASSWORD      its password, or secret
    TRUEUP_FILES_KEY_FILE      a private key in the place of the password (SFTP)
    TRUEUP_FILES_KNOWN_HOSTS   the keys of the servers that are trusted (SFTP; default: ~/.ssh/known_hosts)
    and each channel's own secrets, e.g. TRUEUP_SQUARE_TOKEN

Nothing is read at import. A missing value stops with its name.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.errors import ConfigurationError

if TYPE_CHECKING:  # asking from the command line reads settings, and has no time for the types of an estate
    from pipelines.estate import Estate

ORDERS_FROM = date(2025, 1, 1)
PRIVATE_MASK = 0o077
"""umask of every process of ours: nobody but the owner reads what we write."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says, read once."""

    home: Path
    environment: Mapping[str, str]

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """From the process's environment, or from a test's."""
        found = dict(os.environ) if environment is None else dict(environment)
        return cls(Path(found.get("TRUEUP_HOME") or ".trueup"), found)

    def required(self, name: str, purpose: str) -> str:
        """A variable's value; ConfigurationError naming it where it is missing or blank."""
        value = self.environment.get(name, "").strip()
        if not value:
            raise ConfigurationError(f"{name} is not set: {purpose}")
        return value

    @property
    def estate(self) -> Path:
        """The estate file."""
        return Path(self.required("TRUEUP_ESTATE", "the path of your estate.toml"))

    @property
    def policy(self) -> Path | None:
        """The user's policy file, if there is one."""
        name = self.environment.get("TRUEUP_POLICY", "").strip()
        return Path(name) if name else None

    @property
    def threads(self) -> int | None:
        """DuckDB's threads; None: all."""
        text = self.environment.get("TRUEUP_THREADS", "").strip()
        if text and not text.isdecimal():
            raise ConfigurationError(f"TRUEUP_THREADS is {text!r}, not a number of threads")
        return int(text) if text else None

    @property
    def orders_from(self) -> date:
        """The first day of the backfill's partitions."""
        text = self.environment.get("TRUEUP_ORDERS_FROM", "").strip()
        if not text:
            return ORDERS_FROM
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise ConfigurationError(f"TRUEUP_ORDERS_FROM is {text!r}, not a day like 2025-01-31") from error

    @property
    def contact_key(self) -> bytes:
        """The key of contact points; losing it breaks every link between a suppression and its address."""
        if text := self.environment.get("TRUEUP_CONTACT_KEY", "").strip():
            return text.encode()
        kept = self.home / "secrets" / "contact_key"
        if kept.exists():
            return kept.read_bytes().strip()
        raise ConfigurationError("TRUEUP_CONTACT_KEY is not set: the secret key of the hashes of e-mail addresses")

    @property
    def signing_key(self) -> Path | None:
        """The private key of whoever speaks, if one is named."""
        name = self.environment.get("TRUEUP_SIGNING_KEY", "").strip()
        return Path(name) if name else None

    @property
    def signing_passphrase(self) -> str:
        """What that file is encrypted with; '' where it is not."""
        return self.environment.get("TRUEUP_SIGNING_PASSPHRASE", "")

    @property
    def built_in_key(self) -> Path:
        """The private key that stands for whoever uses this home; it counts on loopback alone."""
        return self.home / "secrets" / "built_in_key.pem"

    @property
    def warehouse(self) -> Path:
        """Folder of the DuckDB files, their export, their snapshot and the inbox."""
        return self.home / "warehouse"

    @property
    def snapshot(self) -> Path:
        """The read copy of the ledger that questions are answered from."""
        return self.warehouse / "snapshot.duckdb"

    @property
    def export(self) -> Path:
        """The ledger's back-up as Parquet files."""
        return self.warehouse / "export"

    @property
    def inbox(self) -> Path:
        """Where people's answers to held rows are dropped."""
        return self.home / "inbox"

    @property
    def reports(self) -> Path:
        """Folder of the nights' reports."""
        return self.home / "reports"

    @property
    def kill_switch(self) -> Path:
        """While this file exists, nothing more is sent to any system (`pipelines.kill_switch`)."""
        return self.home / "STOP"

    def base_url(self, estate: "Estate", system: str) -> str:
        """Where a system is reached."""
        return self.environment.get(f"TRUEUP_{system.upper()}_URL") or estate.systems[system].base_url

"""With which key the command line signs what a person says, and how keys are made. Imports no Dagster.

A private key is drawn here and nowhere else; it is written once, for its owner alone. The sandbox's own key is made
with its home and arms the sandbox: any other estate is armed by a person (`cli.arming`).
"""

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.arming.armings import Arming, standing
from pipelines.arming.content import document, hash_of
from pipelines.arming.keys import Ed25519PrivateKey, private_file, public_text
from pipelines.arming.scope import scope_of
from pipelines.arming.signing import Signer
from pipelines.configuration import read_file
from pipelines.errors import ConfigurationError
from pipelines.estate import Estate, estate_of, read_estate
from pipelines.ledger.inbox import drop
from pipelines.policy import read_policy
from resources.clock import SystemClock, clock_of_systems
from resources.settings import Settings
from resources.signers import approvers_of, built_in, signer_of

if TYPE_CHECKING:
    import duckdb

_DAYS_OF_THE_SANDBOX = timedelta(days=30)


def signer(settings: Settings) -> Signer:
    """The key of whoever speaks; where every system is on loopback, and no key is named, the home's own."""
    estate = read_estate(settings.estate)
    if settings.signing_key is None:
        _make_built_in(settings)
    return signer_of(settings, estate)


def write_key(path: Path, passphrase: str) -> str:
    """Draw a key and write its file, for its owner alone; returns the public key. Nothing is overwritten."""
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already; a key is never overwritten") from error
    with os.fdopen(handle, "wb") as file:
        file.write(private_file(key, passphrase))
    return public_text(key.public_key())


def policy_now(settings: Settings) -> tuple[Estate, dict[str, str]]:
    """The estate, and policy and estate as an arming is of them."""
    file = read_file(settings.estate)
    estate = estate_of(file)
    return estate, document(read_policy(settings.policy, estate, estate_file=file), estate)


def time_of(settings: Settings, estate: Estate) -> datetime:
    """Now, by the estate's clock."""
    from cli.answers import copy_of, estate_time

    if settings.snapshot.exists():
        with copy_of(settings) as con:
            return estate_time(settings, con)
    if estate.estate.clock == "systems":
        return clock_of_systems([settings.base_url(estate, system) for system in estate.systems]).now()
    return SystemClock().now()


def arm_sandbox(settings: Settings) -> None:
    """Arm the sandbox, which is up, with the home's own key, unless it is armed; ConfigurationError off loopback."""
    from cli.answers import copy_of

    _make_built_in(settings)
    estate, settled = policy_now(settings)
    approvers = approvers_of(settings, estate)
    own = built_in(settings, estate.estate.name)
    if own is None or approvers.refused:
        raise ConfigurationError(next(iter(approvers.refused.values()), "the built-in key is missing"))
    now = clock_of_systems([settings.base_url(estate, system) for system in estate.systems]).now()
    policy_hash, soon, endpoints = hash_of(settled), now + timedelta(days=1), endpoints_of(estate)
    if settings.snapshot.exists():
        with copy_of(settings) as con:
            if knows_words(con) and any(
                not each.fault and each.arming.until > soon
                for each in standing(con, approvers, policy_hash=policy_hash, now=now)
            ):
                return
    scope = scope_of(["all", f"short={','.join(endpoints)}"], sorted(estate.systems), endpoints)
    drop(settings.inbox, Arming(
        policy_hash=policy_hash, scope=scope, until=now + _DAYS_OF_THE_SANDBOX, author="trueup", reason="the sandbox",
        at=now,
    ), own)


def endpoints_of(estate: Estate) -> tuple[str, ...]:
    """What the estate's systems are read by: `system.endpoint`."""
    from pipelines.channels import CHANNELS

    return tuple(f"{c.name}.{e.name}" for c in CHANNELS if c.name in estate.systems for e in c.endpoints)


def knows_words(con: "duckdb.DuckDBPyConnection") -> bool:
    """Whether the version that left a snapshot kept signed words."""
    query = "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'sync' AND table_name = 'words'"
    return bool(con.execute(query).fetchall())


def _make_built_in(settings: Settings) -> None:
    if not settings.built_in_key.exists():
        write_key(settings.built_in_key, "")

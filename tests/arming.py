"""Who may arm in the tests: a key of their own, what it signs, and what is armed where no arming is the question."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.arming.armings import Armed, Arming
from pipelines.arming.content import document, hash_of
from pipelines.arming.keys import Ed25519PrivateKey, key_id, private_file, public_text
from pipelines.arming.scope import LANES, Scope, scope_of
from pipelines.arming.signing import Approver, Approvers, Signer
from pipelines.channels import CHANNELS
from pipelines.configuration import read_file
from pipelines.estate import estate_of
from pipelines.ledger.inbox import drop
from pipelines.policy import read_policy
from resources.settings import Settings

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key()
NAME = "Ana"
SECTION = f'''
[approvers.{NAME}]
public_key = "{public_text(PUBLIC)}"
may_arm = true
'''
"""What an estate file says of her."""
FAR = datetime(2100, 1, 1, tzinfo=UTC)
EVERYTHING = Scope(
    lanes=LANES, systems=tuple(sorted(channel.name for channel in CHANNELS)),
    fields=("items.*", "prices.*", "stock.*", "customers.*", "consents.*"),
)
ENDPOINTS = [f"{channel.name}.{endpoint.name}" for channel in CHANNELS for endpoint in channel.endpoints]
ARMED = Armed((Arming(policy_hash="", scope=EVERYTHING, until=FAR, author=NAME, reason="tests", at=FAR),))
"""For tests of what comes after the question whether anything is armed."""


def signer(estate: str = "sandbox", key: Ed25519PrivateKey = KEY) -> Signer:
    """Her key."""
    return Signer(key, estate, NAME)


def approvers(estate: str = "sandbox", *, may_arm: bool = True) -> Approvers:
    """She alone."""
    return Approvers(estate, {key_id(PUBLIC): Approver(NAME, PUBLIC, may_arm)})


def private_key(path: Path, passphrase: str = "") -> Path:
    """Her key as a file."""
    path.write_bytes(private_file(KEY, passphrase))
    path.chmod(0o600)
    return path


def arm(settings: Settings, now: datetime, *words: str, days: int = 30, policy_hash: str = "") -> Path:
    """Drop an arming of what the settings' files say now; all of it where no scope is typed."""
    file = read_file(settings.estate)
    estate = estate_of(file)
    settled = document(read_policy(settings.policy, estate, estate_file=file), estate)
    scope = scope_of(words or ("all",), sorted(estate.systems), ENDPOINTS)
    return drop(settings.inbox, Arming(
        policy_hash=policy_hash or hash_of(settled), scope=scope,
        until=now + timedelta(days=days), author=NAME, reason="a test", at=now,
    ), signer(estate.estate.name))


def name_her(path: Path) -> Path:
    """Add her to an estate file, once."""
    text = path.read_text(encoding="utf-8")
    if SECTION not in text:
        path.write_text(text + SECTION, encoding="utf-8")
    return path

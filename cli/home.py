"""Prepares the process: folders, Dagster's home, and the embedded estate where TRUEUP_ESTATE names no other.

Changes the environment for what is started from here; only `resources.settings` reads it afterwards.
"""

import os
import secrets
from pathlib import Path

from resources.settings import PRIVATE_MASK, Settings

ROOT = Path(__file__).resolve().parents[1]


def prepare() -> Settings:
    """Make the folders, keep their content private, and read the settings."""
    os.umask(PRIVATE_MASK)
    home = Path(os.environ.get("TRUEUP_HOME") or ROOT / ".trueup").resolve()
    os.environ["TRUEUP_HOME"] = str(home)
    home.mkdir(parents=True, exist_ok=True)
    if is_embedded():
        os.environ["TRUEUP_ESTATE"] = str(home / "sandbox" / "estate.toml")
    return Settings.read()


def is_embedded() -> bool:
    """Whether the estate is the sandbox's own: no other is named."""
    named = os.environ.get("TRUEUP_ESTATE", "").strip()
    own = Path(os.environ.get("TRUEUP_HOME") or ROOT / ".trueup").resolve() / "sandbox" / "estate.toml"
    return not named or Path(named).resolve() == own


def dagster_home(settings: Settings) -> Path:
    """Dagster's own folder, with the root's dagster.yaml linked in; telemetry off."""
    folder = settings.home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "dagster.yaml"
    if not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(ROOT / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    return folder


def sandbox_secrets(settings: Settings) -> None:
    """The contact key of the embedded estate, drawn once; a real estate brings its own."""
    path = settings.home / "secrets" / "contact_key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(32), encoding="ascii")

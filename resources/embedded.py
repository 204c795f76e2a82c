"""The embedded estate, for a run that `trueup` did not start: finds the sandbox that plays it, where no other is named.

`trueup` and `make ui` hand its variables to what they start; `dg launch` and a Dagster of one's own know nothing of
them. So the resource looks where the sandbox keeps its files: it starts nothing, and says what to start.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx

from pipelines.channels import CHANNELS
from pipelines.errors import ConfigurationError
from resources.settings import Settings

Ask = Callable[[str, Path], bool]
"""Whether the sandbox of a folder answers at a base URL."""


def answers(url: str, folder: Path) -> bool:
    """Whether the sandbox of this folder is served there, and not another that has its port by now."""
    try:
        told = httpx.get(f"{url}/_control/health", timeout=2.0, trust_env=False)
        return told.status_code == 200 and told.json().get("world") == str(folder.resolve())
    except (httpx.TransportError, ValueError):
        return False


def introduction(url: str) -> dict[str, str]:
    """What the connectors need to know of a sandbox, as they would of the vendors: URLs and credentials."""
    asked = [channel for channel in CHANNELS if "http" in channel.schemes]  # a folder is not served by the sandbox
    found = {f"TRUEUP_{channel.name.upper()}_URL": f"{url}/{channel.name}" for channel in asked}
    return found | {secret: "sandbox" for channel in CHANNELS for secret in channel.secrets}


def found_estate(settings: Settings, ask: Ask = answers) -> Settings:
    """The settings as they are where they name an estate; else with all that the sandbox's own estate needs.

    ConfigurationError, in one sentence, where there is neither.
    """
    folder = settings.home / "sandbox"
    own, named = folder / "estate.toml", settings.environment.get("TRUEUP_ESTATE", "").strip()
    if named and (not own.exists() or not own.samefile(named)):
        return settings
    if named and introduction("").keys() <= settings.environment.keys():
        return settings  # started by `trueup`
    if not own.exists():
        raise ConfigurationError(
            f"TRUEUP_ESTATE is not set and {folder} holds no sandbox: name your estate.toml, or run `trueup sync` once "
            "(TRUEUP_HOME says where it keeps its files)"
        )
    kept = folder / "url"
    url = kept.read_text(encoding="ascii").strip() if kept.exists() else ""
    if not url or not ask(url, folder):
        raise ConfigurationError("the sandbox is not served: leave `trueup ui` running beside this, or use `trueup`")
    return replace(settings, environment={**introduction(url), **settings.environment, "TRUEUP_ESTATE": str(own)})

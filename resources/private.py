"""Whether a file is its owner's alone: data, and private keys. Quick to import."""

import stat
from pathlib import Path

from pipelines.errors import ConfigurationError


def check_private(path: Path) -> None:
    """ConfigurationError where a file can be read by others than its owner."""
    if path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigurationError(f"{path} can be read by others; run: chmod go= {path}")

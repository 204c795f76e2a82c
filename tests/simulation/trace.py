"""What is kept of a run: one line an event, in the order in which they happened, the same bytes for the same seed.

    {"at": "2026-06-16T00:00:03.120Z", "what": "call", "n": 17, "run": 1, "system": "square", ...}

Hashes stand for what was sent and answered: enough to see that two runs differ, and where they do so first.
"""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.store import stamp


def digest(content: bytes) -> str:
    """Twelve hex digits of some bytes."""
    return hashlib.sha256(content).hexdigest()[:12]


class Trace:
    """Lines of one seed."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def note(self, at: datetime, what: str, **facts: Any) -> None:
        """One more event."""
        self.lines.append(json.dumps({"at": stamp(at), "what": what, **facts}, ensure_ascii=False, default=str))

    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines) + "\n"

    def write(self, path: Path) -> Path:
        """Write it down."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text(), encoding="utf-8")
        return path

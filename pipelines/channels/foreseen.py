"""An answer of a shape that nobody foresaw is an error of that system, not of the night (R12).

A vendor that calls a field otherwise makes a reader or a writer stumble over what it gets back. Every function of a
channel that is called outside extraction is wrapped in this where it is declared (`channels.base`).
"""

import functools
import logging
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec

from pipelines.errors import ChannelError

log = logging.getLogger("trueup.channels")

P = ParamSpec("P")
T = TypeVar("T")
STRANGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, msgspec.MsgspecError)
"""What code raises that takes an answer apart and does not find what it looks for."""


def foreseen(call: Callable[P, Awaitable[T]], error: type[ChannelError]) -> Callable[P, Awaitable[T]]:
    """The same call, which raises `error` where it stumbles; wrapped once, however often this is asked."""
    if hasattr(call, "is_foreseen"):
        return call

    @functools.wraps(call)
    async def guarded(*args: P.args, **named: P.kwargs) -> T:
        try:
            return await call(*args, **named)
        except STRANGE as stumbled:
            words = where(stumbled)
            log.error("an answer of an unknown shape: %s", words)
            raise error(f"an answer of an unknown shape ({words})") from None  # its own words may hold a value

    guarded.is_foreseen = True  # type: ignore[attr-defined]
    return guarded


def where(error: Exception) -> str:
    """The error's kind and the line that raised it; nothing that it says, for that may be somebody's value."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(place.filename).name} line {place.lineno}"

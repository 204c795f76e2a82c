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

from pipelines import http
from pipelines.errors import ChannelError
from pipelines.http import Session

log = logging.getLogger("trueup.channels")

UNKNOWN_SHAPE = "unknown_shape"
"""The code of such an error."""
P = ParamSpec("P")
T = TypeVar("T")
_CHANNELS = Path(__file__).parent
STRANGE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, msgspec.MsgspecError)
"""What code raises that takes an answer apart and does not find what it looks for."""


def foreseen(call: Callable[P, Awaitable[T]], error: type[ChannelError]) -> Callable[P, Awaitable[T]]:
    """The same call, which raises `error` where it stumbles. Wrapped again, the first word stands."""

    @functools.wraps(call)
    async def guarded(*args: P.args, **named: P.kwargs) -> T:
        try:
            return await call(*args, **named)
        except STRANGE as stumbled:
            if _is_of_the_way(stumbled):
                raise
            words = where(stumbled)
            log.error("an answer of an unknown shape: %s", words)
            # "from None": what the first error says may be somebody's value
            raise error(f"an answer of an unknown shape ({words})", code=UNKNOWN_SHAPE) from None

    return guarded


def where(error: Exception) -> str:
    """The error's kind and the line of the channel at which it arose; nothing that it says, for that may be a value."""
    places = traceback.extract_tb(error.__traceback__)
    own = [place for place in places if _is_of_a_channel(Path(place.filename))]
    place = (own or places)[-1]
    path = Path(place.filename)
    return f"{type(error).__name__} in {path.parent.name}/{path.name} line {place.lineno}"


def _is_of_the_way(error: Exception) -> bool:
    """Whether it arose while a call was carried, before a channel had its answer: that is a fault of ours."""
    places = traceback.extract_tb(error.__traceback__)
    carried = [at for at, place in enumerate(places) if Path(place.filename) == Path(http.__file__)
               and place.name == Session.call.__name__]
    return bool(carried) and not any(_is_of_a_channel(Path(place.filename)) for place in places[carried[-1] :])


def _is_of_a_channel(path: Path) -> bool:
    return path.is_relative_to(_CHANNELS) and path != Path(__file__)

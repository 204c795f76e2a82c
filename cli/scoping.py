"""Options that narrow a run, checked before anything is loaded: another word is refused with the allowed ones."""

from collections.abc import Callable
from typing import Annotated

import typer

from pipelines.configuration import suggestion


def _of(kind: str) -> Callable[[list[str] | None], list[str] | None]:
    """A check of an option's words against one of the closed sets of `resources.asked`."""

    def check(words: list[str] | None) -> list[str] | None:
        if not words:
            return words
        from resources import asked

        allowed = asked.words_of(getattr(asked, kind))
        for word in words:
            if word not in allowed:
                raise typer.BadParameter(f"{word!r}{suggestion(word, allowed)}; allowed: {', '.join(allowed)}")
        return words

    return check


Systems = Annotated[
    list[str] | None,
    typer.Option("--system", callback=_of("SystemName"), help="Correct only this system; may be repeated."),
]
Entities = Annotated[
    list[str] | None,
    typer.Option("--entity", callback=_of("EntityName"), help="Correct only this entity; may be repeated."),
]
Keys = Annotated[list[str] | None, typer.Option("--key", help="Correct only this SKU, GTIN, e-mail or id.")]
Census = Annotated[bool, typer.Option("--census", help="Read everything, not only what changed.")]
Short = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-short", callback=_of("EndpointName"),
        help='An endpoint whose shrinking is explained: "square.orders".',
    ),
]

"""The commands for who writes connectors: `conformance` and `new-channel`. `cli.main` registers them."""

from pathlib import Path
from typing import Annotated

import typer

from cli.leaving import leave
from pipelines.errors import ConfigurationError


def conformance(
    systems: Annotated[list[str] | None, typer.Argument()] = None,
    url: Annotated[str, typer.Option(help="Another address than the estate's.")] = "",
    estate: Annotated[Path | None, typer.Option(help="Another estate file.")] = None,
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="As under [systems.X] options; repeatable.")
    ] = None,
    against: Annotated[str, typer.Option(help="The server in words, for the report: product and version.")] = "",
    write: Annotated[
        bool, typer.Option("--write", help="Also write: to goods, put back at the end, and to persons it makes itself.")
    ] = False,
    markdown: Annotated[Path | None, typer.Option(help="Put a section into this document.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Does a connector do what it declares, against the server it points to? Exit 1 where a check failed.

    \b
    SYSTEMS  square, shopify, …; all of the estate where none is named
    """
    from cli import conformance as kit
    from cli.home import prepare

    def run() -> int:
        given = dict(_pair(words) for words in option or ())
        return kit.conformance(
            prepare(), systems or [], url=url, estate_path=estate, options=given, against=against, write=write,
            as_json=as_json, markdown=markdown,
        )

    leave(run)


def new_channel(
    name: Annotated[str, typer.Argument()],
    title: Annotated[str, typer.Option(help="What people call it; by default the name.")] = "",
) -> None:
    """Write the files of a new connector: its folder, cases, sandbox, hands and page; overwrites nothing.

    \b
    NAME  small letters, digits and _: the package, the schema and the prefix of its settings
    """
    from cli import new_channel as made
    from cli.home import ROOT
    from cli.screen import tell

    def run() -> int:
        for path in made.new_channel(name, title=title, root=ROOT):
            tell(f"wrote {path.relative_to(ROOT)}")
        tell(made.NEXT.format(name=name, token=f"TRUEUP_{name.upper()}_TOKEN"))
        return 0

    leave(run)


def _pair(words: str) -> tuple[str, str]:
    name, sign, value = words.partition("=")
    if not sign or not name:
        raise ConfigurationError(f"--option {words!r} is not name=value")
    return name, value

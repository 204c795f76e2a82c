"""The parts of docs/reference.md that are about prices alone: how systems round, and what guards refuse or hold."""

from collections.abc import Iterator

from cli.markdown import prose, table
from pipelines.channels import CHANNELS
from pipelines.policy import Guard


def rounding() -> Iterator[str]:
    """How each system rounds."""
    yield "## Rounding"
    yield prose(
        "How each system comes to whole minor units where tax is added or something is taken off. The estate may say "
        "otherwise of a list: `shopify = { id = \"base\", rounding = \"half_even\" }`. The mode decides which price is "
        "right; the level, which sum several pieces come to: of one piece unit, line and order are the same."
    )
    yield table(
        ("system", "mode", "level", "where from"),
        ((channel.title, f"`{channel.rounding.mode}`", channel.rounding.level, channel.rounding.note)
         for channel in CHANNELS if "prices" in channel.entities),
    )


def guard(limits: Guard | None, key: str) -> str:
    """What is refused and what is held of a field's values."""
    if limits is None:
        return ""
    bounds = (("max_jump_pct", "jump over {:g} %"), ("floor_minor", "under {:g}"), ("ceiling_minor", "over {:g}"))
    told = [words.format(value) for name, words in bounds if (value := getattr(limits, name)) is not None]
    told += ["zero"] if limits.refuses_zero else []
    refused = "refused: " + ", ".join(told + (["below cost"] if limits.refuses_below_cost else []))
    if key != "prices.compare_at":
        return refused
    return f"{refused}; held: above the lowest price of the {limits.prior_price_days} days before the reduction"

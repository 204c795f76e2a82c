"""Derived prices: a channel's price that comes from the golden one by mark-up, rate of exchange and ending.

What may stand in a `[derive."<system>.<price list>"]` of the policy, and the rows of `policy.derivations` that it
becomes. The sums themselves are `reconcile/compared/prices.sql`. A rate is text and becomes whole numbers; it has a
day, and holds for so many: an old one is refused there.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from pipelines.configuration import Section, suggestion
from pipelines.errors import ConfigurationError
from pipelines.estate import Estate

RATE_UNITS = 10**8
"""A rate in whole numbers: of these one is 1. The SQL knows it, too."""


_Rate = Annotated[str, Field(pattern=r"^[0-9]{1,6}(\.[0-9]{1,8})?$", json_schema_extra={
    "allowed": 'a decimal in quotes, with at most 8 decimals, as "0.9412"'})]


class Derivation(Section):
    """How a channel's price comes from the golden one."""

    markup_pct: float = Field(default=0.0, gt=-100, description="On the golden price; rounded as the system rounds.")
    ends_in: Annotated[int, Field(ge=0, le=99)] | Annotated[str, Field(pattern=r"^[0-9]{1,6}$")] | None = Field(
        default=None, description="Then up to the next price ending in these: 90, or digits as text (\"990\", \"9\")."
    )
    from_list: str | None = Field(default=None, description="Our list that it comes from; else this list itself.")
    rate: _Rate | None = Field(default=None, description="What one unit of that list's currency is in this list's.")
    rate_on: date | None = Field(default=None, description="The day of the rate.")
    rate_days: int = Field(default=7, ge=1, le=366, description="How many days it holds, its own included.")


def derivations(derive: Mapping[str, Derivation], estate: Estate) -> Iterator[tuple[object, ...]]:
    """The rows of `policy.derivations`; ConfigurationError for a rate that is missing, or that nothing would use."""
    for key, rule in derive.items():
        system, name = key.split(".", 1)
        if system not in estate.systems or name not in estate.price_lists:
            continue
        currency = estate.price_lists[name].currency
        source = rule.from_list if rule.from_list is not None else name
        if source not in estate.price_lists:
            known = sorted(estate.price_lists)
            raise _wrong(key, f"from_list: {source!r} is no price list{suggestion(source, known)}", ", ".join(known))
        theirs = estate.price_lists[source].currency
        if theirs != currency and (rule.rate is None or rule.rate_on is None):
            missing = "rate" if rule.rate is None else "rate_on"
            raise _wrong(key, f"{missing} is missing: {name} is in {currency}, {source} in {theirs}",
                         'a decimal in quotes' if missing == "rate" else "the day of the rate, as 2026-06-30")
        if theirs == currency and (rule.rate is not None or rule.rate_on is not None):
            what = f"rate has no effect: {name} and {source} are both in {currency}"
            raise _wrong(key, what, "no rate and no rate_on")
        if rule.rate is not None and Decimal(rule.rate) == 0:
            raise _wrong(key, f"rate: {rule.rate} makes everything free", "a decimal in quotes, above zero")
        yield (
            system, name, round(rule.markup_pct * 100), *_ending(rule.ends_in),
            rule.from_list if source != name else None, *_rate(rule), _told(rule, source, theirs, currency),
        )


def _ending(ends_in: int | str | None) -> tuple[int | None, int]:
    """The ending and what it is the rest of: a number is the last two digits, text as many as it has."""
    if ends_in is None:
        return None, 100
    return int(ends_in), 10 ** len(ends_in) if isinstance(ends_in, str) else 100


def _rate(rule: Derivation) -> tuple[int | None, date | None]:
    """The rate in whole numbers, and the first day on which it holds no more."""
    if rule.rate is None or rule.rate_on is None:
        return None, None
    return int(Decimal(rule.rate) * RATE_UNITS), rule.rate_on + timedelta(days=rule.rate_days)


def _told(rule: Derivation, source: str, theirs: str, currency: str) -> str:
    """How the price is derived, in words."""
    words = [f"from the list {source}"] if rule.from_list is not None else []
    if rule.rate is not None:
        words.append(f"at {rule.rate} {currency} for 1 {theirs} of {rule.rate_on}")
    if rule.markup_pct:
        words.append(f"{rule.markup_pct:+g} %")
    if rule.ends_in is not None:
        words.append(f"up to the next that ends in {rule.ends_in}")
    return "derived " + ", ".join(words) if words else "derived"


def _wrong(key: str, what: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(f'policy [derive."{key}"] {what}; allowed: {allowed}')

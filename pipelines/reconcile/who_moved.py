"""The class of one drifted value, and the sentence that says it to a person, as SQL expressions.

Knows nothing of where the values come from: three conditions in, a CASE out. Sentences never hold a value: a plan may
be shown to people who may not see a customer's name.
"""

from sqlglot import exp

_SAID = {
    "items": "the first in the order of the policy that holds a GTIN",
    "customers": "the first in the order of the policy whose field is not blank",
    "customers.address": "the first in the order of the policy that holds a street",
}
_ADDRESS = ("street", "city", "postcode")


def drift_class(has_base: exp.Expression, moved_here: exp.Expression, moved_there: exp.Expression) -> exp.Expression:
    """never_agreed | both | here | elsewhere | rule."""
    return _by_class(has_base, moved_here, moved_there, {name: [name] for name in _ORDER})


def reason(
    system: str, entity: str, field: str, authority: exp.Expression, has_base: exp.Expression,
    moved_here: exp.Expression, moved_there: exp.Expression,
) -> exp.Expression:
    """One sentence: who moved since when, and whose word counts."""
    since = exp.func("strftime", exp.func("timezone", exp.Literal.string("UTC"), exp.column("agreed_at")),
                     exp.Literal.string("%Y-%m-%d"))
    kind = "customers.address" if entity == "customers" and field in _ADDRESS else entity
    said: list[str | exp.Expression] = (
        [authority, f" is {_SAID[kind]}"] if kind in _SAID else [exp.column("reason")]
    )
    what = field.replace("_", " ")
    return _by_class(has_base, moved_here, moved_there, {
        "never_agreed": [*said, f"; {system} has never agreed with it."],
        "both": [f"Both {system} and ", authority, f" have changed the {what} since ", since, "; ", *said, "."],
        "here": [f"The {what} was changed in {system} since ", since, ", when all agreed; ", *said, "."],
        "elsewhere": [authority, f" has changed the {what} since ", since, f", {system} has not; ", *said, "."],
        "rule": ["Nobody has changed anything since ", since, "; ", *said, "."],
    })


_ORDER = ("never_agreed", "both", "here", "elsewhere", "rule")


def _by_class(
    has_base: exp.Expression, moved_here: exp.Expression, moved_there: exp.Expression,
    parts: dict[str, list[str | exp.Expression]] | dict[str, list[str]],
) -> exp.Expression:
    case = exp.case().when(has_base.copy().not_(), _text(parts["never_agreed"]))
    case = case.when(exp.and_(moved_here.copy(), moved_there.copy()), _text(parts["both"]))
    case = case.when(moved_here.copy(), _text(parts["here"]))
    return case.when(moved_there.copy(), _text(parts["elsewhere"])).else_(_text(parts["rule"]))


def _text(parts: list[str | exp.Expression] | list[str]) -> exp.Expression:
    spoken = [exp.Literal.string(part) if isinstance(part, str) else part.copy() for part in parts]
    return spoken[0] if len(spoken) == 1 else exp.func("concat", *spoken)

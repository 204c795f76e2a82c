"""The class of one drifted value, and the sentence that says it to a person, as SQL expressions.

Knows nothing of where the values come from: conditions in, a CASE out. Sentences never hold a value: a plan may be
shown to people who may not see a customer's name.
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
    case = exp.case().when(has_base.copy().not_(), exp.Literal.string("never_agreed"))
    case = case.when(exp.and_(moved_here.copy(), moved_there.copy()), exp.Literal.string("both"))
    case = case.when(moved_here.copy(), exp.Literal.string("here"))
    return case.when(moved_there.copy(), exp.Literal.string("elsewhere")).else_(exp.Literal.string("rule"))


def reason(entity: str) -> exp.Expression:
    """One sentence: who moved since when, and whose word counts.

    Of a row's system, field, authority, drift_class and agreed_at; of prices also its reason: why golden is so.
    """
    system, authority = exp.column("system"), exp.column("authority")
    since = exp.func("strftime", exp.func("timezone", exp.Literal.string("UTC"), exp.column("agreed_at")),
                     exp.Literal.string("%Y-%m-%d"))
    what = exp.func("replace", exp.column("field"), exp.Literal.string("_"), exp.Literal.string(" "))
    said = _said(entity)
    case = exp.Case(this=exp.column("drift_class"))
    for name, parts in {
        "never_agreed": [*said, "; ", system, " has never agreed with it."],
        "both": ["Both ", system, " and ", authority, " have changed the ", what, " since ", since, "; ", *said, "."],
        "here": ["The ", what, " was changed in ", system, " since ", since, ", when all agreed; ", *said, "."],
        "elsewhere": [authority, " has changed the ", what, " since ", since, ", ", system, " has not; ", *said, "."],
        "rule": ["Nobody has changed anything since ", since, "; ", *said, "."],
    }.items():
        case = case.when(exp.Literal.string(name), _text(parts))
    return case


def _said(entity: str) -> list[str | exp.Expression]:
    if entity not in _SAID:
        return [exp.column("reason")]
    said: exp.Expression = exp.Literal.string(_SAID[entity])
    if entity == "customers":
        is_part = exp.column("field").isin(*_ADDRESS)
        said = exp.case().when(is_part, exp.Literal.string(_SAID["customers.address"])).else_(said)
    return [exp.column("authority"), " is ", said]


def _text(parts: list[str | exp.Expression]) -> exp.Expression:
    return exp.func("concat", *(exp.Literal.string(part) if isinstance(part, str) else part.copy() for part in parts))

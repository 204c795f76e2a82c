"""Patterns of file names as mappings have them: which names fit one, and whether one name may fit two.

Knows no folder: a pattern's folder is part of it, and is as it is written.
"""

import re

_PLACE = re.compile(r"\{\w+\}")


def matcher_of(pattern: str) -> re.Pattern[str]:
    """A file pattern of the mapping: `*` and `?` inside one folder, braces for the place that a file is of.

    >>> matcher_of("stock_{location}_*.csv").fullmatch("stock_lyon_20261231.csv")["place"]
    'lyon'
    """
    parts = re.split(r"(\*|\?|\{\w+\})", pattern)
    kinds = {"*": "[^/]*", "?": "[^/]"}
    places = iter(["(?P<place>[^/]+?)"])
    words = [
        kinds.get(part) or (next(places, "(?P=place)") if part.startswith("{") else re.escape(part)) for part in parts
    ]
    return re.compile("".join(words))


def may_name_one(left: str, right: str) -> bool:
    """Whether two patterns of the mapping may fit one name; a place in braces fits anything.

    >>> may_name_one("articles_*.csv", "articles_2026*.csv"), may_name_one("stock_{location}.csv", "tarif_*.csv")
    (True, False)
    """
    one, other = (_PLACE.sub("?*", pattern.lower()) for pattern in (left, right))
    todo, seen = [(0, 0)], set()
    while todo:
        pair = todo.pop()
        if pair in seen:
            continue
        seen.add(pair)
        i, j = pair
        a, b = one[i : i + 1], other[j : j + 1]
        if not a and not b:
            return True
        if a == "*":
            todo += [(i + 1, j), (i, j + 1)] if b not in ("", "/") else [(i + 1, j)]
        elif b == "*":
            todo += [(i, j + 1), (i + 1, j)] if a not in ("", "/") else [(i, j + 1)]
        elif a == b or (a and b and "?" in (a, b) and "/" not in (a, b)):
            todo.append((i + 1, j + 1))
    return False

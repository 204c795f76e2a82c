"""Reads the user's TOML files into pydantic models, with errors that a person can act on.

Every error names the file, the line, the key, what is allowed there and, for a slip of the pen, what was likely meant.
Nothing here knows what a policy or an estate is; `policy.py` and `estate.py` say that.
"""

import difflib
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from pipelines.errors import ConfigurationError
from pipelines.toml_file import KeyPath
from pipelines.toml_file import TomlFile as TomlFile
from pipelines.toml_file import read_file as read_file

Parsed = TypeVar("Parsed", bound=BaseModel)


class Section(BaseModel):
    """A table of a user's file: unknown keys are errors, no value is read as another type, none changes once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def parse(file: TomlFile, model: type[Parsed], content: dict[str, Any] | None = None, under: KeyPath = ()) -> Parsed:
    """Validate `content` (default: the whole file) as `model`; one ConfigurationError tells all that is wrong."""
    try:
        return model.model_validate(file.content if content is None else content)
    except ValidationError as error:
        faults = error.errors(include_url=False)
    schema = model.model_json_schema()
    raise ConfigurationError("\n".join(dict.fromkeys(_tell(file, schema, fault, under) for fault in faults)))


def _tell(file: TomlFile, schema: dict[str, Any], fault: Any, under: KeyPath) -> str:
    path: list[str | int] = [part for part in fault["loc"] if part != "[key]"]
    key = str(path[-1]) if path else ""
    if fault["type"] == "extra_forbidden":
        message = f"unknown key{_meant(key, allowed := _keys_at(schema, path[:-1]))}; allowed: {', '.join(allowed)}"
    elif fault["type"] in ("literal_error", "enum"):
        allowed = re.findall(r"'([^']*)'", str(fault["ctx"]["expected"]))
        word = str(fault["input"])
        message = f"{word!r} is not allowed{_meant(word, allowed)}; allowed: {', '.join(allowed)}"
    elif fault["type"] == "missing":
        message = "is missing"
    elif fault["type"] == "value_error":
        message = f"{fault['msg'].removeprefix('Value error, ')} (got {fault['input']!r})"
    else:
        message = f"{_toml(fault['input'])} is not allowed; allowed: {_described(schema, _node_at(schema, path))}"
    return file.error([*under, *path], message).message


def suggestion(word: str, allowed: Sequence[str]) -> str:
    """`; did you mean "x"?` for a near miss, else ''."""
    return _meant(word, allowed)


def _meant(word: str, allowed: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, allowed, n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def _keys_at(schema: dict[str, Any], path: KeyPath) -> list[str]:
    """The keys that a table at `path` may have, from the model's JSON Schema."""
    return sorted(_resolved(schema, _node_at(schema, path)).get("properties", {}))


def _node_at(schema: dict[str, Any], path: KeyPath) -> dict[str, Any]:
    node: dict[str, Any] = schema
    for part in path:
        node = _resolved(schema, node)
        properties: dict[str, Any] = node.get("properties", {})
        below = node.get("items") if isinstance(part, int) else properties.get(str(part))
        node = below or node.get("additionalProperties") or _choice(node, part)
    return node


def _choice(node: dict[str, Any], part: str | int) -> dict[str, Any]:
    """Where pydantic names the member of a union in the path (`str`), the union itself is what is allowed."""
    return node if "anyOf" in node else {}


_KINDS = {
    "integer": "a whole number", "number": "a number", "boolean": "true or false",
    "string": 'text in quotes, as "text"', "array": 'a list in brackets, as ["text"]', "object": "a table",
}


def _described(schema: dict[str, Any], node: dict[str, Any]) -> str:
    """In words what a value may be, from its JSON Schema."""
    choices = [choice for choice in node.get("anyOf", []) if choice.get("type") != "null"]
    if len(choices) > 1:
        return " or ".join(_described(schema, choice) for choice in choices)
    node = _resolved(schema, choices[0] if choices else node)
    if "enum" in node:
        return ", ".join(map(str, node["enum"]))
    words = str(node.get("allowed") or _KINDS.get(str(node.get("type")), "another value"))
    if node.get("minLength"):
        words += ", not empty"
    bounds = {"minimum": "from", "exclusiveMinimum": "over", "maximum": "to", "exclusiveMaximum": "under"}
    told = [f"{word} {node[name]:g}" for name, word in bounds.items() if name in node]
    return " ".join([words, *told])


def _toml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value)


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    for choice in node.get("anyOf", []):
        if "$ref" in choice:
            node = choice
    reference = node.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[-1]] if reference else node

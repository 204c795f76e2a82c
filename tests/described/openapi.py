"""One vendor's OpenAPI 3.0 description, made strict: whatever it does not name is a mistake.

Every object that lists its properties takes no others, formats are checked, and a body where none is described is
refused. Validators are kept per schema: a page of a thousand records is held against one that is ready. What was found
right once is not looked at again: copies of a world give the same pages night after night.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Set
from pathlib import Path
from typing import Any

import httpx
from openapi_schema_validator import OAS30Validator, oas30_format_checker

_MOST_TOLD, _MOST_CHARACTERS = 5, 200
_TEMPLATE = re.compile(r"\{[^}]+\}")


class Mismatch(AssertionError):
    """An exchange that the vendor's description does not allow."""


class Spec:
    """A vendor's description; `check` holds one exchange against it."""

    def __init__(self, document: dict[str, Any], prefix: str) -> None:
        self._document, self._prefix = document, prefix
        _close(document)
        self._paths = [
            (re.compile(_TEMPLATE.sub("[^/]+", template)), operations)
            for template, operations in sorted(document["paths"].items(), key=lambda pair: "{" in pair[0])
        ]
        self._validators: dict[int, OAS30Validator] = {}
        self._right: set[tuple[int, bytes]] = set()
        self.checked = 0

    @classmethod
    def read(cls, path: Path, prefix: str) -> "Spec":
        """A description as it is in its file."""
        return cls(json.loads(path.read_text(encoding="utf-8")), prefix)

    def check(self, request: httpx.Request, response: httpx.Response, planted: Set[str] = frozenset()) -> None:
        """Mismatch for a call, a body or an answer that the description does not allow.

        `planted`: ids of records that are bad on purpose; what is wrong within them in an answer is passed over.
        """
        path = request.url.path.removeprefix(self._prefix) or "/"
        operation = self._operation(request.method.lower(), path)
        if operation is None:
            raise Mismatch(f"{request.method} {path} is not described")
        self._check_query(path, operation, request)
        self._check_body(path, operation, request.content)
        answer = operation["responses"].get(str(response.status_code)) or operation["responses"].get("default")
        if answer is None:
            raise Mismatch(f"{request.method} {path} never answers {response.status_code}")
        kinds = list((answer.get("content") or {}).values())
        if kinds and response.content:
            where = f"answer {response.status_code} of {path}"
            self._validate(kinds[0]["schema"], response.content, where, planted)
        self.checked += 1

    def _operation(self, method: str, path: str) -> dict[str, Any] | None:
        found = (operations for pattern, operations in self._paths if pattern.fullmatch(path) and method in operations)
        return next((operations[method] for operations in found), None)

    def _check_query(self, path: str, operation: dict[str, Any], request: httpx.Request) -> None:
        known = {p["name"]: p for p in operation.get("parameters", ()) if p.get("in") == "query"}
        given = set(request.url.params)
        if strange := given - set(known):
            raise Mismatch(f"{path} knows no {sorted(strange)}")
        if absent := {name for name, one in known.items() if one.get("required")} - given:
            raise Mismatch(f"{path} needs {sorted(absent)}")

    def _check_body(self, path: str, operation: dict[str, Any], content: bytes) -> None:
        described = operation.get("requestBody")
        if described and "$ref" in described:
            described = self._document["components"]["requestBodies"][described["$ref"].rpartition("/")[2]]
        if content and not described:
            raise Mismatch(f"{path} takes no body")
        if described and described.get("required") and not content:
            raise Mismatch(f"{path} needs a body")
        if content and described:
            self._validate(described["content"]["application/json"]["schema"], content, f"request to {path}")

    def _validate(
        self, schema: dict[str, Any], body: bytes, where: str, planted: Set[str] = frozenset()
    ) -> None:
        seen = id(schema), hashlib.blake2b(body, digest_size=16).digest()
        if seen in self._right:
            return
        try:
            value = json.loads(body)
        except ValueError as error:
            raise Mismatch(f"{where}: not JSON") from error
        if id(schema) not in self._validators:
            whole = {"allOf": [schema], "components": self._document["components"]}
            self._validators[id(schema)] = OAS30Validator(whole, format_checker=oas30_format_checker)
        found = list(self._validators[id(schema)].iter_errors(value))
        if not found:
            self._right.add(seen)
        problems = [
            f"{list(one.absolute_path)}: {one.message[-_MOST_CHARACTERS:]}"
            for one in found
            if not planted or planted.isdisjoint(_ids(value, one.absolute_path))
        ]
        if problems:
            raise Mismatch("\n".join([where, *problems[:_MOST_TOLD]]))


def _ids(value: Any, path: Iterable[str | int]) -> set[str]:
    """The ids of all records that a place in a body lies within."""
    found = set()
    for step in path:
        value = value[step]
        if isinstance(value, dict) and isinstance(value.get("id"), str):
            found.add(value["id"])
    return found


def _close(part: Any) -> None:
    """No object that lists its properties takes others."""
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict) and part.get("type", "object") == "object":
            part.setdefault("additionalProperties", False)
        for value in part.values():
            _close(value)
    elif isinstance(part, list):
        for value in part:
            _close(value)

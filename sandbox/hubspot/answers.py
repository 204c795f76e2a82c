"""The shapes of HubSpot's answers: errors, rows of a batch, paging, and a record cut down to what was asked for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.hubspot.objects import Refusal

MAX_BATCH = 100


def batch_answer(texts: str, errors: list[dict[str, Any]], status: int, at: str) -> tuple[int, str]:
    """(status, body) of a batch: 207 as soon as one row failed."""
    tail = f'"status":"COMPLETE","startedAt":"{at}","completedAt":"{at}"'
    if errors:
        tail += f',"numErrors":{len(errors)},"errors":{msgspec.json.encode(errors).decode()}'
    return (207 if errors else status), f'{{"results":[{texts}],{tail}}}'


def names(values: list[str]) -> list[str]:
    """Property names of a query, by comma or repeated."""
    return [name for value in values for name in value.split(",") if name]


def inputs(body: Mapping[str, Any], field: str) -> list[str]:
    """One field of every row of a batch; Refusal for a batch that is empty or too long."""
    inputs = body["inputs"]
    if not 0 < len(inputs) <= MAX_BATCH:
        raise Refusal("VALIDATION_ERROR", f"a batch has 1 to {MAX_BATCH} inputs")
    return [str(one[field]) for one in inputs]


def trimmed(text: str, names: frozenset[str] | set[str]) -> str:
    """A stored record with some of its properties."""
    body = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    held = msgspec.json.decode(body["properties"], type=dict[str, msgspec.Raw])
    kept = {name: value for name, value in held.items() if name in names}
    body["properties"] = msgspec.Raw(msgspec.json.encode(kept))
    return msgspec.json.encode(body).decode()


def paging(after: str, path: str = "") -> str:
    """The `paging` member that leads to the next page."""
    link = f',"link":"{path}?after={after}"' if path else ""
    return f',"paging":{{"next":{{"after":"{after}"{link}}}}}'


def row_error(category: str, message: str, context: dict[str, list[str]], code: str = "") -> dict[str, Any]:
    """What went wrong with one row of a batch."""
    details = [{"message": message, "code": code}] if code else []
    return {
        "status": "error", "category": category, "message": message, "context": context, "errors": details,
        "links": {},
    }


def error(category: str, message: str, correlation: str, *, code: str = "") -> dict[str, Any]:
    """HubSpot's error model."""
    body: dict[str, Any] = {
        "status": "error", "category": category, "message": message, "correlationId": correlation,
    }
    return body | ({"errors": [{"message": message, "code": code}]} if code else {})


def too_many(policy: str, correlation: str) -> dict[str, Any]:
    """The body of a 429: SECONDLY for searches, TEN_SECONDLY_ROLLING, or DAILY."""
    return {
        "status": "error", "category": "RATE_LIMITS", "errorType": "RATE_LIMIT", "policyName": policy,
        "message": f"You have reached your {policy.lower()} limit.", "correlationId": correlation,
    }


def no_scope(scope: str, correlation: str) -> dict[str, Any]:
    """The body of a 403 for a call whose scope the app was not granted."""
    message = "This app hasn't been granted all required scopes to make this call."
    detail = {"message": "One or more of the following scopes are required.", "context": {"requiredScopes": [scope]}}
    return {
        "status": "error", "category": "MISSING_SCOPES", "message": message, "correlationId": correlation,
        "errors": [detail],
    }

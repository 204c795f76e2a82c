"""Odoo's JSON-2 API as an operator calls it. Not the connector, and shares nothing with it.

Tests and the real estate check by this client what the connector wrote.
"""

from typing import Any

import httpx

TIMEOUT_SECONDS = 600.0
_ALL = {"active_test": False}


class OdooApi:
    """One user's key. Raises RuntimeError with the server's words for anything but a success."""

    def __init__(self, url: str, key: str) -> None:
        """`url`: the server's own, without the API's path."""
        self._client = httpx.Client(
            base_url=f"{url.rstrip('/')}/json/2/", headers={"authorization": f"bearer {key}"},
            timeout=TIMEOUT_SECONDS, trust_env=False,
        )

    def __enter__(self) -> "OdooApi":
        return self

    def __exit__(self, *error: object) -> None:
        self._client.close()

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        """What a method answers."""
        answer = self._client.post(f"{model}/{method}", json=arguments)
        if answer.status_code != 200:
            said = answer.json() if "json" in answer.headers.get("content-type", "") else {}
            raise RuntimeError(f"Odoo: {model}.{method}: {answer.status_code} {said.get('message', answer.text[:200])}")
        return answer.json()

    def create(self, model: str, values: list[dict[str, Any]], **context: Any) -> list[int]:
        """Make records; their ids, in order."""
        return list(self.call(model, "create", vals_list=values, context=context)) if values else []

    def write(self, model: str, ids: list[int], values: dict[str, Any], **context: Any) -> None:
        """Set the same values in records."""
        self.call(model, "write", ids=ids, vals=values, context=context)

    def find(self, model: str, domain: list[Any], *fields: str, order: str = "id") -> list[dict[str, Any]]:
        """All records of a domain, archived ones too; links as ids."""
        return list(
            self.call(model, "search_read", domain=domain, fields=list(fields), order=order, load=None, context=_ALL)
        )

    def value(self, model: str, record: int, field: str) -> Any:
        """One field of one record."""
        return self.call(model, "read", ids=[record], fields=[field], load=None)[0][field]

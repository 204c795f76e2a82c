"""Where each vendor's description lies, and the few places where the description and the vendor are known to differ.

Each is parsed once a process. Without the folder beside the repository nothing is held against anything, which the
end of the test run says; under REQUIRE_SHARED=1 that is a failure.
"""

import json
import os
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
from graphql import GraphQLSchema, build_schema

from tests.described.graphql import GraphQLSpec, Schema
from tests.described.openapi import Spec

FOLDER = Path(__file__).parents[3] / "shared" / "specs"
ABSENT = "the folder ../shared (vendors' specs) is not here; set REQUIRE_SHARED=1 to make this a failure"
SHOPIFY = "shopify-admin-2026-07.graphql"

_TEXT = {"type": "string"}
_TIMES_OR_EMPTY = {"timestamp_signup", "timestamp_opt"}
_MEMBERS = {"new_members", "updated_members"}
_NEWER_MEMBER = dict.fromkeys(("contact_id", "full_name", "source"), _TEXT) | {"web_id": {"type": "integer"}}


_WHOLE: dict[str, Any] = {"type": "integer"}
_TEXTS = {"type": "array", "items": _TEXT}
_TOKEN_KEY = {"type": "object", "properties": {"tokenKey": _TEXT}, "required": ["tokenKey"]}
_TOKEN_INFO = {
    "type": "object", "required": ["appId", "hubId", "scopes", "userId"],
    "properties": {"appId": _WHOLE, "hubId": _WHOLE, "scopes": _TEXTS, "userId": _WHOLE},
}
_ACCOUNT_TEXTS = (
    "accountType", "companyCurrency", "dataHostingLocation", "timeZone", "uiDomain", "utcOffset"
)
_ACCOUNT = {
    "type": "object", "required": [*_ACCOUNT_TEXTS, "additionalCurrencies", "portalId", "utcOffsetMilliseconds"],
    "properties": {
        **dict.fromkeys(_ACCOUNT_TEXTS, _TEXT), "additionalCurrencies": _TEXTS, "portalId": _WHOLE,
        "utcOffsetMilliseconds": _WHOLE,
    },
}


class Description(Protocol):
    """What a vendor says its exchanges look like."""

    checked: int

    def check(self, request: httpx.Request, response: httpx.Response, planted: Set[str] = frozenset()) -> None:
        """Mismatch for an exchange that the description does not allow."""
        ...


def described(vendor: str) -> Description | None:
    """The description of a vendor, for one world; None where it is not at hand and need not be."""
    if not FOLDER.is_dir():
        if os.environ.get("REQUIRE_SHARED") == "1":
            pytest.fail(ABSENT)
        return None
    return GraphQLSpec(_shopify()) if vendor == "shopify" else _openapi(vendor)


def shopify_schema_of_the_vendor() -> GraphQLSchema:
    """Shopify's own schema, whole."""
    return _shopify().schema


@cache
def _shopify() -> Schema:
    return Schema(build_schema((FOLDER / SHOPIFY).read_text(encoding="utf-8"), assume_valid=True))


@cache
def _openapi(vendor: str) -> Spec:
    name, prefix, amend = {
        "square": ("square.json", "/square", _square),
        "hubspot": ("hubspot.reconstructed.json", "/hubspot", _hubspot),
        "mailchimp": ("mailchimp.json", "/mailchimp/3.0", _mailchimp),
        "brevo": ("brevo.json", "/brevo/v3", _brevo),
        "woocommerce": ("woocommerce.reconstructed.json", "/woocommerce/wp-json/wc/v3", _woocommerce),
    }[vendor]
    document = json.loads((FOLDER / name).read_text(encoding="utf-8"))
    amend(document)
    return Spec(document, prefix)


def _square(document: dict[str, Any]) -> None:
    # The enum lacks a code that the descriptions of its own endpoints name.
    document["components"]["schemas"]["ErrorCode"]["enum"].append("VERSION_MISMATCH")
    # Only 200 is described; an answer of another status has the same shape, with `errors` filled.
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "200" in operation.get("responses", {}):
                operation["responses"].setdefault("default", operation["responses"]["200"])


def _hubspot(document: dict[str, Any]) -> None:
    # The SDK leaves out of its error model what the documentation shows in every error, and in every 429.
    for name, schema in document["components"]["schemas"].items():
        if name == "Error" or name.endswith(".Error"):
            schema["properties"] |= {"status": _TEXT, "errorType": _TEXT, "policyName": _TEXT}
    # The SDK has neither of the two calls that say whose a static token is; the documentation has.
    document["paths"] |= {
        "/account-info/v3/details": {"get": {"responses": _answers(_ACCOUNT)}},
        "/oauth/v2/private-apps/get/access-token-info": {"post": {
            "requestBody": {"required": True, "content": {"application/json": {"schema": _TOKEN_KEY}}},
            "responses": _answers(_TOKEN_INFO),
        }},
    }


def _answers(schema: dict[str, Any]) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/oauth.Error"}
    return {
        status: {"content": {"application/json": {"schema": one}}}
        for status, one in (("200", schema), ("default", error))
    }


def _mailchimp(document: dict[str, Any]) -> None:
    # Where there is no time, Mailchimp says "". The description is of 2021 and shows a batch's members with fewer
    # fields than the list of members has, though both are the same record.
    for properties in _properties(document):
        for name in _TIMES_OR_EMPTY & set(properties):
            if properties[name].pop("format", None):
                properties[name]["anyOf"] = [{"format": "date-time"}, {"maxLength": 0}]
        for members in _MEMBERS & set(properties):
            schema = properties[members]["items"]
            if "$ref" in schema:
                schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
            schema["properties"] |= _NEWER_MEMBER


def _brevo(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    # Parts of one object are described apart (`allOf`); closed one by one, each would forbid the other's properties.
    for name in list(schemas):
        schemas[name] = _whole(schemas[name], schemas)
    # The vendor's pages of 2026 show an account's own id, which the description of 2024 does not have.
    schemas["getAccount"]["properties"]["organization_id"] = _TEXT
    # What every call may be refused with (401, 403, 404, 429, 5xx) is told once for all, at the top of the description.
    error = {"description": "refused", "content": {"application/json": {"schema": schemas["errorModel"]}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", error)
                for status, answer in list(operation["responses"].items()):
                    if "$ref" in answer:
                        named = answer["$ref"].rpartition("/")[2]
                        operation["responses"][status] = document["components"]["responses"][named]


def _whole(part: Any, schemas: dict[str, Any]) -> Any:
    """A schema with all that it is composed of in one object; an empty list of properties means any (attributes)."""
    if isinstance(part, list):
        return [_whole(one, schemas) for one in part]
    if not isinstance(part, dict):
        return part
    whole = {key: _whole(value, schemas) for key, value in part.items() if key != "allOf" and value != {}}
    for one in part.get("allOf", ()):
        one = schemas[one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        for key, value in _whole(one, schemas).items():
            if key == "properties":
                whole["properties"] = whole.get("properties", {}) | value
            elif key == "required":
                whole["required"] = [*whole.get("required", ()), *value]
            else:
                whole.setdefault(key, value)
    return whole


def _woocommerce(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    # The documentation of March 2024 is older than the barcode (9.2), and does not say that a variation's stock may be
    # its product's, which the server says with a word where a boolean stands.
    for name in ("product", "product_write", "product_variation", "product_variation_write"):
        schemas[name]["properties"]["global_unique_id"] = _TEXT
    schemas["product_variation"]["properties"]["manage_stock"] = {"anyOf": [{"type": "boolean"}, {"enum": ["parent"]}]}
    # A row of a batch is one of two schemas at once, of which each would refuse the other's names.
    under = "/products/{product_id}/variations"
    for kind, path in (("product", "/products"), ("product_variation", under), ("customer", "/customers")):
        body = document["paths"][f"{path}/batch"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        values = schemas[f"{kind}_write"]["properties"]
        row = {"type": "object", "required": ["id"], "properties": {"id": _WHOLE, **values}}
        body["properties"]["update"]["items"] = row
    # What is in the trash is shown by its id, and says so.
    for name in ("product", "product_variation"):
        schemas[name]["properties"]["status"]["enum"].append("trash")
    # An error tells which parameter it is about.
    schemas["error"]["properties"]["data"] = {"type": "object", "required": ["status"]}
    # Which site it is, the documentation shows in a chapter that the tables leave out.
    site = {"home_url": _TEXT, "site_url": _TEXT, "version": _TEXT, "wp_version": _TEXT}
    environment = {"type": "object", "required": ["home_url", "version"], "properties": site}
    fields = {"name": "_fields", "in": "query", "schema": _TEXT}
    error = {"$ref": "#/components/schemas/error"}
    status = {"type": "object", "required": ["environment"], "properties": {"environment": environment}}
    document["paths"]["/system_status"] = {"get": {"parameters": [fields], "responses": {
        code: {"content": {"application/json": {"schema": one}}} for code, one in (("200", status), ("default", error))
    }}}
    # Every call over plain HTTP carries its signature in the query.
    signed = [
        {"name": f"oauth_{name}", "in": "query", "schema": _TEXT}
        for name in ("consumer_key", "timestamp", "nonce", "signature", "signature_method")
    ]
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["parameters"] = [*operation.get("parameters", ()), *signed]


def _properties(part: Any) -> Iterator[dict[str, Any]]:
    """All lists of properties of a description."""
    if isinstance(part, dict):
        if isinstance(part.get("properties"), dict):
            yield part["properties"]
        for value in list(part.values()):
            yield from _properties(value)
    elif isinstance(part, list):
        for value in part:
            yield from _properties(value)

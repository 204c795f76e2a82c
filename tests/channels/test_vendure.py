"""Vendure's connector against answers made up here: what a running server shows only by chance or by accident.

Everything that a running one can show is in `tests/real/test_vendure.py`.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from pipelines.channels.base import Connection, Window
from pipelines.channels.vendure import VENDURE
from pipelines.channels.vendure.paging import changed
from pipelines.channels.vendure.session import KEY, identify
from pipelines.channels.vendure.write_variants import VARIANTS_AT_ONCE
from pipelines.errors import (
    AmbiguousWrite,
    ConfigurationError,
    CredentialError,
    FatalChannelError,
    RetriableChannelError,
)
from pipelines.model import Correction, OutcomeStatus

NOW = datetime(2026, 6, 14, 20, tzinfo=UTC)
A, R = OutcomeStatus.APPLIED, OutcomeStatus.REJECTED
FORBIDDEN = {"errors": [{"message": "m", "path": ["rows"], "extensions": {"code": "FORBIDDEN"}}], "data": None}
SHOP = {"data": {"channel": {"id": "1", "code": "c", "token": "t"}, "settings": {}}}
NAMED = {"gtin_field": "ean", "consent_field": "yes", "consent_at_field": "yesAt", "consent_proof_field": "yesProof",
         "points_field": "points", "country": "FR"}

Answer = dict[str, Any] | httpx.Response | Exception
Answers = Callable[[dict[str, Any], httpx.Request], Answer]


@dataclass
class StillClock:
    """A clock that only moves by waiting."""

    at: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@dataclass
class Server:
    """Answers by a function of the request's body; keeps what it was asked."""

    answer: Answers
    asked: list[dict[str, Any]] = field(default_factory=list)
    requests: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append(body)
        self.requests.append(request)
        answer = self.answer(body, request)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


def session(server: Server, **options: str):
    transport = httpx.MockTransport(server)
    return VENDURE.connect(Connection("http://shop/", {KEY: "secret"}, options, StillClock(), transport))


def failed(code: str, *path: str) -> dict[str, Any]:
    """An error as Vendure gives it, with a value in its words."""
    error = {"message": "No Customer with anne@example.fr", "path": list(path), "extensions": {"code": code}}
    return {"errors": [error], "data": None}


def correction(entity: str, name: str, vendor_id: str, desired: str | None, sub: str = "", **context: Any):
    key = f"{entity}.{name}.{vendor_id}.{sub}"
    return Correction(
        key, "plan-1", "vendure", entity, name, vendor_id, sub, "s", "", None, desired, context=context
    )


async def write(server: Server, corrections: list[Correction], **options: str):
    """Status and code of each outcome."""
    writer = next(w for w in VENDURE.writers if w.entity == corrections[0].entity)
    async with session(server, **(options or NAMED)) as opened:
        outcomes = await writer.write(opened, corrections, "key-1")
    assert [o.correction_key for o in outcomes] == [c.correction_key for c in corrections]
    assert not any("@" in o.message for o in outcomes)
    return [(o.status, o.code) for o in outcomes]


# -- session ------------------------------------------------------------------------------------------------------


async def test_a_key_goes_into_its_own_header_and_a_channel_is_named():
    server = Server(lambda body, request: SHOP)
    async with session(server, channel_token="fr-shop") as opened:
        assert (await identify(opened)).shop_id == "t"
    sent = server.requests[0]
    assert (sent.url, sent.headers["vendure-api-key"], sent.headers["vendure-token"]) == (
        "http://shop/admin-api", "secret", "fr-shop"
    )
    assert "authorization" not in sent.headers


async def test_a_login_is_made_once_and_renewed_when_the_session_has_run_out():
    tokens = iter(["one", "two"])
    current = []

    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        if "Login" in body["query"]:
            assert body["variables"] == {"username": "sync", "password": "secret"}
            current.append(next(tokens))
            logged_in = {"data": {"login": {"__typename": "CurrentUser"}}}
            return httpx.Response(200, json=logged_in, headers={"vendure-auth-token": current[-1]})
        is_known = request.headers["authorization"] == f"Bearer {current[-1]}" and len(server.asked) != 4
        return SHOP if is_known else FORBIDDEN

    server = Server(answer)
    async with session(server, username="sync") as opened:
        await identify(opened)
        await identify(opened)
        assert current == ["one"] and len(server.asked) == 3
        await identify(opened)
        assert current == ["one", "two"], "refused once, logged in again, asked again"


async def test_who_is_refused_with_a_fresh_session_lacks_the_permission():
    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        if "Login" in body["query"]:
            logged_in = {"data": {"login": {"__typename": "CurrentUser"}}}
            return httpx.Response(200, json=logged_in, headers={"vendure-auth-token": "one"})
        return FORBIDDEN

    async with session(Server(answer), username="sync") as opened:
        with pytest.raises(CredentialError, match="lacks a permission"):
            await identify(opened)


@pytest.mark.parametrize(("answer", "error", "words"), [
    ({"data": {"login": {"__typename": "InvalidCredentialsError"}}}, CredentialError, "login was refused"),
    ({"data": {"login": {"__typename": "CurrentUser"}}}, CredentialError, "tokenMethod"),
    (httpx.Response(200, text="<html>"), FatalChannelError, "base_url"),
    (httpx.Response(503, text="later"), RetriableChannelError, "503 at login"),
])
async def test_a_login_that_fails_says_why(answer, error, words):
    async with session(Server(lambda body, request: answer), username="sync") as opened:
        with pytest.raises(error, match=words):
            await identify(opened)


@pytest.mark.parametrize(("answer", "error", "code"), [
    (failed("GRAPHQL_VALIDATION_FAILED"), FatalChannelError, "GRAPHQL_VALIDATION_FAILED"),
    (failed("USER_INPUT_ERROR", "rows"), FatalChannelError, "USER_INPUT_ERROR"),
    (failed("INTERNAL_SERVER_ERROR", "rows"), RetriableChannelError, "INTERNAL_SERVER_ERROR"),
    (failed("FORBIDDEN", "rows"), CredentialError, "FORBIDDEN"),
    (httpx.Response(401, text=""), CredentialError, ""),
    (httpx.Response(429, text=""), RetriableChannelError, ""),
    (httpx.Response(404, json={}), FatalChannelError, ""),
    (httpx.Response(200, text="<html>"), FatalChannelError, ""),
    ({"data": {"channel": None}}, FatalChannelError, ""),
])
async def test_errors_are_sorted_by_what_is_to_be_done_and_quote_nothing(answer, error, code):
    async with session(Server(lambda body, request: answer)) as opened:
        with pytest.raises(error) as raised:
            await identify(opened)
    assert raised.type is error and raised.value.code == code and "anne" not in str(raised.value)


@pytest.mark.parametrize(("options", "words"), [
    ({"gtin_feild": "ean"}, "no such option: gtin_feild"),
    ({"gtin_field": "ean } }"}, "gtin_field is not the name"),
    ({"orders_days": "many"}, "orders_days"),
    ({"consent_at_field": "at"}, "without consent_field"),
])
def test_options_that_mean_nothing_stop_before_anything_is_asked(options, words):
    with pytest.raises(ConfigurationError, match=words):
        session(Server(lambda body, request: SHOP), **options)


@pytest.mark.parametrize("options", [{}, {"username": "sync"}], ids=["key", "login"])
async def test_no_log_holds_the_secret_the_session_or_an_address(options, caplog):
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.DEBUG)

    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        if "Login" in body["query"]:
            logged_in = {"data": {"login": {"__typename": "CurrentUser"}}}
            return httpx.Response(200, json=logged_in, headers={"vendure-auth-token": "sesame-4711"})
        items = [{"id": "1", "emailAddress": "anne@example.fr"}]
        return SHOP if "Shop" in body["query"] else {"data": {"rows": {"totalItems": 1, "items": items}}}

    logging.getLogger("pipelines.tests").debug("the capture works")
    async with session(Server(answer), **options) as opened:
        await identify(opened)
        endpoint = next(e for e in VENDURE.endpoints if e.name == "customers")
        assert [page async for page in endpoint.read(opened, Window(None, NOW))]
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "the capture works" in said
    assert not any(word in said for word in ("secret", "sesame-4711", "anne@"))


# -- paging -------------------------------------------------------------------------------------------------------


@dataclass
class Listing:
    """A list by offset whose records may go between two pages, after so many calls; gives at most `cap` at once."""

    ids: list[str]
    gone: dict[int, list[str]] = field(default_factory=dict)
    cap: int = 1000

    def __call__(self, body: dict[str, Any], request: httpx.Request) -> Answer:
        options = body["variables"]["options"]
        self.calls = getattr(self, "calls", 0) + 1
        found = self.ids[options["skip"] : options["skip"] + min(options["take"], self.cap)]
        answer = {"data": {"rows": {"totalItems": len(self.ids), "items": [{"id": key} for key in found]}}}
        self.ids = [key for key in self.ids if key not in self.gone.get(self.calls, ())]
        return answer


async def read(listing: Listing, name: str = "customers", window: Window | None = None) -> list[str]:
    endpoint = next(e for e in VENDURE.endpoints if e.name == name)
    async with session(Server(listing)) as opened:
        pages = [page async for page in endpoint.read(opened, window or Window(None, NOW))]
    return [row.id for page in pages for row in page.rows]


def numbers(count: int) -> list[str]:
    return [str(n) for n in range(1, count + 1)]


@pytest.mark.parametrize("count", [0, 1, 249, 250, 251, 499, 500, 700])
async def test_every_record_comes_once_whatever_their_number(count):
    assert await read(Listing(numbers(count))) == numbers(count)


@pytest.mark.parametrize("gone", [["1"], ["250"], ["248", "249", "250"], numbers(100), numbers(250), numbers(600)])
async def test_what_moves_up_into_pages_already_read_is_not_lost(gone):
    found = await read(Listing(numbers(700), {1: gone}))
    assert len(found) == len(set(found)) and set(found) >= set(numbers(700)) - set(gone)


async def test_a_server_that_gives_less_than_asked_is_read_to_its_end():
    assert await read(Listing(numbers(700), cap=100)) == numbers(700)
    with pytest.raises(FatalChannelError, match="does not go on after 1 of 3"):
        await read(Listing(numbers(3), cap=1))


async def test_ids_that_no_order_can_be_read_from_are_read_all_the_same():
    strange = [f"T_{(n * 7919) % 1009}" for n in range(600)]
    found = await read(Listing(strange, {1: strange[:3]}))
    assert sorted(found) == sorted(strange)


def test_a_window_begins_at_its_moment_and_a_closed_one_ends_before_the_next():
    since = NOW - timedelta(hours=1)
    assert changed(Window(since, NOW), NOW) == {"updatedAt": {"after": "2026-06-14T18:59:59.999Z"}}
    assert changed(Window(since, NOW, True), NOW) == {
        "updatedAt": {"between": {"start": "2026-06-14T18:59:59.999Z", "end": "2026-06-14T19:59:59.999Z"}}
    }


async def test_a_delta_asks_for_what_changed_and_orders_only_for_what_was_placed():
    server = Server(Listing([]))
    async with session(server) as opened:
        for name in ("variants", "orders"):
            endpoint = next(e for e in VENDURE.endpoints if e.name == name)
            async for _ in endpoint.read(opened, Window(NOW, NOW)):
                pass
    variants, orders = (asked["variables"]["options"]["filter"] for asked in server.asked)
    assert variants == {"updatedAt": {"after": "2026-06-14T19:59:59.999Z"}}
    assert orders == variants | {"orderPlacedAt": {"isNull": False}}


# -- writes -------------------------------------------------------------------------------------------------------


def takes(bad: set[str], code: str = "ENTITY_NOT_FOUND", stock: dict[str, list[dict[str, Any]]] | None = None):
    """A server that takes a batch of variants whole or, for a bad one, not at all."""
    taken: list[list[dict[str, Any]]] = []

    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        if "input" not in body["variables"]:
            ids = body["variables"]["options"]["filter"]["id"]["in"]
            items = [{"id": key, "stockLevels": (stock or {})[key]} for key in ids if key in (stock or {})]
            return {"data": {"rows": {"totalItems": len(items), "items": items}}}
        sent = body["variables"]["input"]
        if {one["id"] for one in sent} & bad:
            return failed(code, "m0")
        taken.append(sent)
        return {"data": {"m0": [{"id": one["id"]} for one in sent]}}

    server = Server(answer)
    return server, taken


def price(vendor_id: str, desired: str | None, currency: str = "EUR", precision: int = 2):
    return correction("prices", "amount", vendor_id, desired, currency, precision=precision)


async def test_the_bad_one_of_a_batch_is_found_and_the_others_go_in_once():
    server, taken = takes({"77"})
    rows = [price(str(n), "700") for n in range(VARIANTS_AT_ONCE)]
    expected = [(R, "ENTITY_NOT_FOUND") if c.vendor_id == "77" else (A, "") for c in rows]
    assert await write(server, rows) == expected
    assert sorted(one["id"] for batch in taken for one in batch) == sorted({c.vendor_id for c in rows} - {"77"})
    assert len(server.asked) < 20, "halving, not one by one"


async def test_of_two_prices_of_a_variant_only_the_refused_one_stays_out():
    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        sent = body["variables"]["input"]
        if any(p["currencyCode"] == "USD" for one in sent for p in one["prices"]):
            return failed("USER_INPUT_ERROR", "m0")
        return {"data": {"m0": [{"id": one["id"]} for one in sent]}}

    server = Server(answer)
    assert await write(server, [price("7", "700"), price("7", "800", "USD")]) == [(A, ""), (R, "USER_INPUT_ERROR")]
    assert server.asked[0]["variables"]["input"] == [
        {"id": "7", "prices": [{"currencyCode": "EUR", "price": 700}, {"currencyCode": "USD", "price": 800}]}
    ]


async def test_amounts_are_in_the_shops_precision_and_never_below_nothing():
    server, taken = takes(set())
    rows = [price("1", "100", "JPY"), price("2", "12345", "KWD"), price("3", "-1"), price("4", None),
            price("5", "1", "pro")]
    assert await write(server, rows) == [(A, ""), (R, "PRECISION"), (R, "NEGATIVE"), (R, "BLANK"), (R, "CURRENCY")]
    assert taken == [[{"id": "1", "prices": [{"currencyCode": "JPY", "price": 10000}]}]]


async def test_what_can_be_sold_is_set_over_what_is_allocated_now():
    levels = {"7": [{"stockLocationId": "2", "stockOnHand": 5, "stockAllocated": 3},
                    {"stockLocationId": "3", "stockOnHand": 5, "stockAllocated": 0}]}
    server, taken = takes(set(), stock=levels)
    rows = [correction("stock", "available", "7", "-2", "2"), correction("stock", "on_hand", "7", "9", "3"),
            correction("stock", "available", "7", "1", "4"), correction("stock", "available", "8", "1", "2")]
    assert await write(server, rows) == [(A, ""), (A, ""), (R, "NO_LEVEL"), (R, "NO_LEVEL")]
    assert taken == [[{"id": "7", "stockLevels": [
        {"stockLocationId": "2", "stockOnHand": 1}, {"stockLocationId": "3", "stockOnHand": 9},
    ]}]]
    below = [correction("stock", "available", "7", "-4", "2"), correction("stock", "on_hand", "7", None, "3")]
    assert await write(server, below) == [(R, "NEGATIVE"), (R, "BLANK")]
    assert len(taken) == 1, "nothing was sent"


async def test_barcodes_go_into_the_named_field_and_nowhere_without_one():
    server, taken = takes(set())
    rows = [correction("items", "gtin", "7", "04006381333931"), correction("items", "gtin", "8", None)]
    assert await write(server, rows) == [(A, ""), (R, "BLANK")]
    assert taken == [[{"id": "7", "customFields": {"ean": "4006381333931"}}]]
    assert await write(server, rows, country="FR") == [(R, "NO_FIELD")] * 2


@pytest.mark.parametrize("lost", [httpx.ReadTimeout("lost"), httpx.Response(502, text="")])
async def test_a_write_whose_answer_is_lost_is_not_sent_again(lost):
    server = Server(lambda body, request: lost)
    with pytest.raises(AmbiguousWrite):
        await write(server, [price("1", "700")])
    assert len(server.asked) == 1


def people(bad: dict[str, str], errors: dict[str, str] | None = None):
    """A server that runs mutations in turn until one fails; `errors`: refusals that come as a result."""
    done: list[tuple[str, dict[str, Any]]] = []

    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        results: dict[str, Any] = {}
        given = body["variables"]
        for place in range(len([name for name in given if name.endswith("_input")])):
            sent = given[f"m{place}_input"]
            key = given.get(f"m{place}_customerId") or sent["id"]
            if key in bad:
                return failed(bad[key], f"m{place}")
            code = (errors or {}).get(key)
            if code is None:
                done.append((key, sent))
            results[f"m{place}"] = {"__typename": "X", **({"errorCode": code} if code else {})}
        return {"data": results}

    return Server(answer), done


def person(vendor_id: str, name: str, desired: str | None, **context: Any):
    return correction("customers", name, vendor_id, desired, **context)


async def test_a_customer_that_fails_is_refused_alone_and_nobody_is_written_twice():
    server, done = people({"2": "ENTITY_NOT_FOUND"}, {"4": "EMAIL_ADDRESS_CONFLICT_ERROR"})
    rows = [person(str(n), "first_name", "Anna") for n in range(1, 6)]
    assert await write(server, rows) == [
        (A, ""), (R, "ENTITY_NOT_FOUND"), (A, ""), (R, "EMAIL_ADDRESS_CONFLICT_ERROR"), (A, "")
    ]
    assert [key for key, _ in done] == ["1", "3", "5"]
    assert len(server.asked) == 2


async def test_a_right_that_is_missing_refuses_the_rows_that_need_it_and_what_was_written_stands():
    """Making an address takes another right than changing one; who has only the second writes all the rest."""
    server, done = people({"2": "FORBIDDEN", "4": "FORBIDDEN"})
    home = {"street": "1 rue A"}
    rows = [person("1", "first_name", "Anna"), *(person("2", f, v) for f, v in home.items()),
            person("3", "city", "Lyon", address_id="9"), person("4", "street", "2 rue A"),
            person("5", "first_name", "Bea")]
    assert await write(server, rows) == [(A, ""), (R, "FORBIDDEN"), (A, ""), (R, "FORBIDDEN"), (A, "")]
    assert [key for key, _ in done] == ["1", "9", "5"]
    assert len(server.asked) == 2, "who may not make one address may make none: not asked again"
    server, done = people({"2": "FORBIDDEN"})
    assert await write(server, rows[1:3]) == [(R, "FORBIDDEN"), (A, "")], "the first of the document"
    with pytest.raises(CredentialError):
        await write(Server(lambda body, request: failed("FORBIDDEN", "m0")), rows[1:3])


async def test_a_right_that_goes_while_rows_are_written_keeps_what_was_written():
    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        given = body["variables"]
        if len(server.asked) > 1:
            return failed("FORBIDDEN", "m0")
        return failed("ENTITY_NOT_FOUND", "m1") if "m1_input" in given else {"data": {"m0": {}}}

    server = Server(answer)
    rows = [person(str(n), "first_name", "Anna") for n in (1, 2, 3, 4)]
    assert await write(server, rows) == [(A, ""), (R, "ENTITY_NOT_FOUND"), (R, "FORBIDDEN"), (R, "FORBIDDEN")]
    assert len(server.asked) == 2
    with pytest.raises(CredentialError):
        await write(Server(lambda body, request: failed("FORBIDDEN", "m0")), rows)


async def test_what_was_written_before_a_missing_right_is_not_written_again_by_a_new_login():
    written = []

    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        if "Login" in body["query"]:
            logged_in = {"data": {"login": {"__typename": "CurrentUser"}}}
            return httpx.Response(200, json=logged_in, headers={"vendure-auth-token": "one"})
        written.append(body["variables"]["m0_input"])
        return failed("FORBIDDEN", "m1")

    rows = [person("1", "first_name", "Anna"), person("2", "street", "1 rue A")]
    assert await write(Server(answer), rows, username="sync", country="FR") == [(A, ""), (R, "FORBIDDEN")]
    assert len(written) == 1


async def test_fields_that_were_refused_together_are_tried_one_by_one():
    def answer(body: dict[str, Any], request: httpx.Request) -> Answer:
        sent = body["variables"]
        for place in range(len(sent)):
            if "phoneNumber" in sent[f"m{place}_input"]:
                return failed("INTERNAL_SERVER_ERROR", f"m{place}")
        return {"data": {name.removesuffix("_input"): {"__typename": "Customer"} for name in sent}}

    rows = [person("1", "first_name", "Anna"), person("1", "phone", "+33611111111"), person("1", "loyalty_points", "5")]
    assert await write(Server(answer), rows) == [(A, ""), (R, "INTERNAL_SERVER_ERROR"), (A, "")]


async def test_an_address_is_changed_where_there_is_one_and_made_only_whole():
    server, done = people({})
    rows = [person("1", "city", "Lyon", address_id="9"), person("2", "street", "1 rue A"), person("2", "city", "Paris"),
            person("3", "city", "Nice"), person("4", "last_name", None)]
    assert await write(server, rows) == [(A, ""), (A, ""), (A, ""), (R, "NO_ADDRESS"), (R, "BLANK")]
    assert done == [
        ("9", {"id": "9", "city": "Lyon"}),
        ("2", {"streetLine1": "1 rue A", "city": "Paris", "countryCode": "FR", "defaultShippingAddress": True}),
    ]
    assert await write(server, [rows[1]], gtin_field="ean") == [(R, "NO_ADDRESS")], "no country is guessed"


@pytest.mark.parametrize(("country", "outcome"), [("CH", (R, "NO_ADDRESS")), ("fr", (A, "")), (None, (A, ""))])
async def test_an_address_is_made_in_no_other_country_than_the_one_that_is_named(country, outcome):
    server, done = people({})
    rows = [person("1", "street", "1 rue A", country=country), person("2", "first_name", "Bea", country=country)]
    assert await write(server, rows) == [outcome, (A, "")]
    assert [sent.get("countryCode") for key, sent in done if key == "1"] == (["FR"] if outcome[0] is A else [])
    elsewhere = [person("1", "street", "1 rue A", country=country, address_id="9")]
    assert await write(server, elsewhere) == [(A, "")], "one that is there keeps its own"


async def test_a_permission_goes_down_with_time_and_proof_and_never_up():
    server, done = people({})

    def state(vendor_id: str, desired: str | None, **context: Any):
        return correction("consents", "state", vendor_id, desired, "email", **context)

    rows = [state("1", "no", changed_at="2026-06-01T00:00:00Z"), state("2", "no"), state("3", "yes"),
            state("4", "pending"), state("5", None)]
    assert await write(server, rows) == [
        (A, ""), (A, ""), (R, "RAISE_REFUSED"), (R, "RAISE_REFUSED"), (R, "BLANK")
    ]
    assert [sent["customFields"] for _, sent in done] == [
        {"yes": False, "yesAt": "2026-06-01T00:00:00Z", "yesProof": None},
        {"yes": False, "yesAt": None, "yesProof": None},
    ]
    assert await write(server, rows[:1], country="FR") == [(R, "NO_FIELD")]


async def test_read_backs_take_only_what_was_asked_for():
    items = [{"id": "8", "prices": [], "customFields": None}]
    server = Server(lambda body, request: {"data": {"rows": {"totalItems": 1, "items": items}}})
    reader = next(r for r in VENDURE.read_backs if r.entity == "prices")
    async with session(server) as opened:
        with pytest.raises(FatalChannelError, match="not asked for"):
            await reader.read(opened, [price("7", "1")])
        found = (await reader.read(opened, [price("8", "1")]))[0]
    assert (found.exists, found.value) == (False, None), "a price that is not there"


async def test_a_phone_of_free_text_that_nobody_touched_reads_as_it_was_observed():
    items = [{"id": "1", "phoneNumber": "ask Bea", "addresses": None},
             {"id": "2", "phoneNumber": "+336", "addresses": []}]
    server = Server(lambda body, request: {"data": {"rows": {"totalItems": 2, "items": items}}})
    reader = next(r for r in VENDURE.read_backs if r.entity == "customers")
    rows = [person("1", "phone", "x", phone="ask Bea"), person("2", "phone", "x", phone="ask Bea"),
            person("1", "city", "x"), person("3", "phone", "x")]
    async with session(server) as opened:
        found = await reader.read(opened, rows)
    assert [(r.value, r.exists) for r in found] == [(None, True), ("+336", True), (None, True), (None, False)]

"""Odoo's connector against answers as Odoo 19 gives them, in process: paging, errors, what is sent, what is refused.

What a running Odoo does with it is in `tests/real/test_odoo.py`.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from pipelines.channels.base import Connection, Endpoint, Page, Window
from pipelines.channels.odoo import ODOO, reads
from pipelines.channels.odoo.session import KEY, OdooSession
from pipelines.channels.odoo.write_people import split_name
from pipelines.errors import (
    AmbiguousWrite,
    ConfigurationError,
    CredentialError,
    FatalChannelError,
    RetriableChannelError,
)
from pipelines.model import Correction, Outcome, OutcomeStatus
from pipelines.stage import stage_system

NOW = datetime(2026, 6, 14, 20, tzinfo=UTC)
SINCE = NOW - timedelta(days=1)
APPLIED = (OutcomeStatus.APPLIED, "")
Reply = Any | Exception | Callable[[dict[str, Any]], Any]
"""What a call is answered with: JSON, a whole response, an error of the wire, or a function of the call's body."""


@dataclass
class Clock:
    """Stands still; sleeping costs nothing."""

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        return None


@dataclass
class Fake:
    """Answers `<model>/<method>` with the replies given, the last one again and again; keeps what it was sent."""

    replies: dict[str, list[Reply]] = field(default_factory=dict)
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def on(self, call: str, *replies: Reply) -> "Fake":
        self.replies[call] = list(replies)
        return self

    def __call__(self, request: httpx.Request) -> httpx.Response:
        call, body = request.url.path.removeprefix("/json/2/"), json.loads(request.content)
        self.sent.append((call, body))
        found = self.replies[call]
        reply = found.pop(0) if len(found) > 1 else found[0]
        reply = reply(body) if callable(reply) else reply
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, httpx.Response) else httpx.Response(200, content=json.dumps(reply))

    def bodies(self, call: str) -> list[dict[str, Any]]:
        return [body for name, body in self.sent if name == call]

    def session(self, *, company: str | None = "1", **options: str) -> OdooSession:
        transport = httpx.MockTransport(self)
        options |= {} if company is None else {"company": company}
        session = ODOO.connect(Connection("https://odoo.example", {KEY: "k"}, options, Clock(), transport))
        assert isinstance(session, OdooSession)
        return session


def endpoint(name: str) -> Endpoint:
    return next(e for e in ODOO.endpoints if e.name == name)


async def pages(fake: Fake, name: str, since: datetime | None = None, **options: str) -> list[Page]:
    return [page async for page in endpoint(name).read(fake.session(**options), Window(since, NOW))]


def error(status: int, name: str, message: str = "SECRET918273645") -> httpx.Response:
    body = {"name": name, "message": message, "arguments": [message], "context": {}, "debug": f"Traceback {message}"}
    return httpx.Response(status, json=body)


def correction(entity: str, name: str, vendor_id: str, desired: str | None, **rest: Any) -> Correction:
    sub, observed, context = rest.pop("sub", ""), rest.pop("observed", "1"), rest.pop("context", {})
    key = f"{entity}.{name}.{vendor_id}.{sub}"
    return Correction(key, "p", "odoo", entity, name, vendor_id, sub, "s", "", observed, desired, context=context)


async def write(fake: Fake, *corrections: Correction) -> list[Outcome]:
    first = corrections[0]
    writer = next(w for w in ODOO.writers if w.entity == first.entity and first.field in w.fields)
    return await writer.write(fake.session(), corrections, "key")


def statuses(outcomes: list[Outcome]) -> list[tuple[OutcomeStatus, str]]:
    return [(outcome.status, outcome.code) for outcome in outcomes]


# -- session ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (error(401, "werkzeug.exceptions.Unauthorized"), CredentialError),
        (error(403, "odoo.exceptions.AccessError"), CredentialError),
        (error(404, "odoo.exceptions.MissingError"), FatalChannelError),
        (error(404, "werkzeug.exceptions.NotFound"), FatalChannelError),
        (error(422, "odoo.exceptions.ValidationError"), FatalChannelError),
        (error(500, "builtins.TypeError"), FatalChannelError),
        (error(500, "psycopg2.errors.SerializationFailure"), RetriableChannelError),
        (error(429, ""), RetriableChannelError),
        (httpx.Response(502, text="<html>SECRET918273645</html>"), RetriableChannelError),
    ],
)
async def test_errors_are_told_apart_and_never_quote_the_server(answer, kind):
    fake = Fake().on("res.partner/search_count", answer)
    with pytest.raises(kind) as caught:
        await fake.session().execute("res.partner", "search_count", domain=[])
    assert "SECRET" not in str(caught.value) and "Traceback" not in str(caught.value)
    assert caught.value.status == answer.status_code
    assert len(fake.sent) == (5 if kind is RetriableChannelError else 1)


async def test_a_write_whose_answer_is_lost_is_ambiguous_and_sent_once():
    fake = Fake().on("res.partner/load", httpx.ReadTimeout("lost"))
    with pytest.raises(AmbiguousWrite):
        await write(fake, correction("customers", "phone", "6", "+33612345678"))
    assert len(fake.sent) == 1


@pytest.mark.parametrize(
    "options", [{"calls_per_second": "fast"}, {"calls_per_second": "0"}, {"company": "Paris"}, {"loyalty": "no"}]
)
def test_an_option_that_cannot_be_is_named(options):
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        Fake().session(**options)


async def test_the_company_goes_along_with_every_call():
    fake = Fake().on("res.partner/search_count", 0)
    await fake.session(company="3").execute("res.partner", "search_count", domain=[], context={"active_test": False})
    assert fake.sent[0][1]["context"] == {"allowed_company_ids": [3], "active_test": False}


def of_user(company: int) -> Fake:
    """The key is user 2's, who works in a company by default."""
    fake = Fake().on("res.users/context_get", {"uid": 2, "lang": "fr_FR"})
    fake.on("res.users/read", [{"id": 2, "company_id": company, "tz": "Europe/Paris"}])
    return fake.on("res.company/search_read", [{"id": company, "name": "Maison", "create_date": "2026-01-01 10:00:00"}])


async def test_without_the_option_every_call_is_made_in_the_company_that_identify_vouches_for():
    fake = of_user(4).on("res.partner/search_count", 0)
    session = fake.session(company=None)
    await session.execute("res.partner", "search_count", domain=[])
    who = await ODOO.identify(session)
    await session.execute("res.partner", "search_count", domain=[], context={"active_test": False})
    assert who.shop_id == "4@2026-01-01T10:00:00"
    counts = [body["context"]["allowed_company_ids"] for body in fake.bodies("res.partner/search_count")]
    assert counts == [[4], [4]] and len(fake.bodies("res.users/read")) == 1, "asked for once"
    for odd in ([], [{"id": 2, "company_id": False}], {}):
        fake = of_user(4).on("res.users/read", odd)
        with pytest.raises(FatalChannelError, match="whose key this is"):
            await fake.session(company=None).execute("res.partner", "search_count", domain=[])
        assert fake.bodies("res.partner/search_count") == []


async def test_identity_is_the_company_of_the_keys_user():
    fake = of_user(1)
    who = await ODOO.identify(fake.session(company=None))
    assert (who.shop_id, who.name, who.timezone) == ("1@2026-01-01T10:00:00", "Maison", "Europe/Paris")
    fake.on("res.company/search_read", [])
    with pytest.raises(FatalChannelError, match="option company"):
        await ODOO.identify(fake.session(company="7"))


# -- reads --------------------------------------------------------------------------------------------------


def record(number: int, **rest: Any) -> dict[str, Any]:
    return {"id": number, "write_date": "2026-06-14 19:00:00", **rest}


async def test_pages_go_on_after_the_last_id_until_one_is_empty_however_short_they_come():
    fake = Fake().on("res.partner/search_read", [record(1), record(4)], [record(9)], [])
    found = await pages(fake, "partners")
    assert [[row.id for row in page.rows] for page in found] == [["1", "4"], ["9"]]
    assert [body["domain"][-1] for body in fake.bodies("res.partner/search_read")] == [
        ["id", ">", 0], ["id", ">", 4], ["id", ">", 9]]
    assert {(body["order"], body["limit"]) for _, body in fake.sent} == {("id", reads.PAGE)}
    assert all(body["context"]["active_test"] is False for _, body in fake.sent), "archived ones too"


async def test_an_empty_census_is_believed_on_the_count():
    fake = Fake().on("res.partner/search_read", []).on("res.partner/search_count", 0)
    assert [(len(page.rows), page.total) for page in await pages(fake, "partners")] == [(0, 0)]


async def test_a_delta_asks_from_the_whole_second_on():
    fake = Fake().on("res.partner/search_read", [])
    await pages(fake, "partners", SINCE.replace(microsecond=999_999))
    assert ["write_date", ">=", "2026-06-13 20:00:00"] in fake.sent[0][1]["domain"]


async def test_a_filter_or_an_order_that_is_ignored_is_seen():
    old = Fake().on("res.partner/search_read", [record(1) | {"write_date": "2026-01-01 00:00:00"}])
    with pytest.raises(FatalChannelError, match="filter by write_date is ignored"):
        await pages(old, "partners", SINCE)
    for answers in ([[record(4), record(1)]], [[record(1)], [record(1)]]):
        with pytest.raises(FatalChannelError, match="order of their ids"):
            await pages(Fake().on("res.partner/search_read", *answers), "partners")


async def test_what_is_false_for_want_of_a_value_is_null_and_a_boolean_stays():
    held = record(1, email=False, name="A", is_company=False, active=True)
    (page,) = await pages(Fake().on("res.partner/search_read", [held], []), "partners")
    found = json.loads(page.rows[0].payload)
    assert found["email"] is None and found["is_company"] is False and found["active"] is True
    assert page.rows[0].updated_at == "2026-06-14T19:00:00Z"


@pytest.mark.parametrize("odd", [{"id": "7"}, {"id": True}, {"id": None}, {}])
async def test_a_record_without_a_usable_id_is_kept_and_the_rest_goes_on(odd):
    fake = Fake().on("res.partner/search_read", [odd, record(8)], [])
    (page,) = await pages(fake, "partners")
    assert [row.id.startswith("unusable:") for row in page.rows] == [True, False]
    with pytest.raises(FatalChannelError, match="without an id"):
        await pages(Fake().on("res.partner/search_read", [odd]), "partners")


async def test_a_shop_without_loyalty_is_not_asked_for_cards():
    fake = Fake()
    assert [page.total for page in await pages(fake, "loyalty_cards", loyalty="off")] == [0]
    counted = endpoint("loyalty_cards").count
    assert counted is not None and await counted(fake.session(loyalty="off")) == 0
    assert fake.sent == []


def test_each_role_reads_and_writes_its_own():
    pos, crm, email = (ODOO.in_roles([role]) for role in ("pos", "crm", "email"))
    assert {e.name for e in crm.endpoints} == {"partners", "loyalty_cards", "loyalty_history"}
    assert {e.name for e in email.endpoints} == {"partners", "contacts", "subscriptions", "lists", "blacklist"}
    assert not {e.name for e in pos.endpoints} & {e.name for e in (*crm.endpoints, *email.endpoints)}
    assert {w.entity for w in pos.writers} == {"items", "prices", "stock"}
    assert {w.entity for w in crm.writers} == {"customers"} and {w.entity for w in email.writers} == {"consents"}
    assert ODOO.in_roles(["pos", "crm", "email"]).endpoints == ODOO.endpoints


# -- writes -------------------------------------------------------------------------------------------------


def price(template: str, desired: str | None, vendor_id: str = "", **rest: Any) -> Correction:
    context = {"template_id": template, "variants": 1, "extra_minor": 0, "digits": 2, **rest}
    return correction("prices", "amount", vendor_id or template, desired, sub="list_price", context=context)


def loaded(body: dict[str, Any]) -> dict[str, Any]:
    return {"ids": [int(row[0]) for row in body["data"]], "messages": [], "nextrow": 0}


def refusing(*bad: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A load that takes all rows or none, and names those of these ids.

    As Odoo does: the error of the whole batch, its first bad row's, stands once more at the head, as its first row's.
    """

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        places = [place for place, row in enumerate(body["data"]) if row[0] in bad]
        if places and places[0]:
            places.insert(0, 0)
        said = [{"type": "error", "record": place, "message": "SECRET918273645"} for place in places]
        return {"ids": False, "messages": said} if said else loaded(body)

    return answer


async def test_prices_go_out_in_one_load_in_major_units():
    fake = Fake().on("product.template/load", loaded)
    rows = price("3", "4990"), price("4", "5"), price("5", "8200", digits=0), price("6", "3050", extra_minor=50)
    assert statuses(await write(fake, *rows)) == [APPLIED] * 4
    (body,) = fake.bodies("product.template/load")
    assert body["fields"] == [".id", "list_price"]
    assert body["data"] == [["3", "49.90"], ["4", "0.05"], ["5", "8200"], ["6", "30.00"]]


async def test_a_row_that_is_refused_takes_no_other_with_it():
    fake = Fake().on("product.template/load", refusing("4"))
    found = await write(fake, price("3", "100"), price("4", "100"), price("5", "100"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED"), APPLIED]
    assert [row[0] for row in fake.bodies("product.template/load")[-1]["data"]] == ["3", "5"]
    assert "SECRET" not in found[1].message


async def test_a_first_row_that_is_refused_with_others_is_told_as_refused_too():
    fake = Fake().on("product.template/load", refusing("3", "5"))
    found = await write(fake, *(price(str(n), "100") for n in range(3, 7)))
    refused = (OutcomeStatus.REJECTED, "LOAD_REFUSED")
    assert statuses(found) == [refused, APPLIED, refused, APPLIED]
    sent = [[row[0] for row in body["data"]] for body in fake.bodies("product.template/load")]
    assert sent == [["3", "4", "5", "6"], ["3", "4", "6"], ["4", "6"]]


@pytest.mark.parametrize(
    "whole", [{"ids": False, "messages": [{"type": "error", "message": "x"}]}, error(422, "odoo.exceptions.UserError")]
)
async def test_a_load_that_is_refused_and_names_no_row_is_halved_down_to_the_row(whole):
    fake = Fake().on(
        "product.template/load", lambda body: whole if "4" in [row[0] for row in body["data"]] else loaded(body)
    )
    found = await write(fake, *(price(str(n), "100") for n in range(3, 8)))
    assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED"), *[APPLIED] * 3]
    wrote = [row[0] for body in fake.bodies("product.template/load") for row in body["data"] if len(body["data"]) < 4]
    assert sorted(set(wrote)) == ["3", "4", "5", "6", "7"]


@pytest.mark.parametrize("left", [0, 1, 2])
async def test_a_row_that_was_refused_is_not_sent_again_however_many_are_left(left):
    fake = Fake().on("product.template/load", *(refusing(str(n)) for n in range(3, 7)), loaded)
    found = await write(fake, *(price(str(n), "100") for n in range(3, 7 + left)))
    assert statuses(found) == [(OutcomeStatus.REJECTED, "LOAD_REFUSED")] * 4 + [APPLIED] * left
    sent = [[row[0] for row in body["data"]] for body in fake.bodies("product.template/load")]
    assert sent[4:] == [[str(n)] for n in range(7, 7 + left)]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(error(403, "odoo.exceptions.AccessError"), None), (error(401, "werkzeug.exceptions.Unauthorized"), 401)],
)
async def test_half_of_a_load_that_was_written_is_not_told_as_refused_with_the_other(refusal, kind):
    whole = error(422, "odoo.exceptions.UserError")
    fake = Fake().on("product.template/load", whole, loaded, refusal)
    if kind is None:
        found = await write(fake, price("3", "100"), price("4", "100"))
        assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "AccessError")]
        assert "give the user the rights" in found[1].message
        return
    with pytest.raises(FatalChannelError) as caught:
        await write(fake, price("3", "100"), price("4", "100"))
    assert caught.value.status == kind, "push reads back, and takes nothing for not sent"
    with pytest.raises(CredentialError):
        await write(Fake().on("product.template/load", whole, refusal), price("3", "100"), price("4", "100"))


@pytest.mark.parametrize(
    "row",
    [
        lambda n: correction("items", "gtin", n, "03760123456785"),
        lambda n: correction("customers", "phone", n, "+33612345678"),
        lambda n: correction("customers", "loyalty_points", n, "5", context={"card_id": n}),
        lambda n: level(int(n), "7", "5"),
    ],
)
async def test_a_right_that_half_of_a_load_lacks_is_told_of_its_rows_by_every_writer(row):
    fake = stockroom(quant(11, 11, 7.0), quant(12, 12, 7.0))
    fake.on("loyalty.card/search_read", [{"id": n, "points": 1.0} for n in (11, 12)])
    for model in ("product.product", "res.partner", "loyalty.card", "stock.quant"):
        fake.on(
            f"{model}/load", error(422, "odoo.exceptions.UserError"), loaded, error(403, "odoo.exceptions.AccessError"),
            loaded,
        )
    assert statuses(await write(fake, row("11"), row("12"))) == [APPLIED, (OutcomeStatus.REJECTED, "AccessError")]


async def test_what_was_written_before_a_right_was_missing_is_told_as_written():
    fake = partners()
    fake.on(
        "res.partner/load",
        lambda body: error(403, "odoo.exceptions.AccessError") if "phone" in body["fields"] else loaded(body),
    )
    rows = (
        correction("customers", "city", "6", "Lyon"), correction("customers", "phone", "7", "+33612345678"),
        correction("customers", "street", "8", "1 rue Haute"),
    )
    assert statuses(await write(fake, *rows)) == [APPLIED, (OutcomeStatus.REJECTED, "AccessError"), APPLIED]


async def test_what_was_written_before_the_key_ran_out_is_told_as_written_and_the_rest_as_not_sent():
    fake = partners()
    fake.on(
        "res.partner/load",
        lambda body: error(401, "werkzeug.exceptions.Unauthorized") if "phone" in body["fields"] else loaded(body),
    )
    city, phone = correction("customers", "city", "6", "Lyon"), correction("customers", "phone", "7", "+33612345678")
    assert statuses(await write(fake, city, phone)) == [APPLIED, (OutcomeStatus.SKIPPED, "stopped")]
    with pytest.raises(CredentialError):
        await write(fake, phone, city)


async def test_a_refused_set_of_fields_leaves_another_that_was_written_as_it_is():
    fake = partners()
    fake.on(
        "res.partner/load",
        lambda body: error(422, "odoo.exceptions.UserError") if "phone" in body["fields"] else loaded(body),
    )
    city, phone = correction("customers", "city", "6", "Lyon"), correction("customers", "phone", "7", "+33612345678")
    assert statuses(await write(fake, city, phone)) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED")]
    assert len([b for b in fake.bodies("res.partner/load") if "city" in b["fields"]]) == 1


async def test_a_ban_without_the_right_to_new_entries_is_told_of_those_alone():
    fake = Fake().on("mail.blacklist/search_read", [{"id": 1, "email": "a@example.fr", "active": False}])
    fake.on("mail.blacklist/write", True).on("mail.blacklist/create", error(403, "odoo.exceptions.AccessError"))
    rows = [
        correction("consents", "state", key, "no", sub="blacklist", context={"email": f"{key}@example.fr"})
        for key in ("a", "b")
    ]
    assert statuses(await write(fake, *rows)) == [APPLIED, (OutcomeStatus.REJECTED, "AccessError")]


async def test_a_load_that_wrote_something_else_is_not_believed():
    fake = Fake().on("product.template/load", {"ids": [3, 99], "messages": []})
    with pytest.raises(FatalChannelError, match="other records"):
        await write(fake, price("3", "100"), price("4", "100"))


async def test_what_is_no_price_or_cannot_be_reached_by_the_templates_is_refused_without_a_call():
    fake = Fake()
    found = await write(
        fake, price("3", None), price("4", "-5"), price("5", "20", extra_minor=50),
        price("6", "100", vendor_id="61", variants=2), price("6", "200", vendor_id="62", variants=2),
    )
    assert [code for _, code in statuses(found)] == [
        "NOT_AN_AMOUNT", "NOT_AN_AMOUNT", "BELOW_EXTRA", "SHARED_PRICE", "SHARED_PRICE"]
    assert fake.sent == []


async def test_an_archived_variant_gets_no_price_that_an_active_one_of_its_template_does_not_get():
    fake = Fake().on("product.template/load", loaded)
    rows = [price("6", "100", vendor_id=key, variants=n) for key, n in (("61", 2), ("63", 3))]
    for some in (rows, rows[::-1]):
        assert [code for _, code in statuses(await write(fake, *some))] == ["SHARED_PRICE", "SHARED_PRICE"]
    assert statuses(await write(fake, *rows, price("6", "100", vendor_id="62", variants=2))) == [APPLIED] * 3


async def test_a_missing_right_refuses_the_rows_and_no_more():
    fake = Fake().on("product.template/load", error(403, "odoo.exceptions.AccessError"))
    assert statuses(await write(fake, price("3", "100"))) == [(OutcomeStatus.REJECTED, "AccessError")]
    fake.on("product.template/load", error(401, "werkzeug.exceptions.Unauthorized"))
    with pytest.raises(CredentialError):
        await write(fake, price("3", "100"))


def partners(*held: dict[str, Any], children: Sequence[int] = ()) -> Fake:
    """Partners as their addresses are looked at: which there are, and whose contacts."""

    def answer(body: dict[str, Any]) -> list[dict[str, Any]]:
        field, _, ids = body["domain"][0]
        if field == "parent_id":
            assert ["type", "=", "contact"] in body["domain"] and body["context"].get("active_test") is None
            return [{"id": 900 + parent, "parent_id": parent} for parent in children if parent in ids]
        known = {each["id"]: each for each in held}
        return [{"id": i, "parent_id": False, "type": "contact", **known.get(i, {})} for i in ids]

    return Fake().on("res.partner/load", loaded).on("res.partner/search_read", answer)


async def test_an_address_that_odoo_would_write_to_a_firm_and_its_other_contacts_is_refused():
    fake = partners({"id": 6, "parent_id": 5}, {"id": 8, "parent_id": 5, "type": "delivery"}, children=[7])
    found = await write(
        fake, correction("customers", "city", "6", "Lyon"), correction("customers", "phone", "6", "+33612345678"),
        correction("customers", "street", "7", "1 rue Haute"), correction("customers", "postcode", "8", "69001"),
        correction("customers", "postcode", "9", "69001"),
    )
    assert [code for _, code in statuses(found)] == ["SHARED_ADDRESS", "", "SHARED_ADDRESS", "", ""]
    assert [(b["fields"], b["data"]) for b in fake.bodies("res.partner/load")] == [
        ([".id", "phone"], [["6", "+33612345678"]]), ([".id", "zip"], [["8", "69001"], ["9", "69001"]])]


async def test_a_phone_is_written_without_a_look_at_the_address():
    fake = Fake().on("res.partner/load", loaded)
    assert statuses(await write(fake, correction("customers", "phone", "6", "+33612345678"))) == [APPLIED]


async def test_fields_of_partners_go_out_in_one_load_for_each_set_of_fields_and_never_blank():
    fake = partners()
    found = await write(
        fake, correction("customers", "city", "6", "Lyon"), correction("customers", "postcode", "6", "69001"),
        correction("customers", "city", "7", " Nice "), correction("customers", "street", "8", " "),
    )
    assert statuses(found) == [APPLIED] * 3 + [(OutcomeStatus.REJECTED, "BLANK")]
    assert [(b["fields"], b["data"]) for b in fake.bodies("res.partner/load")] == [
        ([".id", "city", "zip"], [["6", "Lyon", "69001"]]), ([".id", "city"], [["7", "Nice"]])]


@pytest.mark.parametrize(
    ("name", "is_company", "parts"),
    [
        ("Claire Martin", False, ("Claire", "Martin")), (" Claire   de La Tour ", False, ("Claire", "de La Tour")),
        ("Martin, Claire", False, ("Claire", "Martin")), ("Cher", False, ("", "Cher")),
        ("Dupont et Fils", True, ("", "Dupont et Fils")), ("", False, ("", "")),
    ],
)
def test_a_name_comes_apart_as_the_sql_takes_it_apart(con, name, is_company, parts):
    assert split_name(name, is_company=is_company) == parts
    payload = json.dumps({"name": name or None, "is_company": is_company, "active": True})
    con.execute("INSERT INTO raw_odoo.partners VALUES ('1', NULL, ?, NULL)", [payload])
    stage_system(con, "odoo")
    found = con.execute("SELECT coalesce(first_name, ''), coalesce(last_name, '') FROM odoo.customers").fetchall()
    assert found == [parts]


async def test_points_are_set_with_a_line_of_history_and_without_mail():
    fake = Fake().on("loyalty.card/load", loaded)
    fake.on("loyalty.card/search_read", [{"id": 3, "points": 55.5}, {"id": 4, "points": 100.0}])
    found = await write(
        fake, correction("customers", "loyalty_points", "6", "100", context={"card_id": "3"}),
        correction("customers", "loyalty_points", "7", "90", context={"card_id": "4"}),
        correction("customers", "loyalty_points", "8", "90", context={"card_id": "5"}),
        correction("customers", "loyalty_points", "9", "90"), correction("customers", "loyalty_points", "10", "1.5"),
    )
    assert [code for _, code in statuses(found)] == ["", "", "GONE", "NO_CARD", "NOT_POINTS"]
    (body,) = fake.bodies("loyalty.card/load")
    assert body["data"] == [["3", "100", "trueup", "44.5", "0"], ["4", "90", "trueup", "0", "10"]]
    assert body["context"]["loyalty_no_mail"] is True


async def test_a_permission_is_lowered_and_never_raised():
    fake = Fake().on("mailing.subscription/write", True).on("mail.blacklist/write", True)
    fake.on("mail.blacklist/create", [9])
    fake.on("mail.blacklist/search_read", [
        {"id": 1, "email": "a@example.fr", "active": False}, {"id": 2, "email": "b@example.fr", "active": True}])

    def consent(vendor_id: str, sub: str, desired: str, **context: Any) -> Correction:
        return correction("consents", "state", vendor_id, desired, sub=sub, context=context)

    found = await write(
        fake, consent("contact:1", "3", "no", subscription_id="31", email="a@example.fr"),
        consent("contact:2", "3", "yes", subscription_id="32", email="b@example.fr"),
        consent("new:x", "3", "pending", email="c@example.fr"),
        *(consent(key, "blacklist", "no", email=f"{key}@example.fr") for key in ("a", "b", "c")),
    )
    refused = (OutcomeStatus.REJECTED, "RAISE_REFUSED")
    assert statuses(found) == [APPLIED, refused, refused, APPLIED, APPLIED, APPLIED]
    assert [(b["ids"], b["vals"]) for b in fake.bodies("mailing.subscription/write")] == [([31], {"opt_out": True})]
    assert [(b["ids"], b["vals"]) for b in fake.bodies("mail.blacklist/write")] == [([1], {"active": True})]
    assert [b["vals_list"] for b in fake.bodies("mail.blacklist/create")] == [[{"email": "c@example.fr"}]]


# -- stock --------------------------------------------------------------------------------------------------


def quant(number: int, product: int, units: float, **rest: Any) -> dict[str, Any]:
    given = {"location_id": 8, "reserved_quantity": 0.0, "lot_id": False, "package_id": False, "owner_id": False,
             "inventory_quantity_set": False, "user_id": False, "warehouse_id": 1}
    return {"id": number, "product_id": product, "quantity": units, **given, **rest}


def stockroom(*quants: dict[str, Any], tracking: str = "none") -> Fake:
    """Products 11 and 12 in warehouse 1, whose stock room is location 8."""
    fake = Fake().on("product.product/search_read", [
        {"id": n, "is_storable": True, "tracking": tracking} for n in (11, 12)])
    fake.on("stock.warehouse/search_read", [{"id": 1, "lot_stock_id": 8}])
    fake.on("stock.quant/search_read", list(quants)).on("res.users/context_get", {"uid": 2})
    fake.on("stock.quant/load", loaded).on("stock.quant/action_clear_inventory_quantity", None)
    fake.on("stock.quant/create", lambda body: [90 + n for n, _ in enumerate(body["vals_list"])])
    fake.on("stock.inventory.adjustment.name/create", [5])
    return fake.on("stock.inventory.adjustment.name/action_apply", None)


def level(product: int, observed: str, desired: str, name: str = "on_hand") -> Correction:
    return correction("stock", name, str(product), desired, sub="1", observed=observed)


def calls(fake: Fake) -> list[str]:
    return [call.rsplit("/", 1)[1] for call, _ in fake.sent if not call.endswith(("search_read", "context_get"))]


async def test_a_count_says_what_was_seen_and_the_level_that_it_makes():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 11, 3.0, location_id=9), quant(3, 12, 2.0, reserved_quantity=1.0))
    found = await write(fake, level(11, "10", "12"), level(12, "1", "3", "available"))
    assert statuses(found) == [APPLIED, APPLIED]
    counted, differing = fake.bodies("stock.quant/load")
    assert counted["data"] == [["1", "9", "2"], ["3", "4", "2"]]
    assert counted["context"] == {"inventory_mode": True, "allowed_company_ids": [1]}
    assert differing["data"] == [["1", "2"], ["3", "2"]]
    names = [b["vals_list"][0] for b in fake.bodies("stock.inventory.adjustment.name/create")]
    assert names == [
        {"quant_ids": [[6, 0, [1]]], "inventory_adjustment_name": "trueup: counted 12"},
        {"quant_ids": [[6, 0, [3]]], "inventory_adjustment_name": "trueup: counted 4"},
    ]


async def test_of_several_quants_in_the_stock_room_the_fullest_is_counted():
    fake = stockroom(quant(1, 11, -1.0), quant(2, 11, 20.0), quant(3, 11, 5.0, lot_id=4))
    assert statuses(await write(fake, level(11, "24", "20"))) == [APPLIED]
    assert [b["data"] for b in fake.bodies("stock.quant/load")] == [[["2", "16", "2"]], [["2", "-4"]]]


async def test_where_nothing_lies_a_quant_is_made():
    fake = stockroom()
    assert statuses(await write(fake, level(11, "0", "4"))) == [APPLIED]
    assert fake.bodies("stock.quant/create")[0]["vals_list"] == [{"product_id": 11, "location_id": 8}]
    assert [b["data"] for b in fake.bodies("stock.quant/load")] == [[["90", "4", "2"]], [["90", "4"]]]
    assert calls(fake) == ["create", "load", "load", "create", "action_apply"]


@pytest.mark.parametrize(
    ("quants", "tracking", "row", "code"),
    [
        ([quant(1, 11, 7.0)], "none", level(11, "9", "12"), "MOVED"),
        ([quant(1, 11, 12.0)], "none", level(11, "9", "12"), "ALREADY"),
        ([quant(1, 11, 7.0)], "lot", level(11, "7", "12"), "BY_LOT"),
        ([quant(1, 11, 7.0, location_id=9)], "none", level(11, "7", "5"), "OTHER_SHELVES"),
        ([quant(1, 11, 7.0, inventory_quantity_set=True, user_id=6)], "none", level(11, "7", "5"), "BEING_COUNTED"),
        ([quant(1, 11, 7.0, inventory_quantity_set=True)], "none", level(11, "7", "5"), "BEING_COUNTED"),
        ([quant(1, 11, 7.0)], "none", level(13, "7", "5"), "NO_LEVEL"),
        ([quant(1, 11, 7.0)], "none", level(11, "7", "-5"), "NOT_A_QUANTITY"),
        ([quant(1, 11, 7.0)], "none", level(11, "7", "2.5"), "NOT_A_QUANTITY"),
    ],
)
async def test_what_cannot_be_counted_is_not(quants, tracking, row, code):
    fake = stockroom(*quants, tracking=tracking)
    assert [c for _, c in statuses(await write(fake, row))] == [code]
    assert calls(fake) == []


async def test_our_own_count_that_was_never_applied_is_made_anew():
    fake = stockroom(quant(1, 11, 7.0, inventory_quantity_set=True, user_id=2))
    assert statuses(await write(fake, level(11, "7", "5"))) == [APPLIED]


async def test_what_moved_meanwhile_is_stale_its_count_taken_back_and_the_rest_applied():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0))
    conflict = {"res_model": "stock.inventory.conflict", "context": {"default_quant_to_fix_ids": [2]}}
    fake.on("stock.inventory.adjustment.name/action_apply", conflict, None)
    found = await write(fake, level(11, "7", "5"), level(12, "7", "5"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.STALE, "MOVED")]
    assert [b["ids"] for b in fake.bodies("stock.quant/action_clear_inventory_quantity")] == [[2]]


CLEARED = "stock.quant/action_clear_inventory_quantity"
APPLY = "stock.inventory.adjustment.name/action_apply"


@pytest.mark.parametrize(
    ("before", "after", "row"),
    [
        ([quant(1, 11, 7.0), quant(2, 11, 3.0, location_id=9)],
         [quant(1, 11, 7.0), quant(2, 11, 2.0, location_id=9)], level(11, "10", "12")),
        ([quant(1, 11, 7.0)], [quant(1, 11, 7.0), quant(2, 11, 1.0, location_id=9)], level(11, "7", "12")),
        ([], [quant(2, 11, 1.0, location_id=9)], level(11, "0", "12")),
        ([quant(1, 11, 7.0)], [quant(1, 11, 7.0, reserved_quantity=2.0)], level(11, "7", "9", "available")),
    ],
)
async def test_what_moves_elsewhere_or_is_reserved_before_the_count_is_applied_makes_it_stale(before, after, row):
    fake = stockroom().on("stock.quant/search_read", [*before, quant(3, 12, 7.0)], [*after, quant(3, 12, 7.0)])
    found = await write(fake, row, level(12, "7", "12"))
    assert statuses(found) == [(OutcomeStatus.STALE, "MOVED"), APPLIED]
    counted = 90 if not before else 1
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[counted]]
    wizards = fake.bodies("stock.inventory.adjustment.name/create")
    assert [b["vals_list"][0]["quant_ids"] for b in wizards] == [[[6, 0, [3]]]]


async def test_a_count_that_is_refused_is_taken_back_and_takes_no_other_with_it():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0))
    fake.on(APPLY, error(422, "odoo.exceptions.UserError"))
    refused = (OutcomeStatus.REJECTED, "UserError")
    assert statuses(await write(fake, level(11, "7", "5"))) == [refused]
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[1]]
    fake.on(APPLY, error(422, "odoo.exceptions.UserError"), None, error(422, "odoo.exceptions.UserError"))
    assert statuses(await write(fake, level(11, "7", "5"), level(12, "7", "5"))) == [APPLIED, refused]
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[1], [2]]
    fake.on(APPLY, {"type": "ir.actions.act_window", "context": {}})
    assert statuses(await write(fake, level(11, "7", "5"))) == [(OutcomeStatus.REJECTED, "NOT_APPLIED")]


async def test_a_level_that_is_refused_leaves_another_that_was_applied_as_it_is():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0))
    fake.on(APPLY, None, error(403, "odoo.exceptions.AccessError"))
    found = await write(fake, level(11, "7", "5"), level(12, "7", "6"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "AccessError")]
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[2]]


async def test_half_of_a_level_that_was_applied_is_not_told_as_refused_with_the_other():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0))
    fake.on(APPLY, error(422, "odoo.exceptions.UserError"), None, error(403, "odoo.exceptions.AccessError"))
    found = await write(fake, level(11, "7", "5"), level(12, "7", "5"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "AccessError")]
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[2]]


@pytest.mark.parametrize("call", ["stock.quant/load", "stock.quant/search_read", APPLY])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(502, text="<html>"), RetriableChannelError),
        (error(500, "builtins.TypeError"), FatalChannelError),
        (error(401, "werkzeug.exceptions.Unauthorized"), CredentialError),
    ],
)
async def test_no_count_is_left_behind_when_a_call_fails(call, answer, kind):
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0))
    fake.on(call, *([[quant(1, 11, 7.0), quant(2, 12, 7.0)]] if call.endswith("search_read") else []), answer)
    with pytest.raises(kind) as caught:
        await write(fake, level(11, "7", "5"), level(12, "7", "5"))
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[1, 2]]
    assert "taken back" not in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.ReadTimeout("lost"), AmbiguousWrite),
        (httpx.Response(502, text="<html>"), AmbiguousWrite),
        (error(500, "builtins.TypeError"), FatalChannelError),
        ([], FatalChannelError),
    ],
)
async def test_no_count_is_left_behind_when_the_answer_to_a_new_quant_is_lost(answer, kind):
    counts: list[float] = []

    def made(body: dict[str, Any]) -> Reply:
        counts.extend(vals["inventory_quantity"] for vals in body["vals_list"] if "inventory_quantity" in vals)
        return answer

    fake = stockroom().on("stock.quant/create", made).on(CLEARED, lambda body: counts.clear())
    with pytest.raises(kind):
        await write(fake, level(11, "0", "5"), level(12, "0", "5"))
    assert counts == [] and calls(fake) == ["create"]


async def test_a_quant_of_which_the_count_was_refused_holds_none_to_be_taken_back():
    fake = stockroom().on("stock.quant/load", refusing("91"), loaded)
    found = await write(fake, level(11, "0", "5"), level(12, "0", "5"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED")]
    assert fake.bodies(CLEARED) == []


async def test_counts_that_cannot_be_taken_back_are_told():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0))
    fake.on(APPLY, None, error(500, "builtins.TypeError")).on(CLEARED, error(500, "builtins.KeyError"))
    with pytest.raises(FatalChannelError, match="TypeError; counts could not be taken back: clear them") as caught:
        await write(fake, level(11, "7", "5"), level(12, "7", "6"))
    assert (caught.value.status, caught.value.code) == (500, "TypeError")
    assert {tuple(b["ids"]) for b in fake.bodies(CLEARED)} == {(2,)}, "what is applied is no count any more"
    fake.on(APPLY, None, error(401, "werkzeug.exceptions.Unauthorized"))
    found = await write(fake, level(11, "7", "5"), level(12, "7", "6"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.SKIPPED, "stopped")]
    assert "clear them in Odoo" in found[1].message


async def test_a_count_of_which_the_difference_is_refused_is_taken_back():
    fake = stockroom(quant(1, 11, 7.0), quant(2, 12, 7.0)).on("stock.quant/load", loaded, refusing("2"), loaded)
    found = await write(fake, level(11, "7", "5"), level(12, "7", "5"))
    assert statuses(found) == [APPLIED, (OutcomeStatus.REJECTED, "LOAD_REFUSED")]
    assert [b["ids"] for b in fake.bodies(CLEARED)] == [[2]]


# -- read-backs ---------------------------------------------------------------------------------------------


async def read_back(fake: Fake, *corrections: Correction) -> list[tuple[str | None, bool]]:
    found = next(r for r in ODOO.read_backs if r.entity == corrections[0].entity)
    return [(r.value, r.exists) for r in await found.read(fake.session(), corrections)]


async def test_values_are_read_back_as_they_are_staged_and_what_is_gone_is_not_there():
    fake = Fake().on("product.product/search_read", [
        {"id": 11, "list_price": 49.9, "price_extra": 5.0, "barcode": " 123 "},
        {"id": 12, "list_price": 0.005, "price_extra": 0.0, "barcode": False}])
    rows = price("3", "1", "11"), price("3", "1", "12"), price("3", "1", "13")
    assert await read_back(fake, *rows) == [("5490", True), ("0.005", True), (None, False)]
    codes = [correction("items", "gtin", key, "1") for key in ("11", "12", "13")]
    assert await read_back(fake, *codes) == [("123", True), (None, True), (None, False)]


async def test_a_partner_is_read_back_with_the_whole_points_of_the_card():
    partner = {"id": 6, "name": "Claire Martin", "is_company": False, "active": True, "phone": "06 12", "street": False,
               "city": "Lyon ", "zip": "69001"}
    fake = Fake().on("res.partner/search_read", [partner, {**partner, "id": 7, "active": False}])
    fake.on("loyalty.card/search_read", [{"id": 3, "points": 12.9}])
    rows = [
        correction("customers", "phone", "6", "x", observed="+33612", context={"phone": "06 12"}),
        correction("customers", "street", "6", "x"), correction("customers", "city", "6", "x"),
        correction("customers", "last_name", "6", "x"),
        correction("customers", "loyalty_points", "6", "x", context={"card_id": "3"}),
        correction("customers", "city", "7", "x"),
    ]
    assert await read_back(fake, *rows) == [
        ("+33612", True), (None, True), ("Lyon", True), ("Martin", True), ("12", True), (None, False)]


async def test_a_permission_is_read_back_for_the_address_that_it_was_of():
    fake = Fake().on("mailing.contact/search_read", [
        {"id": 1, "email_normalized": "a@example.fr", "is_blacklisted": False},
        {"id": 2, "email_normalized": "b@example.fr", "is_blacklisted": True}])
    fake.on("res.partner/search_read", [{"id": 6, "email_normalized": "moved@example.fr", "is_blacklisted": False}])
    fake.on("mailing.subscription/search_read", [
        {"id": 31, "contact_id": 1, "list_id": 3, "opt_out": False},
        {"id": 32, "contact_id": 2, "list_id": 3, "opt_out": False}])

    def consent(vendor_id: str, sub: str, email: str, **context: Any) -> Correction:
        return correction("consents", "state", vendor_id, "no", sub=sub, context={"email": email, **context})

    assert await read_back(
        fake, consent("contact:1", "3", "a@example.fr", subscription_id="31"),
        consent("contact:2", "3", "b@example.fr", subscription_id="32"),
        consent("contact:1", "4", "a@example.fr", subscription_id="31"),
        consent("contact:2", "blacklist", "b@example.fr"), consent("contact:1", "blacklist", "a@example.fr"),
        consent("6", "blacklist", "c@example.fr"), consent("new:x", "3", "a@example.fr"),
    ) == [("yes", True), ("no", True), (None, False), ("no", True), ("yes", True), (None, False), (None, False)]


async def test_a_ban_is_read_back_by_itself_and_as_the_no_of_a_list_without_a_subscription():
    fake = Fake().on("mailing.contact/search_read", [])
    fake.on("res.partner/search_read", [
        {"id": 6, "email_normalized": "a@example.fr", "is_blacklisted": True},
        {"id": 7, "email_normalized": "a@example.fr", "is_blacklisted": False}])
    fake.on("mail.blacklist/search_read", [
        {"id": 1, "email": "gone@example.fr", "active": True}, {"id": 2, "email": "gone@example.fr", "active": False}])

    def consent(vendor_id: str, sub: str, email: str) -> Correction:
        return correction("consents", "state", vendor_id, "yes", sub=sub, context={"email": email})

    assert await read_back(
        fake, consent("blacklist:1", "blacklist", "gone@example.fr"), consent("blacklist:1", "3", "gone@example.fr"),
        consent("blacklist:2", "3", "gone@example.fr"), consent("blacklist:3", "3", "gone@example.fr"),
        consent("blacklist:1", "3", "other@example.fr"),
        consent("6", "3", "a@example.fr"), consent("7", "3", "a@example.fr"),
    ) == [("no", True), ("no", True), (None, False), (None, False), (None, False), ("no", True), (None, False)]


async def test_levels_are_read_back_over_all_shelves():
    fake = stockroom(quant(1, 11, 7.0, reserved_quantity=2.0), quant(2, 11, 3.5, location_id=9))
    rows = level(11, "1", "1"), level(11, "1", "1", "available"), level(12, "1", "1"), level(13, "1", "1")
    assert await read_back(fake, *rows[:2]) == [("10.5", True), ("8.5", True)]
    assert await read_back(fake, *rows[2:]) == [("0", True), (None, False)]

"""HubSpot, both sides: the channel against the sandbox in process, its spec, its SDK, and the traps of VENDORS.md."""

import json
from datetime import date, timedelta

import httpx
import pytest

from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.hubspot.session import TOKEN, judge_of
from pipelines.errors import AmbiguousWrite, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.extract import extract_all
from pipelines.http import Answer
from pipelines.model import OutcomeStatus
from pipelines.stage import stage_system
from pipelines.stage_cursors import commit_cursors
from sandbox.hubspot import HUB_ID, HubspotVendor
from sandbox.records import Consent, Customer, Item, Price, replace
from sandbox.vendor import Place, Settings
from tests.channels.harness import EPOCH, Outside, outside, served

NEWS, INVITATIONS = "318273641", "318273642"
JUNE = EPOCH - timedelta(days=10)


def item(number: int, **rest) -> Item:
    given = {"sku": f"SKU-{number}", "title": f"Thing {number}", "option": "", "category": "things"} | rest
    return Item(key=str(1000 + number), parent=str(1000 + number), gtin="", vat_bp=2000, tax="net", **given)


def customer(number: int, **rest) -> Customer:
    given = {"first_name": "Anne", "last_name": f"Martin {number}", "email": f"anne{number}@example.fr"} | rest
    return Customer(key=str(5000 + number), **given)


def hubspot(*, settings: Settings | None = None) -> Outside:
    """An account with two subscription types."""
    world = outside(HubspotVendor(), HUBSPOT, TOKEN, settings=settings)
    places = [Place(NEWS, "Lettre", "subscription"), Place(INVITATIONS, "Invitations", "subscription")]
    world.vendor.put_places(world.store, places, JUNE)
    return world


def shop(**rest) -> Outside:
    """Three products with prices and three contacts: yes, no, nothing said."""
    world = hubspot(**rest)
    world.vendor.put_items(world.store, [item(1, cost=500), item(2), item(3)], JUNE)
    prices = [Price(f"{1000 + n}", "price", "EUR", 4990) for n in (1, 2, 3)]
    prices += [Price("1001", "hs_price_chf", "CHF", 5450), Price("1001", "hs_price_jpy", "JPY", 8200)]
    world.vendor.put_prices(world.store, prices, JUNE)
    world.vendor.put_customers(
        world.store,
        [
            customer(1, consent=Consent("yes", JUNE, is_proven=True), phone="06 12 34 56 78", card="C-1"),
            customer(2, consent=Consent("no", JUNE), city="Lyon"),
            customer(3),
        ],
        JUNE,
    )
    return world


def price(world: Outside, product: str, desired: str | None, name: str = "price", digits: int = 2):
    return world.correction("prices", "amount", product, desired, sub=name, context={"digits": digits})


def consent(world: Outside, contact: str, email: str, desired: str = "no"):
    return world.correction("consents", "state", contact, desired, sub=NEWS, context={"email": email})


# -- reads --------------------------------------------------------------------------------------------------


async def test_census_reads_every_contact_over_pages_with_each_subscriptions_property():
    world = hubspot()
    world.vendor.put_customers(world.store, [customer(n) for n in range(250)], JUNE)
    pages = await world.pages("contacts")
    assert [len(page.rows) for page in pages] == [100, 100, 50]
    rows = await world.rows("contacts")
    assert {row.id for row in rows} == {str(5000 + n) for n in range(250)}
    held = json.loads(rows[0].payload)["properties"]
    assert {f"hs_email_optout_{NEWS}", f"hs_email_optout_{INVITATIONS}", "loyalty_card"} <= held.keys()
    assert rows[0].updated_at == json.loads(rows[0].payload)["updatedAt"]


async def test_an_empty_list_is_confirmed_by_a_search():
    pages = await hubspot().pages("products")
    assert [(len(page.rows), page.total) for page in pages] == [(0, 0)]


async def test_trap_04_hubspot_archived_records_leave_list_and_search_and_a_delta_says_so():
    world = shop()
    world.vendor.delete(world.store, "customers", ["5002"], EPOCH)
    assert {row.id for row in await world.rows("contacts")} == {"5001", "5003"}
    delta = await world.rows("contacts", EPOCH - timedelta(hours=1))
    assert [(row.id, json.loads(row.payload)["archived"]) for row in delta] == [("5002", True)], "told by the bin"
    answer = await world.session.get("crm/v3/objects/contacts", params={"archived": "true"})
    assert [(row["id"], row["archived"]) for row in answer.json()["results"]] == [("5002", True)]


def test_trap_04_hubspot_what_the_bin_tells_asks_for_no_census_and_what_it_does_not_tell_does(con, tmp_path):
    world = shop()

    def read(night: str) -> dict[str, tuple[str, bool]]:
        world.store.set_now(world.store.now() + timedelta(hours=1))
        verdicts = extract_all(
            con, [(world.channel, world.session)], night_id=night, clock=world.clock, folder=tmp_path
        )
        stage_system(con, "hubspot")
        commit_cursors(con, [world.channel], night, now=world.clock.now())
        return {verdict.endpoint: (verdict.kind, verdict.is_complete) for verdict in verdicts}

    assert read("n1")["contacts"] == ("census", True)
    world.vendor.delete(world.store, "customers", ["5002"], world.clock.now())
    assert read("n2")["contacts"] == ("delta", True), "the bin told of it"
    world.vendor.erase(world.store, ["5003"], world.clock.now())
    assert read("n3")["contacts"] == ("census", True), "the count alone told of it"
    assert [row[0] for row in con.execute("SELECT id FROM raw_hubspot.contacts").fetchall()] == ["5001"]


async def test_trap_04_hubspot_counts_what_is_neither_listed_nor_in_the_bin():
    world = shop()
    assert await world.counted("contacts") == 3
    await world.session.post("crm/v3/objects/contacts/merge", {"primaryObjectId": "5001", "objectIdToMerge": "5002"})
    await world.session.post("crm/v3/objects/contacts/gdpr-delete", {"objectId": "5003"})
    await world.clock.sleep(60)  # a search lags
    listed = await world.rows("contacts")
    assert await world.counted("contacts") == len(listed) == 1
    delta = await world.rows("contacts", EPOCH - timedelta(hours=1))
    assert [row.id for row in delta] == [row.id for row in listed], "neither the merged nor the erased are in the bin"
    binned = await world.session.get("crm/v3/objects/contacts", params={"archived": "true"})
    assert binned.json()["results"] == []
    assert await world.counted("products") == len(await world.rows("products"))


async def test_delta_reads_what_changed_and_declares_its_total():
    world = shop()
    world.vendor.put_prices(world.store, [Price("1002", "price", "EUR", 100)], EPOCH, log=True)
    pages = await world.pages("products", EPOCH - timedelta(minutes=10))
    assert [([row.id for row in page.rows], page.total) for page in pages] == [(["1002"], 1)]


async def test_delta_of_more_than_10000_records_with_one_stamp_loses_none():
    world = hubspot()
    world.vendor.put_items(world.store, [item(n) for n in range(10_050)], EPOCH)
    pages = await world.pages("products", EPOCH)
    assert {row.id for page in pages for row in page.rows} == {str(1000 + n) for n in range(10_050)}
    assert {page.total for page in pages} == {10_050} and len(pages) == 51
    assert world.session.counters.throttled == 0
    with pytest.raises(FatalChannelError):
        await world.session.post("crm/v3/objects/products/search", {"limit": 200, "after": "9900"})


async def test_a_record_that_changes_while_a_delta_is_read_costs_no_other():
    world = hubspot()
    world.vendor.put_items(world.store, [item(n) for n in range(400)], EPOCH)
    found, pages = [], HUBSPOT.endpoints[1].read(world.session, _since(world))
    async for page in pages:
        found += [row.id for row in page.rows]
        world.store.set_now(EPOCH + timedelta(minutes=1))
        edits = [Price(str(1000 + n), "price", "EUR", 100) for n in range(50)]
        world.vendor.put_prices(world.store, edits, world.store.now(), log=True)
    assert sorted(found) == sorted(str(1000 + n) for n in range(400))


def _since(world: Outside):
    from pipelines.channels.base import Window

    return Window(EPOCH, world.clock.now())


async def test_paging_that_repeats_itself_stops():
    world = shop()
    body = {"results": [{"id": "1"}], "paging": {"next": {"after": "7"}}}
    world.transport.answers = [httpx.Response(200, json=body)] * 2
    with pytest.raises(FatalChannelError, match="repeats"):
        await world.pages("products")


# -- stage --------------------------------------------------------------------------------------------------


async def test_what_is_staged_is_what_the_world_put_in(con):
    world = shop()
    assert await world.stage(con) == {
        "hubspot.items": 3, "hubspot.prices": 5, "hubspot.customers": 3, "hubspot.consents": 6
    }
    prices = con.execute(
        "SELECT vendor_id, vendor_price_list, currency, CAST(amount_minor AS VARCHAR) FROM hubspot.prices"
    )
    assert sorted(prices.fetchall()) == sorted(row[:4] for row in world.vendor.observe_prices(world.store))
    people = con.execute(
        "SELECT vendor_id, first_name, last_name, email, coalesce(city, ''), coalesce(card, '') FROM hubspot.customers"
    )
    seen = world.vendor.observe_customers(world.store)
    assert sorted(people.fetchall()) == [(c.key, c.first_name, c.last_name, c.email, c.city, c.card) for c in seen]
    states = con.execute(
        "SELECT vendor_id, state, changed_at, has_proof FROM hubspot.consents WHERE vendor_audience_id = ? "
        "ORDER BY vendor_id",
        [NEWS],
    ).fetchall()
    assert [(row[0], row[1], row[3]) for row in states] == [
        ("5001", "yes", True), ("5002", "no", False), ("5003", "unknown", False)
    ]
    assert [row[2] for row in states] == [JUNE, JUNE, None]


# -- writes -------------------------------------------------------------------------------------------------


async def test_prices_are_written_once_and_read_back_in_minor_units():
    world = shop()
    sent = [price(world, "1001", "4500"), price(world, "1002", "12900")]
    assert [o.status for o in await world.writer("prices")(sent)] == [OutcomeStatus.APPLIED] * 2
    effects = world.api_effects()
    assert [(e["key"], e["field"], e["before"], e["after"]) for e in effects] == [
        ("1001", "price", "49.9", "45"), ("1002", "price", "49.9", "129")
    ]
    assert [o.status for o in await world.writer("prices")(sent)] == [OutcomeStatus.APPLIED] * 2
    assert world.api_effects() == effects, "a repeat changes nothing"
    readings = await world.read_back("prices", [*sent, price(world, "9999", "1")])
    assert [(r.value, r.exists) for r in readings] == [("4500", True), ("12900", True), (None, False)]


async def test_a_bad_row_does_not_take_its_batch_with_it():
    world = shop()
    fields = [
        world.correction("customers", "city", "5001", "Paris"),
        world.correction("customers", "city", "9999", "Paris"),
        world.correction("customers", "city", "5002", "x\x00y"),
        world.correction("customers", "city", "5003", " "),
    ]
    outcomes = await world.writer("customers")(fields)
    assert [(o.correction_key, o.status, o.code) for o in outcomes] == [
        (fields[0].correction_key, OutcomeStatus.APPLIED, ""),
        (fields[1].correction_key, OutcomeStatus.REJECTED, "OBJECT_NOT_FOUND"),
        (fields[2].correction_key, OutcomeStatus.REJECTED, "INVALID_LENGTH"),
        (fields[3].correction_key, OutcomeStatus.REJECTED, "BLANK"),
    ]
    assert [(e["key"], e["after"]) for e in world.api_effects()] == [("5001", "Paris")]
    assert "Paris" not in "".join(o.message for o in outcomes)


async def test_a_batch_refused_whole_says_so_and_leaves_nothing_behind():
    world = shop()
    twice = [price(world, "1001", "100"), price(world, "1001", "200")]
    with pytest.raises(FatalChannelError) as caught:
        await world.writer("prices")(twice)
    assert caught.value.status == 400 and world.api_effects() == []


async def test_without_trace_ids_one_bad_row_fails_the_whole_batch():
    world = shop()
    rows = [{"id": "1001", "properties": {"price": "1"}}, {"id": "1002", "properties": {"price": "12,50"}}]
    with pytest.raises(FatalChannelError):
        await world.session.post("crm/v3/objects/products/batch/update", {"inputs": rows})
    assert world.api_effects() == []
    traced = [row | {"objectWriteTraceId": row["id"]} for row in rows]
    answer = await world.session.post("crm/v3/objects/products/batch/update", {"inputs": traced})
    assert (answer.status, answer.json()["numErrors"], len(answer.json()["results"])) == (207, 1, 1)


async def test_every_customer_field_is_written_and_read_back():
    world = shop()
    values = {
        "first_name": "Ana", "last_name": "Durand", "phone": "+33612345678", "street": "1 rue X", "city": "Lille",
        "postcode": "59000",
    }
    sent = [world.correction("customers", field, "5002", value) for field, value in values.items()]
    for correction in sent:
        assert [o.status for o in await world.writer("customers")([correction])] == [OutcomeStatus.APPLIED]
    assert [r.value for r in await world.read_back("customers", sent)] == list(values.values())
    seen = next(c for c in world.vendor.observe_customers(world.store) if c.key == "5002")
    assert (seen.first_name, seen.phone, seen.consent.state) == ("Ana", "+33612345678", "no")


async def test_a_permission_is_lowered_never_raised():
    world = shop()
    yes, unknown = consent(world, "5001", "anne1@example.fr"), consent(world, "5999", "nobody@example.fr")
    outcomes = [
        (await world.writer("consents")([one]))[0]
        for one in (yes, yes, unknown, consent(world, "5002", "anne2@example.fr", "yes"))
    ]
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.APPLIED, ""),
        (OutcomeStatus.APPLIED, "ALREADY"),
        (OutcomeStatus.REJECTED, "OBJECT_NOT_FOUND"),
        (OutcomeStatus.REJECTED, "RAISE_REFUSED"),
    ]
    lowered = [e for e in world.api_effects() if e["kind"] == "consents"]
    assert [(e["key"], e["field"], e["before"], e["after"]) for e in lowered] == [("5001", NEWS, "yes", "no")]
    assert [r.value for r in await world.read_back("consents", [yes])] == ["no"]
    assert not (await world.read_back("consents", [unknown]))[0].exists
    assert "anne" not in "".join(o.message + o.code for o in outcomes)


async def test_hubspot_does_not_resubscribe_who_opted_out():
    world = shop()
    request = {"emailAddress": "anne2@example.fr", "subscriptionId": NEWS, "legalBasis": "CONSENT_WITH_NOTICE"}
    with pytest.raises(FatalChannelError):
        await world.session.post("communication-preferences/v3/subscribe", request)
    await world.session.post("communication-preferences/v3/subscribe", request | {"emailAddress": "anne3@example.fr"})
    states = {c.key: c.consent.state for c in world.vendor.observe_customers(world.store)}
    assert states == {"5001": "yes", "5002": "no", "5003": "yes"}


async def test_a_lost_answer_to_a_price_write_is_ambiguous_and_to_an_unsubscription_is_asked_again():
    world = shop()
    world.transport.answers = [httpx.ReadTimeout("lost")]
    with pytest.raises(AmbiguousWrite):
        await world.writer("prices")([price(world, "1001", "100")])
    world.transport.answers = [httpx.ReadTimeout("lost")]
    outcomes = await world.writer("consents")([consent(world, "5001", "anne1@example.fr")])
    assert outcomes[0].status is OutcomeStatus.APPLIED


# -- the session --------------------------------------------------------------------------------------------


async def test_identify_names_the_account_and_its_scopes():
    world = hubspot()
    identity = await HUBSPOT.identify(world.session)
    assert identity.shop_id == str(HUB_ID) and HUBSPOT.needed_scopes <= identity.scopes
    assert identity.timezone == "Europe/Paris"
    assert not [path for path in world.transport.paths() if "sandbox" in path], "the token is in no path"


async def test_a_scope_that_is_missing_is_named_by_doctor_and_refuses_only_what_needs_it():
    scope = "crm.objects.products.write"
    world = shop(settings=Settings(lacks=frozenset({scope})))
    granted = (await HUBSPOT.identify(world.session)).scopes
    assert HUBSPOT.needed_scopes - granted == {scope}
    assert len(await world.rows("products")) == 3
    [refused] = await world.writer("prices")([price(world, "1001", "100")])
    assert (refused.status, refused.code) == (OutcomeStatus.REJECTED, "MISSING_SCOPES") and scope in refused.message
    city = world.correction("customers", "city", "5001", "Nice")
    assert [o.status for o in await world.writer("customers")([city])] == [OutcomeStatus.APPLIED]


async def test_a_read_without_its_scope_stops_the_system_and_says_which():
    world = shop(settings=Settings(lacks=frozenset({"crm.objects.contacts.read"})))
    with pytest.raises(CredentialError, match=r"crm\.objects\.contacts\.read"):
        await world.pages("contacts")


async def test_when_the_days_calls_are_used_up_nobody_waits_for_midnight(monkeypatch):
    monkeypatch.setattr("sandbox.hubspot.limits.DEFAULT_DAILY", 3)
    world = shop()
    for left in ("2", "1", "0"):
        answer = await world.session.get("communication-preferences/v3/definitions")
        assert answer.headers["x-hubspot-ratelimit-daily-remaining"] == left
    with pytest.raises(FatalChannelError, match="used up") as caught:
        await world.pages("products")
    assert caught.value.code == "DAILY" and world.clock.slept == []
    world.store.set_now(EPOCH + timedelta(hours=2))
    assert len(await world.pages("products")) == 1, "22:00 UTC is midnight in Paris, and a new day"


async def test_calls_stay_under_both_limits_without_a_429():
    world = shop()
    for _ in range(400):
        await world.session.get("communication-preferences/v3/definitions")
    for _ in range(12):
        await world.pages("products", EPOCH)
    assert world.session.counters.throttled == 0
    assert 20 <= sum(world.clock.slept) < 25


async def test_over_the_limit_hubspot_answers_429_and_the_same_call_is_repeated():
    world = shop()
    world.transport.answers = [
        httpx.Response(429, json={"status": "error", "policyName": "TEN_SECONDLY_ROLLING", "message": "slow down"})
    ]
    assert (await world.session.get("communication-preferences/v3/definitions")).status == 200
    assert (world.session.counters.throttled, world.session.counters.retries) == (1, 1)
    assert world.clock.slept == [10.0]


async def test_the_sandbox_limits_by_account_and_says_so():
    world = shop()
    async with httpx.AsyncClient(transport=world.transport, base_url="http://sandbox/hubspot") as client:
        client.headers["authorization"] = "Bearer sandbox"
        answers = [await client.get("/communication-preferences/v3/definitions") for _ in range(191)]
        assert [a.status_code for a in answers] == [200] * 190 + [429]
        assert answers[0].headers["x-hubspot-ratelimit-max"] == "190"
        assert answers[-1].json()["policyName"] == "TEN_SECONDLY_ROLLING"
        searches = [await client.post("/crm/v3/objects/contacts/search", json={}) for _ in range(6)]
        assert [a.status_code for a in searches] == [200] * 5 + [429]
        assert "x-hubspot-ratelimit-max" not in searches[0].headers


@pytest.mark.parametrize(
    ("status", "headers", "kind", "retry_after"),
    [
        (401, {}, CredentialError, None),
        (403, {}, CredentialError, None),
        (429, {"retry-after": "7"}, RetriableChannelError, 7.0),
        (502, {}, RetriableChannelError, None),
        (400, {}, FatalChannelError, None),
    ],
)
def test_errors_are_sorted_by_what_to_do_and_quote_no_value(status, headers, kind, retry_after):
    body = b'{"category": "VALIDATION_ERROR", "message": "anne@example.fr is bad", "correlationId": "abc"}'
    with pytest.raises(kind) as caught:
        judge_of(hubspot().clock)(Answer(status, headers, body))
    assert getattr(caught.value, "retry_after", None) == retry_after
    assert caught.value.request_id == "abc" and "anne" not in str(caught.value)


# -- traps --------------------------------------------------------------------------------------------------


async def test_trap_01_hubspot_search_lags_and_reads_by_id_do_not():
    world = shop(settings=Settings(search_lag_seconds=60))
    correction = price(world, "1001", "100")
    await world.writer("prices")([correction])
    since = EPOCH - timedelta(minutes=1)
    assert await world.rows("products", since) == [], "the index does not know of the change yet"
    assert [r.value for r in await world.read_back("prices", [correction])] == ["100"]
    old = await world.session.post("crm/v3/objects/products/search", {"properties": ["price"]})
    assert {r["id"]: r["properties"]["price"] for r in old.json()["results"]}["1001"] == "49.9"
    await world.clock.sleep(61)
    assert [row.id for row in await world.rows("products", since)] == ["1001"], "the overlap finds it"
    assert HUBSPOT.endpoints[1].overlap >= timedelta(minutes=5)


async def test_trap_12_hubspot_blocks_an_erased_address():
    world = shop()
    request = {"objectId": "anne1@example.fr", "idProperty": "email"}
    await world.session.post("crm/v3/objects/contacts/gdpr-delete", request)
    again = {"inputs": [{"properties": {"email": "Anne1@example.fr"}, "objectWriteTraceId": "t"}]}
    answer = await world.session.post("crm/v3/objects/contacts/batch/create", again)
    assert answer.status == 207 and answer.json()["errors"][0]["errors"][0]["code"] == "BLOCKED_BY_GDPR_DELETE"
    assert {row.id for row in await world.rows("contacts")} == {"5002", "5003"}
    kept = [doc.text for doc in world.store.select("hubspot", "contacts")]
    assert not any("anne1@" in text for text in kept)


async def test_trap_13_hubspot_phones_are_free_text_and_compare_as_e164(con):
    world = shop()
    await world.stage(con)
    row = con.execute(
        "SELECT phone, phone_e164, write_context FROM hubspot.customers WHERE vendor_id = '5001'"
    ).fetchone()
    assert row[:2] == ("06 12 34 56 78", "+33612345678")
    untouched = world.correction(
        "customers", "phone", "5001", "+33700000000", observed="+33612345678", context=json.loads(row[2])
    )
    assert (await world.read_back("customers", [untouched]))[0].value == "+33612345678", "not seen as a change"
    await world.writer("customers")([untouched])
    assert (await world.read_back("customers", [untouched]))[0].value == "+33700000000"


async def test_trap_14_hubspot_money_is_text_with_the_currencys_own_decimals_and_says_no_tax_basis(con):
    world = shop()
    await world.writer("prices")([price(world, "1001", "8300", "hs_price_jpy", 0)])
    await world.stage(con)
    found = con.execute(
        "SELECT vendor_price_list, currency, amount_minor, tax_basis, write_context FROM hubspot.prices "
        "WHERE vendor_id = '1001' ORDER BY ALL"
    ).fetchall()
    assert found == [
        ("hs_price_chf", "CHF", 5450, "unknown", '{"digits":2}'),
        ("hs_price_jpy", "JPY", 8300, "unknown", '{"digits":0}'),
        ("price", "EUR", 4990, "unknown", '{"digits":2}'),
    ]


async def test_trap_15_hubspot_gives_49_90_back_as_49_9_and_that_is_no_drift(con):
    world = shop()
    correction = price(world, "1002", "7990")
    await world.writer("prices")([correction])
    sent = json.loads(world.transport.exchanges[-1][0].content)
    assert sent["inputs"][0]["properties"] == {"price": "79.90"}
    held = await world.session.get("crm/v3/objects/products/1002", params={"properties": "price"})
    assert held.json()["properties"]["price"] == "79.9"
    assert (await world.read_back("prices", [correction]))[0].value == "7990"
    await world.stage(con)
    assert con.execute("SELECT amount_minor FROM hubspot.prices WHERE vendor_id = '1002'").fetchone() == (7990,)


async def test_trap_16_hubspot_merges_change_ids_and_nothing_is_confirmed_under_the_old_one():
    world = shop()
    await world.session.post("crm/v3/objects/contacts/merge", {"primaryObjectId": "5001", "objectIdToMerge": "5002"})
    rows = {row.id: json.loads(row.payload)["properties"] for row in await world.rows("contacts")}
    merged = next(key for key in rows if key not in ("5001", "5002", "5003"))
    assert rows[merged]["hs_merged_object_ids"] == "5001;5002" and len(rows) == 2
    assert rows[merged][f"hs_email_optout_{NEWS}"] == "true", "a no survives the merge"
    old = world.correction("customers", "city", "5001", "Nice")
    assert not (await world.read_back("customers", [old]))[0].exists
    assert [o.status for o in await world.writer("customers")([old])] == [OutcomeStatus.UNKNOWN]


# -- fidelity -----------------------------------------------------------------------------------------------


async def test_requests_and_answers_are_as_the_spec_says(shared):
    world = shop()
    await HUBSPOT.identify(world.session)
    for endpoint in ("contacts", "products", "definitions"):
        await world.pages(endpoint)
        await world.pages(endpoint, EPOCH - timedelta(days=30))
    prices = [price(world, "1001", "100"), price(world, "9999", "100")]
    await world.writer("prices")(prices)
    await world.read_back("prices", prices)
    cities = [world.correction("customers", "city", key, "Paris") for key in ("5001", "9999")]
    await world.writer("customers")(cities)
    await world.read_back("customers", cities)
    for email in ("anne1@example.fr", "nobody@example.fr"):
        await world.writer("consents")([consent(world, "5001", email)])
        await world.read_back("consents", [consent(world, "5001", email)])
    await world.session.post(
        "crm/v3/objects/contacts/batch/create", {"inputs": [{"properties": {"email": "new@example.fr"}}]}
    )
    await world.session.get("crm/v3/objects/products/1001", params={"properties": "price"})
    await world.session.post("crm/v3/objects/contacts/merge", {"primaryObjectId": "5001", "objectIdToMerge": "5002"})
    assert world.transport.checked > 20


def test_the_official_sdk_reads_and_writes_the_sandbox():
    from hubspot import communication_preferences
    from hubspot.communication_preferences import StatusApi
    from hubspot.communication_preferences.models import PublicUpdateSubscriptionStatusRequest
    from hubspot.crm import contacts, products

    world = shop()
    app = HubspotVendor().app(world.store, Settings())
    with served(app) as url:

        def client_of(package):
            configuration = package.Configuration(host=url)
            configuration.access_token = "sandbox"
            return package.ApiClient(configuration)

        basic = contacts.BasicApi(client_of(contacts))
        page = basic.get_page(limit=2, properties=["email", "loyalty_card"])
        assert [row.properties["email"] for row in page.results] == ["anne1@example.fr", "anne2@example.fr"]
        assert [row.id for row in basic.get_page(limit=2, after=page.paging.next.after).results] == ["5003"]

        people = contacts.BatchApi(basic.api_client)
        change = contacts.SimplePublicObjectBatchInput(
            id="5001", properties={"city": "Nice"}, object_write_trace_id="one"
        )
        wrote = people.update(contacts.BatchInputSimplePublicObjectBatchInput(inputs=[change]))
        assert [row.id for row in wrote.results] == ["5001"]
        assert basic.get_by_id("5001", properties=["city"]).properties["city"] == "Nice"

        client = client_of(products)
        found = products.SearchApi(client).do_search(
            products.PublicObjectSearchRequest(
                filter_groups=[{"filters": [{"propertyName": "hs_sku", "operator": "EQ", "value": "SKU-2"}]}],
                properties=["price"], limit=10, sorts=[], after="0", query="",
            )
        )
        assert (found.total, found.results[0].id) == (1, "1002")
        rows = [
            products.SimplePublicObjectBatchInput(id=key, properties={"price": "1.50"}, object_write_trace_id=key)
            for key in ("1001", "9999")
        ]
        batch = products.BatchApi(client).update(products.BatchInputSimplePublicObjectBatchInput(inputs=rows))
        assert batch.num_errors == 1 and batch.results[0].properties["price"] == "1.5"

        api = StatusApi(client_of(communication_preferences))
        request = PublicUpdateSubscriptionStatusRequest(email_address="anne1@example.fr", subscription_id=NEWS)
        assert api.unsubscribe(request).status == "NOT_SUBSCRIBED"
        statuses = api.get_email_status("anne1@example.fr").subscription_statuses
        assert {s.id: s.status for s in statuses}[NEWS] == "NOT_SUBSCRIBED"
        for pool in (basic.api_client, client, api.api_client):
            pool.rest_client.pool_manager.clear()


def test_the_world_sees_what_it_put_in_and_its_edits_are_logged():
    world = shop()
    before = {c.key: c for c in world.vendor.observe_customers(world.store)}
    moved = replace(before["5003"], city="Brest", consent=Consent("no", EPOCH), birth_date="1980-02-01")
    world.vendor.put_customers(world.store, [moved], EPOCH, log=True)
    assert {c.key: c for c in world.vendor.observe_customers(world.store)}["5003"] == moved
    logged = {(e["kind"], e["field"]): e["after"] for e in world.store.effects(origin="world")}
    assert logged[("contacts", "city")] == "Brest" and logged[("consents", NEWS)] == "no"
    world.vendor.put_prices(world.store, [Price("1001", "price", "EUR", "12,50")], EPOCH, log=True)
    assert ("1001", "price", "EUR", "12,50", None) in set(world.vendor.observe_prices(world.store))
    world.vendor.put_items(world.store, [replace(item(1), title="New name")], EPOCH)
    assert ("1001", "price", "EUR", "12,50", None) in set(world.vendor.observe_prices(world.store)), "prices stay"
    assert list(world.vendor.observe_stock(world.store)) == []
    assert date.fromisoformat(moved.birth_date) == date(1980, 2, 1)


async def test_only_what_trueup_had_filled_in_for_another_person_is_emptied():
    world = shop()
    sent = [world.correction("customers", "first_name", key, None) for key in ("5001", "5002")]
    outcomes = await world.writer("customers")([replace(sent[0], rule="unmerge"), sent[1]])
    assert [o.status for o in outcomes] == [OutcomeStatus.APPLIED, OutcomeStatus.REJECTED]
    readings = [r.value for r in await world.read_back("customers", sent)]
    assert readings[0] is None and readings[1]

"""Brevo, both sides: the channel against the sandbox in process, its description, and the traps of VENDORS.md."""

import json
from datetime import datetime, timedelta

import httpx
import msgspec
import pytest

from pipelines.channels.base import Connection
from pipelines.channels.brevo import BREVO
from pipelines.channels.brevo.session import TOKEN, BrevoLimiter, judge_of
from pipelines.errors import (
    AmbiguousWrite,
    ConfigurationError,
    CredentialError,
    FatalChannelError,
    RetriableChannelError,
)
from pipelines.http import Answer
from pipelines.model import OutcomeStatus
from sandbox.brevo import ORGANIZATION, BrevoVendor
from sandbox.records import Consent, Customer, replace
from sandbox.store import stamp
from sandbox.vendor import Place, Settings
from tests.channels.harness import EPOCH, Outside, outside

LIST, OTHER = "7", "12"
JUNE = EPOCH - timedelta(days=10)
MAY = EPOCH - timedelta(days=40)
NAMES = {
    "first_name": "PRENOM", "last_name": "NOM", "phone": "TELEPHONE", "street": "ADRESSE", "city": "VILLE",
    "postcode": "CODE_POSTAL",
}
PARIS = {"street": "1 rue X", "city": "Lyon", "postcode": "69001", "phone": "06 12 34 56 78", "card": "C-1"}


def customer(number: int, **rest) -> Customer:
    given = {
        "first_name": "Anne", "last_name": f"Martin {number}", "email": f"anne{number}@example.fr",
        "consent": Consent("yes"), "created_at": MAY,
    }
    return Customer(key=str(number), **given | rest)


def brevo(*, settings: Settings | None = None, per_list: bool = False, **options: str) -> Outside:
    """An account with two lists, the second one empty."""
    world = outside(BrevoVendor(per_list=per_list), BREVO, TOKEN, settings=settings)
    places = [Place(LIST, "La lettre", "audience"), Place(OTHER, "Jeu-concours", "audience")]
    world.vendor.put_places(world.store, places, MAY)
    world.session.options = options
    return world


def club(**rest) -> Outside:
    """Four contacts: yes, blacklisted, in no list, yes."""
    world = brevo(**rest)
    world.vendor.put_customers(
        world.store,
        [
            customer(1, birth_date="1980-02-01", **PARIS), customer(2, consent=Consent("no")),
            customer(3, consent=Consent("none")), customer(4),
        ],
        JUNE,
    )
    return world


async def put(world: Outside, number: int, **body) -> None:
    """A change by another client of the API."""
    await world.session.call("PUT", f"v3/contacts/{number}", body=body, params={"identifierType": "contact_id"})


def held(world: Outside, number: int) -> dict:
    return world.store.get("brevo", "contacts", str(number)).body


def field(world: Outside, number: int, name: str, desired: str | None, **rest):
    context = {"attributes": NAMES, "phone": None} | rest
    return world.correction("customers", name, str(number), desired, context=context)


def consent(world: Outside, number: int, desired: str = "no", sub: str = LIST, bans: bool = True):
    return world.correction("consents", "state", str(number), desired, sub=sub, context={"bans": bans})


def states(world: Outside) -> dict[str, str]:
    return {c.key: c.consent.state for c in world.vendor.observe_customers(world.store)}


def crowd(world: Outside, count: int) -> None:
    """`count` contacts, numbered in the order in which they were made."""
    world.vendor.put_customers(world.store, [customer(n + 1) for n in range(count)], JUNE)


def cut(world: Outside, most: int) -> None:
    """Brevo gives no more than `most` contacts a page, whatever is asked for."""
    inner = world.transport.handle_async_request

    async def capped(request: httpx.Request) -> httpx.Response:
        limit = int(request.url.params.get("limit", 0))
        if request.url.path.endswith("/contacts") and limit > most:
            request = httpx.Request(
                request.method, request.url.copy_set_param("limit", str(most)), headers=request.headers
            )
        return await inner(request)

    world.transport.handle_async_request = capped


# -- reads --------------------------------------------------------------------------------------------------


async def test_census_reads_every_contact_over_overlapping_pages_and_declares_totals():
    world = brevo()
    crowd(world, 2_500)
    pages = await world.pages("contacts")
    rows = [row for page in pages for row in page.rows]
    assert sorted(int(row.id) for row in rows) == list(range(1, 2_501))
    assert {page.total for page in pages} == {None, 2_500}
    assert len(world.transport.exchanges) == 3 + 1, "three pages, and the count when they were read"
    assert {request.url.params["sort"] for request, _ in world.transport.exchanges} == {"asc"}
    assert rows[0].updated_at == stamp(MAY)


@pytest.mark.parametrize("count", [0, 1, 21, 980, 1_000, 1_001, 1_981])
@pytest.mark.parametrize("changes", ["sweep", "modified"])
async def test_a_page_that_is_exactly_full_is_not_taken_for_the_end(count, changes):
    world = brevo(changes=changes)
    crowd(world, count)
    assert len(await world.rows("contacts", MAY - timedelta(days=1))) == count


@pytest.mark.parametrize("most", [500, 30, 7])
@pytest.mark.parametrize("changes", ["sweep", "modified"])
async def test_pages_that_are_silently_cut_short_lose_nobody(most, changes):
    world = brevo(changes=changes)
    crowd(world, 40 * most + 3 if most < 100 else 1_203)
    cut(world, most)
    assert len(await world.rows("contacts", MAY - timedelta(days=1))) == len(states(world))


async def test_the_lists_are_read_whole():
    world = brevo()
    more = [Place(str(100 + n), f"Liste {n}", "audience") for n in range(70)]
    world.vendor.put_places(world.store, more, MAY)
    rows = await world.rows("lists")
    assert [row.id for row in rows][:2] == [LIST, OTHER] and len(rows) == 72
    assert {page.total for page in await world.pages("lists")} == {72}


async def test_a_night_reads_everybody_unless_the_estate_chose_the_filter():
    world = club()
    world.vendor.put_customers(world.store, [customer(4, city="Brest")], EPOCH, log=True)
    assert len(await world.rows("contacts", EPOCH - timedelta(minutes=5))) == 4
    world.session.options = {"changes": "modified"}
    rows = await world.rows("contacts", EPOCH - timedelta(minutes=5))
    assert [(row.id, row.updated_at) for row in rows] == [("4", stamp(EPOCH))]
    assert {page.total for page in await world.pages("contacts", EPOCH)} == {None}, "what a filter counts is not said"
    assert await world.rows("contacts", EPOCH + timedelta(minutes=5)) == []


async def test_trap_02_brevo_leaves_equal_stamps_out_and_the_window_does_not():
    world = club(changes="modified")
    world.vendor.put_customers(world.store, [customer(50)], EPOCH, log=True)
    world.vendor.put_customers(world.store, [customer(51)], EPOCH - timedelta(seconds=3), log=True)
    answer = await world.session.get("v3/contacts", params={"modifiedSince": stamp(EPOCH)})
    assert answer.json()["count"] == 0
    assert [row.id for row in await world.rows("contacts", EPOCH)] == ["50"]


async def test_a_filter_that_is_silently_ignored_is_noticed():
    world = club(changes="modified")
    inner = world.transport.handle_async_request

    async def deaf(request: httpx.Request) -> httpx.Response:
        url = request.url.copy_remove_param("modifiedSince")
        return await inner(httpx.Request(request.method, url, headers=request.headers))

    world.transport.handle_async_request = deaf
    with pytest.raises(FatalChannelError, match='changes = "sweep"'):
        await world.pages("contacts", EPOCH)


async def test_an_unsubscription_that_moves_no_date_is_seen_the_same_night():
    world = club()
    world.vendor.put_customers(world.store, [customer(4, consent=Consent("no"))], EPOCH, log=True)
    rows = {row.id: json.loads(row.payload) for row in await world.rows("contacts", EPOCH - timedelta(minutes=5))}
    assert rows["4"]["emailBlacklisted"] is True and rows["4"]["modifiedAt"] == stamp(MAY)
    world.session.options = {"changes": "modified"}
    assert await world.rows("contacts", EPOCH - timedelta(minutes=5)) == [], "the filter alone would have missed it"


async def test_trap_04_brevo_deleted_contacts_leave_the_list_and_only_the_count_shows_it():
    world = club(changes="modified")
    before, cursor = await world.counted("contacts"), world.clock.now()
    await world.session.call("DELETE", "v3/contacts/4")
    assert await world.rows("contacts", cursor) == []
    assert await world.counted("contacts") == before - 1 == len(await world.rows("contacts"))


async def test_trap_05_brevo_pages_shift_while_contacts_come_and_go_and_none_is_lost():
    """At every page, 30 contacts that were read already go (more than the overlap) and one comes."""
    world = brevo()
    crowd(world, 4_000)
    calls = 0
    inner = world.transport.handle_async_request

    async def busy(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        answer = await inner(request)
        if request.url.params.get("limit") == "1000" and calls < 20:
            gone = [str(n) for n in range(calls * 30 + 1, calls * 30 + 31)]
            calls += 1
            world.vendor.delete(world.store, "customers", gone, world.store.now())
            world.vendor.put_customers(world.store, [customer(9_000 + calls)], world.store.now(), log=True)
        return answer

    world.transport.handle_async_request = busy
    read = {int(row.id) for row in await world.rows("contacts")}
    assert calls >= 5 and set(range(calls * 30 + 1, 4_001)) <= read
    assert {9_000 + n for n in range(1, calls)} <= read


async def test_trap_05_brevo_newest_first_is_the_default_and_would_lose_contacts():
    """Why the reads ask for the other order: with the default one, who is deleted hides the next page's first."""
    world = brevo()
    crowd(world, 300)
    first = (await world.session.get("v3/contacts", params={"limit": 100})).json()["contacts"]
    world.vendor.delete(world.store, "customers", [str(first[0]["id"])], EPOCH)
    second = (await world.session.get("v3/contacts", params={"limit": 100, "offset": 100})).json()["contacts"]
    assert first[0]["id"] == 300 and second[0]["id"] == first[-1]["id"] - 2, "number 200 was never shown"


async def test_a_list_that_empties_while_it_is_read_is_no_endless_loop():
    world = brevo()
    crowd(world, 3_000)
    inner = world.transport.handle_async_request

    async def emptied(request: httpx.Request) -> httpx.Response:
        answer = await inner(request)
        world.vendor.delete(world.store, "customers", [str(n) for n in range(101, 3_001)], world.store.now())
        return answer

    world.transport.handle_async_request = emptied
    assert {int(row.id) for row in await world.rows("contacts")} >= set(range(1, 101))
    world = brevo()
    crowd(world, 3_000)
    inner = world.transport.handle_async_request

    async def exchanged(request: httpx.Request) -> httpx.Response:
        answer = await inner(request)
        world.vendor.delete(world.store, "customers", [str(n) for n in range(1, 2_990)], world.store.now())
        return answer

    world.transport.handle_async_request = exchanged
    with pytest.raises(FatalChannelError, match="deleted meanwhile"):
        await world.rows("contacts")


async def test_an_answer_without_contacts_is_no_empty_page():
    world = club()
    world.transport.answers = [httpx.Response(200, json={"count": 4})]
    with pytest.raises(FatalChannelError):
        await world.pages("contacts")


# -- attributes ---------------------------------------------------------------------------------------------


async def test_the_account_says_where_our_fields_are():
    rows = {row.id: json.loads(row.payload) for row in await brevo().rows("attributes")}
    assert {field: row["name"] for field, row in rows.items()} == NAMES | {
        "country": "PAYS", "card": "CARTE_FIDELITE", "birth_date": "DATE_NAISSANCE"
    }
    assert rows["birth_date"] == {
        "field": "birth_date", "name": "DATE_NAISSANCE", "category": "normal", "type": "date"
    }


async def test_an_option_names_an_attribute_and_sms_is_always_there():
    world = brevo(phone="sms", card="TELEPHONE")
    rows = {row.id: json.loads(row.payload)["name"] for row in await world.rows("attributes")}
    assert (rows["phone"], rows["card"]) == ("SMS", "TELEPHONE")
    world.transport.answers = [httpx.Response(200, json={"attributes": []})]
    world.session.options = {}
    assert [row.id for row in await world.rows("attributes")] == ["phone"], "an account of SMS alone"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"card": "CARD"}, "options, card: the account has no attribute CARD"),
        ({"card": "POINTS"}, "options, card: the attribute POINTS is of type float, and this takes text"),
        ({"first_name": "DOUBLE_OPT-IN"}, "first_name: the attribute DOUBLE_OPT-IN is of type category"),
        ({"birth_date": "VIP"}, "birth_date: the attribute VIP is of type boolean, and this takes date or text"),
        ({"phone": "WHATSAPP"}, "phone: WHATSAPP cannot be kept up here"),
        ({}, "first_name: the account has FIRSTNAME and PRENOM: say which one holds it"),
    ],
)
async def test_what_cannot_be_chosen_is_asked_for(options, says):
    world = brevo(**options)
    for name in ("WHATSAPP", *(() if options else ("FIRSTNAME",))):
        await world.session.post(f"v3/contacts/attributes/normal/{name}", {"type": "text"})
    with pytest.raises(FatalChannelError, match=says.replace("(", r"\(")):
        await world.rows("attributes")


# -- stage --------------------------------------------------------------------------------------------------


async def test_what_is_staged_is_what_the_world_put_in(con):
    world = club()
    con.execute("INSERT INTO estate.audiences VALUES ('brevo', ?, 'email', 'newsletter')", [LIST])
    assert await world.stage(con) == {"brevo.customers": 4, "brevo.consents": 4}
    people = con.execute(
        "SELECT vendor_id, first_name, last_name, email, coalesce(phone, ''), coalesce(street, ''), "
        "coalesce(city, ''), coalesce(postcode, ''), coalesce(card, ''), coalesce(CAST(birth_date AS VARCHAR), '') "
        "FROM brevo.customers"
    ).fetchall()
    assert sorted(people) == sorted(
        (c.key, c.first_name, c.last_name, c.email, c.phone, c.street, c.city, c.postcode, c.card, c.birth_date)
        for c in world.vendor.observe_customers(world.store)
    )
    found = con.execute(
        "SELECT vendor_id, state, vendor_state, changed_at, has_proof FROM brevo.consents ORDER BY vendor_id"
    ).fetchall()
    assert found == [
        ("1", "yes", "in the list", None, False),
        ("2", "no", "blacklisted", None, False),
        ("3", "unknown", "not in the list", None, False),
        ("4", "yes", "in the list", None, False),
    ]


async def test_a_list_that_was_left_alone_is_a_no_to_that_list(con):
    world = club(per_list=True)
    await put(world, 2, listIds=[int(OTHER)])
    await world.stage(con)
    found = con.execute(
        "SELECT vendor_id, vendor_audience_id, state, vendor_state FROM brevo.consents ORDER BY ALL"
    ).fetchall()
    assert found == [
        ("1", LIST, "yes", "in the list"), ("2", OTHER, "yes", "in the list"),
        ("2", LIST, "no", "unsubscribed from the list"), ("4", LIST, "yes", "in the list"),
    ]


async def test_trap_13_brevo_an_sms_number_has_its_country_and_no_plus(con):
    world = club(phone="SMS")
    for number, given in ((1, "+33612345678"), (4, "0041791234567")):
        await put(world, number, attributes={"SMS": given})
    await world.stage(con)
    found = con.execute("SELECT phone, phone_e164 FROM brevo.customers WHERE phone IS NOT NULL ORDER BY phone")
    assert found.fetchall() == [("33612345678", "+33612345678"), ("41791234567", "+41791234567")]


# -- writes -------------------------------------------------------------------------------------------------


async def test_fields_of_one_contact_go_out_in_one_call_and_are_looked_at_and_blank_nothing_else():
    world = club()
    sent = [field(world, 1, "first_name", "Ana"), field(world, 1, "city", "Nice")]
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED] * 2
    assert world.transport.paths() == ["PUT /brevo/v3/contacts/1", "GET /brevo/v3/contacts/1"]
    effects = world.api_effects()
    assert [(e["field"], e["before"], e["after"]) for e in effects] == [
        ("PRENOM", "Anne", "Ana"), ("VILLE", "Lyon", "Nice")
    ]
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED] * 2
    assert world.api_effects() == effects, "a repeat changes nothing"
    assert [r.value for r in await world.read_back("customers", sent)] == ["Ana", "Nice"]
    after = next(c for c in world.vendor.observe_customers(world.store) if c.key == "1")
    assert (after.last_name, after.phone, after.street, after.card) == (
        "Martin 1", "06 12 34 56 78", "1 rue X", "C-1"
    )
    body = json.loads(world.transport.exchanges[0][0].content)
    assert body == {"attributes": {"PRENOM": "Ana", "VILLE": "Nice"}}, "no list, no permission, nothing else"


async def test_what_cannot_be_written_is_refused_row_by_row():
    world = club()
    outcomes = await world.writer("customers")([
        field(world, 1, "first_name", " "), field(world, 1, "last_name", None),
        field(world, 1, "city", "Nice", attributes={**NAMES, "city": None}), field(world, 1, "street", "2 rue Y"),
    ])
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.REJECTED, "BLANK"), (OutcomeStatus.REJECTED, "BLANK"),
        (OutcomeStatus.REJECTED, "NO_ATTRIBUTE"), (OutcomeStatus.APPLIED, ""),
    ]
    assert [(e["field"], e["after"]) for e in world.api_effects()] == [("ADRESSE", "2 rue Y")]
    gone = await world.writer("customers")([field(world, 99, "city", "Nice"), field(world, 99, "street", "x")])
    assert [(o.status, o.code) for o in gone] == [(OutcomeStatus.REJECTED, "GONE")] * 2
    assert "99" not in states(world), "nobody is created"


async def test_what_brevo_passes_over_in_silence_is_of_unknown_end():
    world = club()
    strange = {**NAMES, "city": "VILLE_2", "street": "DATE_NAISSANCE"}
    sent = [field(world, 1, name, "Nice", attributes=strange) for name in ("city", "street", "last_name")]
    outcomes = await world.writer("customers")(sent)
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.UNKNOWN, "NOT_SHOWN"), (OutcomeStatus.UNKNOWN, "NOT_SHOWN"), (OutcomeStatus.APPLIED, "")
    ]
    assert "anne" not in "".join(o.message + o.code for o in outcomes)


async def test_a_number_that_is_written_may_not_be_sent_to():
    """SMS is a channel of its own: nobody has said yes for the number that we know from elsewhere."""
    world = club()
    names = {**NAMES, "phone": "SMS"}
    sent = [field(world, 1, "phone", "+33612345678", attributes=names)]
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED]
    assert held(world, 1)["attributes"]["SMS"] == "33612345678" and held(world, 1)["smsBlacklisted"] is True
    assert [r.value for r in await world.read_back("customers", sent)] == ["+33612345678"]
    own = [field(world, 4, "phone", "+33612345679")]
    await world.writer("customers")(own)
    assert held(world, 4)["attributes"]["TELEPHONE"] == "+33612345679" and held(world, 4)["smsBlacklisted"] is False


@pytest.mark.parametrize(("kind", "name", "stored"), [("float", "POINTS", 120), ("text", "PRENOM", "120")])
async def test_points_are_written_as_their_attribute_takes_them(con, kind, name, stored):
    world = club(loyalty_points=name)
    sent = [field(world, 4, "loyalty_points", "120", attributes={"loyalty_points": name}, points_type=kind)]
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED]
    assert held(world, 4)["attributes"][name] == stored
    assert [r.value for r in await world.read_back("customers", sent)] == ["120"]
    await put(world, 4, attributes={name: 0 if kind == "float" else "0"})
    assert [r.value for r in await world.read_back("customers", sent)] == ["0"], "none left is not unknown"
    world.session.options |= {"first_name": "VILLE"}
    await world.stage(con)
    row = con.execute(
        "SELECT loyalty_points, write_context->>'$.points_type' FROM brevo.customers WHERE vendor_id = '4'"
    ).fetchone()
    assert row == ("0", kind)


async def test_a_number_of_another_contact_is_refused_and_takes_no_other_field_with_it_in_the_end():
    world = club()
    names = {**NAMES, "phone": "SMS"}
    await world.writer("customers")([field(world, 1, "phone", "+33612345678", attributes=names)])
    both = [
        field(world, 4, "phone", "+33612345678", attributes=names), field(world, 4, "city", "Nice", attributes=names)
    ]
    with pytest.raises(FatalChannelError) as caught:
        await world.writer("customers")(both)
    assert caught.value.status == 400, "refused together: push halves it"
    halves = [(await world.writer("customers")([one]))[0] for one in both]
    assert [(o.status, o.code) for o in halves] == [
        (OutcomeStatus.REJECTED, "duplicate_parameter"), (OutcomeStatus.APPLIED, "")
    ]


async def test_an_untouched_free_text_phone_reads_as_it_was_observed():
    world = club()
    asked = world.correction(
        "customers", "phone", "1", "+33699999999", observed="+33612345678",
        context={"attributes": NAMES, "phone": "06 12 34 56 78"},
    )
    assert [r.value for r in await world.read_back("customers", [asked])] == ["+33612345678"]
    await put(world, 1, attributes={"TELEPHONE": "07 00 00 00 00"})
    assert [r.value for r in await world.read_back("customers", [asked])] == ["07 00 00 00 00"]


async def test_a_permission_is_lowered_never_raised_and_nobody_is_created():
    world = club()
    new = world.correction("consents", "state", "new:abc", "pending", sub=LIST, context={"email": "new@example.fr"})
    sent = [consent(world, 1), consent(world, 2, "yes"), consent(world, 4, "pending"), new]
    outcomes = [(await world.writer("consents")([one]))[0] for one in sent]
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.APPLIED, ""), *[(OutcomeStatus.REJECTED, "RAISE_REFUSED")] * 3
    ]
    assert [(r.value, r.exists) for r in await world.read_back("consents", sent)] == [
        ("no", True), ("no", True), ("yes", True), (None, False)
    ]
    lowered = [(e["key"], e["field"], e["before"], e["after"]) for e in world.api_effects() if e["kind"] == "consents"]
    assert lowered == [("1", LIST, "yes", "no"), ("1", OTHER, "none", "no")], "the blacklist is for every list"
    assert held(world, 1)["listIds"] == [7], "blacklisted where he is: the no is kept with the contact"
    assert states(world) == {"1": "no", "2": "no", "3": "none", "4": "yes"}


async def test_where_two_purposes_are_mapped_a_no_to_one_leaves_the_one_list_alone(con):
    world = club()
    await put(world, 1, listIds=[int(OTHER)])
    con.executemany("INSERT INTO estate.audiences VALUES ('brevo', ?, 'email', ?)", [(LIST, "news"), (OTHER, "offers")])
    await world.stage(con)
    ways = con.execute(
        "SELECT vendor_id, vendor_audience_id, write_context->>'$.bans' FROM brevo.consents "
        "WHERE state = 'yes' ORDER BY ALL"
    ).fetchall()
    assert ways == [("1", OTHER, "false"), ("1", LIST, "false"), ("4", LIST, "false")], "also of who is in one only"
    sent = [consent(world, 1, bans=False)]
    assert [r.value for r in await world.read_back("consents", sent)] == ["yes"]
    assert [o.status for o in await world.writer("consents")(sent)] == [OutcomeStatus.APPLIED]
    assert (held(world, 1)["listIds"], held(world, 1)["emailBlacklisted"]) == ([12], False)
    assert [r.value for r in await world.read_back("consents", sent)] == ["no"]
    await world.stage(con)
    found = con.execute("SELECT vendor_audience_id, state FROM brevo.consents WHERE vendor_id = '1' ORDER BY ALL")
    assert found.fetchall() == [(OTHER, "yes"), (LIST, "unknown")], "the other purpose is untouched"


async def test_an_opt_out_that_does_not_say_its_way_leaves_the_list_and_blacklists_nobody():
    world = club()
    sent = [world.correction("consents", "state", "1", "no", sub=LIST, context={})]
    assert [o.status for o in await world.writer("consents")(sent)] == [OutcomeStatus.APPLIED]
    assert json.loads(world.transport.exchanges[0][0].content) == {"unlinkListIds": [7]}
    assert held(world, 1)["emailBlacklisted"] is False and 7 not in held(world, 1)["listIds"]
    assert [r.value for r in await world.read_back("consents", sent)] == ["no"]


async def test_an_opt_out_of_somebody_who_is_gone_is_seen_before_it_is_written():
    world = club()
    await world.session.call("DELETE", "v3/contacts/4")
    sent = [consent(world, 4)]
    assert [(r.exists, r.value) for r in await world.read_back("consents", sent)] == [(False, None)]
    outcomes = await world.writer("consents")(sent)
    assert [(o.status, o.code) for o in outcomes] == [(OutcomeStatus.REJECTED, "GONE")]


async def test_no_write_of_a_field_touches_a_permission():
    world = club()
    before = states(world)
    for number in (1, 2, 3, 4):
        await world.writer("customers")([field(world, number, "first_name", "Zoe")])
    assert [e for e in world.api_effects() if e["kind"] == "consents"] == [] and states(world) == before


async def test_a_lost_answer_to_a_field_is_ambiguous_and_to_an_opt_out_is_asked_again():
    world = club()
    world.transport.answers = [httpx.ReadTimeout("lost")]
    with pytest.raises(AmbiguousWrite):
        await world.writer("customers")([field(world, 1, "first_name", "Ana")])
    world.transport.answers = [httpx.ReadTimeout("lost")]
    assert [o.status for o in await world.writer("consents")([consent(world, 1)])] == [OutcomeStatus.APPLIED]


async def test_two_opt_outs_of_one_contact_are_one_call():
    world = club(per_list=True)
    await put(world, 1, listIds=[int(OTHER)])
    world.transport.exchanges.clear()
    sent = [consent(world, 1, bans=False), consent(world, 1, sub=OTHER, bans=False)]
    assert [o.status for o in await world.writer("consents")(sent)] == [OutcomeStatus.APPLIED] * 2
    assert json.loads(world.transport.exchanges[0][0].content) == {"unlinkListIds": [7, 12]}
    assert len(world.transport.exchanges) == 2


# -- why not by batch, why not by import ---------------------------------------------------------------------


async def test_a_batch_names_nobody_and_fails_all_for_one_who_is_gone():
    world = club()
    rows = [{"id": 1, "attributes": {"VILLE": "Nice"}}, {"id": 99, "attributes": {"VILLE": "Nice"}}]
    with pytest.raises(FatalChannelError) as caught:
        await world.session.post("v3/contacts/batch", {"contacts": rows})
    assert (caught.value.status, caught.value.code) == (404, "document_not_found") and world.api_effects() == []
    rows = [{"id": 1, "attributes": {"DATE_NAISSANCE": "soon"}}, {"id": 4, "attributes": {"VILLE": "Nice"}}]
    answer = await world.session.post("v3/contacts/batch", {"contacts": rows})
    assert (answer.status, answer.body) == (204, b"") and held(world, 1)["attributes"]["DATE_NAISSANCE"] == "1980-02-01"


async def test_an_import_subscribes_whom_it_corrects_and_makes_who_is_not_there():
    world = club(settings=Settings(bulk_seconds=30))
    rows = [
        {"email": "anne3@example.fr", "attributes": {"VILLE": "Nice"}}, {"email": "anne2@example.fr", "attributes": {}},
        {"email": "nobody@example.fr", "attributes": {}}, {"email": "no address", "attributes": {}},
    ]
    with pytest.raises(FatalChannelError, match="missing_parameter"):
        await world.session.post("v3/contacts/import", {"jsonBody": rows})
    answer = await world.session.post("v3/contacts/import", {"jsonBody": rows, "listIds": [7]})
    number = answer.json()["processId"]
    assert (await world.session.get(f"v3/processes/{number}")).json()["status"] == "queued"
    assert states(world)["3"] == "none"
    world.store.set_now(world.store.now() + timedelta(seconds=31))
    process = (await world.session.get(f"v3/processes/{number}")).json()
    assert process == {"id": number, "name": "IMPORTUSER", "status": "completed"}, "of no row is anything said"
    assert states(world) == {"1": "yes", "2": "no", "3": "yes", "4": "yes", "5": "yes"}
    assert (await world.session.get("v3/processes")).json()["count"] == 1


async def test_trap_12_brevo_lets_an_erased_address_back_in_without_its_no():
    world = club()
    world.vendor.erase(world.store, ["2"], EPOCH)
    body = {"email": "anne2@example.fr", "listIds": [7]}
    assert (await world.session.post("v3/contacts", body)).json() == {"id": 5}
    assert states(world)["5"] == "yes", "a tombstone of our own is all that keeps him out"
    again = await world.session.post("v3/contacts", {"email": "anne2@example.fr", "updateEnabled": True})
    assert again.status == 204
    with pytest.raises(FatalChannelError, match="duplicate_parameter"):
        await world.session.post("v3/contacts", {"email": "anne2@example.fr"})


async def test_trap_16_brevo_a_new_address_keeps_the_number():
    world = club()
    await put(world, 4, attributes={"EMAIL": "ann@example.fr"})
    assert held(world, 4)["email"] == "ann@example.fr"
    assert [o.status for o in await world.writer("customers")([field(world, 4, "city", "Nice")])] == [
        OutcomeStatus.APPLIED
    ]


async def test_a_bare_number_is_never_taken_for_a_phones():
    world = club(phone="SMS")
    await put(world, 1, attributes={"SMS": "+33612345678"})
    assert (await world.session.get("v3/contacts/33612345678")).json()["id"] == 1
    ghost = world.correction("consents", "state", "33612345678", "no", sub=LIST, context={})
    assert [r.exists for r in await world.read_back("consents", [ghost])] == [False]


# -- the session --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["", "/", "/v3", "/v3/"])
async def test_identify_names_the_account_at_either_form_of_its_address(suffix):
    world = brevo()
    connection = Connection(f"http://sandbox/brevo{suffix}", {TOKEN: "sandbox"}, {}, world.clock, world.transport)
    identity = await BREVO.identify(BREVO.connect(connection))
    assert (identity.shop_id, identity.name) == (ORGANIZATION, "Sandbox")


async def test_an_account_of_old_is_known_by_a_fingerprint_of_its_login():
    world = brevo()
    ids = []
    for login in ("owner@example.fr", " Owner@Example.fr", "other@example.fr"):
        world.transport.answers = [httpx.Response(200, json={"email": login, "companyName": ""})]
        ids.append((await BREVO.identify(world.session)).shop_id)
    assert ids[0] == ids[1] != ids[2] and all(one.startswith("login-") and "@" not in one for one in ids)
    world.transport.answers = [httpx.Response(200, json={})]
    with pytest.raises(FatalChannelError, match="neither"):
        await BREVO.identify(world.session)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"code": "unauthorized", "message": "Key not found"}', CredentialError),
        (403, b'{"code": "permission_denied"}', CredentialError),
        (425, b"", RetriableChannelError),
        (429, b"too many", RetriableChannelError),
        (500, b"oops", RetriableChannelError),
        (402, b'{"code": "not_enough_credits"}', FatalChannelError),
        (400, b'{"code": "duplicate_parameter", "message": "anne@example.fr"}', FatalChannelError),
    ],
)
def test_errors_are_sorted_by_what_to_do_and_quote_no_value(status, body, kind):
    with pytest.raises(kind) as caught:
        judge_of(brevo().clock)(Answer(status, {"retry-after": "3", "x-sib-ratelimit-reset": "7"}, body))
    waits = {429: 7.0, 500: 3.0, 425: None}
    assert getattr(caught.value, "retry_after", "none") == waits.get(status, "none")
    assert "anne" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"frist_name": "PRENOM"}, "'frist_name' is not known.*first_name"),
        ({"changes": "sometimes"}, "changes is one of sweep, modified"),
        ({"calls_per_second": "fast"}, "calls_per_second is a whole number"),
        ({"calls_per_second": "0"}, "calls_per_second is a whole number"),
    ],
)
def test_an_option_that_is_mistyped_is_an_error_that_says_so(options, says):
    with pytest.raises(ConfigurationError, match=says):
        BREVO.connect(Connection("http://sandbox/brevo", {TOKEN: "x"}, options, brevo().clock))


async def test_ten_calls_a_second_are_never_exceeded():
    world = club()
    started = world.clock.monotonic()
    many = [consent(world, n) for n in range(1, 41)]
    await world.read_back("consents", many)
    assert {answer.status_code for _, answer in world.transport.exchanges} == {200, 404}, "and none is turned away"
    assert world.clock.monotonic() - started >= 3 and world.session.counters.throttled == 0


async def test_a_full_window_is_waited_for_as_long_as_brevo_says():
    world = club()
    for _ in range(100):
        await BREVO.identify(world.session)
    world.transport.exchanges.clear()
    before = world.clock.monotonic()
    await BREVO.identify(world.session)
    refused = world.transport.exchanges[0][1]
    assert refused.status_code == 429 and refused.headers["x-sib-ratelimit-remaining"] == "0"
    waited = world.clock.monotonic() - before
    assert waited >= int(refused.headers["x-sib-ratelimit-reset"]) > 3_000 and world.session.counters.throttled == 1


async def test_one_refusal_holds_everybody_back():
    world = club()
    limiter, before = BrevoLimiter(10, world.clock), world.clock.monotonic()
    limiter.observe(Answer(200, {"x-sib-ratelimit-reset": "60", "x-sib-ratelimit-remaining": "0"}, b""))
    await limiter.acquire(1)
    assert world.clock.monotonic() == before, "that window may be another path's"
    limiter.observe(Answer(429, {"x-sib-ratelimit-reset": "7"}, b""))
    await limiter.acquire(1)
    assert world.clock.monotonic() - before >= 7


async def test_every_answer_says_what_is_left():
    world = club()
    await world.session.get("v3/contacts", params={"limit": 1})
    headers = world.transport.exchanges[0][1].headers
    names = [f"x-sib-ratelimit-{name}" for name in ("limit", "remaining", "reset")]
    assert [headers[name] for name in names] == ["10", "9", "1"]


# -- fidelity -----------------------------------------------------------------------------------------------


async def test_requests_and_answers_are_as_the_description_says(shared):
    world = club()
    await BREVO.identify(world.session)
    for options in ({}, {"changes": "modified"}):
        world.session.options = options
        for since in (None, JUNE):
            for endpoint in BREVO.endpoints:
                await world.pages(endpoint.name, since)
    await world.counted("contacts")
    await world.writer("customers")([field(world, 1, "first_name", "Ana")])
    await world.writer("customers")([field(world, 99, "first_name", "Ana")])
    await world.writer("consents")([consent(world, 1)])
    await world.writer("consents")([consent(world, 4, bans=False)])
    await world.read_back("consents", [consent(world, 1)])
    await world.session.get(f"v3/contacts/lists/{LIST}")
    await world.session.get(f"v3/contacts/lists/{LIST}/contacts", params={"limit": 500})
    moved = await world.session.post(f"v3/contacts/lists/{OTHER}/contacts/add", {"ids": [1, 2]})
    assert moved.json() == {"contacts": {"success": [1, 2]}}
    gone = await world.session.post(f"v3/contacts/lists/{OTHER}/contacts/remove", {"ids": [1, 99]})
    assert gone.json() == {"contacts": {"success": [1], "failure": [99]}}
    for limit in (1001, -1):
        with pytest.raises(FatalChannelError, match="out_of_range"):
            await world.session.get("v3/contacts", params={"limit": limit})
    await world.session.call("DELETE", "v3/contacts/anne3@example.fr")
    assert world.transport.checked > 25


def test_the_world_sees_what_it_put_in_and_its_edits_are_logged():
    world = club()
    before = {c.key: c for c in world.vendor.observe_customers(world.store)}
    left = replace(before["4"], first_name="Ana", consent=Consent("no"))
    world.vendor.put_customers(world.store, [left], EPOCH, log=True)
    assert {c.key: c for c in world.vendor.observe_customers(world.store)}["4"] == left
    logged = {(e["kind"], e["field"]): (e["before"], e["after"]) for e in world.store.effects(origin="world")}
    assert logged[("contacts", "PRENOM")] == ("Anne", "Ana") and logged[("consents", LIST)] == ("yes", "no")
    world.vendor.delete(world.store, "customers", ["4"], EPOCH)
    assert "4" not in states(world)
    assert list(world.vendor.observe_prices(world.store)) == list(world.vendor.observe_stock(world.store)) == []


def test_a_contact_that_is_seeded_is_as_old_as_it_says():
    world = brevo()
    crowd(world, 1)
    assert datetime.fromisoformat(held(world, 1)["modifiedAt"]) == MAY
    assert msgspec.json.decode(world.store.get("brevo", "contacts", "1").text)["createdAt"] == stamp(MAY)

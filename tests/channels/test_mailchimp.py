"""Mailchimp, both sides: the channel against the sandbox in process, its spec, its SDK, and the traps of VENDORS.md."""

import asyncio
import json
from datetime import timedelta
from hashlib import md5

import httpx
import pytest

from pipelines.channels.base import RawRow
from pipelines.channels.mailchimp import MAILCHIMP, reads
from pipelines.channels.mailchimp.session import MAX_OPEN, TOKEN, judge_of
from pipelines.errors import AmbiguousWrite, CredentialError, FatalChannelError, RetriableChannelError
from pipelines.http import Answer
from pipelines.model import OutcomeStatus
from sandbox.mailchimp import ACCOUNT_ID, MailchimpVendor
from sandbox.records import Consent, Customer, replace
from sandbox.vendor import Place, Settings
from tests.channels.harness import EPOCH, Outside, outside, served

LIST, OTHER = "a1b2c3d4e5", "0f9e8d7c6b"
JUNE = EPOCH - timedelta(days=10)
MAY = EPOCH - timedelta(days=40)


def hashed(email: str) -> str:
    return md5(email.lower().encode(), usedforsecurity=False).hexdigest()


def customer(number: int, **rest) -> Customer:
    email = rest.pop("email", f"anne{number}@example.fr")
    given = {"first_name": "Anne", "last_name": f"Martin {number}", "consent": Consent("yes", MAY)} | rest
    return Customer(key=hashed(email), email=email, **given)


def mailchimp(*, settings: Settings | None = None) -> Outside:
    """An account with two audiences, the second one empty."""
    world = outside(MailchimpVendor(), MAILCHIMP, TOKEN, settings=settings)
    places = [Place(LIST, "La lettre", "audience"), Place(OTHER, "Jeu-concours", "audience")]
    world.vendor.put_places(world.store, places, MAY)
    return world


def club(**rest) -> Outside:
    """Four members: yes with proof, no, pending, yes without proof."""
    world = mailchimp(**rest)
    home = {"street": "1 rue X", "city": "Lyon", "postcode": "69001", "phone": "06 12 34 56 78", "card": "C-1"}
    world.vendor.put_customers(
        world.store,
        [
            customer(1, consent=Consent("yes", MAY, is_proven=True), birth_date="1980-02-01", **home),
            customer(2, consent=Consent("no", JUNE)),
            customer(3, consent=Consent("pending", JUNE)),
            customer(4),
        ],
        JUNE,
    )
    return world


def context(number: int, **rest) -> dict:
    return {"list_id": LIST, "email": f"anne{number}@example.fr"} | rest


def field(world: Outside, number: int, name: str, desired: str | None, **rest):
    return world.correction(
        "customers", name, hashed(f"anne{number}@example.fr"), desired, context=context(number, **rest)
    )


def consent(world: Outside, number: int, desired: str = "no"):
    return world.correction(
        "consents", "state", hashed(f"anne{number}@example.fr"), desired, sub=LIST, context=context(number)
    )


def newcomer(world: Outside, email: str, desired: str = "pending"):
    """Somebody with a proven opt-in elsewhere, of whom the audience has no record."""
    return world.correction(
        "consents", "state", f"new:{email}", desired, sub=LIST, context={"email": email}, drift_class="raise_with_proof"
    )


def states(world: Outside) -> dict[str, str]:
    return {c.email: c.consent.state for c in world.vendor.observe_customers(world.store)}


async def crowd(world: Outside, count: int) -> None:
    """`count` members with stamps one second apart."""
    people = [customer(n, consent=Consent("yes", MAY + timedelta(seconds=n))) for n in range(count)]
    world.vendor.put_customers(world.store, people, JUNE)


# -- reads --------------------------------------------------------------------------------------------------


async def test_census_reads_every_member_over_overlapping_pages_and_declares_totals():
    world = mailchimp()
    await crowd(world, 2_500)
    pages = await world.pages("members")
    rows = [row for page in pages for row in page.rows]
    assert sorted(row.id for row in rows) == sorted(f"{LIST}:{hashed(f'anne{n}@example.fr')}" for n in range(2_500))
    assert {page.total for page in pages} == {None, 2_500}
    calls = [path for path in world.transport.paths() if path.endswith("/members")]
    assert len(calls) == 3 + 1 + 2 + 2, "three pages and one empty one, and each audience is asked twice how far it is"
    held = json.loads(rows[0].payload)
    assert held.keys() >= {"id", "status", "merge_fields", "list_id", "ip_opt"} and "location" not in held


async def test_a_page_that_is_exactly_full_is_not_taken_for_the_end():
    for count in (0, 1, 980, 1_000, 1_001, 1_980, 1_981):
        world = mailchimp()
        await crowd(world, count)
        assert len(await world.rows("members")) == count


async def test_trap_02_mailchimp_leaves_equal_stamps_out_and_the_window_does_not():
    world = club()
    world.vendor.put_customers(world.store, [customer(50)], EPOCH, log=True)
    world.vendor.put_customers(world.store, [customer(51)], EPOCH - timedelta(seconds=1), log=True)
    asked = {"since_last_changed": EPOCH.strftime("%Y-%m-%dT%H:%M:%S+00:00"), "count": 10}
    assert (await world.session.get(f"3.0/lists/{LIST}/members", params=asked)).json()["total_items"] == 0
    assert [row.id for row in await world.rows("members", EPOCH)] == [f"{LIST}:{hashed('anne50@example.fr')}"]


async def test_delta_reads_what_changed_at_or_after_the_cursor():
    world = club()
    moved = customer(4, city="Brest", street="2 quai Y", postcode="29200")
    world.vendor.put_customers(world.store, [moved], EPOCH, log=True)
    rows = await world.rows("members", EPOCH - timedelta(minutes=5))
    assert [row.id for row in rows] == [f"{LIST}:{hashed('anne4@example.fr')}"]
    assert rows[0].updated_at == "2026-06-14T20:00:00+00:00"
    assert await world.rows("members", EPOCH + timedelta(minutes=5)) == []


async def test_the_same_address_in_two_audiences_is_two_rows_and_one_customer(con):
    world = club()
    batch = {"members": [{"email_address": "anne1@example.fr", "status": "pending"}]}
    await world.session.post(f"3.0/lists/{OTHER}", batch)
    assert len(await world.rows("members")) == 5
    con.execute("INSERT INTO estate.audiences VALUES ('mailchimp', ?, 'email', 'newsletter')", [LIST])
    assert await world.stage(con) == {"mailchimp.customers": 4, "mailchimp.consents": 5}
    row = con.execute(
        "SELECT first_name, write_context->>'$.list_id' FROM mailchimp.customers WHERE vendor_id = ?",
        [hashed("anne1@example.fr")],
    ).fetchone()
    assert row == ("Anne", LIST)


async def test_the_lists_are_read_whole():
    rows = await mailchimp().rows("lists")
    assert [row.id for row in rows] == [LIST, OTHER]


async def test_an_answer_without_members_is_no_empty_page():
    world = club()
    world.transport.answers = [httpx.Response(200, json={"lists": [{"id": LIST}], "total_items": 1})]
    world.transport.answers += [httpx.Response(200, json={"total_items": 4})]
    with pytest.raises(FatalChannelError):
        await world.pages("members")


# -- stage --------------------------------------------------------------------------------------------------


async def test_what_is_staged_is_what_the_world_put_in(con):
    world = club()
    assert await world.stage(con) == {"mailchimp.customers": 4, "mailchimp.consents": 4}
    people = con.execute(
        "SELECT vendor_id, first_name, last_name, email, coalesce(street, ''), coalesce(city, ''), "
        "coalesce(postcode, ''), coalesce(card, ''), coalesce(CAST(birth_date AS VARCHAR), '') FROM mailchimp.customers"
    ).fetchall()
    assert sorted(people) == sorted(
        (c.key, c.first_name, c.last_name, c.email, c.street, c.city, c.postcode, c.card, c.birth_date)
        for c in world.vendor.observe_customers(world.store)
    )
    found = con.execute("SELECT email, state, changed_at, has_proof FROM mailchimp.consents ORDER BY email").fetchall()
    assert found == [
        ("anne1@example.fr", "yes", MAY, True),
        ("anne2@example.fr", "no", JUNE, False),
        ("anne3@example.fr", "pending", JUNE, False),
        ("anne4@example.fr", "yes", MAY, False),
    ]


# -- writes -------------------------------------------------------------------------------------------------


async def test_fields_are_written_once_and_read_back_and_blank_nothing_else():
    world = club()
    sent = [field(world, 1, "first_name", "Ana"), field(world, 4, "first_name", "Ann")]
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED] * 2
    effects = world.api_effects()
    assert [(e["field"], e["before"], e["after"]) for e in effects] == [
        ("FNAME", "Anne", "Ana"), ("FNAME", "Anne", "Ann")
    ]
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED] * 2
    assert world.api_effects() == effects, "a repeat changes nothing"
    assert [r.value for r in await world.read_back("customers", sent)] == ["Ana", "Ann"]
    before = next(c for c in world.vendor.observe_customers(world.store) if c.email == "anne1@example.fr")
    kept = (before.last_name, before.phone, before.street, before.card)
    assert kept == ("Martin 1", "06 12 34 56 78", "1 rue X", "C-1")
    sent_rows = json.loads(world.transport.exchanges[0][0].content)["members"]
    assert all("status" not in row for row in sent_rows)


async def test_an_address_goes_out_whole_with_only_the_corrected_parts_changed(con):
    world = club()
    await world.stage(con)
    row = con.execute(
        "SELECT write_context FROM mailchimp.customers WHERE email = 'anne1@example.fr'"
    ).fetchone()
    whole = json.loads(row[0])
    sent = [
        world.correction("customers", name, hashed("anne1@example.fr"), value, context=whole)
        for name, value in (("city", "Nice"), ("postcode", "06000"))
    ]
    writer = next(w for w in MAILCHIMP.writers if w.entity == "customers")
    assert len({writer.group(c) for c in sent}) == 1
    assert [o.status for o in await world.writer("customers")(sent)] == [OutcomeStatus.APPLIED] * 2
    after = next(c for c in world.vendor.observe_customers(world.store) if c.email == "anne1@example.fr")
    assert (after.street, after.city, after.postcode, after.country) == ("1 rue X", "Nice", "06000", "FR")
    assert [r.value for r in await world.read_back("customers", sent)] == ["Nice", "06000"]


async def test_a_bad_row_does_not_take_its_batch_with_it():
    world = club()
    sent = [
        field(world, 1, "last_name", "Durand"),
        field(world, 2, "last_name", "x" * 300),
        field(world, 9, "last_name", "Nobody"),
        field(world, 4, "last_name", " "),
    ]
    outcomes = await world.writer("customers")(sent)
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.APPLIED, ""),
        (OutcomeStatus.REJECTED, "ERROR_GENERIC.LNAME"),
        (OutcomeStatus.REJECTED, "ERROR_GENERIC.status"),
        (OutcomeStatus.REJECTED, "BLANK"),
    ]
    assert len(world.api_effects()) == 1 and "anne9@example.fr" not in states(world)
    assert "anne" not in "".join(o.message + o.code for o in outcomes)


async def test_a_permission_is_lowered_never_raised():
    world = club()
    sent = [consent(world, 1), consent(world, 3), consent(world, 2, "yes")]
    outcomes = await world.writer("consents")(sent)
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.APPLIED, ""), (OutcomeStatus.APPLIED, ""), (OutcomeStatus.REJECTED, "RAISE_REFUSED")
    ]
    assert [r.value for r in await world.read_back("consents", sent)] == ["no", "no", "no"]
    lowered = [(e["before"], e["after"]) for e in world.api_effects() if e["kind"] == "consents"]
    assert lowered == [("yes", "no"), ("pending", "no")]
    assert set(states(world).values()) == {"no", "yes"}, "the other yes is untouched"


async def test_an_opt_out_of_somebody_who_is_gone_is_seen_before_it_is_written():
    world = club()
    member = f"3.0/lists/{LIST}/members/{hashed('anne4@example.fr')}"
    await world.session.call("DELETE", member)
    sent = [consent(world, 4), consent(world, 9)]
    assert [(r.exists, r.value) for r in await world.read_back("consents", sent)] == [(False, None), (False, None)]
    (writer,) = [w for w in MAILCHIMP.writers if w.entity == "consents"]
    assert writer.needs_check, "push reads by id first, and leaves out who is not there"
    outcomes = await world.writer("consents")([consent(world, 9)])
    assert [(o.status, o.code) for o in outcomes] == [(OutcomeStatus.REJECTED, "MADE_ANEW")], "never passed for success"


async def test_no_write_of_a_field_subscribes_anybody_again():
    world = club()
    await world.session.call("DELETE", f"3.0/lists/{LIST}/members/{hashed('anne4@example.fr')}")
    sent = [field(world, n, "first_name", "Zoe") for n in (1, 2, 3, 4)]
    outcomes = await world.writer("customers")(sent)
    assert [o.status for o in outcomes] == [OutcomeStatus.APPLIED] * 3 + [OutcomeStatus.REJECTED]
    assert [e for e in world.api_effects() if e["kind"] == "consents"] == []
    assert states(world) == {"anne1@example.fr": "yes", "anne2@example.fr": "no", "anne3@example.fr": "pending"}
    assert [r.exists for r in await world.read_back("customers", sent)] == [True, True, True, False]


async def test_a_lost_answer_to_a_field_is_ambiguous_and_to_an_opt_out_is_asked_again():
    world = club()
    world.transport.answers = [httpx.ReadTimeout("lost")]
    with pytest.raises(AmbiguousWrite):
        await world.writer("customers")([field(world, 1, "first_name", "Ana")])
    world.transport.answers = [httpx.ReadTimeout("lost")]
    assert [o.status for o in await world.writer("consents")([consent(world, 1)])] == [OutcomeStatus.APPLIED]


async def test_new_subscribers_are_asked_and_who_is_there_is_left_as_he_is():
    world = club()
    sent = [
        newcomer(world, "new@example.fr"), newcomer(world, "anne2@example.fr"), newcomer(world, "nowhere"),
        newcomer(world, "pushy@example.fr", "yes"),
    ]
    assert [r.exists for r in await world.read_back("consents", sent)] == [False, True, False, False]
    outcomes = await world.writer("consents")(sent)
    assert [(o.status, o.code) for o in outcomes] == [
        (OutcomeStatus.APPLIED, ""),
        (OutcomeStatus.REJECTED, "ERROR_CONTACT_EXISTS"),
        (OutcomeStatus.REJECTED, "ERROR_GENERIC.email_address"),
        (OutcomeStatus.REJECTED, "RAISE_REFUSED"),
    ]
    assert {email: state for email, state in states(world).items() if "anne" not in email} == {
        "new@example.fr": "pending"
    }
    assert states(world)["anne2@example.fr"] == "no"
    assert [(r.exists, r.value) for r in await world.read_back("consents", sent[:1])] == [(True, "pending")]


# -- the session --------------------------------------------------------------------------------------------


async def test_identify_names_the_account():
    identity = await MAILCHIMP.identify(mailchimp().session)
    assert (identity.shop_id, identity.timezone) == (ACCOUNT_ID, "Europe/Paris")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b'{"title": "API Key Invalid"}', CredentialError),
        (403, b'{"title": "User Disabled", "instance": "abc"}', CredentialError),
        (403, b"", RetriableChannelError),
        (429, b"too many", RetriableChannelError),
        (500, b'{"title": "oops"}', RetriableChannelError),
        (400, b'{"title": "Member In Compliance State", "detail": "anne@example.fr"}', FatalChannelError),
    ],
)
def test_errors_are_sorted_by_what_to_do_and_quote_no_value(status, body, kind):
    with pytest.raises(kind) as caught:
        judge_of(mailchimp().clock)(Answer(status, {"retry-after": "3"}, body))
    assert getattr(caught.value, "retry_after", 3.0) == 3.0
    assert "anne" not in str(caught.value)


async def test_basic_and_bearer_are_both_taken():
    world = club()
    async with httpx.AsyncClient(transport=world.transport, base_url="http://sandbox/mailchimp") as client:
        for headers, status in (
            ({"authorization": "Bearer sandbox"}, 200), ({"authorization": "Bearer no"}, 401),
            ({"authorization": "Basic !"}, 401), ({}, 401),
        ):
            assert (await client.get("/3.0/ping", headers=headers)).status_code == status
        assert (await client.get("/3.0/ping", auth=("anystring", "sandbox"))).status_code == 200


# -- traps --------------------------------------------------------------------------------------------------


async def test_trap_05_mailchimp_pages_shift_while_members_change_and_none_is_lost():
    """At every page, 60 members change (more than the overlap), one is added and one archived."""
    world = mailchimp()
    await crowd(world, 4_000)
    calls = 0
    inner = world.transport.handle_async_request

    async def busy(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        answer = await inner(request)
        if request.url.path.endswith(f"{LIST}/members") and request.url.params["count"] == "1000" and calls < 20:
            calls += 1
            world.store.set_now(world.store.now() + timedelta(seconds=2))
            at = world.store.now()
            moved = [customer(calls * 150 + n, city="Nice") for n in range(60)]
            world.vendor.put_customers(world.store, [*moved, customer(9_000 + calls)], at, log=True)
            world.vendor.delete(world.store, "customers", [hashed(f"anne{3_999 - calls}@example.fr")], at)
        return answer

    world.transport.handle_async_request = busy
    rows = await world.rows("members")
    there = {c.key for c in world.vendor.observe_customers(world.store)}
    throughout = {hashed(f"anne{n}@example.fr") for n in range(4_000)} & there
    assert calls >= 5 and throughout <= {row.id.split(":")[1] for row in rows}
    assert {hashed(f"anne{9_000 + n}@example.fr") for n in range(1, calls)} <= {row.id.split(":")[1] for row in rows}


async def test_trap_05_mailchimp_what_changed_while_it_was_read_is_read_at_the_end():
    world = club()
    inner, is_first = world.transport.handle_async_request, True

    async def busy(request: httpx.Request) -> httpx.Response:
        nonlocal is_first
        answer = await inner(request)
        if is_first and request.url.params.get("count") == "1000" and "/members" in request.url.path:
            is_first = False
            world.vendor.put_customers(world.store, [customer(9, consent=Consent("no", EPOCH))], EPOCH, log=True)
        return answer

    world.transport.handle_async_request = busy
    assert f"{LIST}:{hashed('anne9@example.fr')}" in {row.id for row in await world.rows("members")}


async def test_trap_06_mailchimp_throttles_without_json_and_that_is_no_refused_key():
    world = club()
    world.transport.answers = [httpx.Response(403), httpx.Response(429, text="too many connections")]
    assert len(await world.rows("members")) == 4
    assert (world.session.counters.throttled, world.session.counters.retries) == (2, 2)


async def test_trap_06_mailchimp_turns_away_an_eleventh_connection():
    world = club()
    app = MailchimpVendor().app(world.store, Settings())
    release = asyncio.Event()

    async def slow():
        await release.wait()
        yield b'{"members": []}'

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://sandbox", auth=("x", "sandbox")
    ) as client:
        held = [asyncio.create_task(client.post(f"/3.0/lists/{LIST}", content=slow())) for _ in range(10)]
        await asyncio.sleep(0)
        while sum(task.done() for task in held) == 0 and (await client.get("/3.0/ping")).status_code == 200:
            await asyncio.sleep(0)
        answers = [await client.get("/3.0/ping") for _ in range(2)]
        assert {a.status_code for a in answers} == {403, 429}
        assert all("json" not in a.headers["content-type"] for a in answers)
        release.set()
        assert {answer.status_code for answer in await asyncio.gather(*held)} == {400}
        assert (await client.get("/3.0/ping")).status_code == 200


async def test_never_more_than_eight_calls_are_under_way():
    world = club()
    under_way = most = 0
    inner = world.transport.handle_async_request

    async def counted(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        answer = await inner(request)
        under_way -= 1
        return answer

    world.transport.handle_async_request = counted
    many = [field(world, n, "first_name", "x") for n in range(40)]
    await asyncio.gather(*(world.read_back("customers", many) for _ in range(4)))
    assert most == MAX_OPEN


async def test_trap_10_mailchimp_subscribed_skips_the_confirmation_so_pending_is_sent():
    """Of the trap's three parts, that an e-commerce customer's `opt_in_status: false` never lowers a permission is not
    played: the sandbox has no stores, and the connector writes no e-commerce customers.
    """
    world = club()
    row = {"email_address": "direct@example.fr", "status_if_new": "subscribed"}
    await world.session.call("PUT", f"3.0/lists/{LIST}/members/{hashed('direct@example.fr')}", body=row)
    assert states(world)["direct@example.fr"] == "yes", "no confirmation was asked for, double opt-in or not"
    kept = next(c for c in world.vendor.observe_customers(world.store) if c.email == "direct@example.fr")
    assert not kept.consent.is_proven, "a time without the address it came from proves nothing"
    row = {"email_address": "anne2@example.fr", "status_if_new": "subscribed", "merge_fields": {"FNAME": "Ana"}}
    await world.session.call("PUT", f"3.0/lists/{LIST}/members/{hashed('anne2@example.fr')}", body=row)
    assert states(world)["anne2@example.fr"] == "no", "status_if_new leaves who is there as they are"
    await world.writer("consents")([newcomer(world, "asked@example.fr")])
    assert states(world)["asked@example.fr"] == "pending"


async def test_trap_12_mailchimp_lets_nobody_back_in_who_left_or_was_erased():
    world = club()
    base = f"3.0/lists/{LIST}/members"
    with pytest.raises(FatalChannelError) as caught:
        await world.session.call("PATCH", f"{base}/{hashed('anne2@example.fr')}", body={"status": "subscribed"})
    assert caught.value.code == "Member In Compliance State"
    await world.session.call("POST", f"{base}/{hashed('anne1@example.fr')}/actions/delete-permanent")
    row = {"email_address": "Anne1@example.fr", "status_if_new": "subscribed"}
    with pytest.raises(FatalChannelError) as caught:
        await world.session.call("PUT", f"{base}/{hashed('anne1@example.fr')}", body=row)
    assert caught.value.code == "Forgotten Email Not Subscribed"
    again = [newcomer(world, "anne1@example.fr")]
    assert [o.status for o in await world.writer("consents")(again)] == [OutcomeStatus.REJECTED]
    assert "anne1@example.fr" not in states(world)
    assert not any("anne1" in doc.text for doc in world.store.select("mailchimp", "members"))
    # An archived no is still a no; asking the person is allowed.
    await world.session.call("DELETE", f"{base}/{hashed('anne2@example.fr')}")
    with pytest.raises(FatalChannelError):
        await world.session.call("PATCH", f"{base}/{hashed('anne2@example.fr')}", body={"status": "subscribed"})
    await world.session.call("PATCH", f"{base}/{hashed('anne2@example.fr')}", body={"status": "pending"})
    assert states(world)["anne2@example.fr"] == "pending"


async def test_trap_04_mailchimp_archived_members_leave_lists_and_deltas_and_only_the_count_shows_it():
    world = club()
    before, cursor = await world.counted("members"), world.clock.now()
    await world.session.call("DELETE", f"3.0/lists/{LIST}/members/{hashed('anne4@example.fr')}")
    assert f"{LIST}:{hashed('anne4@example.fr')}" not in {row.id for row in await world.rows("members", cursor)}
    assert await world.counted("members") == before - 1 == len(await world.rows("members"))


async def test_trap_16_mailchimp_a_new_address_is_a_new_id_and_the_old_one_is_gone():
    world = club()
    old, new = hashed("anne4@example.fr"), hashed("ann@example.fr")
    answer = await world.session.call(
        "PATCH", f"3.0/lists/{LIST}/members/{old}", body={"email_address": "ann@example.fr"}
    )
    assert answer.json()["id"] == new
    rows = {row.id: json.loads(row.payload)["contact_id"] for row in await world.rows("members")}
    assert f"{LIST}:{old}" not in rows and rows[f"{LIST}:{new}"] == answer.json()["contact_id"]
    stale = field(world, 4, "first_name", "Ana")
    assert not (await world.read_back("customers", [stale]))[0].exists
    assert [o.status for o in await world.writer("customers")([stale])] == [OutcomeStatus.REJECTED]


# -- fidelity -----------------------------------------------------------------------------------------------


async def test_requests_and_answers_are_as_the_spec_says(shared):
    world = club()
    await MAILCHIMP.identify(world.session)
    for since in (None, JUNE):
        for endpoint in ("members", "lists"):
            await world.pages(endpoint, since)
    fields = [field(world, n, "first_name", "Ana") for n in (1, 9)]
    await world.writer("customers")(fields)
    await world.writer("customers")([field(world, 1, "city", "Nice", address={"addr1": "1 rue X"})])
    await world.read_back("customers", fields)
    await world.writer("consents")([consent(world, 1)])
    await world.read_back("consents", [consent(world, 1)])
    await world.writer("consents")([newcomer(world, "new@example.fr")])
    with pytest.raises(FatalChannelError):
        await world.session.call(
            "PATCH", f"3.0/lists/{LIST}/members/{hashed('anne2@example.fr')}", body={"status": "subscribed"}
        )
    await world.session.call("DELETE", f"3.0/lists/{LIST}/members/{hashed('anne3@example.fr')}")
    assert world.transport.checked > 15


def test_the_official_sdk_reads_and_writes_the_sandbox():
    from mailchimp_marketing import Client
    from mailchimp_marketing.api_client import ApiClientError

    world = club()
    with served(MailchimpVendor().app(world.store, Settings())) as url:
        client = Client()
        client.set_config({"api_key": "sandbox", "server": "us1"})
        client.api_client.host = f"{url}/3.0"
        assert client.ping.get()["health_status"]
        assert client.root.get_root()["account_id"] == ACCOUNT_ID
        page = client.lists.get_list_members_info(LIST, count=2, offset=1, sort_field="last_changed", sort_dir="ASC")
        assert page["total_items"] == 4 and len(page["members"]) == 2
        person = hashed("anne1@example.fr")
        changed = client.lists.update_list_member(LIST, person, {"merge_fields": {"FNAME": "Ana"}})
        assert (changed["merge_fields"]["FNAME"], changed["status"]) == ("Ana", "subscribed")
        rows = [{"email_address": "anne1@example.fr", "status": "unsubscribed"}, {"email_address": "bad"}]
        done = client.lists.batch_list_members(LIST, {"members": rows, "update_existing": True})
        assert (done["total_updated"], done["error_count"]) == (1, 1)
        new = hashed("new@example.fr")
        row = {"email_address": "new@example.fr", "status_if_new": "pending", "merge_fields": {"FNAME": "Neo"}}
        client.lists.set_list_member(LIST, new, row)
        held = client.lists.get_list_member(LIST, new)
        assert (held["status"], held["merge_fields"]["FNAME"]) == ("pending", "Neo")
        with pytest.raises(ApiClientError) as caught:
            row = {"email_address": "anne1@example.fr", "status_if_new": "subscribed", "status": "subscribed"}
            client.lists.set_list_member(LIST, person, row)
        assert json.loads(caught.value.text)["title"] == "Member In Compliance State"


def test_the_world_sees_what_it_put_in_and_its_edits_are_logged():
    world = club()
    before = {c.email: c for c in world.vendor.observe_customers(world.store)}
    left = replace(before["anne4@example.fr"], first_name="Ana", consent=Consent("no", EPOCH, source="form"))
    world.vendor.put_customers(world.store, [left], EPOCH, log=True)
    assert {c.email: c for c in world.vendor.observe_customers(world.store)}["anne4@example.fr"] == left
    logged = {(e["kind"], e["field"]): (e["before"], e["after"]) for e in world.store.effects(origin="world")}
    assert logged[("members", "FNAME")] == ("Anne", "Ana") and logged[("consents", LIST)] == ("yes", "no")
    world.vendor.delete(world.store, "customers", [left.key], EPOCH)
    assert "anne4@example.fr" not in states(world)
    assert list(world.vendor.observe_prices(world.store)) == list(world.vendor.observe_stock(world.store)) == []


async def test_a_list_that_shrinks_while_it_is_read_ends_the_read(monkeypatch):
    """Its pages have nothing in common with those before them, however often it is gone back."""
    async def shrunken(session, read, since, offset):
        return [] if offset else [RawRow(f"{LIST}:{number}", None, b"{}") for number in range(300)]

    monkeypatch.setattr(reads, "_page", shrunken)
    read = reads._Read(LIST, None)
    with pytest.raises(FatalChannelError, match="the list shrinks while it is read"):
        async with asyncio.timeout(20):
            async for _ in reads._pages(mailchimp().session, read, None, 5000):
                pass


async def test_only_what_trueup_had_filled_in_for_another_person_is_emptied():
    world = club()
    sent = [replace(field(world, 1, "first_name", None), rule="unmerge"), field(world, 4, "first_name", None)]
    outcomes = await world.writer("customers")(sent)
    assert [o.status for o in outcomes] == [OutcomeStatus.APPLIED, OutcomeStatus.REJECTED]
    readings = [r.value for r in await world.read_back("customers", sent)]
    assert readings[0] is None and readings[1]

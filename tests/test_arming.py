"""Signed words, scopes and armings: what is not signed as it stands counts for nothing, and no run widens a scope."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.arming.armings import Armed, Arming, Disarming, armed, believed_short, judge_arming, standing
from pipelines.arming.content import changes, document, hash_of, keep, kept
from pipelines.arming.keys import (
    Ed25519PrivateKey,
    is_loopback,
    key_id,
    private_file,
    private_from,
    public_from,
    public_text,
)
from pipelines.arming.scope import LANES, Asked, Scope, covered, scope_of
from pipelines.arming.signing import Approvers, Signer
from pipelines.errors import ConfigurationError, DataError
from pipelines.estate import Estate, read_estate
from pipelines.ledger.inbox import Answer, drop, import_answers, refusals
from pipelines.ledger.unsigned import void_unsigned, voided
from pipelines.policy import read_policy
from tests.arming import EVERYTHING, KEY, NAME, PUBLIC, approvers, private_key, signer
from tests.law import law
from tests.plan.world import AS_OF, VirtualClock, drift, insert, plan_rows, policy

NOBODY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SYSTEMS = ("hubspot", "mailchimp", "shopify", "square")
ANSWER = Answer(correction_key="k" * 64, answer="approve", author=NAME, reason="seen", at=AS_OF)


def arming(**change):
    return Arming(**{
        "policy_hash": "h", "scope": EVERYTHING, "until": AS_OF + timedelta(days=30), "author": NAME,
        "reason": "tonight", "at": AS_OF,
    } | change)


# -- signing -----------------------------------------------------------------------------------------------


def test_a_signed_word_is_its_authors():
    assert approvers().check_author(signer().sign(ANSWER), NAME).name == NAME


@law(200)
@given(st.data())
def test_one_flipped_bit_of_payload_signature_or_key_is_refused(data):
    signed = signer().sign(msgspec.structs.replace(ANSWER, reason=data.draw(st.text("abcdefgh", min_size=1))))
    part = data.draw(st.sampled_from(["payload", "signature", "key_id"]))
    old = getattr(signed, part).encode()
    place, bit = data.draw(st.integers(0, len(old) - 1)), data.draw(st.integers(0, 6))
    new = bytearray(old)
    new[place] ^= 1 << bit
    forged = msgspec.structs.replace(signed, **{part: new.decode("ascii")})
    with pytest.raises(DataError):
        approvers().check(forged)


@pytest.mark.parametrize("signature", ["", "00", "zz", "0" * 128, "A"])
def test_what_is_no_signature_is_refused(signature):
    signed = signer().sign(ANSWER)
    with pytest.raises(DataError, match="not that of Ana"):
        approvers().check(msgspec.structs.replace(signed, signature=signature))


@pytest.mark.parametrize("change", [str.upper, lambda text: f" {text}", lambda text: f"{text[:2]} {text[2:]}"])
def test_a_signature_has_one_way_of_being_written(change):
    signed = signer().sign(ANSWER)
    with pytest.raises(DataError):
        approvers().check(msgspec.structs.replace(signed, signature=change(signed.signature)))


def test_a_word_counts_in_its_own_estate_alone():
    signed = signer("staging").sign(ANSWER)
    assert approvers("staging").check(signed)
    with pytest.raises(DataError, match="for the estate 'production'"):
        approvers("production").check(signed)


def test_a_strange_key_and_a_word_in_anothers_name_are_refused():
    with pytest.raises(DataError, match="estate.toml does not name"):
        approvers().check(signer(key=NOBODY).sign(ANSWER))
    signed = signer().sign(msgspec.structs.replace(ANSWER, author="Bo"))
    with pytest.raises(DataError, match="in the name of 'Bo', and signed by Ana"):
        approvers().check_author(signed, "Bo")


# -- keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("passphrase", ["", "a long one"])
def test_keys_come_back_from_text_and_file(passphrase):
    again = private_from(private_file(KEY, passphrase), passphrase, where="a file")
    assert public_text(again.public_key()) == public_text(PUBLIC)
    assert key_id(public_from(public_text(PUBLIC))) == key_id(PUBLIC)


@pytest.mark.parametrize(("content", "passphrase", "words"), [
    (private_file(KEY, "secret"), "", "set TRUEUP_SIGNING_PASSPHRASE"),
    (private_file(KEY, "secret"), "other", "the passphrase is another"),
    (private_file(KEY), "secret", "leave TRUEUP_SIGNING_PASSPHRASE unset"),
    (b"nothing", "", "not a private key in PEM"),
])
def test_a_key_that_cannot_be_read_says_what_to_do(content, passphrase, words):
    with pytest.raises(ConfigurationError, match=words):
        private_from(content, passphrase, where="a file")


@pytest.mark.parametrize(("address", "is_here"), [
    ("http://127.0.0.1:8765/square", True), ("http://127.8.9.10/x", True), ("https://localhost/x", True),
    ("http://[::1]:80/x", True), ("http://sandbox.test/square", False), ("https://maison.myshopify.com", False),
    ("http://127.0.0.1@shop.example/x", False), ("http://127.0.0.1.shop.example", False), ("file:///drops", False),
    ("http://shop.example\\@127.0.0.1/", False), ("http://localhost.example", False), ("http://0.0.0.0/x", False),
    ("http://127.0.0.999/x", False), ("http://10.0.0.1", False), ("127.0.0.1:80", False), ("http://127.1/x", False),
    ("http://user:word@localhost/", False), ("http:// 127.0.0.1/", False), ("http://127.0.0.1:99999999/", False),
    ("", False),
])
def test_what_is_on_loopback(address, is_here):
    assert is_loopback(address) is is_here


# -- scope -------------------------------------------------------------------------------------------------

ENTITIES = ("items", "prices", "stock", "customers", "consents")
FIELDS = ("prices.amount", "prices.compare_at", "stock.available", "customers.phone", "consents.state")
SCOPES = st.builds(
    Scope, lanes=st.lists(st.sampled_from(LANES), unique=True).map(tuple),
    systems=st.lists(st.sampled_from(SYSTEMS), unique=True).map(tuple),
    fields=st.lists(st.sampled_from([*(f"{e}.*" for e in ENTITIES), *FIELDS]), unique=True).map(tuple),
    max_rows=st.none() | st.integers(0, 30),
)
GROUPS = st.tuples(st.sampled_from(SYSTEMS), st.sampled_from(FIELDS)).map(lambda g: (g[0], *g[1].split(".")))
COUNTS = st.dictionaries(GROUPS, st.integers(1, 20), max_size=12)
ASKED = st.builds(
    Asked, systems=st.frozensets(st.sampled_from(SYSTEMS)), entities=st.frozensets(st.sampled_from(ENTITIES))
)


@law(300)
@given(st.lists(SCOPES, max_size=3), st.sampled_from(LANES), COUNTS, ASKED)
def test_what_a_run_is_asked_for_never_widens_what_is_armed(scopes, lane, counts, asked):
    whole, narrowed = covered(scopes, lane, counts, Asked()), covered(scopes, lane, counts, asked)
    assert narrowed.keys() <= whole.keys()
    assert all(narrowed[group] == whole[group] for group in narrowed)
    for group, places in whole.items():
        assert all(scopes[place].covers(lane, *group) for place in places)
    if lane == "main":
        assert all(not asked.systems or system in asked.systems for system, _, _ in narrowed)
        assert all(not asked.entities or entity in asked.entities for _, entity, _ in narrowed)
    else:
        assert narrowed == whole, "no run narrows the opt-outs"


@law(300)
@given(st.lists(SCOPES, max_size=3), COUNTS)
def test_no_scope_covers_more_rows_of_the_main_lane_than_it_says(scopes, counts):
    for place, scope in enumerate(scopes):
        found = covered([scope], "main", counts, Asked())
        assert scope.max_rows is None or sum(counts[group] for group in found) <= scope.max_rows, place


@pytest.mark.parametrize(("words", "scope"), [
    (["all"], Scope(lanes=LANES, systems=SYSTEMS, fields=tuple(f"{e}.*" for e in ENTITIES))),
    (["systems=shopify,square", "entities=prices", "lanes=main"],
     Scope(lanes=("main",), systems=("shopify", "square"), fields=("prices.*",))),
    (["fields=prices.amount,stock.available", "max_rows=50"],
     Scope(lanes=LANES, systems=SYSTEMS, fields=("prices.amount", "stock.available"), max_rows=50)),
])
def test_what_is_typed_becomes_a_scope(words, scope):
    found = scope_of(words, SYSTEMS)
    assert (set(found.fields), found.lanes, found.systems, found.max_rows) == (
        set(scope.fields), scope.lanes, scope.systems, scope.max_rows
    )


def test_whose_short_census_is_believed_is_in_a_scope_that_names_it_alone():
    endpoints = ["shopify.orders", "square.orders"]
    assert scope_of(["all"], SYSTEMS, endpoints).short == ()
    assert scope_of(["all", "short=square.orders"], SYSTEMS, endpoints).short == ("square.orders",)
    found = scope_of(["lanes=suppression", "short=square.orders,shopify.orders"], SYSTEMS, endpoints)
    assert (found.lanes, found.short) == (("suppression",), ("square.orders", "shopify.orders"))
    assert str(found).endswith("; believes short censuses of square.orders, shopify.orders")
    with pytest.raises(DataError, match='did you mean "square.orders"'):
        scope_of(["all", "short=square.order"], SYSTEMS, endpoints)


@pytest.mark.parametrize(("words", "message"), [
    ([], "say what is armed"), (["systems=shopfy"], 'did you mean "shopify"'), (["prices"], "is not a scope"),
    (["entities=price"], 'did you mean "prices"'), (["max_rows=many"], "one whole number"),
    (["max_rows="], "is not a scope"),
    (["all", "systems=square"], "stands for everything"), (["lanes=side"], "allowed: suppression, main"),
    (["fields=prices.colour"], "is not there"), (["entities=prices", "fields=prices.amount"], "not both"),
])
def test_a_scope_that_names_nothing_is_an_error(words, message):
    with pytest.raises(DataError, match=message):
        scope_of(words, SYSTEMS)


# -- armings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("change", "message"), [
    ({"author": " "}, "author"), ({"reason": ""}, "reason"), ({"at": AS_OF.replace(tzinfo=None)}, "time zone"),
    ({"until": AS_OF}, "in the future"), ({"until": AS_OF + timedelta(days=91)}, "at most 90 days"),
    ({"scope": Scope(lanes=(), systems=SYSTEMS, fields=("prices.*",))}, "arms nothing"),
    ({"scope": Scope(lanes=("suppression",), systems=SYSTEMS, fields=("consents.*",)),
      "until": AS_OF + timedelta(days=367)}, "at most 366 days"),
])
def test_an_arming_that_says_too_little_or_too_much_is_none(change, message):
    with pytest.raises(DataError, match=message):
        judge_arming(arming(**change))


def test_opt_outs_alone_may_be_armed_for_a_year():
    scope = Scope(lanes=("suppression",), systems=SYSTEMS, fields=("consents.*",))
    judge_arming(arming(scope=scope, until=AS_OF + timedelta(days=365)))


def taken(con, folder, word, own=None, who=None):
    drop(folder, word, own or signer("maison"))
    return import_answers(con, folder, approvers=who or approvers("maison"), clock=VirtualClock())


def why(con, *, who=None, policy_hash="h", now=AS_OF):
    (found,) = standing(con, who or approvers("maison"), policy_hash=policy_hash, now=now)
    return found.fault


def test_an_arming_counts_until_its_day_for_its_policy_by_its_signer(con, tmp_path):
    assert taken(con, tmp_path, arming()).taken == 1
    assert why(con) == ""
    assert "ended on" in why(con, now=AS_OF + timedelta(days=31))
    assert "have changed" in why(con, policy_hash="another")
    assert "which has not come" in why(con, now=AS_OF - timedelta(days=2))
    assert "may answer held rows, not arm" in why(con, who=approvers("maison", may_arm=False))
    assert "does not name" in why(con, who=Approvers("maison"))
    found = armed(con, approvers("maison"), policy_hash="h", now=AS_OF, asked=Asked())
    assert found.groups("main", {("shopify", "prices", "amount"): 3}) == {
        ("shopify", "prices", "amount"): AS_OF + timedelta(days=30)
    }


@pytest.mark.parametrize("column", ["payload", "signature", "key_id"])
def test_an_arming_that_was_changed_in_the_ledger_counts_no_more(con, tmp_path, column):
    taken(con, tmp_path, arming())
    con.execute("UPDATE ledger.sync.words SET payload = replace(payload, 'shopify', 'shopifz')" if column == "payload"
                else f"UPDATE ledger.sync.words SET {column} = translate({column}, '0123456789', '1234567890')")
    found = armed(con, approvers("maison"), policy_hash="h", now=AS_OF, asked=Asked())
    assert found.armings == () and found.fault


def test_who_may_not_arm_does_not(con, tmp_path):
    found = taken(con, tmp_path, arming(), who=approvers("maison", may_arm=False))
    assert (found.taken, len(found.refused)) == (0, 1)
    assert "may_arm in estate.toml" in found.refused[0][1]


def test_what_was_taken_back_stays_so(con, tmp_path):
    path = drop(tmp_path, arming(), signer("maison"))
    taken(con, tmp_path, Disarming(arming_ids=(path.stem,), author=NAME, reason="no", at=AS_OF))
    assert why(con) == "taken back"
    taken(con, tmp_path, arming())
    assert why(con) == "taken back", "the same word said again is the same word"
    assert armed(con, approvers("maison"), policy_hash="h", now=AS_OF, asked=Asked()).armings == ()


def test_a_short_census_is_believed_where_a_word_that_counts_names_it(con, tmp_path):
    wanted = frozenset({"square.orders", "shopify.orders"})

    def believed(policy_hash="h", now=AS_OF, who=None):
        return believed_short(con, who or approvers("maison"), wanted, policy_hash=policy_hash, now=now)

    assert believed() == wanted, "nothing has been armed yet"
    taken(con, tmp_path, arming())
    assert believed() == frozenset()
    assert believed(now=AS_OF + timedelta(days=90)) == frozenset(), "it has been armed, if not now"
    named = msgspec.structs.replace(arming().scope, lanes=("suppression",), fields=("consents.*",),
                                    short=("square.orders", "square.things"))
    taken(con, tmp_path, arming(scope=named))
    assert believed() == {"square.orders"}
    assert believed(policy_hash="another") == believed(now=AS_OF + timedelta(days=90)) == frozenset()
    assert believed(who=approvers("maison", may_arm=False)) == frozenset()


def test_nothing_is_armed_without_a_word(con):
    found = armed(con, approvers("maison"), policy_hash="h", now=AS_OF, asked=Asked())
    assert found.groups("suppression", {("square", "consents", "state"): 1}) == {}
    assert "nothing has been armed; `trueup arm`" in found.fault
    assert Armed().groups("main", {("square", "prices", "amount"): 1}) == {}


# -- answers -----------------------------------------------------------------------------------------------


@pytest.fixture
def held(con):
    from pipelines.plan import build_plan

    policy(con)
    insert(con, "reconcile.drift", [drift(drift_class="both")])
    plan_id = build_plan(con, lane="main", clock=VirtualClock())
    return con, msgspec.structs.replace(ANSWER, correction_key=plan_rows(con, plan_id)[0]["correction_key"])


@pytest.mark.parametrize(("content", "words"), [
    (lambda word: msgspec.json.encode(word), "it is not a signed word"),
    (lambda word: msgspec.json.encode(signer("maison", NOBODY).sign(word)), "does not name"),
    (lambda word: msgspec.json.encode(signer("maison").sign(word)).replace(b"approve", b"approvf"),
     "its signature is not that of Ana"),
])
def test_an_answer_that_is_not_signed_is_kept_out_and_listed(held, tmp_path, content, words):
    con, word = held
    (tmp_path / "a.json").write_bytes(content(word))
    found = import_answers(con, tmp_path, approvers=approvers("maison"), clock=VirtualClock())
    assert found.taken == 0 and words in found.refused[0][1]
    assert words in refusals(tmp_path)["a.json"]
    assert (tmp_path / "refused" / "a.json").exists()
    assert con.execute("SELECT count(*) FROM ledger.sync.answers").fetchone() == (0,)


@pytest.mark.parametrize("change", [
    "UPDATE ledger.sync.answers SET author = 'Bo'", "UPDATE ledger.sync.answers SET answer = 'accept-theirs'",
    'UPDATE ledger.sync.answers SET "at" = "at" + INTERVAL 1 DAY', "UPDATE ledger.sync.words SET signature = key_id",
    "DELETE FROM ledger.sync.words", "UPDATE ledger.sync.words SET payload = replace(payload, 'approve', 'reject')",
])
def test_an_answer_that_was_changed_in_the_ledger_counts_no_more(held, tmp_path, change):
    from pipelines.approve import approve_by_person
    from tests.arming import ARMED

    con, word = held
    assert taken(con, tmp_path, word).taken == 1
    assert void_unsigned(con, approvers("maison"), clock=VirtualClock()) == []
    con.execute(change)
    ((key, reason),) = void_unsigned(con, approvers("maison"), clock=VirtualClock())
    assert voided(con) == [(key, reason)] and key == word.correction_key
    assert void_unsigned(con, approvers("maison"), clock=VirtualClock()) == [], "told once"
    assert approve_by_person(con, "n1-main", armed=ARMED, clock=VirtualClock()) == 0


def test_an_answer_counts_no_more_once_its_signers_key_is_withdrawn(held, tmp_path):
    con, word = held
    taken(con, tmp_path, word)
    assert len(void_unsigned(con, Approvers("maison"), clock=VirtualClock())) == 1


def test_a_no_stays_though_its_signers_key_is_withdrawn(held, tmp_path):
    con, word = held
    taken(con, tmp_path, msgspec.structs.replace(word, answer="reject"))
    assert void_unsigned(con, Approvers("maison"), clock=VirtualClock()) == []


# -- what an arming is of ----------------------------------------------------------------------------------

ESTATE = """
[estate]
name = "maison"
timezone = "Europe/Paris"

[systems.square]
base_url = "http://127.0.0.1:9/square"
shop_id = "s"
mode = { prices = "live" }
"""


def settled(tmp_path, text=ESTATE):
    path = tmp_path / "estate.toml"
    path.write_text(text, encoding="utf-8")
    estate: Estate = read_estate(path)
    return document(read_policy(None, estate), estate)


@pytest.mark.parametrize(("old", "new", "setting"), [
    ('prices = "live"', 'prices = "live", stock = "live"', "estate.systems.square.mode.stock"),
    ('shop_id = "s"', 'shop_id = "t"', "estate.systems.square.shop_id"),
    ("[systems.square]", "[policy.caps.prices]\nmax_rows = 7\n\n[systems.square]", "policy.caps.prices.max_rows"),
    ("9/square", "8/square", "estate.systems.square.base_url"),
])
def test_another_policy_or_estate_is_another_hash_and_what_changed_is_told(con, tmp_path, old, new, setting):
    before, after = settled(tmp_path), settled(tmp_path, ESTATE.replace(old, new))
    assert hash_of(before) != hash_of(after)
    assert setting in [name for name, _, _ in changes(before, after)]
    assert keep(con, before) == keep(con, before) == hash_of(before)
    assert kept(con, hash_of(before)) == before
    assert kept(con, hash_of(after)) is None


def test_who_may_sign_is_no_part_of_what_is_armed(tmp_path):
    more = f'\n[approvers.Ana]\npublic_key = "{public_text(PUBLIC)}"\n'
    assert hash_of(settled(tmp_path)) == hash_of(settled(tmp_path, ESTATE + more))


# -- whose words count -------------------------------------------------------------------------------------


def settings_of(tmp_path, text=ESTATE, **more):
    from resources.settings import Settings

    (tmp_path / "estate.toml").write_text(text, encoding="utf-8")
    return Settings.read({"TRUEUP_HOME": str(tmp_path), "TRUEUP_ESTATE": str(tmp_path / "estate.toml"), **more})


def built_in(settings):
    settings.built_in_key.parent.mkdir(parents=True)
    return private_key(settings.built_in_key)


def test_the_built_in_key_counts_on_loopback(tmp_path):
    from resources.signers import approvers_of, signer_of

    settings = settings_of(tmp_path)
    built_in(settings)
    estate = read_estate(settings.estate)
    word = msgspec.structs.replace(ANSWER, author="whoever")
    assert approvers_of(settings, estate).check_author(signer_of(settings, estate).sign(word), "whoever").may_arm


@pytest.mark.parametrize("more", [
    {"TRUEUP_SQUARE_URL": "https://connect.squareup.com"},
    {"TRUEUP_SQUARE_URL": "http://127.0.0.1@connect.squareup.com"},
    {"text": ESTATE + '\n[systems.shopify]\nbase_url = "https://maison.myshopify.com"\nshop_id = "s"\n'},
    {"text": ESTATE.replace("http://127.0.0.1:9/square", "http://10.1.2.3/square")},
])
def test_the_built_in_key_counts_for_no_other_address(con, tmp_path, more):
    """Neither to sign with, nor where it had signed before an address was changed, in the file or the environment."""
    from resources.signers import approvers_of, signer_of

    before = settings_of(tmp_path)
    own = Signer(private_from(built_in(before).read_bytes(), "", where=""), "maison")
    drop(tmp_path / "inbox", arming(author="whoever"), own)
    here = approvers_of(before, read_estate(before.estate))
    assert import_answers(con, tmp_path / "inbox", approvers=here, clock=VirtualClock()).taken == 1
    assert why(con, who=here) == ""
    after = settings_of(tmp_path, **more)
    estate = read_estate(after.estate)
    with pytest.raises(ConfigurationError, match="counts on loopback alone"):
        signer_of(after, estate)
    away = approvers_of(after, estate)
    assert "counts on loopback alone" in why(con, who=away)
    found = taken(con, tmp_path / "more", arming(author="else"), own=own, who=away)
    assert found.taken == 0 and "counts on loopback alone" in found.refused[0][1]


def test_a_named_key_that_estate_toml_does_not_know_says_what_to_add(tmp_path):
    from resources.signers import signer_of

    settings = settings_of(tmp_path, TRUEUP_SIGNING_KEY=str(private_key(tmp_path / "key.pem")))
    with pytest.raises(ConfigurationError, match=public_text(PUBLIC)):
        signer_of(settings, read_estate(settings.estate))
    known = ESTATE + f'\n[approvers.Ana]\npublic_key = "{public_text(PUBLIC)}"\n'
    (tmp_path / "estate.toml").write_text(known, encoding="utf-8")
    assert signer_of(settings, read_estate(settings.estate)).name == "Ana"
    (tmp_path / "key.pem").chmod(0o644)
    with pytest.raises(ConfigurationError, match="can be read by others"):
        signer_of(settings, read_estate(settings.estate))


def test_one_key_is_one_persons(tmp_path):
    twice = "".join(f'\n[approvers.{name}]\npublic_key = "{public_text(PUBLIC)}"\n' for name in ("Ana", "Bo"))
    (tmp_path / "estate.toml").write_text(ESTATE + twice, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="already the key of 'Ana'"):
        read_estate(tmp_path / "estate.toml")


def test_nobody_approves_in_the_policys_name(tmp_path, held):
    text = f'\n[approvers.Policy]\npublic_key = "{public_text(PUBLIC)}"\n'
    (tmp_path / "estate.toml").write_text(ESTATE + text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="the name under which the policy approves"):
        read_estate(tmp_path / "estate.toml")
    _, word = held
    with pytest.raises(DataError, match="the name under which the policy approves"):
        drop(tmp_path, msgspec.structs.replace(word, author=" policy"), Signer(KEY, "maison"))


def test_a_word_from_days_that_have_not_come_is_not_taken(held, tmp_path):
    con, word = held
    ((_, reason),) = taken(con, tmp_path, msgspec.structs.replace(word, at=word.at + timedelta(days=400))).refused
    assert "which has not come" in reason
    assert con.execute("SELECT count(*) FROM ledger.sync.answers").fetchone() == (0,)


def test_whoever_takes_answers_in_voids_what_does_not_hold_and_says_so(held, tmp_path, caplog):
    import logging
    from types import SimpleNamespace

    from resources.approving import take_answers

    con, word = held
    drop(tmp_path / "inbox", word, signer("maison"))
    place = SimpleNamespace(
        con=con, settings=SimpleNamespace(inbox=tmp_path / "inbox"), approvers=approvers("maison"), clock=VirtualClock()
    )
    take_answers(SimpleNamespace(place=place), logging.getLogger("tonight"))
    assert not caplog.records and voided(con) == []
    place.approvers = Approvers("maison")
    take_answers(SimpleNamespace(place=place), logging.getLogger("tonight"))
    assert "counts no more: it is signed by a key that estate.toml does not name" in caplog.text
    assert [key for key, _ in voided(con)] == [word.correction_key]

"""The default policy, what may be laid over it, its published schema, and the rows that it becomes."""

import json
import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest

from pipelines.approve import POLICY_APPROVAL
from pipelines.channels import CHANNELS
from pipelines.channels.base import Rounding
from pipelines.channels.shopify import SHOPIFY
from pipelines.channels.square import SQUARE
from pipelines.configuration import TomlFile
from pipelines.errors import ConfigurationError
from pipelines.estate import estate_of
from pipelines.extract_judge import MIN_SHARE
from pipelines.model import DriftClass
from pipelines.plan import PLAN_AGE
from pipelines.policy import DEFAULTS, FIELDS, SCHEMA, compile_policy, json_schema, read_policy
from pipelines.policy_words import CLASSES, ENTITIES
from pipelines.push import CANARY_ROWS

ESTATE = """
[estate]
name = "maison"
timezone = "Europe/Paris"
[systems.square]
base_url = "https://square.example"
shop_id = "1"
[systems.shopify]
base_url = "https://shopify.example"
shop_id = "1"
mode = { stock = "live" }
[price_lists.eur]
currency = "EUR"
vendor_ids = { square = "base", shopify = "base" }
"""


def test_the_published_schema_is_the_models_own():
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == json_schema(), "python -m pipelines.policy writes it anew"


def test_the_defaults_satisfy_the_published_schema():
    defaults = tomllib.loads(DEFAULTS.read_text(encoding="utf-8"))
    jsonschema.validate(defaults, json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_the_defaults_say_something_about_every_field():
    assert set(read_policy().fields) == set(FIELDS)


def test_the_defaults_are_safe():
    policy = read_policy()
    assert not any(rules.enforce for rules in policy.fields.values())
    assert policy.adopt.never_agreed == "hold"
    assert policy.decisions["default"]["raise_without_proof"] == "refuse"


def test_a_policy_becomes_rows(con):
    estate = estate_of(TomlFile("estate.toml", ESTATE))
    plain = {"creates": False, "raises": False, "clears": False, "settles_within": None}
    writer = SimpleNamespace(entity="stock", fields=frozenset({"available"}), **plain)
    later = {"raises": True, "clears": True, "settles_within": timedelta(days=7)}
    raising = SimpleNamespace(entity="consents", fields=frozenset({"state"}), **plain | later)
    held = frozenset({"items", "prices", "stock", "customers", "consents"})
    channels = [SimpleNamespace(name="shopify", writers=(writer, raising), entities=held, rounding=Rounding("up"))]
    compile_policy(con, read_policy(), estate, channels)
    assert fetched(con, "SELECT system, rank FROM policy.sources WHERE field = 'amount'") == [
        ("shopify", 2), ("square", 1),
    ]
    assert fetched(con, "SELECT system, mode, is_writable FROM policy.targets WHERE entity = 'stock'") == [
        ("shopify", "live", True), ("square", "observe", False),
    ]
    assert fetched(con, "SELECT DISTINCT system FROM policy.targets") == [("shopify",), ("square",)]
    assert fetched(con, "SELECT max_share_pct, floor_rows, max_rows FROM policy.caps WHERE field = 'available'") == [
        (40.0, 50, 5000)
    ]
    guard = "SELECT max_jump_pct, refuses_zero, floor_minor FROM policy.guards WHERE field = 'amount'"
    assert fetched(con, guard) == [(30.0, True, None)]
    assert fetched(con, "SELECT * FROM policy.prior_prices") == [("eur", 30)]
    assert fetched(con, "SELECT * FROM policy.raises") == [("shopify", "consents")]
    assert fetched(con, "SELECT * FROM policy.clears") == [("shopify", "consents")]
    assert fetched(con, "SELECT * FROM policy.requests") == [("shopify", "consents", 604800)]
    assert action(con, "prices", "amount", "here") == "hold"
    assert action(con, "stock", "available", "explained") == "approve"


def test_a_system_is_no_source_of_what_its_role_does_not_have(con):
    """It is never read for it, and a source that could not be read freezes the field."""
    estate = estate_of(TomlFile("estate.toml", ESTATE))
    till = replace(SQUARE, roles={"pos": ("items", "prices", "stock", "orders")}).in_roles(["pos"])
    compile_policy(con, read_policy(), estate, [till, SHOPIFY])
    phone = "FROM policy.sources WHERE field = 'phone'"
    assert fetched(con, f"SELECT system, rank {phone}") == [("shopify", 1)]
    assert fetched(con, "SELECT system FROM policy.targets WHERE field = 'phone'") == [("shopify",)]
    assert fetched(con, "SELECT system FROM policy.caps WHERE field = 'phone'") == [("shopify",)]
    assert fetched(con, "SELECT system FROM policy.sources WHERE field = 'amount'") == [("shopify",), ("square",)]


SWISS = ESTATE + """
[price_lists.chf]
currency = "CHF"
vendor_ids = { shopify = "CH" }

[price_lists.kwd]
currency = "KWD"
vendor_ids = { shopify = { id = "KW", rounding = "down" } }
"""


def derived(con, tmp_path: Path, text: str) -> list[tuple[object, ...]]:
    mine = tmp_path / "policy.toml"
    mine.write_text(text, encoding="utf-8")
    estate = estate_of(TomlFile("estate.toml", SWISS))
    compile_policy(con, read_policy(mine, estate), estate, [])
    return fetched(con, "SELECT * FROM policy.derivations")


def test_a_rate_becomes_whole_numbers_and_the_day_on_which_it_holds_no_more(tmp_path: Path, con):
    text = """
        [derive."shopify.chf"]
        from_list = "eur"
        rate = "0.94500001"
        rate_on = 2026-06-30
        rate_days = 1
        ends_in = "05"
        [derive."shopify.kwd"]
        from_list = "eur"
        rate = "0.3"
        rate_on = 2026-06-30
        markup_pct = -10.5
        ends_in = "900"
    """
    assert derived(con, tmp_path, text) == [
        ("shopify", "chf", 0, 5, 100, "eur", 94500001, date(2026, 7, 1),
         "derived from the list eur, at 0.94500001 CHF for 1 EUR of 2026-06-30, up to the next that ends in 05"),
        ("shopify", "kwd", -1050, 900, 1000, "eur", 30000000, date(2026, 7, 7),
         "derived from the list eur, at 0.3 KWD for 1 EUR of 2026-06-30, -10.5 %, up to the next that ends in 900"),
    ]


@pytest.mark.parametrize(("rule", "message"), [
    ('from_list = "eur"', "rate is missing: chf is in CHF, eur in EUR; allowed: a decimal in quotes"),
    ('from_list = "eur"\nrate = "0.9"', "rate_on is missing: chf is in CHF, eur in EUR; allowed: the day of the rate"),
    ('from_list = "euro"\nrate = "0.9"',
     "from_list: 'euro' is no price list; did you mean \"eur\"?; allowed: chf, eur, kwd"),
    ('from_list = "eur"\nrate = "0.00"\nrate_on = 2026-06-30', "rate: 0.00 makes everything free; allowed: a decimal"),
    ('rate = "0.9"\nrate_on = 2026-06-30', "rate has no effect: chf and chf are both in CHF"),
])
def test_a_rate_that_is_missing_or_has_no_effect_stops_the_night(tmp_path: Path, con, rule, message):
    with pytest.raises(ConfigurationError) as caught:
        derived(con, tmp_path, f'[derive."shopify.chf"]\n{rule}')
    assert str(caught.value).startswith('policy [derive."shopify.chf"] ')
    assert message in str(caught.value)


def test_a_system_rounds_as_it_declares_unless_the_estate_says_otherwise_of_a_list(con):
    estate = estate_of(TomlFile("estate.toml", SWISS))
    compile_policy(con, read_policy(), estate, [SQUARE, SHOPIFY])
    assert fetched(con, "SELECT system, price_list_id, mode FROM policy.roundings") == [
        ("shopify", "chf", "half_up"), ("shopify", "eur", "half_up"), ("shopify", "kwd", "down"),
        ("square", "eur", "half_even"),
    ]


def test_what_comes_with_another_field_has_its_sources(con):
    compile_policy(con, read_policy(), estate_of(TomlFile("estate.toml", ESTATE)), [])
    of = "SELECT field, system, rank FROM policy.sources WHERE field IN ('street', 'city', 'postcode')"
    assert sorted(fetched(con, of)) == [
        (field, system, rank) for field in ("city", "postcode", "street")
        for system, rank in (("shopify", 2), ("square", 1))
    ]


def test_only_the_first_night_adopts(con):
    estate = estate_of(TomlFile("estate.toml", ESTATE + '[policy.adopt]\nnever_agreed = "approve"\n'))
    policy = read_policy(None, estate)
    compile_policy(con, policy, estate, [], is_adopting=True)
    assert action(con, "prices", "amount", "never_agreed") == "approve"
    compile_policy(con, policy, estate, [])
    assert action(con, "prices", "amount", "never_agreed") == "hold"


def test_files_are_laid_over_each_other_key_by_key(tmp_path: Path, con):
    mine = tmp_path / "policy.toml"
    mine.write_text('[fields."prices.amount"]\nenforce = true\n[caps.default]\nmax_rows = 9\n[derive."shopify.eur"]\n'
                    'markup_pct = 5.5\nends_in = 90\n', encoding="utf-8")
    estate = estate_of(TomlFile("estate.toml", ESTATE + '[policy.caps."shopify.prices.amount"]\nfloor_rows = 3\n'))
    policy = read_policy(mine, estate)
    compile_policy(con, policy, estate, [])
    assert policy.fields["prices.amount"].sources == read_policy().fields["prices.amount"].sources
    assert action(con, "prices", "amount", "here") == "approve"
    caps = fetched(con, "SELECT system, max_share_pct, floor_rows, max_rows FROM policy.caps WHERE field = 'amount'")
    assert caps == [("shopify", 10.0, 3, 9), ("square", 10.0, 50, 9)]
    assert fetched(con, "SELECT * FROM policy.derivations") == [
        ("shopify", "eur", 550, 90, 100, None, None, None, "derived +5.5 %, up to the next that ends in 90")
    ]


@pytest.mark.parametrize(("text", "days"), [
    ("", 30), ('[guards."prices.compare_at"]\nprior_price_days = 60', 60),
    ('[guards."prices.compare_at"]\nprior_price_days_in = { eur = 0 }', 0),
])
def test_the_days_of_a_was_price_are_of_all_lists_or_of_one(tmp_path: Path, con, text, days):
    mine = tmp_path / "policy.toml"
    mine.write_text(text, encoding="utf-8")
    estate = estate_of(TomlFile("estate.toml", ESTATE))
    compile_policy(con, read_policy(mine, estate), estate, [])
    assert fetched(con, "SELECT * FROM policy.prior_prices") == [("eur", days)]


def test_when_a_correction_is_parked_becomes_a_row(con):
    plain, mine = (estate_of(TomlFile("estate.toml", ESTATE + more)) for more in ("", "[policy.parking]\ntries = 9\n"))
    compile_policy(con, read_policy(None, plain), plain, [])
    assert fetched(con, "SELECT flap_writes, flap_days, tries FROM policy.parking") == [(2, 7, 5)]
    compile_policy(con, read_policy(None, mine), mine, [])
    assert fetched(con, "SELECT flap_writes, flap_days, tries FROM policy.parking") == [(2, 7, 9)]


def test_figures_of_reading_and_writing_are_the_policys_with_the_defaults_that_code_has():
    policy = read_policy()
    assert (policy.reads.min_share, policy.push.plan_age, policy.push.canary_rows) == (
        MIN_SHARE, PLAN_AGE, CANARY_ROWS
    )
    assert policy.push.plan_age == POLICY_APPROVAL


def test_what_a_system_carries_and_when_points_are_one_event_become_rows(con):
    more = (
        '[policy.assortment.default]\ncarries = "all"\n[policy.assortment.shopify]\nleaves_out = ["A-1"]\n'
        '[policy.loyalty]\nsame_within_minutes = 2\n'
    )
    plain, mine = estate_of(TomlFile("estate.toml", ESTATE)), estate_of(TomlFile("estate.toml", ESTATE + more))
    compile_policy(con, read_policy(None, plain), plain, [])
    assert fetched(con, "SELECT * FROM policy.assortment") == [("shopify", "products"), ("square", "products")]
    assert fetched(con, "SELECT * FROM policy.left_out") == []
    assert fetched(con, "SELECT * FROM policy.loyalty") == [(600,)]
    compile_policy(con, read_policy(None, mine), mine, [SHOPIFY, replace(SQUARE, endpoints=())])
    assert fetched(con, "SELECT * FROM policy.assortment") == [("shopify", "all")], "a till that sells nothing here"
    assert fetched(con, "SELECT * FROM policy.left_out") == [("shopify", "A-1")]
    assert fetched(con, "SELECT * FROM policy.loyalty") == [(120,)]


@pytest.mark.parametrize(("text", "message"), [
    ('[assortment.mailchimp]\ncarries = "all"', "'mailchimp' is no system that holds items; allowed: default, square"),
    ('[assortment.square]', "assortment.square: says nothing; allowed: carries, leaves_out"),
    ('[assortment.default]\nleaves_out = ["A-1"]', "assortment.default.leaves_out: has no effect: name the system"),
    ('[assortment.square]\nleaves_out = [" "]', "' ' is no SKU; allowed: SKUs as the systems have them"),
    ('[assortment.square]\ncarries = "most"', "carries: "),
    ("[loyalty]\nsame_within_minutes = -1", "same_within_minutes: "),
    ("[parking]\ntries = 0", "line 2: parking.tries: 0 is not allowed"),
    ("[push]\ncanary_rows = 0", "line 2: push.canary_rows: 0 is not allowed"),
    ("[push]\nplan_minutes = 600", "line 2: push.plan_minutes: 600 is not allowed"),
    ("[reads]\nmin_share_pct = 0.0", "line 2: reads.min_share_pct: 0.0 is not allowed"),
    ("[parking]\nflap_day = 3", 'parking.flap_day: unknown key; did you mean "flap_days"?'),
    ('[fields."prices.amont"]\ntolerance = 1',
     'line 1: fields."prices.amont": unknown key; did you mean "prices.amount"?'),
    ('[fields."prices.amount"]\ntolerence = 1',
     'unknown key; did you mean "tolerance"?; allowed: enforce, sources, targets'),
    ('[fields."prices.amount"]\n\ntolerance = -1', 'line 3: fields."prices.amount".tolerance: -1 is not allowed; '
     'allowed: a whole number from 0'),
    ('[decisions.default]\nhere = "aprove"', "line 2: decisions.default.here: 'aprove' is not allowed; did you mean "
     '"approve"?; allowed: approve, hold, refuse'),
    ('[decisions.default]\nhear = "hold"',
     "line 2: decisions.default.hear: 'hear' is not allowed; did you mean \"here\"?"),
    ('[decisions.price]\nhere = "hold"', 'line 1: decisions.price: unknown key; did you mean "prices"?'),
    ("[caps.defualt]\nmax_rows = 1", 'line 1: caps.defualt: unknown key; did you mean "default"?'),
    ('[caps."shopify.prices.amout"]\nmax_rows = 1',
     'line 1: caps."shopify.prices.amout": is not <system>.<entity>.<field>'),
    ('[derive.shopify]\nmarkup_pct = 1',
     "line 1: derive.shopify: is not <system>.<price list>; systems: square, shopify, hubspot"),
    ("[cap.default]\nmax_rows = 1",
     'line 1: cap: unknown key; did you mean "caps"?; allowed: adopt, assortment, caps, create, decisions'),
    ('[fields."prices.amount"]\nsources = ["squar", "shopify"]',
     'line 2: fields."prices.amount".sources: \'squar\' is no '
     'system that holds prices; did you mean "square"?; allowed: square, shopify, hubspot'),
    ('[fields."prices.amount"]\ntargets = ["shopfy"]',
     'targets: \'shopfy\' is no system that holds prices; did you mean '
     '"shopify"?; allowed: square, shopify, hubspot'),
    ('[fields."prices.amount"]\ntargets = ["mailchimp"]',
     "'mailchimp' is no system that holds prices; allowed: square"),
    ('[fields."prices.amount"]\nsources = []',
     "line 2: fields.\"prices.amount\".sources: is empty; allowed: one or more of "
     "square, shopify, hubspot"),
    ('[fields."prices.amount"]\nsources = ["square", "square"]',
     "sources: 'square' stands there 2 times; allowed: each of"),
    ('[fields."customers.city"]\nsources = ["square"]',
     "line 2: fields.\"customers.city\".sources: has no effect: an address is one "
     "value and comes with the street, from the sources of customers.street; allowed: no sources here"),
    ('[fields."stock.on_hand"]\nsources = ["square"]',
     "line 2: fields.\"stock.on_hand\".sources: has no effect: the truth of a "
     "location is its authority in estate.toml; allowed: no sources here"),
    ('[fields."stock.on_hand"]\nenforce = true', "has no effect: stock have no class `here`; allowed: false"),
    ('[fields."items.gtin"]\ntolerance = 3', "tolerance: has no effect: items.gtin is not a number; allowed: 0"),
    ('[fields."prices.amount"]\nenforce = "yes"', "line 2: fields.\"prices.amount\".enforce: 'yes' is not allowed; "
     "allowed: true or false"),
    ('[fields."prices.amount"]\nsources = "square"', "'square' is not allowed; allowed: a list in brackets"),
    ('[fields."prices.amount"]\nsources = [1]', "1 is not allowed; allowed: text in quotes"),
    ('[caps.default]\nmax_rows = "5"',
     "line 2: caps.default.max_rows: '5' is not allowed; allowed: a whole number from 0"),
    ('[caps.default]\nmax_rows = true', "max_rows: true is not allowed; allowed: a whole number from 0"),
    ('[caps.default]\nmax_share_pct = 101', "101 is not allowed; allowed: a number from 0 to 100"),
    ('[caps."shopfy.prices.amount"]\nmax_rows = 5',
     "line 1: caps.\"shopfy.prices.amount\": prices.amount is not compared in "
     "'shopfy'; did you mean \"shopify\"?; allowed: square, "),
    ('[caps.consents]\nmax_rows = 5',
     "line 1: caps.consents: has no effect: an opt-out is always obeyed; allowed: items.gtin"),
    ('[caps.prices]\n', "line 1: caps.prices: says nothing; allowed: floor_rows, max_rows, max_share_pct"),
    ('[derive."shopfy.eur"]\nmarkup_pct = 1',
     "derive.\"shopfy.eur\": 'shopfy' is no system that holds prices; did you mean "
     '"shopify"?; allowed: square, shopify, hubspot'),
    ('[derive."shopify.eurr"]\nmarkup_pct = 1',
     "line 1: derive.\"shopify.eurr\": the estate maps no price list 'eurr' of "
     'shopify; did you mean "shopify.eur"?; allowed: square.eur, shopify.eur'),
    ('[derive."shopify.eur"]\nrate = "0,94"', "line 2: derive.\"shopify.eur\".rate: '0,94' is not allowed; allowed: "
     'a decimal in quotes, with at most 8 decimals, as "0.9412"'),
    ('[derive."shopify.eur"]\nrate = 0.94', "rate: 0.94 is not allowed; allowed: a decimal in quotes"),
    ('[derive."shopify.eur"]\nends_in = "9x"', "ends_in"),
    ('[derive."shopify.eur"]\nrate_days = 0', "rate_days: 0 is not allowed"),
    ('[decisions.prices]\nunexplained = "hold"',
     "line 2: decisions.prices.unexplained: has no effect: prices has no such class; "
     "allowed: never_agreed, here, elsewhere, both, rule"),
    ('[decisions.consents]\nraise_with_proof = "approve"',
     "decisions.consents.raise_with_proof: 'approve' has no effect: "
     "permissions are lowered always, and raised by a person or never; allowed: hold, refuse"),
    ('[decisions.default]\nlower = "hold"', "'hold' has no effect: permissions are lowered always"),
    ('[guards."stock.on_hand"]\nrefuses_zero = true',
     "line 1: guards.\"stock.on_hand\": has no effect: guards are for prices; "
     "allowed: prices.amount, prices.compare_at"),
    ('[guards."prices.amount"]\nprior_price_days = 30',
     'line 2: guards."prices.amount".prior_price_days: has no effect: it is about "was" prices; '
     "allowed: prices.compare_at"),
    ('[guards."prices.compare_at"]\nprior_price_days = -1',
     "prior_price_days: -1 is not allowed; allowed: a whole number"),
    ('[guards."prices.compare_at".prior_price_days_in]\neuro = 0',
     'line 2: guards."prices.compare_at".prior_price_days_in.euro: the estate has no price list '
     "'euro'; did you mean \"eur\"?"),
    ("[fields]\nprices = 1", "allowed"),
])
def test_an_error_names_line_key_and_what_is_allowed(tmp_path: Path, text, message):
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_policy(path, estate_of(TomlFile("estate.toml", ESTATE)))
    assert message in str(caught.value)
    assert str(caught.value).startswith("policy.toml line ")


@pytest.mark.parametrize("text", [
    '[fields."prices.amont"]\ntolerance = 1', '[fields."prices.amount"]\nsources = ["squar"]',
    '[fields."prices.amount"]\nsources = []', '[fields."prices.amount"]\nenforce = "yes"',
    '[fields."stock.on_hand"]\nsources = ["square"]', '[caps."shopfy.prices.amount"]\nmax_rows = 5',
    '[decisions.prices]\nunexplained = "hold"', '[decisions.consents]\nraise_with_proof = "approve"',
    '[guards."stock.on_hand"]\nrefuses_zero = true', '[derive."shopfy.eur"]\nmarkup_pct = 1',
])
def test_the_published_schema_knows_the_words_too(text):
    """So that an editor marks the slip while it is made."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(text), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_every_class_and_field_of_the_model_can_be_decided():
    named = {name for key, classes in CLASSES.items() if key != "default" for name in classes}
    assert named == set(DriftClass)
    assert set(CLASSES) == {*ENTITIES, "default"}


def test_a_file_that_is_not_utf8_is_told_with_its_line(tmp_path: Path):
    path = tmp_path / "policy.toml"
    path.write_bytes(b"[caps.default]\nmax_rows = 5 # \xe9t\xe9\n")
    with pytest.raises(ConfigurationError, match=r"policy\.toml line 2: byte 0xE9 is not UTF-8; allowed: a TOML"):
        read_policy(path)


def test_a_fault_in_the_estates_policy_is_told_with_the_estates_line():
    file = TomlFile("estate.toml", ESTATE + '[policy.adopt]\nnever_agred = "approve"\n')
    with pytest.raises(ConfigurationError, match='estate.toml line 16: policy.adopt.never_agred: unknown key'):
        read_policy(None, estate_of(file), estate_file=file)


def fetched(con, query: str) -> list[tuple[object, ...]]:
    return con.execute(f"{query} ORDER BY ALL").fetchall()


def action(con, entity: str, field: str, drift_class: str) -> str:
    query = "SELECT action FROM policy.decisions WHERE entity = ? AND field = ? AND drift_class = ?"
    return con.execute(query, [entity, field, drift_class]).fetchone()[0]


def test_no_subscriber_is_made_where_none_can_be(con):
    estate = estate_of(TomlFile("estate.toml", ESTATE))
    policy = read_policy()
    greedy = policy.model_copy(update={"create": policy.create.model_copy(update={"subscribers_in": ["square"]})})
    with pytest.raises(ConfigurationError, match="no subscriber can be made in 'square'; allowed: mailchimp"):
        compile_policy(con, greedy, estate, CHANNELS)

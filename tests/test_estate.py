"""What may stand in estate.toml, what the errors say, and the rows that it becomes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.channels.hubspot import HUBSPOT
from pipelines.channels.odoo import ODOO
from pipelines.channels.square import SQUARE
from pipelines.configuration import TomlFile
from pipelines.errors import ConfigurationError
from pipelines.estate import compile_estate, estate_of, read_estate, start_night
from resources.channels import Settings, channels_of, channels_shown
from resources.workplace import check_settings

GOOD = """
[estate]
name = "maison"
timezone = "Europe/Paris"

[systems.square]
base_url = "https://connect.squareup.com"
shop_id = "MERCHANT"
mode = { prices = "live" }

[systems.shopify]
base_url = "https://maison.myshopify.com"
shop_id = "gid://shopify/Shop/1"
timezone = "Europe/Zurich"
options = { plan = "plus" }
pilot = { stock = ["SKU-1"], customers = ["9d4b"] }

[systems.shopify.mode]
stock = "pilot"

[locations.paris]
authority = "square"
safety_stock = 2
vendor_ids = { square = "LP", shopify = "gid://shopify/Location/1" }

[price_lists.eur]
currency = "EUR"
vendor_ids = { square = "base", shopify = { id = "base", tax_basis = "net" } }

[audiences.newsletter]
vendor_ids = { shopify = ["email", "email2"] }
"""


def test_an_estate_becomes_rows(con):
    estate = estate_of(TomlFile("estate.toml", GOOD))
    compile_estate(con, estate)
    start_night(con, estate, night_id="n1", as_of=datetime(2026, 6, 15, tzinfo=UTC), kind="adopt")
    assert rows(con, "estate.systems") == [
        ("shopify", "gid://shopify/Shop/1", "Europe/Zurich"), ("square", "MERCHANT", "Europe/Paris"),
    ]
    assert rows(con, "estate.locations") == [
        ("shopify", "gid://shopify/Location/1", "paris"), ("square", "LP", "paris"),
    ]
    assert rows(con, "estate.stock_rules") == [("paris", "square", 2)]
    assert rows(con, "estate.price_lists") == [
        ("shopify", "base", "eur", "EUR", "net"), ("square", "base", "eur", "EUR", "gross"),
    ]
    assert rows(con, "estate.audiences") == [
        ("shopify", "email", "email", "newsletter"), ("shopify", "email2", "email", "newsletter"),
    ]
    assert rows(con, "policy.pilots") == [("shopify", "customers", "9d4b"), ("shopify", "stock", "SKU-1")]
    assert rows(con, "policy.pilot_skus") == [("shopify", "stock", "SKU-1")]
    assert con.execute("SELECT night_id, estate, timezone, kind FROM estate.night").fetchall() == [
        ("n1", "maison", "Europe/Paris", "adopt")
    ]
    assert (estate.mode_of("square", "prices"), estate.mode_of("square", "stock")) == ("live", "observe")


def rows(con, table: str) -> list[tuple[object, ...]]:
    return con.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()


@pytest.mark.parametrize(("old", "new", "message"), [
    ('prices = "live"', 'prices = "livee"',
     "estate.toml line 9: systems.square.mode.prices: 'livee' is not allowed; did you mean \"live\"?; "
     "allowed: observe, pilot, live"),
    ('stock = "pilot"\n', 'stok = "pilot"\n', "line 19: systems.shopify.mode.stok: 'stok' is not allowed; "
     'did you mean "stock"?; allowed: items, prices, stock, customers, consents'),
    ("safety_stock = 2", "safty_stock = 2", "line 23: locations.paris.safty_stock: unknown key; "
     'did you mean "safety_stock"?; allowed: authority, hold_hours, safety_stock, vendor_ids'),
    ("safety_stock = 2", "safety_stock = -2", "line 23: locations.paris.safety_stock: -2 is not allowed; "
     "allowed: a whole number from 0"),
    ('shop_id = "MERCHANT"\n', "", "line 6: systems.square.shop_id: is missing"),
    ('square = "LP"', 'squar = "LP"', "line 24: locations.paris.vendor_ids.squar: no such system; "
     'did you mean "square"?; allowed: shopify, square'),
    ('authority = "square"', 'authority = "hubspot"', "line 22: locations.paris.authority: 'hubspot' is not mapped"),
    ('"Europe/Zurich"', '"Europe/Zürich"', "line 14: systems.shopify.timezone: not a time zone; did you mean "),
    ('currency = "EUR"', 'currency = "euro"', "line 27: price_lists.eur.currency: not a currency; allowed: a code of "
     "ISO 4217, as EUR (got 'euro')"),
    ('tax_basis = "net"', 'tax_basis = "net", rounding = "half_eve"', "'half_eve' is not allowed; did you mean "
     '"half_even"?; allowed: half_up, half_even, half_down, up, down'),
    ('currency = "EUR"', 'currency = "EUX"', 'not a currency; allowed: a code of ISO 4217'),
    ("https://connect", "connect", "line 7: systems.square.base_url: 'connect.squareup.com' is not allowed; "
     "allowed: an address that begins with https:// or http://"),
    ("[audiences.newsletter]", "[audience.newsletter]", "line 30: audience: unknown key; did you mean \"audiences\"?"),
    ("[estate]", "[estate", "estate.toml: not valid TOML: "),
])
def test_an_error_names_line_key_and_what_is_allowed(old, new, message):
    assert old in GOOD
    with pytest.raises(ConfigurationError) as caught:
        estate_of(TomlFile("estate.toml", GOOD.replace(old, new, 1)))
    assert message in str(caught.value)


KEPT = GOOD + """
[locations.lyon]
authority = "square"
hold_hours = 48
vendor_ids = { square = "LL", shopify = "gid://shopify/Location/2" }

[locations.stand]
authority = "square"
vendor_ids = { square = "LS" }

[[safety_stock]]
category = "Robes"
units = 4

[[safety_stock]]
category = "Robes"
location = "lyon"
units = 0

[[safety_stock]]
category = "Sacs"
location = "paris"
units = 3

[[buffers]]
system = "shopify"
units = 1

[[buffers]]
system = "shopify"
location = "lyon"
units = 2

[[buffers]]
system = "shopify"
category = "Robes"
units = 5
"""


def test_what_is_kept_back_becomes_the_rule_that_wins_at_each_place(con):
    compile_estate(con, estate_of(TomlFile("estate.toml", KEPT)))
    assert rows(con, "estate.safety_rules") == [
        ("Robes", "lyon", 0, "safety stock of Robes at lyon"), ("Robes", "paris", 4, "safety stock of Robes"),
        ("Robes", "stand", 4, "safety stock of Robes"), ("Sacs", "paris", 3, "safety stock of Sacs at paris"),
    ]
    assert rows(con, "estate.buffers") == [
        ("shopify", "", "lyon", 2, "buffer of shopify at lyon"), ("shopify", "", "paris", 1, "buffer of shopify"),
        ("shopify", "Robes", "lyon", 5, "buffer of shopify for Robes"),
        ("shopify", "Robes", "paris", 5, "buffer of shopify for Robes"),
    ], "none where the system is not mapped"
    assert rows(con, "estate.hold_limits") == [("lyon", 48)]


@pytest.mark.parametrize(("old", "new", "message"), [
    ('system = "shopify"\nlocation = "lyon"', 'system = "shopfy"\nlocation = "lyon"',
     'line 61: buffers.1.system: no such system; did you mean "shopify"?; allowed: shopify, square'),
    ('system = "shopify"\nlocation = "lyon"', 'system = "shopify"\nlocation = "lion"',
     'buffers.1.location: no such location; did you mean "lyon"?; allowed: lyon, paris, stand'),
    ('system = "shopify"\nlocation = "lyon"', 'system = "shopify"\nlocation = "stand"',
     "buffers.1.location: shopify is not mapped at stand; allowed: square"),
    ('system = "shopify"\nlocation = "lyon"', 'system = "square"\nlocation = "lyon"',
     "buffers.1.location: square counts at lyon: a buffer is kept back from the others"),
    ('category = "Sacs"\nlocation = "paris"', 'category = "robes"\nlocation = "lyon"',
     "line 51: safety_stock.2: said twice: robes at lyon; keep one of them"),
    ('category = "Robes"\nunits = 5', "units = 5", "buffers.2: said twice: shopify all categories at every place"),
    ('category = "Robes"\nunits = 4', "units = 4", "safety_stock.0.category: is missing"),
    ("units = 5", "units = -5", "line 68: buffers.2.units: -5 is not allowed; allowed: a whole number from 0"),
    ("hold_hours = 48", "hold_hours = 0", "locations.lyon.hold_hours: 0 is not allowed; "
     "allowed: a whole number over 0"),
])
def test_a_rule_that_could_not_count_is_refused(old, new, message):
    assert old in KEPT
    with pytest.raises(ConfigurationError) as caught:
        estate_of(TomlFile("estate.toml", KEPT.replace(old, new, 1)))
    assert message in str(caught.value)


def test_a_list_that_only_rounds_otherwise_keeps_its_basis(con):
    compile_estate(con, estate_of(TomlFile("estate.toml", GOOD.replace('tax_basis = "net"', 'rounding = "down"'))))
    assert rows(con, "estate.price_lists")[0] == ("shopify", "base", "eur", "EUR", "gross")


def test_a_place_is_mapped_once():
    twice = GOOD + '\n[locations.lyon]\nauthority = "square"\nvendor_ids = { square = "LP" }\n'
    with pytest.raises(ConfigurationError, match="line 35: locations.lyon.vendor_ids.square: 'LP' of square is"):
        estate_of(TomlFile("estate.toml", twice))


def test_all_faults_are_told_at_once():
    wrong = GOOD.replace("safety_stock = 2", "safety_stok = 2").replace('"live"', '"on"')
    with pytest.raises(ConfigurationError) as caught:
        estate_of(TomlFile("estate.toml", wrong))
    assert len(str(caught.value).splitlines()) == 2


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml: there is no such file"):
        read_estate(tmp_path / "nowhere.toml")


BOTH = replace(SQUARE, roles={"pos": ("items", "prices", "stock", "orders"), "crm": ("customers",)})
ROLES = """
[estate]
name = "maison"
timezone = "Europe/Paris"

[systems.square]
base_url = "https://connect.squareup.com"
shop_id = "MERCHANT"
roles = ["crm"]
"""


def test_a_system_serves_as_what_the_estate_says():
    (crm,) = channels_of(estate_of(TomlFile("estate.toml", ROLES)), [BOTH, HUBSPOT])
    assert {entity for endpoint in crm.endpoints for entity in endpoint.entities} == {"customers"}
    assert {writer.entity for writer in crm.writers} == {reader.entity for reader in crm.read_backs} == {"customers"}
    assert {ability.entity for ability in crm.abilities} == {"customers"}
    every = estate_of(TomlFile("estate.toml", ROLES.replace('roles = ["crm"]', "")))
    assert channels_of(every, [BOTH]) == [BOTH]


def test_a_role_that_it_does_not_have_is_told_with_those_it_has():
    estate = estate_of(TomlFile("estate.toml", ROLES.replace("crm", "webshop")))
    with pytest.raises(ConfigurationError, match=r"systems.square.roles: no role webshop; allowed: pos, crm"):
        channels_of(estate, [BOTH])
    with pytest.raises(ConfigurationError, match="allowed: none, it is only one thing"):
        channels_of(estate, [SQUARE])


def test_only_the_estates_systems_are_shown(tmp_path: Path):
    path = tmp_path / "estate.toml"
    path.write_text(ROLES, encoding="utf-8")
    shown = channels_shown(Settings.read({"TRUEUP_ESTATE": str(path)}), [BOTH, HUBSPOT])
    assert [channel.name for channel in shown] == ["square"]
    assert channels_shown(Settings.read({}), [BOTH, HUBSPOT]) == (BOTH, HUBSPOT)


@pytest.mark.parametrize(
    ("newsletter", "offers", "is_refused"),
    [
        ('["3", "all"]', '"4"', True), ('"all"', '["4", "5"]', True),
        ('["3", "all"]', "", False), ('"3"', '"4"', False),
    ],
)
def test_a_ban_on_all_mail_is_a_no_to_one_purpose_only_where_there_is_one(tmp_path, newsletter, offers, is_refused):
    banning = replace(HUBSPOT, bans=frozenset({"all"}))
    audiences = f"\n[audiences.newsletter]\nvendor_ids = {{ hubspot = {newsletter} }}\n"
    audiences += f"\n[audiences.offers]\nvendor_ids = {{ hubspot = {offers} }}\n" if offers else ""
    path = tmp_path / "estate.toml"
    path.write_text(ROLES.replace("systems.square", "systems.hubspot").replace('roles = ["crm"]', "") + audiences)
    settings = Settings.read({
        "TRUEUP_ESTATE": str(path), "TRUEUP_CONTACT_KEY": "0" * 64, **dict.fromkeys(HUBSPOT.secrets, "s"),
    })
    check_settings(settings, [replace(banning, bans=frozenset())])
    if not is_refused:
        check_settings(settings, [banning])
        return
    with pytest.raises(ConfigurationError) as caught:
        check_settings(settings, [banning])
    assert (
        "estate.toml line 12: audiences.newsletter.vendor_ids.hubspot: 'all' forbids all mail of hubspot: a no to "
        "newsletter would be a no to offers too; leave it out, or map all of hubspot to one purpose"
    ) in str(caught.value)


def test_odoos_blacklist_is_a_ban_on_all_of_its_mail(tmp_path):
    estate = ROLES.replace("systems.square", "systems.odoo").replace('roles = ["crm"]', "")
    estate += '\n[audiences.newsletter]\nvendor_ids = { odoo = ["3", "blacklist"] }\n'
    path = tmp_path / "estate.toml"
    settings = Settings.read({
        "TRUEUP_ESTATE": str(path), "TRUEUP_CONTACT_KEY": "0" * 64, **dict.fromkeys(ODOO.secrets, "s"),
    })
    path.write_text(estate)
    check_settings(settings, [ODOO])
    path.write_text(estate + '\n[audiences.offers]\nvendor_ids = { odoo = "4" }\n')
    with pytest.raises(ConfigurationError, match="'blacklist' forbids all mail of odoo: a no to newsletter would be"):
        check_settings(settings, [ODOO])


def test_who_counts_at_a_place_is_read_for_stock(tmp_path: Path):
    place = '\n[locations.paris]\nauthority = "square"\nvendor_ids = { square = "L1" }\n'
    path = tmp_path / "estate.toml"
    path.write_text(ROLES + place, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="line 12: locations.paris.authority: square is not read for stock"):
        check_settings(Settings.read({"TRUEUP_ESTATE": str(path)}), [BOTH, HUBSPOT])

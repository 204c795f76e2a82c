"""docs/channels/files.md tells the truth: its example runs as it is written, and every key of a mapping is in it."""

import re

from pipelines.channels.files.mapping import Consents, Customers, Form, Items, Mapping, Prices, Stock
from pipelines.channels.files.mapping_check import mapping_of
from pipelines.configuration import TomlFile
from pipelines.estate import estate_of
from tests.channels.drops import Drops, correction
from tests.conftest import ROOT, open_warehouse

TEXT = (ROOT / "docs" / "channels" / "files.md").read_text(encoding="utf-8")
ESTATE, MAPPING = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
ARTICLES, LYON, OUT = re.findall(r"^```csv\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def test_the_estate_of_the_example_is_one():
    estate = estate_of(TomlFile("estate.toml", f'estate = {{ name = "maison", timezone = "Europe/Paris" }}\n{ESTATE}'))
    mapping = mapping_of(TomlFile("files.toml", MAPPING))
    assert estate.systems["files"].shop_id == mapping.shop_id
    assert f'"{estate.systems["files"].options["mapping"]}"' in ESTATE


async def test_the_example_gives_what_the_text_says():
    drops = Drops(MAPPING)
    drops.put("articles_20260614.csv", ARTICLES.encode("cp1252"))
    drops.put("stock_lyon.csv", LYON.encode("cp1252"))
    with open_warehouse() as con:
        await drops.stage(con)
        assert con.execute("SELECT sku, title FROM files.items ORDER BY ALL").fetchall() == [
            ("0012", "Robe d'été"), ("0013", "Écharpe"),
        ]
        assert con.execute("SELECT vendor_id, amount_minor, currency, tax_basis FROM files.prices").fetchall() == [
            ("0012", 123450, "EUR", "gross"),
        ]
        assert con.execute("SELECT vendor_id, vendor_location_id, on_hand FROM files.stock").fetchall() == [
            ("0012", "lyon", 7),
        ]
        out = con.execute("SELECT entity, vendor_id, value_class FROM quarantine.files ORDER BY ALL").fetchall()
    assert out == [
        ("prices", "0013", "other writing of numbers, articles_20260614.csv line 3"),
        ("stock", "0013", "missing, stock_lyon.csv line 3"),
    ]
    await drops.write([correction("prices", "amount", "0012", "119900", sub="base", table="articles")])
    assert drops.get(f"out/{drops.out()[0]}") == OUT.encode("cp1252")


def test_every_key_is_in_the_document():
    keys = {name for model in (Form, Mapping, Items, Prices, Stock, Customers, Consents) for name in model.model_fields}
    assert {key for key in keys - {"defaults"} if not re.search(rf"\b{key}\b", TEXT)} == set()

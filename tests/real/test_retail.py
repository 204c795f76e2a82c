"""A retailer's file of invoice lines: what is loaded, and what is kept out under which reason; no line is lost."""

import csv
from pathlib import Path

import pytest

from deploy.real.retail import ALL, MOST, Limits, NotRetail, ean13, read_retail

HEAD = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
GOOD = ("489434", "85048", "GLASS BALL", "12", "2009-12-01 07:45:00", "6.95", "13085.0", "France")


def written(folder: Path, *lines: tuple[str, ...], head: tuple[str, ...] = HEAD) -> Path:
    path = folder / "lines.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *lines])
    return path


def line(**other: str) -> tuple[str, ...]:
    return tuple(other.get(name.replace(" ", "_").lower(), value) for name, value in zip(HEAD, GOOD, strict=True))


@pytest.mark.parametrize(("other", "reason"), [
    ({"price": "0"}, "a price of zero or below"),
    ({"price": "-3.5"}, "a price of zero or below"),
    ({"price": "cheap"}, "a price of zero or below"),
    ({"stockcode": "POST"}, "no item: postage, fees, samples"),
    ({"description": " "}, "no description"),
    ({"quantity": "0"}, "no quantity"),
    ({"quantity": "many"}, "no quantity"),
    ({"quantity": "80995"}, "a quantity that no shop sells"),
    ({"quantity": "-2"}, "a correction of stock, no sale"),
    ({"invoicedate": "yesterday"}, "no time"),
    ({"invoice": ""}, "no invoice number"),
])
def test_a_line_that_cannot_be_loaded_is_kept_out_under_its_reason(tmp_path, other, reason):
    retail = read_retail(written(tmp_path, GOOD, line(**other)), ALL)
    assert ("lines", reason, 1) in retail.kept_out
    assert [len(order.lines) for order in retail.orders] == [1]


def test_the_same_line_twice_is_loaded_once(tmp_path):
    retail = read_retail(written(tmp_path, GOOD, GOOD, line(quantity="13")), ALL)
    assert retail.kept_out == [("lines", "the same line twice", 1)]
    assert [each.quantity for each in retail.orders[0].lines] == [12, 13]


def test_an_item_has_its_usual_name_and_price_whatever_its_case(tmp_path):
    odd = line(invoice="1", stockcode="85048a", description="?", price="99")
    usual = [line(invoice=str(n), stockcode="85048A") for n in range(2, 5)]
    (item,) = read_retail(written(tmp_path, odd, *usual), ALL).items
    assert (item.sku, item.name, item.gross_minor) == ("85048A", "GLASS BALL", 695)
    assert item.barcode == ean13(item.barcode[:12])


def test_what_is_taken_back_comes_back_and_levels_are_what_is_left(tmp_path):
    back = line(invoice="C489435", quantity="-2")
    retail = read_retail(written(tmp_path, GOOD, back), ALL)
    assert sorted(each.quantity for order in retail.orders for each in order.lines) == [-2, 12]
    (item,), (before,) = retail.items, retail.before_sales()
    moved = sum(before.stock.values()) - sum(item.stock.values())
    assert moved == 10
    assert all(units >= 5 for units in item.stock.values())


def test_the_limits_keep_the_most_sold_and_the_last(tmp_path):
    lines = [line(invoice=str(n), stockcode=str(20000 + n % 3), customer_id=str(n % 4)) for n in range(10)]
    retail = read_retail(written(tmp_path, *lines), Limits(2, 3, 4))
    assert (len(retail.items), len(retail.customers)) == (2, 3)
    assert len(retail.orders) <= 4
    assert ("items", "beyond the limit", 1) in retail.kept_out


def _is_whole(retail) -> bool:
    kept_out = sum(rows for what, _, rows in retail.kept_out if what == "lines")
    return kept_out + sum(len(order.lines) for order in retail.orders) == retail.lines_read


@pytest.mark.parametrize("limits", [ALL, Limits(30, 20, 50)])
def test_every_line_is_loaded_or_told(limits):
    made = read_retail(None, limits)
    assert made == read_retail(None, limits), "made up, but always the same"
    assert _is_whole(made)
    assert len(made.items) and len(made.customers) and len(made.orders)
    known = {item.sku for item in made.items}
    assert {each.sku for order in made.orders for each in order.lines} <= known
    assert {order.email for order in made.orders} - {""} <= {row.email for row in made.customers}


def test_the_public_data_set_is_loaded_whole_or_told(shared):
    retail = read_retail(shared / "data" / "online_retail_ii_2009_2010.parquet", MOST)
    assert _is_whole(retail)
    assert retail.lines_read == 525_461
    assert (len(retail.items), len(retail.customers), len(retail.orders)) == (2_000, 1_000, 5_000)
    assert ("lines", "the same line twice", 6_865) in retail.kept_out


def test_another_file_is_refused_with_what_it_lacks(tmp_path):
    with pytest.raises(NotRetail, match="no column price; allowed names: price, Price, UnitPrice"):
        read_retail(written(tmp_path, GOOD, head=(*HEAD[:5], "Cost", *HEAD[6:])), ALL)
    with pytest.raises(NotRetail, match="there is no such file"):
        read_retail(tmp_path / "none.csv", ALL)
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(NotRetail, match="neither Parquet nor CSV"):
        read_retail(tmp_path / "x.parquet", ALL)

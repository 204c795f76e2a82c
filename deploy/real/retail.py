"""A retailer's year from a file of invoice lines, as UCI Online Retail II has them: items, customers, sales, the dirt.

Columns: invoice (`C...`: taken back), stock code, description, quantity, time, price, customer, country; Parquet or
CSV, under the data set's own names or in snake case. What a real file holds is told apart in SQL, set by set, and what
cannot be loaded is counted by reason, never dropped in silence. Addresses, phones, permissions and levels are in no
such file: they are made from the codes, always the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import duckdb

from deploy.real.rows import CatalogueRow, CustomerRow, OrderLine, OrderRow
from pipelines.duck import connect

SQL = Path(__file__).with_name("retail.sql")
MADE = Path(__file__).with_name("retail_made.sql")
_DICE = "CREATE MACRO dice(text, n) AS CAST(md5_number_lower(CAST(text AS VARCHAR)) % n AS BIGINT)"
"""One of n numbers from 0 on, always the same for the same text."""
SHOPS = ("Paris", "Lyon", "Entrepôt")
TAX_RATE_BP = 2000
_NAMES = (
    ("invoice", "Invoice", "InvoiceNo"), ("stock_code", "StockCode"), ("description", "Description"),
    ("quantity", "Quantity"), ("invoice_date", "InvoiceDate"), ("price", "Price", "UnitPrice"),
    ("customer_id", "Customer ID", "CustomerID"), ("country", "Country"),
)


class NotRetail(Exception):
    """The file is none of invoice lines; says what it lacks."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many of each at most, the most sold and the last first; None: all."""

    items: int | None
    customers: int | None
    invoices: int | None


USUAL = Limits(600, 300, 60)
"""What a run loads where nothing else is asked: enough to meet what real files hold, and done in minutes."""
MOST = Limits(2_000, 1_000, 5_000)
"""More than this of anything is asked for by `--all` alone: Odoo moves stock for every line, for hours."""
ALL = Limits(None, None, None)


@dataclass(frozen=True, slots=True)
class Retail:
    """What can be loaded, and what was kept out: (of what, reason, how many)."""

    items: list[CatalogueRow]
    customers: list[CustomerRow]
    orders: list[OrderRow]
    lines_read: int
    kept_out: list[tuple[str, str, int]] = field(default_factory=list)

    def before_sales(self) -> list[CatalogueRow]:
        """The items with the units that were there before the orders: what is left after them is what `items` say."""
        sold: dict[tuple[str, str], int] = {}
        for order in self.orders:
            for line in order.lines:
                place = (line.sku, order.shop)
                sold[place] = sold.get(place, 0) + line.quantity
        return [
            replace(item, stock={shop: units + sold.get((item.sku, shop), 0) for shop, units in item.stock.items()})
            for item in self.items
        ]


def read_retail(path: Path | None, limits: Limits) -> Retail:
    """Read a file, or where none is given make a small year up. NotRetail for a file of another shape."""
    with connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(_DICE)
        if path is None:
            con.execute(MADE.read_text(encoding="utf-8"))
        else:
            _open(con, path)
        for name, most in (("items", limits.items), ("customers", limits.customers), ("invoices", limits.invoices)):
            con.execute(f"SET VARIABLE most_{name} = ?", [most if most is not None else 2**62])
        con.execute(f"SET VARIABLE shops = {list(SHOPS)!r}")
        con.execute(SQL.read_text(encoding="utf-8"))
        return Retail(
            list(_items(con)), list(_customers(con)), list(_orders(con)),
            con.execute("SELECT count(*) FROM lines").fetchall()[0][0],
            con.execute("SELECT what, reason, rows FROM kept_out ORDER BY rows DESC, what, reason").fetchall(),
        )


def _open(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    if not path.is_file():
        raise NotRetail(f"{path}: there is no such file")
    reader = "read_parquet(?)" if path.suffix == ".parquet" else "read_csv(?, all_varchar = true)"
    try:
        con.execute(f"CREATE TABLE given AS SELECT * FROM {reader}", [str(path)])
    except duckdb.Error as error:
        raise NotRetail(f"{path}: neither Parquet nor CSV that can be read") from error
    there = {row[0] for row in con.execute("DESCRIBE given").fetchall()}
    chosen = []
    for ours, *others in _NAMES:
        found = next((name for name in (ours, *others) if name in there), None)
        if found is None:
            raise NotRetail(f"{path}: no column {ours}; allowed names: {', '.join((ours, *others))}")
        chosen.append(f'CAST("{found}" AS VARCHAR) AS {ours}')
    con.execute(f"CREATE TABLE lines AS SELECT {', '.join(chosen)} FROM given")


def _items(con: duckdb.DuckDBPyConnection) -> Iterator[CatalogueRow]:
    for sku, number, name, gross, levels in con.execute(
        "SELECT sku, number, name, gross_minor, levels FROM items ORDER BY number"
    ).fetchall():
        stock = dict(zip(SHOPS, levels, strict=True))
        yield CatalogueRow(sku, ean13(f"29{number:010d}"), name, gross, TAX_RATE_BP, stock)


def _customers(con: duckdb.DuckDBPyConnection) -> Iterator[CustomerRow]:
    asked_at = "2026-01-05T10:00:00.000Z"
    for key, name, phone, street, city, postcode, consent, points in con.execute(
        "SELECT key, name, phone, street, city, postcode, consent, points FROM customers ORDER BY key"
    ).fetchall():
        yield CustomerRow(
            f"client.{key}@example.fr", "Client", name, phone, street, city, postcode, consent,
            asked_at if consent is not None else None, "double_opt_in" if consent else None, f"F{key}", points,
        )


def _orders(con: duckdb.DuckDBPyConnection) -> Iterator[OrderRow]:
    for key, shop, at, customer, lines in con.execute(
        "SELECT key, shop, sold_at, customer, lines FROM orders ORDER BY sold_at, key"
    ).fetchall():
        email = f"client.{customer}@example.fr" if customer else ""
        yield OrderRow(key, shop, at, _lines(lines), email)


def _lines(lines: Sequence[dict[str, object]]) -> tuple[OrderLine, ...]:
    return tuple(OrderLine(str(one["sku"]), int(str(one["quantity"])), int(str(one["gross_minor"]))) for one in lines)


def ean13(body: str) -> str:
    """Twelve digits with the thirteenth, that checks them."""
    total = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(body))
    return body + str(-total % 10)

"""Sells in an Odoo's tills, as the till itself tells Odoo of its orders: what moves stock by itself.

One register a shop, with a cash drawer of its own; a session is opened where none is. An order loaded twice is one.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from deploy.real.odoo_api import OdooApi
from deploy.real.odoo_seed import Shop
from deploy.real.rows import OrderLine, OrderRow

LINES_AT_ONCE = 60
"""Lines in one call: Odoo moves stock for each, and gives up on a call that takes it two minutes."""
LINES_TOLD = 1_000
"""Lines between two words of progress."""
LINES_A_SESSION = 20_000
"""Lines sold before the registers are closed: Odoo books a session's sales in one call."""


def load_orders(
    api: OdooApi, orders: Sequence[OrderRow], shops: Mapping[str, Shop], products: Mapping[str, int],
    partners: Mapping[str, int],
) -> dict[str, int]:
    """Sell; order ids by key. `products` by SKU, `partners` by e-mail address."""
    sessions = {shop: open_register(api, shop, shops[shop]) for shop in dict.fromkeys(row.shop for row in orders)}
    found = api.find("product.product", [["id", "in", list(products.values())]], "taxes_id")
    taxes = {each["id"]: each["taxes_id"] for each in found}
    used = sorted({tax for some in taxes.values() for tax in some})
    rates = {tax["id"]: tax["amount"] for tax in api.find("account.tax", [["id", "in", used]], "amount")}
    made: dict[str, int] = {}
    for some in _together(orders, LINES_AT_ONCE):
        sent = [_order(row, sessions[row.shop], products, partners, taxes, rates) for row in some]
        api.call("pos.order", "sync_from_ui", orders=sent)
        ids = {each["uuid"]: each["id"] for each in api.find(
            "pos.order", [["uuid", "in", [each["uuid"] for each in sent]]], "uuid"
        )}
        made |= {row.key: ids[each["uuid"]] for row, each in zip(some, sent, strict=True)}
    return made


def _together(orders: Sequence[OrderRow], most: int) -> Iterator[list[OrderRow]]:
    """Orders in the order given, as many at a time as have no more than `most` lines; a bigger one alone."""
    some: list[OrderRow] = []
    lines = 0
    for row in orders:
        if some and lines + len(row.lines) > most:
            yield some
            some, lines = [], 0
        some.append(row)
        lines += len(row.lines)
    if some:
        yield some


def load_history(
    api: OdooApi, orders: Sequence[OrderRow], shops: Mapping[str, Shop], products: Mapping[str, int],
    partners: Mapping[str, int], told: Callable[[str, int, int], None],
) -> dict[str, int]:
    """Sell much, and close the registers: stock moves then, once an item and shop, and not with each order.

    `told` hears what is loaded, how much of it, and of how much.
    """
    company = api.find("res.users", [["id", "=", api.call("res.users", "context_get")["uid"]]], "company_id")[0]
    close_registers(api)  # a session moves stock as the company did when it was opened
    api.write("res.company", [company["company_id"]], {"point_of_sale_update_stock_quantities": "closing"})
    try:
        made: dict[str, int] = {}
        sold, all_lines = 0, sum(len(row.lines) for row in orders)
        for some in _together(orders, LINES_A_SESSION):
            for call in _together(some, LINES_TOLD):
                made |= load_orders(api, call, shops, products, partners)
                sold += sum(len(row.lines) for row in call)
                told("lines sold in Odoo", sold, all_lines)
            close_registers(api)
    finally:
        api.write("res.company", [company["company_id"]], {"point_of_sale_update_stock_quantities": "real"})
    return made


def close_registers(api: OdooApi) -> None:
    """Close every open session; what it sold is booked."""
    for session in api.find("pos.session", [["state", "!=", "closed"]], "state"):
        api.call("pos.session", "close_session_from_ui", ids=[session["id"]])


def refund(api: OdooApi, order: int) -> int:
    """Take a whole order back; the id of the order that does."""
    found = api.call("pos.order", "refund", ids=[order])
    back = int(found["res_id"])
    amount = api.value("pos.order", back, "amount_total")
    method = api.find("pos.payment", [["pos_order_id", "=", order]], "payment_method_id")[0]["payment_method_id"]
    wizard = api.create(
        "pos.make.payment", [{"amount": amount, "payment_method_id": method}], active_id=back, active_ids=[back]
    )
    api.call("pos.make.payment", "check", ids=wizard, context={"active_id": back, "active_ids": [back]})
    return back


def open_register(api: OdooApi, name: str, shop: Shop) -> dict[str, Any]:
    """The open session of a shop's register, with what an order must name."""
    kind = api.find(
        "stock.picking.type", [["warehouse_id", "=", shop.warehouse], ["sequence_code", "=", "POS"]], "sequence_code"
    )[0]["id"]
    found = api.find("pos.config", [["picking_type_id", "=", kind]], "payment_method_ids")
    if found:
        config = found[0]["id"]
    else:
        code = f"C{shop.warehouse}"
        journal = api.create("account.journal", [{"name": f"Cash {name}", "code": code, "type": "cash"}])[0]
        method = api.create("pos.payment.method", [{"name": f"Cash {name}", "journal_id": journal}])[0]
        values = {"name": name, "picking_type_id": kind, "payment_method_ids": [[6, 0, [method]]]}
        config = api.create("pos.config", [values])[0]
    open_ones = [["config_id", "=", config], ["state", "in", ["opening_control", "opened"]]]
    sessions = api.find("pos.session", open_ones, "state")
    if not sessions:
        api.call("pos.config", "open_ui", ids=[config])
        sessions = api.find("pos.session", open_ones, "state")
    session = sessions[0]
    if session["state"] == "opening_control":
        api.call("pos.session", "set_opening_control", ids=[session["id"]], cashbox_value=0, notes="")
    own = api.find("pos.config", [["id", "=", config]], "company_id", "payment_method_ids")[0]
    return {
        "session_id": session["id"], "config_id": config, "company_id": own["company_id"],
        "user_id": api.call("res.users", "context_get")["uid"], "payment_method_id": own["payment_method_ids"][0],
    }


def _order(
    row: OrderRow, register: dict[str, Any], products: Mapping[str, int], partners: Mapping[str, int],
    taxes: Mapping[int, list[int]], rates: Mapping[int, float],
) -> dict[str, Any]:
    lines = [
        _line(f"{row.key}|{place}", line, products[line.sku], taxes[products[line.sku]], rates)
        for place, line in enumerate(row.lines)
    ]
    total = round(sum(line["price_subtotal_incl"] for line in lines), 2)
    head = {name: value for name, value in register.items() if name != "payment_method_id"}
    payment = {"payment_method_id": register["payment_method_id"], "amount": total, "name": row.at,
               "uuid": _uuid(f"{row.key}|paid")}
    return {
        **head, "uuid": _uuid(row.key), "access_token": _uuid(f"{row.key}|token"), "state": "paid",
        "date_order": row.at,
        "partner_id": partners.get(row.email, False), "amount_total": total, "amount_paid": total, "amount_return": 0,
        "amount_tax": round(sum(line["price_subtotal_incl"] - line["price_subtotal"] for line in lines), 2),
        "lines": [[0, 0, line] for line in lines], "payment_ids": [[0, 0, payment]],
    }


def _line(
    key: str, line: OrderLine, product: int, taxes: list[int], rates: Mapping[int, float]
) -> dict[str, Any]:
    gross = round(line.quantity * line.gross_minor / 100, 2)
    net = round(gross / (1 + sum(rates[tax] for tax in taxes) / 100), 2)
    return {
        "uuid": _uuid(key), "product_id": product, "qty": line.quantity, "price_unit": line.gross_minor / 100,
        "price_subtotal": net, "price_subtotal_incl": gross, "discount": 0, "tax_ids": [[6, 0, taxes]],
    }


def _uuid(key: str) -> str:
    """Always the same for the same key: Odoo answers a repeated order with the one that it has."""
    return str(uuid5(NAMESPACE_URL, f"trueup:{key}"))

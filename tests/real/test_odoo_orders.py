"""How much is sold in an Odoo at a time, told by one that only takes note: sessions, calls and words of progress."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from deploy.real import odoo_orders
from deploy.real.odoo_api import OdooApi
from deploy.real.odoo_orders import load_history
from deploy.real.odoo_seed import Shop
from deploy.real.rows import OrderLine, OrderRow

SHOPS = {"Paris": Shop(warehouse=1, room=11), "Lyon": Shop(warehouse=2, room=12)}


@dataclass
class Till(OdooApi):
    """Two registers and what is done with them, in order. One session is open from the day before."""

    events: list[str] = field(default_factory=list)
    open: dict[int, int] = field(default_factory=lambda: {1: 100})
    """Open sessions by register; a register has its warehouse's number."""
    ids: dict[str, int] = field(default_factory=dict)
    refuses: bool = False

    def call(self, model: str, method: str, **arguments: Any) -> Any:
        if method == "search_read":
            return self.found(model, arguments["domain"])
        if (model, method) == ("res.users", "context_get"):
            return {"uid": 2}
        if (model, method) == ("res.company", "write"):
            self.events.append(f"stock moves {arguments['vals']['point_of_sale_update_stock_quantities']}")
        elif method == "open_ui":
            self.open[arguments["ids"][0]] = 101 + len(self.events)
        elif method == "close_session_from_ui":
            closed = [register for register, session in self.open.items() if session == arguments["ids"][0]]
            self.open.pop(closed[0])
            self.events.append(f"close {closed[0]}")
        elif method == "sync_from_ui":
            if self.refuses:
                raise RuntimeError("Odoo: it took too long")
            orders = arguments["orders"]
            assert {order["session_id"] for order in orders} <= set(self.open.values())
            assert self.ids.keys().isdisjoint(order["uuid"] for order in orders), "sold twice"
            self.ids |= {order["uuid"]: 500 + len(self.ids) + place for place, order in enumerate(orders)}
            self.events.append(f"sell {sum(len(order['lines']) for order in orders)}")
        return None

    def found(self, model: str, domain: list[Any]) -> list[dict[str, Any]]:
        """What is asked for, whatever the fields."""
        asked = {name: value for name, _, value in domain}
        if model == "pos.session":
            return [{"id": session, "state": "opened"} for register, session in self.open.items()
                    if asked.get("config_id", register) == register]
        if model == "stock.picking.type":
            return [{"id": asked["warehouse_id"]}]
        if model == "pos.config":
            return [{"id": asked.get("picking_type_id", asked.get("id")), "company_id": 1, "payment_method_ids": [9]}]
        if model == "pos.order":
            return [{"id": self.ids[uuid], "uuid": uuid} for uuid in asked["uuid"]]
        return {
            "res.users": [{"id": 2, "company_id": 1}], "product.product": [{"id": 7, "taxes_id": [5]}],
            "account.tax": [{"id": 5, "amount": 20.0}],
        }[model]


def sales(*counts: int) -> list[OrderRow]:
    """Orders of so many lines, in both shops by turns."""
    line = OrderLine("A1", 1, 1200)
    return [
        OrderRow(f"o{number}", list(SHOPS)[number % 2], "2026-01-31 18:30:00", (line,) * count)
        for number, count in enumerate(counts)
    ]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, lines in (("LINES_AT_ONCE", 3), ("LINES_TOLD", 4), ("LINES_A_SESSION", 8)):
        monkeypatch.setattr(odoo_orders, name, lines)


def test_registers_are_closed_after_so_many_lines_and_stock_moves_then():
    till, told = Till(), []
    made = load_history(till, sales(2, 1, 1, 2, 2, 2, 9, 1), SHOPS, {"A1": 7}, {}, lambda *words: told.append(words))
    both = ["close 1", "close 2"]
    assert [*till.events[:2], *till.events[-1:]] == ["close 1", "stock moves closing", "stock moves real"]
    assert till.events[2:-1] == [
        "sell 3", "sell 1", "sell 2", "sell 2", *both, "sell 2", "close 2", "sell 9", "close 1", "sell 1", "close 2",
    ]
    assert till.open == {}, "what was sold is booked"
    assert told == [("lines sold in Odoo", sold, 20) for sold in (4, 8, 10, 19, 20)]
    assert list(made) == [f"o{number}" for number in range(8)]
    assert sorted(made.values()) == sorted(till.ids.values())


def test_stock_moves_with_each_order_again_though_a_call_fails():
    till = Till(refuses=True)
    with pytest.raises(RuntimeError, match="too long"):
        load_history(till, sales(1), SHOPS, {"A1": 7}, {}, lambda *words: None)
    assert till.events == ["close 1", "stock moves closing", "stock moves real"]


def test_nothing_to_sell_is_no_call_and_no_word():
    till, told = Till(open={}), []
    assert load_history(till, [], SHOPS, {}, {}, lambda *words: told.append(words)) == {}
    assert (till.events, told) == (["stock moves closing", "stock moves real"], [])

"""People at work while the pipeline reads and writes: a sale, a price or a name typed, an offline till that reports.

They reach for what tonight's corrections are about, just before a call, so that what was read is not what is there.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx

from sandbox.records import Movement, Price, Stock
from sandbox.world import ids
from sandbox.world.truth import Row
from tests.simulation.faults import Fault
from tests.simulation.network import Call, Wire

WRITABLE = ("prices", "stock", "customers")


@dataclass(slots=True)
class Hands(Fault):
    """Somebody changes a value that is to be corrected tonight, after it was read."""

    vendors: dict[str, Any] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    is_read: bool = False
    """Whether the extraction is over; only then somebody reaches in."""
    late_by: timedelta = timedelta(0)
    """How long ago a till says that it sold: an offline till that uploads now."""
    made: int = 0
    sold: Callable[[str, str, int], None] = lambda item, location, units: None
    """Is told of units that left by a till."""
    counted_over: set[str] = field(default_factory=set)
    """Items of which an offline till told between our last look and our count, which Square does not compare."""
    touched: Callable[[Row], None] = lambda row: None
    """Is told of all that is changed."""

    async def before(self, wire: Wire, call: Call, request: httpx.Request) -> httpx.Response | None:
        own = [row for row in self.rows if row.system == call.system and row.entity in WRITABLE]
        if self.is_read and own and self.strikes(call, "hand"):
            self._change(wire, self.dice.choice(own), call)
        return None

    def _change(self, wire: Wire, row: Row, call: Call) -> None:
        vendor, store, at = self.vendors[row.system], wire.store, wire.time.now()
        self.made += 1
        self.touched(row)
        if row.entity == "prices" and row.field == "amount":
            self._type_price(vendor, wire, row)
        elif row.entity == "stock" and row.system == "square":
            key = f"MHAND{wire.run:04d}{self.made:05d}"
            sale = Movement(key, row.vendor_id, row.vendor_sub_id, "sale", -1, at - self.late_by)
            vendor.put_movements(store, [sale], log=True)
            self.sold(row.vendor_id, row.vendor_sub_id, 1)
            if self.late_by and call.is_write and f'"{row.vendor_id}"'.encode() in call.body:
                self.counted_over.add(row.vendor_id)
        elif row.entity == "stock":
            held = next(
                (one for one in vendor.observe_stock(store) if one[:2] == (row.vendor_id, row.vendor_sub_id)), None
            )
            if held is not None and held[3] > 0:
                key = ids.shopify_inventory(ids.item_number("shopify", row.vendor_id))
                committed = held[2] - held[3]
                vendor.put_stock(
                    store, [Stock(row.vendor_id, row.vendor_sub_id, held[2] - 1, committed, key)], at, log=True
                )
        elif row.entity == "customers":
            person = next((one for one in vendor.observe_customers(store) if one.key == row.vendor_id), None)
            if person is not None:
                word = f"{getattr(person, row.field)} bis" if row.field != "phone" else person.phone
                vendor.put_customers(store, [replace(person, **{row.field: word})], at, log=True)

    def _type_price(self, vendor: Any, wire: Wire, row: Row) -> None:
        for item, price_list, currency, amount, compare_at in vendor.observe_prices(wire.store):
            if (item, price_list) == (row.vendor_id, row.vendor_sub_id):
                typed = int(amount) + self.dice.choice([100, 50, -50])
                struck = int(compare_at) if compare_at is not None else None
                price = Price(item, price_list, currency, max(1, typed), struck)
                vendor.put_prices(wire.store, [price], wire.time.now(), log=True)
                return

"""What lies in a warehouse now: the quants of some products, read by id, and the one that a count is written to.

Shared by the stock writer and its read-back; writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from pipelines.channels.odoo.outcomes import ids_of
from pipelines.channels.odoo.session import SYSTEM, OdooSession
from pipelines.errors import FatalChannelError
from pipelines.model import Correction

ALL = {"active_test": False}
Place = tuple[str, str]
"""Product and warehouse."""


class Quant(msgspec.Struct):
    """Units of one product on one shelf, of one lot, package and owner. Fields are `false` where there is none."""

    id: int
    product_id: int
    location_id: int
    quantity: float
    reserved_quantity: float
    lot_id: int | bool
    package_id: int | bool
    owner_id: int | bool
    inventory_quantity_set: bool
    user_id: int | bool
    warehouse_id: int | bool


class _Product(msgspec.Struct):
    id: int
    is_storable: bool
    tracking: str


class _Warehouse(msgspec.Struct):
    id: int
    lot_stock_id: int


@dataclass(slots=True)
class Level:
    """All units of one product in one warehouse."""

    room_id: int
    """The warehouse's stock room (a location)."""
    is_tracked_by_lot: bool
    quants: list[Quant] = field(default_factory=list)

    @property
    def on_hand(self) -> float:
        """Units there."""
        return sum(quant.quantity for quant in self.quants)

    @property
    def reserved(self) -> float:
        """Units promised."""
        return sum(quant.reserved_quantity for quant in self.quants)

    @property
    def main(self) -> Quant | None:
        """The plain quant of the stock room: no lot, no package, nobody else's; None where there is none yet.

        Odoo may keep several for a while, before it makes one of them: then the one with the most units.
        """
        plain = (
            quant for quant in self.quants
            if quant.location_id == self.room_id and not (quant.lot_id or quant.package_id or quant.owner_id)
        )
        return max(plain, key=lambda quant: (quant.quantity, -quant.id), default=None)

    def value(self, name: str) -> str:
        """`on_hand` or `available`, as a correction says it."""
        return number(self.on_hand if name == "on_hand" else self.on_hand - self.reserved)


def number(value: float) -> str:
    """A quantity or an amount of points as text: whole where it is whole."""
    rounded = round(value, 6)
    return str(int(rounded)) if rounded == int(rounded) else repr(rounded)


async def read_levels(own: OdooSession, corrections: Sequence[Correction]) -> dict[Place, Level]:
    """The levels that the corrections are of; a product that is no goods, or a warehouse that is gone, has none."""
    products, warehouses = ids_of(corrections), list(dict.fromkeys(int(c.vendor_sub_id) for c in corrections))
    goods = await own.execute(
        "product.product", "search_read", domain=[["id", "in", products], ["is_storable", "=", True]],
        fields=["is_storable", "tracking"], load=None, context=ALL,
    )
    rooms = await own.execute(
        "stock.warehouse", "search_read", domain=[["id", "in", warehouses]], fields=["lot_stock_id"], load=None,
        context=ALL,
    )
    quants = await read_quants(own, corrections)
    try:
        return {
            (place := (str(product.id), str(room.id))): Level(
                room.lot_stock_id, product.tracking != "none", quants.get(place, [])
            )
            for product in msgspec.convert(goods, list[_Product])
            for room in msgspec.convert(rooms, list[_Warehouse])
        }
    except msgspec.ValidationError as error:
        raise FatalChannelError("stock.quant: not the expected answer", system=SYSTEM) from error


async def read_quants(own: OdooSession, corrections: Sequence[Correction]) -> dict[Place, list[Quant]]:
    """What lies now where the corrections are of."""
    warehouses = list(dict.fromkeys(int(c.vendor_sub_id) for c in corrections))
    held = await own.execute(
        "stock.quant", "search_read",
        domain=[["product_id", "in", ids_of(corrections)], ["location_id.usage", "=", "internal"],
                ["location_id.warehouse_id", "in", warehouses]],
        fields=["product_id", "location_id", "warehouse_id", "quantity", "reserved_quantity", "lot_id", "package_id",
                "owner_id", "inventory_quantity_set", "user_id"],
        load=None, context=ALL,
    )
    found: dict[Place, list[Quant]] = {}
    try:
        for quant in msgspec.convert(held, list[Quant]):
            found.setdefault((str(quant.product_id), str(quant.warehouse_id)), []).append(quant)
    except msgspec.ValidationError as error:
        raise FatalChannelError("stock.quant: not the expected answer", system=SYSTEM) from error
    return found

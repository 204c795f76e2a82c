"""What moves stock, as both systems show it: an entry of Square's log, and a web order with the levels it touches."""

from datetime import datetime, timedelta

from sandbox.records import Line, Movement, MovementKind, Order, OrderState, Pickup
from sandbox.world import ids
from sandbox.world.agenda import Action, Agenda
from sandbox.world.chronicle import OpenOrder
from sandbox.world.state import NONE

AT_ONCE = timedelta()


def move(
    agenda: Agenda, row: int, kind: MovementKind, quantity: int, late_by: timedelta = AT_ONCE, order: str = ""
) -> Action:
    """One entry of Square's log, and its effect on what Square counts. `late_by`: how long ago it happened."""
    scene, state = agenda.scene, agenda.state
    key = ids.square_movement(scene.chronicle.mint("movement"))

    def action(moment: datetime) -> None:
        before = int(state.on_hand[row])
        state.on_hand[row] = quantity if kind == "count" else before + quantity
        expected = quantity if kind == "count" else int(scene.memory.on_hand[row]) + quantity
        scene.memory.on_hand[row] = expected if scene.memory.on_hand[row] != NONE else NONE
        agenda.outbox.movements.append(Movement(
            key, ids.square_variation(int(scene.shelves.item[row])),
            scene.shelves.places[int(scene.shelves.location[row])].square, kind, quantity,
            moment - late_by, order,
        ))

    return action


def put_order(agenda: Agenda, order: OpenOrder, state: OrderState, moment: datetime) -> None:
    """Show a web order as it is now, and the levels of what it is of."""
    shelves, key = agenda.scene.shelves, ids.shopify_order(order.number)
    place = shelves.places[int(shelves.location[order.lines[0][1]])]
    lines = tuple(
        Line(ids.shopify_line(line), ids.shopify_variant(int(shelves.item[row])), quantity, unit)
        for line, row, quantity, unit in order.lines
    )
    agenda.outbox.orders["shopify", key] = Order(
        key, place.shopify, order.customer, "EUR", lines, datetime.fromisoformat(order.created_at), moment,
        state,
        Pickup() if order.is_pickup else None,
    )
    for _, row, _, _ in order.lines:
        if agenda.state.available[row] != NONE:  # of what is deleted today the shop shows no level any more
            agenda.outbox.levels[row] = None

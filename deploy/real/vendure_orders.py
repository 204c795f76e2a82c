"""Orders in a Vendure, as staff places, fulfils and cancels them by the Admin API: what moves stock by itself."""

from typing import Any

from deploy.real.vendure_api import VendureApi

_FAILED = "... on ErrorResult { errorCode }"


def place_order(api: VendureApi, customer: str, lines: dict[str, int]) -> str:
    """A paid order of some units by variant id; its id. The units are allocated by then."""
    order = str(api.ask("mutation { createDraftOrder { id } }")["createDraftOrder"]["id"])
    for variant, quantity in lines.items():
        _do(
            api, "mutation($o: ID!, $i: AddItemToDraftOrderInput!) { done: addItemToDraftOrder(orderId: $o, input: $i)"
            f" {{ __typename {_FAILED} }} }}", o=order, i={"productVariantId": variant, "quantity": quantity},
        )
    _do(
        api, "mutation($o: ID!, $c: ID) { done: setCustomerForDraftOrder(orderId: $o, customerId: $c)"
        f" {{ __typename {_FAILED} }} }}", o=order, c=customer,
    )
    _do(
        api, "mutation($o: ID!, $i: CreateAddressInput!) { done: setDraftOrderShippingAddress(orderId: $o, input: $i)"
        " { __typename } }", o=order,
        i={"streetLine1": "1 rue de Rivoli", "city": "Paris", "postalCode": "75001", "countryCode": "FR"},
    )
    query = "query($o: ID!) { ways: eligibleShippingMethodsForDraftOrder(orderId: $o) { id } }"
    way = api.ask(query, o=order)["ways"][0]["id"]
    _do(
        api, "mutation($o: ID!, $w: ID!) { done: setDraftOrderShippingMethod(orderId: $o, shippingMethodId: $w)"
        f" {{ __typename {_FAILED} }} }}", o=order, w=way,
    )
    _do(
        api, "mutation($o: ID!) { done: transitionOrderToState(id: $o, state: \"ArrangingPayment\")"
        " { __typename ... on OrderStateTransitionError { errorCode transitionError } } }", o=order,
    )
    _do(
        api, "mutation($i: ManualPaymentInput!) { done: addManualPaymentToOrder(input: $i)"
        f" {{ __typename {_FAILED} }} }}", i={"orderId": order, "method": "cash", "metadata": {}},
    )
    return order


def lines_of(api: VendureApi, order: str) -> dict[str, str]:
    """Order line ids by variant id."""
    query = "query($o: ID!) { order(id: $o) { lines { id productVariant { id } } } }"
    return {line["productVariant"]["id"]: line["id"] for line in api.ask(query, o=order)["order"]["lines"]}


def fulfil(api: VendureApi, lines: dict[str, int]) -> None:
    """Send units of order lines: they leave the shelf."""
    given = {
        "lines": [{"orderLineId": line, "quantity": quantity} for line, quantity in lines.items()],
        "handler": {"code": "manual-fulfillment", "arguments": [
            {"name": "method", "value": "post"}, {"name": "trackingCode", "value": "1"},
        ]},
    }
    _do(
        api, "mutation($i: FulfillOrderInput!) { done: addFulfillmentToOrder(input: $i)"
        f" {{ __typename {_FAILED} }} }}", i=given,
    )


def cancel(api: VendureApi, order: str, lines: dict[str, int]) -> None:
    """Take units out of an order; they can be sold again."""
    given = {
        "orderId": order, "reason": "asked for",
        "lines": [{"orderLineId": line, "quantity": quantity} for line, quantity in lines.items()],
    }
    _do(
        api, f"mutation($i: CancelOrderInput!) {{ done: cancelOrder(input: $i) {{ __typename {_FAILED} }} }}", i=given,
    )


def _do(api: VendureApi, query: str, **variables: Any) -> None:
    found = api.ask(query, **variables)["done"]
    if "errorCode" in found:
        raise RuntimeError(f"Vendure: {found['errorCode']}")

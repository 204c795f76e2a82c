"""The whole outside world as one ASGI app: the vendors under their names, and a few controls.

    /square /shopify /hubspot /mailchimp /brevo /woocommerce     the vendors' APIs
    GET  /_control/health                    {"status": "ok", "world": its folder, "night": n, "now": ...}
    POST /_control/day                       lets one day go by; what the next night must find, counted

A vendor is one line in `VENDORS`; its module is imported when it is needed.
"""

import asyncio
from email.utils import format_datetime
from importlib import import_module
from pathlib import Path

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.store import Store, stamp
from sandbox.vendor import Settings, Vendor
from sandbox.world.settings import WorldError

VENDORS = {
    "square": "SquareVendor",
    "shopify": "ShopifyVendor",
    "hubspot": "HubspotVendor",
    "mailchimp": "MailchimpVendor",
    "brevo": "BrevoVendor",
    "woocommerce": "WoocommerceVendor",
}
"""Class of each vendor, by the name of its module under `sandbox`."""


def load_vendors() -> dict[str, Vendor]:
    """One instance of each."""
    return {name: getattr(import_module(f"sandbox.{name}"), kind)() for name, kind in VENDORS.items()}


def build_app(
    store: Store, settings: Settings, *, folder: Path | None = None, vendors: dict[str, Vendor] | None = None
) -> Starlette:
    """The app over an open store. `folder` is the world's, for the controls that change it."""
    vendors = vendors or load_vendors()
    busy = asyncio.Lock()

    async def health(_: Request) -> JSONResponse:
        world = str(folder.resolve()) if folder else ""  # whoever found a port must know whose it is
        told = {"status": "ok", "world": world, "night": store.fact("night"), "now": stamp(store.now())}
        return JSONResponse(told)

    async def day(_: Request) -> JSONResponse:
        from sandbox.world.day import live_day
        from sandbox.world.truth import summary

        if folder is None:
            return JSONResponse({"error": "this app has no world to change"}, status_code=409)
        async with busy:  # on the event loop: the store is one connection, and no call may fall into a half-lived day
            try:
                rows = live_day(folder, store, vendors, away=settings.is_down | settings.refuses)
            except WorldError as error:
                return JSONResponse({"error": str(error)}, status_code=409)
        return JSONResponse({"night": store.fact("night"), "expected": summary(rows)})

    routes: list[BaseRoute] = [Mount(f"/{name}", app=vendor.app(store, settings)) for name, vendor in vendors.items()]
    routes += [Route("/_control/health", health), Route("/_control/day", day, methods=["POST"])]
    return Starlette(routes=routes, middleware=[Middleware(WorldDate, store=store)])


class WorldDate:
    """Every answer says the world's time in its `Date`, by which a reader of these systems may set its clock."""

    def __init__(self, app: ASGIApp, store: Store) -> None:
        self._app, self._store = app, store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the call on, and add the header to its answer."""

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                stated = format_datetime(self._store.now(), usegmt=True)
                message["headers"] = [*message.get("headers", []), (b"date", stated.encode("ascii"))]
            await send(message)

        await self._app(scope, receive, dated if scope["type"] == "http" else send)

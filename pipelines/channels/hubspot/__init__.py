"""HubSpot (CRM v3): contacts with e-mail subscriptions, and products as a mirror of prices.

Here is only what HubSpot declares: how it is reached, what can be read and written, how safely. HubSpot has no
version, no idempotency key and no compare-and-set; a permission can be lowered by this connector, never raised.
"""

from datetime import timedelta

from pipelines.channels.base import Ability, Channel, Endpoint, ReadBack, Writer
from pipelines.channels.hubspot.reads import (
    LIST_PAGE,
    SEARCH_PAGE,
    count_contacts,
    count_products,
    read_account,
    read_contacts,
    read_definitions,
    read_products,
)
from pipelines.channels.hubspot.scopes import within_scopes
from pipelines.channels.hubspot.session import TOKEN, connect, identify
from pipelines.channels.hubspot.writes import (
    CUSTOMER_PROPERTIES,
    MAX_BATCH,
    read_back_consents,
    read_back_customers,
    read_back_prices,
    write_consents,
    write_customers,
    write_prices,
)

OVERLAP = timedelta(minutes=10)
"""The search index lags by seconds, sometimes by minutes (VENDORS.md, trap 1)."""

HUBSPOT = Channel(
    name="hubspot",
    title="HubSpot",
    connect=connect,
    identify=identify,
    endpoints=(
        Endpoint(
            "contacts", ("customers", "consents"), read_contacts, overlap=OVERLAP, census_page=LIST_PAGE,
            delta_page=SEARCH_PAGE, count=count_contacts, gone="$.archived",
        ),
        Endpoint(
            "products", ("items", "prices"), read_products, overlap=OVERLAP, census_page=LIST_PAGE,
            delta_page=SEARCH_PAGE, count=count_products, gone="$.archived",
        ),
        Endpoint("account", ("prices",), read_account, has_delta=False),
        Endpoint("definitions", ("consents",), read_definitions, has_delta=False),
    ),
    writers=(
        Writer(
            "prices", frozenset({"amount"}), MAX_BATCH, within_scopes(write_prices),
            group=lambda correction: correction.vendor_sub_id, needs_check=True,
        ),
        # One field a batch: HubSpot refuses an id that comes twice, and a bad field must not take another with it.
        Writer(
            "customers", frozenset(CUSTOMER_PROPERTIES), MAX_BATCH, within_scopes(write_customers),
            group=lambda correction: correction.field, needs_check=True, clears=True,
        ),
        Writer("consents", frozenset({"state"}), 1, within_scopes(write_consents), needs_check=True, max_in_flight=8),
    ),
    read_backs=(
        ReadBack("prices", MAX_BATCH, read_back_prices),
        ReadBack("customers", MAX_BATCH, read_back_customers),
        ReadBack("consents", MAX_BATCH, read_back_consents),
    ),
    abilities=(
        Ability("items", "gtin", (0,), "HubSpot's products hold no barcode"),
        Ability("prices", "amount", (3,), "a mirror; batch update, each row traced"),
        *(
            Ability("customers", field, (3,), "batch update, each row traced; a blank is never written")
            for field in CUSTOMER_PROPERTIES
        ),
        Ability("consents", "state", (3,), "down only: unsubscribe; a permission is never raised"),
    ),
    secrets=(TOKEN,),
    needed_scopes=frozenset(
        {
            "crm.objects.contacts.read", "crm.objects.contacts.write", "crm.objects.products.read",
            "crm.objects.products.write", "communication_preferences.read_write",
        }
    ),
    optional_scopes={"oauth": ""},  # every app has it, asked for or not
)

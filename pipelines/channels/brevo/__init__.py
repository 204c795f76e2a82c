"""Brevo (API v3): contacts with their lists and their e-mail permission.

Here is only what Brevo declares: how it is reached, what can be read and written, how safely. Brevo has no version, no
idempotency key, no compare-and-set and no time of consent: a yes from here is never proof, and a no stands without its
time. A permission can be lowered by this connector, never raised; nobody is created.
"""

from pipelines.channels.base import Ability, Channel, Endpoint, ReadBack, Writer
from pipelines.channels.brevo.attributes import read_attributes
from pipelines.channels.brevo.reads import LISTS_PAGE, PAGE, count_contacts, read_contacts, read_lists
from pipelines.channels.brevo.session import TOKEN, connect, identify
from pipelines.channels.brevo.writes import (
    FIELDS,
    MAX_BATCH,
    read_back_consents,
    read_back_customers,
    write_consents,
    write_customers,
)

BREVO = Channel(
    name="brevo",
    title="Brevo",
    connect=connect,
    identify=identify,
    endpoints=(
        Endpoint(
            "contacts", ("customers", "consents"), read_contacts, count=count_contacts, census_page=PAGE,
            delta_page=PAGE,
        ),
        Endpoint("lists", ("consents",), read_lists, has_delta=False, census_page=LISTS_PAGE),
        Endpoint("attributes", ("customers",), read_attributes, has_delta=False),
    ),
    writers=(
        # One contact a call, all its fields together; push halves what Brevo refuses together.
        Writer(
            "customers", frozenset(FIELDS), MAX_BATCH, write_customers, group=lambda c: c.vendor_id, needs_check=True
        ),
        Writer(
            "consents", frozenset({"state"}), MAX_BATCH, write_consents, group=lambda c: c.vendor_id,
            needs_check=True, max_in_flight=8,
        ),
    ),
    read_backs=(
        ReadBack("customers", 100, read_back_customers),
        ReadBack("consents", 100, read_back_consents),
    ),
    abilities=(
        *(
            Ability("customers", field, (3,), "one contact a call, looked at before it counts; no blank is written")
            for field in FIELDS if field != "loyalty_points"
        ),
        Ability("customers", "loyalty_points", (3,), "where an option names the attribute that holds them"),
        Ability(
            "consents", "state", (3,),
            "down only: blacklisted, or out of the one list where several purposes are mapped; nobody is created or "
            "raised",
        ),
    ),
    secrets=(TOKEN,),
    roles={"crm": ("customers",), "email": ("consents",)},
)

"""Mailchimp (Marketing API 3.0): members of all audiences with their e-mail permission.

Here is only what Mailchimp declares: how it is reached, what can be read and written, how safely. Mailchimp has no
version, no idempotency key and no compare-and-set; a permission can be lowered by this connector, never raised. Who is
not a member yet and has proven an opt-in elsewhere can be asked to join (`pending`), where policy and a person say so.
"""

from datetime import timedelta

from pipelines.channels.base import Ability, Channel, Endpoint, ReadBack, Writer
from pipelines.channels.mailchimp.reads import count_members, read_lists, read_members
from pipelines.channels.mailchimp.session import TOKEN, connect, identify
from pipelines.channels.mailchimp.writes import (
    FIELDS,
    MAX_BATCH,
    group_of,
    read_back_consents,
    read_back_customers,
    write_consents,
    write_customers,
)

MAILCHIMP = Channel(
    name="mailchimp",
    title="Mailchimp",
    connect=connect,
    identify=identify,
    endpoints=(
        Endpoint(
            "members", ("customers", "consents"), read_members, overlap=timedelta(minutes=5), count=count_members
        ),
        Endpoint("lists", ("consents",), read_lists, has_delta=False),
    ),
    writers=(
        Writer(
            "customers", frozenset(FIELDS), MAX_BATCH, write_customers, group=group_of, needs_check=True, clears=True
        ),
        Writer(
            # Checked first: a write would revive who was archived meanwhile.
            "consents", frozenset({"state"}), MAX_BATCH, write_consents,
            group=lambda c: f"{c.vendor_sub_id}|{c.makes_record}", needs_check=True, creates=True,
        ),
    ),
    read_backs=(
        ReadBack("customers", 100, read_back_customers),
        ReadBack("consents", 100, read_back_consents),
    ),
    abilities=(
        *(
            Ability("customers", field, (3,), "batch of 500 by address, never with a status; a blank is never written")
            for field in FIELDS
        ),
        Ability("consents", "state", (3,), "down only: unsubscribed; nobody is created or revived, nothing raised"),
    ),
    secrets=(TOKEN,),
)

"""Odoo 19 by JSON-2: till and stock (point_of_sale), customers with loyalty points, and permission to mail.

Declares only. `session` is how it is reached, `models` and `reads` what it says, the `write_*` modules what is told to
it, `read_backs` what it holds now; the `.sql` files beside turn its raw tables into ours.
"""

from pipelines.channels.base import Channel
from pipelines.channels.odoo.reads import ENDPOINTS
from pipelines.channels.odoo.session import KEY, connect, identify

ODOO = Channel(
    name="odoo",
    title="Odoo",
    connect=connect,
    identify=identify,
    endpoints=ENDPOINTS,
    writers=(),
    read_backs=(),
    abilities=(),
    secrets=(KEY,),
)

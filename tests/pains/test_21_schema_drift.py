"""Schema drift in the source: a field changes its kind or goes away.

dlt-hub/dlt#1454, #1011; SpecterOps/OpenHound PR#32.
"""

import pytest

from pipelines.stage import stage_system
from tests.test_stage import put


@pytest.mark.parametrize(
    ("price", "why"), [("12,50", "comma decimal"), ("abc", "text"), ({"amount": "12.50"}, "text")],
    ids=["a comma", "text", "an object"],
)
def test_a_price_that_became_something_else_is_kept_out_alone(con, price, why):
    put(con, "raw_hubspot.account", {"companyCurrency": "EUR"})
    put(
        con, "raw_hubspot.products",
        {"properties": {"name": "Bougie", "hs_sku": "A-1", "price": "10.50"}},
        {"properties": {"name": "Vase", "hs_sku": "A-2", "price": price}},
    )
    stage_system(con, "hubspot")
    assert con.execute("SELECT vendor_id, amount_minor FROM hubspot.prices").fetchall() == [("1", 1050)]
    kept_out = con.execute("SELECT DISTINCT vendor_id, value_class FROM quarantine.hubspot WHERE entity = 'prices'")
    assert kept_out.fetchall() == [("2", why)]

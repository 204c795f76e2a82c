"""Deletes lost, resurrected, or invented by an empty extract.

airbytehq/airbyte#10281 ("Shopify does not provide removed records"), #10140; frappe/ecommerce_integrations#337;
dbt-labs/dbt-core#249, #10235 (zombies), PR#2355 (an empty source ended every row); openlinker PR#1676;
facebook/facebook-for-woocommerce#2367; mailchimp/mc-woocommerce#591.
"""

from pipelines.channels.base import Page
from tests.reconcile.shop import told
from tests.test_extract import ids, pages


def test_an_empty_answer_empties_nothing(estate):
    estate.extract({"till": {"things": pages(ids(3))}})
    for page in (Page([]), Page([], total=0)):
        verdict = estate.extract({"till": {"things": pages(page)}}, force_census=True)["till.things"]
        assert not verdict.is_complete
    assert len(estate.rows("raw_till.things")) == 3


def test_half_a_list_deletes_nobody(estate):
    estate.extract({"till": {"things": pages(ids(100))}})
    assert not estate.extract({"till": {"things": pages(ids(50))}}, force_census=True)["till.things"].is_complete
    assert len(estate.rows("raw_till.things")) == 100


def test_a_level_that_is_not_there_is_not_zero(shop):
    shop.level(1, on_hand=10, available=9)
    shop.level(2, on_hand=10, available=9)
    shop.night()
    shop.agree()
    shop.con.execute("DELETE FROM square.stock WHERE vendor_id = 'V1'")
    shop.con.execute("UPDATE square.stock SET is_tracked = false, on_hand = 0 WHERE vendor_id = 'V2'")
    assert told(shop.night()) == [], "neither a missing level nor an untracked one says that nothing is left"


def test_an_item_missing_at_the_till_loses_nothing_elsewhere(shop):
    shop.night()
    shop.agree()
    shop.con.execute("DELETE FROM square.items WHERE vendor_id = 'V1'")
    shop.con.execute("DELETE FROM square.prices WHERE vendor_id = 'V1'")
    assert told(shop.night()) == []

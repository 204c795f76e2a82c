"""One row for every item at every place where a system keeps a level, through the trees of a whole night."""

import pytest

from tests.reconcile.shop import Shop, rows


@pytest.fixture
def shop(con):
    return Shop(con).open()


def test_what_nobody_counts_has_a_row_too_and_what_has_no_level_has_none(shop):
    shop.item(1)
    shop.item(2, is_tracked=False)
    shop.item(3, is_kit=True)
    shop.item(4)
    for number in (1, 2, 3):
        shop.level(number, on_hand=5, available=4)
    shop.night()
    found = rows(shop.con, "SELECT sku, location_id, state, available FROM golden.availability ORDER BY sku")
    assert found == [
        {"sku": "SKU-1", "location_id": "paris", "state": "known", "available": 4},
        {"sku": "SKU-2", "location_id": "paris", "state": "untracked", "available": None},
    ]

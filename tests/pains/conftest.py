"""The small worlds in which a pain is shown: a shop over some nights, a plan of a few rows, some customers."""

import pytest

from tests.plan.world import VirtualClock, fresh, policy
from tests.reconcile.people import start_night
from tests.reconcile.shop import Shop
from tests.test_extract import Estate


@pytest.fixture
def shop(con) -> Shop:
    """Till, webshop and CRM that hold two items alike."""
    opened = Shop(con).open()
    opened.item(1)
    opened.item(2)
    return opened


@pytest.fixture
def people(con):
    """Four systems on a night on which all were read whole."""
    start_night(con)
    return con


@pytest.fixture
def world():
    """The planner's inputs, everything live and under generous caps."""
    con = fresh()
    policy(con)
    return con


@pytest.fixture
def estate(tmp_path):
    """Invented systems that are read."""
    made = Estate(tmp_path)
    yield made
    made.con.close()


@pytest.fixture
def clock() -> VirtualClock:
    """Stands still until somebody sleeps."""
    return VirtualClock()

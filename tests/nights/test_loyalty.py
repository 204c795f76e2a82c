"""Points as a ledger, in whole nights: each event once, a balance that none explains told, nothing written for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from sandbox.square.loyalty import put_loyalty
from tests.channels.square_points import account, event
from tests.nights.harness import PlayedEstate

pytestmark = pytest.mark.night

Copy = Callable[[PlayedEstate], PlayedEstate]


def test_nights_with_a_loyalty_program_count_each_event_once_and_write_nothing(
    adopted: PlayedEstate, copy: Copy
) -> None:
    played = copy(adopted)
    path = played.world / "estate.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("[systems.square]\n", '[systems.square]\noptions = { loyalty = "on" }\n'), "utf-8")
    at = played.store.now() - timedelta(hours=2)
    put_loyalty(
        played.store, [account(1, 59, at=at), account(2, 8, at=at)], [event(n, 1, at=at) for n in range(10, 69)]
    )
    for _ in range(2):
        night = played.night()
        assert (night.status, night.new, night.effects) == ("complete", [], [])
        with played.copy() as con:
            counted = con.execute("SELECT count(*), count(DISTINCT event_id) FROM identity.loyalty_events").fetchone()
            told = con.execute("SELECT kind, system, vendor_id, state, reason FROM reconcile.worklist "
                               "WHERE kind = 'loyalty'").fetchall()
            kept = con.execute("SELECT count(*) FROM golden.customer_360 WHERE loyalty_points IS NOT NULL").fetchone()
        assert counted == (59, 59)
        assert told == [("loyalty", "square", "A0002", "unexplained", "it has a balance and no event")]
        assert kept == (0,), "points of a program that is no source of the policy are nobody's points"
    late = played.store.now()
    put_loyalty(played.store, [account(1, 64, at=late)], [event(99, 5, at=late)])
    played.night()
    with played.copy() as con:
        assert con.execute(
            "SELECT sum(points) FROM identity.loyalty_events WHERE card_id = 'A0001'"
        ).fetchone() == (64,)

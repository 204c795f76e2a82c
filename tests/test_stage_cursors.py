"""Cursors move over what was staged: what was kept out is read again, from where its read began (R12)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec
import pytest

from pipelines.channels.base import Channel, Endpoint, Page, RawRow, Window
from pipelines.channels.square import SQUARE
from pipelines.extract import extract_all
from pipelines.http import Session
from pipelines.stage import stage_system
from pipelines.stage_cursors import commit_cursors
from tests.test_extract import NOW, Estate, channel

OVERLAP = timedelta(minutes=5)


class Shop:
    """HubSpot's products as a test has them, read and staged night by night."""

    def __init__(self, estate: Estate, con) -> None:
        self.estate, self.con, self.number = estate, con, 0
        self.held: dict[str, tuple[datetime, object]] = {}
        self.asked: list[datetime | None] = []
        con.execute("INSERT INTO raw_hubspot.account VALUES ('1', NULL, '{\"companyCurrency\": \"EUR\"}', NULL)")

    def put(self, key: str, price: object = "10.50") -> None:
        """A product as it is from now on."""
        self.held[key] = (self.estate.clock.moment, price)

    def channel(self, *, retyped: bool = False) -> Channel:
        async def read(session: Session, window: Window) -> AsyncIterator[Page]:
            self.asked.append(window.since)
            yield Page([
                _product(key, {"value": price} if retyped else price)
                for key, (changed_at, price) in self.held.items() if window.since is None or changed_at >= window.since
            ])

        return channel("hubspot", (Endpoint("products", ("items", "prices"), read),))

    def night(self, *, retyped: bool = False, breaks: bool = False, force_census: bool = False) -> datetime | None:
        """A day later, one night; returns from when it asked (None: a census)."""
        self.number += 1
        clock, one = self.estate.clock, self.channel(retyped=retyped)
        clock.moment = NOW + timedelta(days=self.number)
        night_id = f"n{self.number}"
        extract_all(
            self.con, [(one, self.estate.session("hubspot"))], night_id=night_id, clock=clock,
            folder=self.estate.folder, force_census=force_census,
        )
        if not breaks:
            stage_system(self.con, "hubspot")
            commit_cursors(self.con, [one], night_id, now=clock.now())
        return self.asked[-1]

    def prices(self) -> set[str]:
        return {key for (key,) in self.con.execute("SELECT vendor_id FROM hubspot.prices").fetchall()}


def _product(key: str, price: object) -> RawRow:
    properties = {"name": "Vase", "hs_sku": f"A-{key}", "price": price}
    return RawRow(key, None, msgspec.json.encode({"id": key, "properties": properties}))


def day(number: int) -> datetime:
    return NOW + timedelta(days=number) - OVERLAP


@pytest.fixture
def shop(tmp_path, con):
    estate = Estate(tmp_path)
    made = Shop(estate, con)
    for number in range(30):
        made.put(str(number))
    assert made.night() is None
    yield made
    estate.con.close()


def test_what_a_field_of_another_type_kept_out_is_read_again_and_then_no_more(shop):
    shop.put("7"), shop.put("8")
    assert shop.night(retyped=True) == day(1)
    assert {"7", "8"} & shop.prices() == set()
    assert shop.night() == day(1), "it changed before the last read, and is asked for all the same"
    assert {"7", "8"} <= shop.prices()
    assert shop.night() == day(3)


def test_two_nights_of_it_are_read_again_from_the_first(shop):
    shop.put("7")
    shop.night(retyped=True)
    shop.put("8")
    assert shop.night(retyped=True) == day(1)
    assert shop.night() == day(1)
    assert {"7", "8"} <= shop.prices()


def test_a_record_that_is_bad_by_itself_asks_again_until_the_next_census_alone(shop):
    shop.put("7", "12,50")
    assert [shop.night() for _ in range(6)] == [day(1)] * 6
    assert shop.night() is None, "a week later"
    assert [shop.night(), shop.night()] == [day(8), day(9)]
    assert "7" not in shop.prices()


def test_what_a_census_found_bad_moves_the_cursor_as_ever(shop):
    shop.put("7", "12,50")
    assert shop.night(force_census=True) is None
    assert [shop.night(), shop.night()] == [day(2), day(3)]


def test_what_was_bad_before_holds_nothing_and_what_turns_bad_does(shop):
    shop.put("7", "12,50")
    shop.night(force_census=True)
    shop.put("7", "12,60")
    assert [shop.night(), shop.night()] == [day(2), day(3)]
    shop.put("8", "abc")
    assert [shop.night(), shop.night()] == [day(4), day(4)]


def test_one_more_row_under_the_key_of_another_is_new(shop):
    shop.put("7", "12,50")
    shop.night(force_census=True)
    shop.night(breaks=True)
    stage_system(shop.con, "hubspot")
    shop.con.execute("INSERT INTO quarantine.hubspot FROM quarantine.hubspot")
    commit_cursors(shop.con, [shop.channel()], "n3", now=shop.estate.clock.now())
    assert [shop.night(), shop.night()] == [day(2), day(2)], "nor can it be told which of them is good since"


def test_where_many_are_kept_out_all_are_read_again_for_a_week(shop):
    assert shop.night(retyped=True, force_census=True) is None
    assert shop.prices() == set()
    assert shop.night(retyped=True) is None, "a delta would bring what changed and leave the others as they are"
    assert shop.night() is None
    assert len(shop.prices()) == 30
    assert shop.night() == day(4)


def test_many_that_stay_bad_ask_for_no_census_after_a_week(shop):
    for number in range(6):
        shop.put(str(number), "12,50")
    shop.night(force_census=True)
    asked = [shop.night() for _ in range(9)]
    assert asked[:6] == [None] * 6
    assert asked[7:] == [day(9), day(10)]


def test_a_night_that_breaks_before_it_has_staged_moves_no_cursor(shop):
    shop.put("7")
    shop.night(retyped=True, breaks=True)
    assert shop.night(retyped=True) == day(1)
    assert shop.night() == day(1)
    assert "7" in shop.prices()


def test_what_another_night_keeps_out_of_a_repeated_read_is_asked_for_from_where_that_began(shop):
    shop.put("7")
    shop.night(retyped=True)
    shop.put("9")
    assert shop.night(breaks=True) == day(1)
    stage_system(shop.con, "hubspot")
    shop.con.execute("DELETE FROM quarantine.hubspot")
    shop.con.execute("INSERT INTO quarantine.hubspot VALUES ('items', '7', '', 'title', 'blank', 'text', NULL)")
    commit_cursors(shop.con, [shop.channel()], f"n{shop.number}", now=shop.estate.clock.now())
    assert shop.night() == day(1), "it came by a read that began there, and has not changed since"


def test_what_a_census_has_passed_holds_nothing_that_comes_after_it(shop):
    shop.put("7", "12,50")
    assert [shop.night() for _ in range(7)][-1] is None
    shop.night(breaks=True)
    stage_system(shop.con, "hubspot")
    shop.con.execute("INSERT INTO quarantine.hubspot FROM quarantine.hubspot")
    commit_cursors(shop.con, [shop.channel()], f"n{shop.number}", now=shop.estate.clock.now())
    assert shop.night() == day(8), "one more row of it came with the read that began at the census"


def test_what_was_staged_on_a_night_without_a_reading_is_asked_for_all_the_same(shop):
    shop.put("7")
    shop.night(retyped=True, breaks=True)
    stage_system(shop.con, "hubspot")
    commit_cursors(shop.con, [shop.channel()], "a night on which the system was away", now=shop.estate.clock.now())
    assert shop.night() == day(1)
    assert "7" in shop.prices()


def test_a_census_that_was_not_whole_is_no_reading(shop):
    shop.put("7")
    shop.night(retyped=True, breaks=True)
    now = shop.estate.clock.now()
    shop.con.execute(
        "INSERT INTO ledger.sync.reads SELECT * REPLACE ('census' AS kind, false AS is_complete, 'x' AS night_id) "
        "FROM ledger.sync.reads LIMIT 1"
    )
    stage_system(shop.con, "hubspot")
    commit_cursors(shop.con, [shop.channel()], "x", now=now)
    assert shop.con.execute("SELECT read_from FROM ledger.sync.kept_out").fetchall() == [(NOW + timedelta(days=1),)]


def test_another_reason_is_another_fault(shop):
    shop.put("7", "12,50")
    shop.night(force_census=True)
    shop.put("7", {"amount": 1})
    assert [shop.night(), shop.night()] == [day(2), day(2)]


def test_rows_of_one_key_are_counted_one_by_one(shop):
    """Movements bear their item's key: a hundred of one item are a hundred."""
    shop.night(breaks=True)
    stage_system(shop.con, "hubspot")
    shop.con.execute(
        "INSERT INTO quarantine.hubspot SELECT 'prices', '7', '', 'amount', 'text', 'text', NULL FROM range(4)"
    )
    commit_cursors(shop.con, [shop.channel()], f"n{shop.number}", now=shop.estate.clock.now())
    assert shop.night() is None, "4 of 30 are more than one in ten"


def test_a_record_with_several_faults_is_one_record(shop):
    shop.night(breaks=True)
    stage_system(shop.con, "hubspot")
    shop.con.execute("INSERT INTO quarantine.hubspot SELECT 'prices', '7', '', 'f' || f, 'text', 'text', NULL "
                     "FROM range(9) AS r(f)")
    commit_cursors(shop.con, [shop.channel()], f"n{shop.number}", now=shop.estate.clock.now())
    assert shop.night() == day(1)


def test_an_endpoint_is_not_charged_with_what_it_does_not_serve(con):
    """Square's stock asks its catalogue whether a thing is tracked; the catalogue serves no stock."""
    con.execute("INSERT INTO quarantine.square VALUES ('stock', 'V1', 'L1', 'on_hand', 'negative', 'number', NULL)")
    commit_cursors(con, [SQUARE], "n1", now=NOW)
    assert con.execute("SELECT endpoint FROM ledger.sync.kept_out").fetchall() == [("inventory_counts",)]


def test_staged_twice_is_as_good_as_once(shop):
    shop.put("7")
    shop.night(retyped=True)
    before = shop.con.execute("FROM ledger.sync.kept_out ORDER BY ALL").fetchall()
    assert before
    commit_cursors(shop.con, [shop.channel()], f"n{shop.number}", now=shop.estate.clock.now() + timedelta(hours=1))
    assert shop.con.execute("FROM ledger.sync.kept_out ORDER BY ALL").fetchall() == before
    assert shop.night() == day(1)


def test_no_value_and_no_key_of_a_vendor_is_kept(shop):
    shop.put("7", "12,50")
    shop.night()
    rows = shop.con.execute("FROM ledger.sync.kept_out").fetchall()
    assert [row[:3] for row in rows] == [("hubspot", "products", "prices")]
    assert len(rows[0][4]) == 32 and "12,50" not in str(rows)

"""Extract on invented channels: what is believed, what is loaded, which cursor moves. No vendor, no network."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from pipelines.channels.base import Channel, Endpoint, Identity, Page, RawRow, Window
from pipelines.channels.keys import is_usable, raw_row
from pipelines.duck import connect
from pipelines.errors import CredentialError, FatalChannelError
from pipelines.extract import extract_all, extract_days
from pipelines.http import Session
from pipelines.ledger import migrate
from pipelines.stage_cursors import commit_cursors

NOW = datetime(2026, 6, 15, 2, tzinfo=UTC)
Read = Callable[[Session, Window], AsyncIterator[Page]]


class StillClock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


class NoLimit:
    async def acquire(self, cost: float) -> None: ...

    def observe(self, answer: object) -> None: ...


def row(key: str, value: str = "x") -> RawRow:
    return RawRow(key, "2026-06-14T00:00:00Z", msgspec.json.encode({"id": key, "v": value}))


def pages(*found: Page, windows: list[Window] | None = None, error: Exception | None = None) -> Read:
    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        if windows is not None:
            windows.append(window)
        for page in found:
            await session.get("/page")
            yield page
        if error:
            raise error

    return read


def ids(count: int, value: str = "x") -> Page:
    return Page([row(f"r{i}", value) for i in range(count)])


class Estate:
    """One warehouse and the channels of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock = folder, StillClock()
        self.con = connect(str(folder / "work.duckdb"))
        self.con.execute("ATTACH ? AS ledger", [str(folder / "ledger.duckdb")])
        migrate(self.con)

    def extract(self, systems: dict[str, dict[str, Read | Endpoint]], night: str = "n", **options: object) -> dict:
        pairs = []
        for name, endpoints in systems.items():
            made = tuple(
                read if isinstance(read, Endpoint) else Endpoint(endpoint, ("items",), read)
                for endpoint, read in endpoints.items()
            )
            pairs.append((channel(name, made), self.session(name)))
        verdicts = extract_all(self.con, pairs, night_id=night, clock=self.clock, folder=self.folder, **options)
        commit_cursors(self.con, [one for one, _ in pairs], night, now=self.clock.now())
        return {f"{v.system}.{v.endpoint}": v for v in verdicts}

    def session(self, name: str) -> Session:
        transport = httpx.MockTransport(lambda request: httpx.Response(200, json={}))
        return Session(
            system=name, base_url=f"http://{name}.test", headers={}, limiter=NoLimit(), judge=lambda answer: None,
            clock=self.clock, transport=transport,
        )

    def rows(self, table: str) -> dict[str, str]:
        return dict(self.con.execute(f"SELECT id, payload->>'$.v' FROM {table}").fetchall())

    def one(self, sql: str) -> object:
        return self.con.execute(sql).fetchall()


async def nobody(session: Session) -> Identity:
    return Identity("shop", "shop")


def channel(name: str, endpoints: tuple[Endpoint, ...]) -> Channel:
    return Channel(name, name, lambda connection: None, nobody, endpoints, (), (), (), ())  # type: ignore[arg-type]


@pytest.fixture
def estate(tmp_path: Path):
    made = Estate(tmp_path)
    yield made
    made.con.close()


def test_first_read_is_a_census_and_the_next_a_delta_that_merges(estate: Estate) -> None:
    windows: list[Window] = []
    first = estate.extract({"till": {"things": pages(ids(3), windows=windows)}})
    assert first["till.things"].is_complete and first["till.things"].kind == "census"
    assert windows[0].since is None
    estate.clock.moment += timedelta(days=1)
    changed = Page([row("r1", "new"), row("r9", "born")])
    second = estate.extract({"till": {"things": pages(changed, windows=windows)}})
    assert second["till.things"].kind == "delta"
    assert windows[1].since == NOW - timedelta(minutes=5), "the overlap is subtracted from the cursor"
    assert estate.rows("raw_till.things") == {"r0": "x", "r1": "new", "r2": "x", "r9": "born"}


@pytest.mark.parametrize("why", ["forced", "a week later", "no delta", "raw table gone"])
def test_census_again(estate: Estate, why: str) -> None:
    endpoint = Endpoint("things", ("items",), pages(ids(3)), has_delta=why != "no delta")
    estate.extract({"till": {"things": endpoint}})
    if why == "a week later":
        estate.clock.moment += timedelta(days=7)
    if why == "raw table gone":
        estate.con.execute("DROP TABLE raw_till.things")
    verdict = estate.extract({"till": {"things": endpoint}}, force_census=why == "forced")["till.things"]
    assert verdict.kind == "census"
    assert verdict.is_complete


def test_census_replaces_what_was_deleted(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(4))}})
    estate.extract({"till": {"things": pages(ids(3))}}, force_census=True)
    assert set(estate.rows("raw_till.things")) == {"r0", "r1", "r2"}


def counting(count: int | Exception, *delta: Page, census: Page, gone: str = "") -> Endpoint:
    """An endpoint whose vendor says how many records there are."""

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        await session.get("/page")
        for page in delta if window.since else (census,):
            yield page

    async def how_many(session: Session) -> int:
        await session.get("/count")
        if isinstance(count, Exception):
            raise count
        return count

    return Endpoint("things", ("items",), read, count=how_many, gone=gone)


def test_a_delta_that_leaves_more_than_there_is_becomes_a_census(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(4))}})
    deleted = counting(4, Page([row("born")]), census=Page([*ids(3).rows, row("born")]))
    verdict = estate.extract({"till": {"things": deleted}}, night="n2")["till.things"]
    assert verdict.kind == "census" and verdict.is_complete
    assert set(estate.rows("raw_till.things")) == {"r0", "r1", "r2", "born"}
    assert estate.one("SELECT calls FROM ledger.sync.reads WHERE night_id = 'n2'") == [(3,)], "both reads and the count"


@pytest.mark.parametrize("count", [5, 6], ids=["as many as held", "more: born since, seen by the next delta"])
def test_a_delta_is_believed_where_the_vendor_has_no_fewer(estate: Estate, count: int) -> None:
    estate.extract({"till": {"things": pages(ids(4))}})
    verdict = estate.extract({"till": {"things": counting(count, Page([row("born")]), census=ids(1))}})["till.things"]
    assert verdict.kind == "delta" and len(estate.rows("raw_till.things")) == 5


def test_records_that_say_they_are_gone_are_not_counted(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(4))}})
    binned = Page([RawRow("r1", None, b'{"id": "r1", "archived": true}')])
    found = estate.extract({"till": {"things": counting(3, binned, census=ids(1), gone="$.archived")}})["till.things"]
    assert found.kind == "delta"


def test_a_count_that_fails_fails_the_read(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(4))}})
    broken = counting(FatalChannelError("no count"), Page([row("born")]), census=ids(5))
    verdict = estate.extract({"till": {"things": broken}})["till.things"]
    assert not verdict.is_complete and "no count" in verdict.reason


def test_a_delta_with_a_record_that_does_not_say_which_it_is_becomes_a_census(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(4))}})
    nameless = raw_row(b'{"v": "newer, of whom?"}', None)
    assert not is_usable(nameless)

    async def read(session: Session, window: Window) -> AsyncIterator[Page]:
        yield Page([nameless]) if window.since else Page([*ids(3).rows, nameless])

    verdict = estate.extract({"till": {"things": Endpoint("things", ("items",), read)}}, night="n2")["till.things"]
    assert (verdict.kind, verdict.is_complete) == ("census", True)
    assert set(estate.rows("raw_till.things")) == {"r0", "r1", "r2", nameless.id}, "r3 as it was is not believed"


def test_a_record_without_a_name_that_is_as_it_was_asks_for_no_census(estate: Estate) -> None:
    nameless = raw_row(b'{"v": "in the bin"}', None)
    bin_and_all = pages(Page([*ids(3).rows, nameless]))
    assert estate.extract({"till": {"things": bin_and_all}})["till.things"].kind == "census"
    assert estate.extract({"till": {"things": pages(Page([nameless]))}}, night="n2")["till.things"].kind == "delta"


def test_a_day_of_the_past_with_such_a_record_is_no_census(estate: Estate) -> None:
    estate.extract({"till": {"orders": Endpoint("orders", ("orders",), pages(ids(3)))}})
    nameless = raw_row(b'{"v": "of whom?"}', None)
    again = channel("till", (Endpoint("orders", ("orders",), pages(Page([nameless]))),))
    verdicts = extract_days(
        estate.con, [(again, estate.session("till"))], entity="orders", start=NOW - timedelta(days=9),
        end=NOW - timedelta(days=8), clock=estate.clock, folder=estate.folder,
    )
    assert [verdict.kind for verdict in verdicts] == ["delta"]
    assert set(estate.rows("raw_till.orders")) == {"r0", "r1", "r2", nameless.id}


def test_a_loss_that_the_vendor_counts_is_still_judged(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(100))}})
    verdict = estate.extract({"till": {"things": counting(50, Page([]), census=ids(50))}})["till.things"]
    assert not verdict.is_complete and "50 rows after 100" in verdict.reason
    assert len(estate.rows("raw_till.things")) == 100


def test_a_census_is_no_shorter_for_what_was_told_to_be_gone(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(100))}})
    binned = Page([RawRow(f"r{n}", None, b'{"archived": true}') for n in range(80, 100)])
    estate.extract({"till": {"things": counting(80, binned, census=ids(0), gone="$.archived")}})
    again = counting(80, Page([]), census=ids(80), gone="$.archived")
    assert estate.extract({"till": {"things": again}}, force_census=True)["till.things"].is_complete
    short = counting(80, Page([]), census=ids(60), gone="$.archived")
    verdict = estate.extract({"till": {"things": short}}, force_census=True)["till.things"]
    assert not verdict.is_complete and "60 rows after 80" in verdict.reason


def test_short_census_is_not_loaded_until_somebody_explains_it(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(100))}})
    verdict = estate.extract({"till": {"things": pages(ids(50))}}, force_census=True)["till.things"]
    assert not verdict.is_complete
    assert verdict.reason == "50 rows after 100 in the last complete census"
    assert len(estate.rows("raw_till.things")) == 100
    assert estate.one("SELECT is_complete, reason FROM reads.verdicts") == [
        (False, "things: 50 rows after 100 in the last complete census")
    ]
    accepted = estate.extract(
        {"till": {"things": pages(ids(50))}}, force_census=True, accept_short=frozenset({"till.things"})
    )
    assert accepted["till.things"].is_complete
    assert len(estate.rows("raw_till.things")) == 50
    less = estate.extract({"till": {"things": pages(ids(26))}}, force_census=True, min_share=0.2)
    assert less["till.things"].is_complete, "what is short is the policy's figure"


def test_nothing_is_believed_only_where_it_is_declared(estate: Estate) -> None:
    orders = Endpoint("orders", ("orders",), pages(Page([])), may_be_empty=True)
    found = estate.extract({"till": {"bare": pages(Page([])), "said": pages(Page([], total=0)), "orders": orders}})
    assert not found["till.bare"].is_complete
    assert found["till.orders"].is_complete
    assert found["till.said"].is_complete
    assert estate.rows("raw_till.said") == {}


def test_all_rows_gone_is_not_believed_even_when_declared(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(3))}})
    verdict = estate.extract({"till": {"things": pages(Page([], total=0))}}, force_census=True)["till.things"]
    assert not verdict.is_complete
    assert len(estate.rows("raw_till.things")) == 3


def test_declared_total_must_match_but_may_move_while_reading(estate: Estate) -> None:
    some = [row(f"r{i}") for i in range(4)]
    found = estate.extract(
        {"till": {"short": pages(Page(some[:2], total=4)), "moved": pages(Page(some[:2], 3), Page(some[2:], 4))}}
    )
    assert found["till.short"].reason == "2 rows where the system declared 4"
    assert found["till.moved"].is_complete


def test_census_in_which_records_moved_is_not_believed_but_a_delta_is(estate: Estate) -> None:
    twice = pages(Page([row("a"), row("b")]), Page([row("b", "later"), row("c")]))
    verdict = estate.extract({"till": {"things": twice}})["till.things"]
    assert not verdict.is_complete and "came twice" in verdict.reason
    estate.extract({"till": {"things": pages(ids(2))}})
    assert estate.extract({"till": {"things": twice}})["till.things"].is_complete
    assert estate.rows("raw_till.things")["b"] == "later"


def test_paging_in_circles_ends(estate: Estate) -> None:
    async def endless(session: Session, window: Window) -> AsyncIterator[Page]:
        while True:
            yield ids(2)

    verdict = estate.extract({"till": {"things": endless}})["till.things"]
    assert not verdict.is_complete and "repeats itself" in verdict.reason


def test_one_system_down_leaves_the_others_and_its_own_cursor(estate: Estate) -> None:
    good = {"things": pages(ids(2))}
    estate.extract({"till": good, "shop": {"things": pages(ids(2)), "more": pages(ids(2))}})
    estate.clock.moment += timedelta(hours=1)
    refused = pages(error=CredentialError("the token was refused", system="shop"))
    found = estate.extract({"till": good, "shop": {"things": refused, "more": pages(ids(2, "new"))}}, night="n2")
    assert found["till.things"].is_complete
    assert not found["shop.things"].is_complete and "token was refused" in found["shop.things"].reason
    assert found["shop.more"].is_complete and estate.rows("raw_shop.more")["r0"] == "new"
    assert estate.one("SELECT system, entity, is_complete FROM reads.verdicts ORDER BY system") == [
        ("shop", "items", False), ("till", "items", True),
    ]
    assert estate.one("SELECT cursor_at FROM ledger.sync.cursors WHERE endpoint = 'things' AND system = 'shop'") == [
        (NOW,)
    ]


@pytest.mark.parametrize(
    "error", [FatalChannelError("half an answer"), TypeError("string indices"), KeyError("someone@example.org")]
)
def test_half_a_read_is_no_read_and_says_no_value(estate: Estate, error: Exception) -> None:
    verdict = estate.extract({"till": {"things": pages(ids(2), error=error)}})["till.things"]
    assert not verdict.is_complete and type(error).__name__ in verdict.reason
    assert "example.org" not in verdict.reason
    assert estate.rows("raw_till.things") == {}
    assert estate.one("SELECT count(*) FROM ledger.sync.cursors") == [(0,)]


def test_record_without_id_or_not_text_fails_its_read(estate: Estate) -> None:
    found = estate.extract(
        {"till": {"blank": pages(Page([row("")])), "bytes": pages(Page([RawRow("a", None, b"\xff\xfe")]))}}
    )
    assert "have no id" in found["till.blank"].reason
    assert "UTF-8" in found["till.bytes"].reason


def test_records_without_an_id_may_be_alike_and_are_looked_for_until_they_have_one(estate: Estate) -> None:
    def odd() -> RawRow:
        return raw_row(b'{"id": null}', None)

    first = counting(3, census=Page([row("a"), odd(), odd()]))
    assert estate.extract({"till": {"things": first}})["till.things"].is_complete
    held = "SELECT id FROM raw_till.things ORDER BY id"
    assert estate.one(held) == [("a",), (odd().id,)]
    mended = Page([row("a"), row("b"), row("c")])
    found = estate.extract({"till": {"things": counting(3, Page([row("b"), row("c")]), census=mended)}}, "m")
    assert (found["till.things"].kind, estate.one(held)) == ("census", [("a",), ("b",), ("c",)])


def test_what_each_read_cost_is_kept(estate: Estate) -> None:
    estate.extract({"till": {"a": pages(ids(2)), "b": pages(ids(2), Page([row("z")]))}}, night="n7")
    assert estate.one("SELECT endpoint, calls, row_count, night_id FROM ledger.sync.reads ORDER BY endpoint") == [
        ("a", 1, 2, "n7"), ("b", 2, 3, "n7"),
    ]


def test_no_copy_of_the_records_is_left_behind(estate: Estate) -> None:
    estate.extract({"till": {"things": pages(ids(3))}})
    estate.extract({"till": {"things": pages(ids(3, "secret"))}})
    assert not list(estate.folder.rglob("*.parquet"))
    staging = "SELECT count(*) FROM raw_till_staging.things"
    assert estate.one(staging) == [(0,)]


def test_load_that_fails_marks_the_system_and_loads_again_next_time(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipelines import extract_load

    def torn(file: extract_load.LoadFile):
        file.path.write_bytes(b"not parquet")
        return kept(file)

    kept = extract_load._rows
    monkeypatch.setattr(extract_load, "_rows", torn)
    verdict = estate.extract({"till": {"things": pages(ids(3))}})["till.things"]
    assert not verdict.is_complete and "the load failed" in verdict.reason
    monkeypatch.setattr(extract_load, "_rows", kept)
    assert estate.extract({"till": {"things": pages(ids(2))}})["till.things"].is_complete
    assert set(estate.rows("raw_till.things")) == {"r0", "r1"}


def test_past_days_are_merged_and_move_no_cursor(estate: Estate) -> None:
    windows: list[Window] = []
    orders = Endpoint("orders", ("orders",), pages(ids(2), windows=windows))
    estate.extract({"till": {"orders": orders, "things": pages(ids(1))}})
    cursors = estate.one("SELECT endpoint, cursor_at FROM ledger.sync.cursors ORDER BY ALL")
    again = Endpoint("orders", ("orders",), pages(Page([row("r1", "new"), row("old", "new")]), windows=windows))
    pairs = [(channel("till", (again, Endpoint("things", ("items",), pages(ids(1))))), estate.session("till"))]
    start, end = NOW - timedelta(days=9), NOW - timedelta(days=8)
    verdicts = extract_days(
        estate.con, pairs, entity="orders", start=start, end=end, clock=estate.clock, folder=estate.folder
    )
    assert [v.endpoint for v in verdicts] == ["orders"]
    assert windows[-1] == Window(start, end, is_closed=True)
    assert estate.rows("raw_till.orders") == {"r0": "x", "r1": "new", "old": "new"}
    assert estate.one("SELECT endpoint, cursor_at FROM ledger.sync.cursors ORDER BY ALL") == cursors

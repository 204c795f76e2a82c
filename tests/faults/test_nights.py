"""Nights over a network that delays, slices, throttles, resets and cuts: nothing is lost, nothing is written twice.

The night is a real process over real sockets; the systems' own log is judged, by the rules of `make kill`.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.proxy import Faults, Proxy
from tests.kill import judge
from tests.kill.conftest import prepared as prepared
from tests.kill.shop import Shop

pytestmark = [pytest.mark.process, pytest.mark.night]

EACH = {
    "latency": Faults(latency_ms=20), "slices": Faults(slice_bytes=300), "limit": Faults(bytes_per_second=200_000),
    "reset": Faults(reset_pct=25), "cut": Faults(cut_pct=25),
}
ALL = Faults(latency_ms=5, slice_bytes=2_000, bytes_per_second=2_000_000, reset_pct=12, cut_pct=12)
"""A night takes some 25 connections, since each is kept: of so many, these meet some of both (the seed says which)."""
WHAT = {"latency": "late", "slices": "piece", "limit": "late"}


@pytest.fixture
def through(prepared: Path, tmp_path: Path) -> Callable[[str, Faults, set[str]], None]:
    """Play a night through a proxy, and judge it once the network is well again."""

    def play(seed: str, faults: Faults, what: set[str]) -> None:
        proxy = Proxy(seed, faults)
        shop = Shop.copied(prepared, tmp_path / "shop")
        with shop.served(proxy.url), proxy.running():
            proxy.upstream = shop.port
            since = judge.last_line(shop)
            run = shop.begin()
            assert run.ended() in (0, 1), run.said
            assert what <= proxy.befell.keys(), f"not ill enough: {proxy.befell}"
            proxy.faults = Faults()
            violations = judge.finished(shop, since)
            assert not violations, judge.told(violations, shop)

    return play


def test_a_network_that_does_all_of_it(through: Callable[[str, Faults, set[str]], None]) -> None:
    through("the lot", ALL, {"reset", "cut", "late"})


@pytest.mark.long
@pytest.mark.parametrize("name", EACH)
@pytest.mark.parametrize("seed", range(3))
def test_one_fault_at_a_time(through: Callable[[str, Faults, set[str]], None], name: str, seed: int) -> None:
    through(f"{name} {seed}", EACH[name], {WHAT.get(name, name)})


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_drawn(through: Callable[[str, Faults, set[str]], None], seed: int) -> None:
    dice = random.Random(seed)
    through(str(seed), Faults(
        latency_ms=dice.choice([0, 5, 50]), slice_bytes=dice.choice([0, 100, 5_000]), reset_pct=dice.randint(2, 15),
        cut_pct=dice.randint(0, 10), reset_within=dice.choice([50, 500, 20_000]),
    ), {"piece"})

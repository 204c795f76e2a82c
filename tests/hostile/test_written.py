"""Every hostile string is written to every system that takes a name, and read back: kept to the character, or refused.

What is in between is a failure: a value cut short, cleaned or unreadable. A refused one has changed nothing.
"""

import re
from pathlib import Path

import pytest

from conformance.checks import hostile as check
from pipelines.channels import CHANNELS
from pipelines.channels.base import Channel
from sandbox.app import load_vendors
from tests.conformance.stand import bench_of, make_world
from tests.hostile import LONGEST, TEXTS, steers

PLAYED = [channel for channel in CHANNELS if channel.name in load_vendors() and "customers" in channel.entities]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_world(tmp_path_factory.mktemp("hostile") / "world")


def test_there_are_two_hundred_and_none_twice() -> None:
    assert len(TEXTS) >= 200 and len(set(TEXTS)) == len(TEXTS)


@pytest.mark.parametrize("channel", PLAYED, ids=lambda channel: channel.name)
async def test_it_is_kept_to_the_character_or_refused(
    channel: Channel, world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [text for text in TEXTS if not steers(text)]  # the others never come so far: test_hostile_text.py
    monkeypatch.setattr(check, "TEXTS", texts)
    bench, _ = bench_of(channel, world, tmp_path / "copy.sqlite")
    told = await check.hostile(bench)
    await bench.close()
    kept, refused = (int(number) for number in re.match(r"(\d+) of \d+ texts kept[^,]*(?:, (\d+))?", told).groups("0"))
    assert kept + refused == len(texts)
    odd = [text for text in texts if len(text) > LONGEST or not {*"<>\\%&#|=+-@;{}\u2028"}.isdisjoint(text)]
    assert refused <= len(odd), "what is neither long nor markup is a name that somebody might have"

"""Small worlds for the tests: one on the first night, one a day later, made once and copied."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.store import Store
from sandbox.world.create import create_world
from sandbox.world.day import live_day
from sandbox.world.scene import Scene
from sandbox.world.settings import EPOCH, WorldSettings
from sandbox.world.truth import read_truth
from tests.sandbox.fake import fake_vendors
from tests.sandbox.perfect import PlanRows, perfect_plan, push

SMALL = WorldSettings(seed=3, variants=60, persons=80, shops=3)


def make(folder: Path, settings: WorldSettings = SMALL) -> Scene:
    """A new world in a folder, on fake vendors."""
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(folder / "world.sqlite", epoch=EPOCH)
    create_world(folder, settings, store, fake_vendors())
    return Scene.load(folder, store, fake_vendors())


def live(scene: Scene) -> Scene:
    """Push all that must be pushed, then live a day."""
    push(scene, read_truth(scene.folder, scene.chronicle.night))
    live_day(scene.folder, scene.store, scene.vendors)
    return Scene.load(scene.folder, scene.store, scene.vendors)


@pytest.fixture(scope="session")
def _template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worlds") / "day1"
    live(make(folder)).store.close()
    return folder


@pytest.fixture
def first_day(_template: Path, tmp_path: Path) -> Scene:
    """A world after its first day, all of night 0 pushed; a copy of one's own."""
    shutil.copytree(_template, tmp_path / "world")
    return Scene.load(tmp_path / "world", Store(tmp_path / "world" / "world.sqlite"), fake_vendors())


@pytest.fixture
def new_world(tmp_path: Path) -> Callable[..., Scene]:
    """Makes worlds: `new_world()`, `new_world("b", settings)`."""
    return lambda name="a", settings=SMALL: make(tmp_path / name, settings)


@pytest.fixture
def night(first_day) -> tuple[Scene, PlanRows]:
    """A night in which all went well, and its plan."""
    rows = read_truth(first_day.folder, 1)
    push(first_day, rows)
    return first_day, perfect_plan(first_day, rows)

"""Dagster's history is made once, however many processes are first in a home."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier, Lock

import dagster as dg
import pytest

from cli.history import opened


def test_those_who_are_first_in_a_home_open_it_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work, most, changes, begin = 0, 0, Lock(), Barrier(5)

    def get() -> nullcontext[None]:
        nonlocal at_work, most
        with changes:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.02)  # noqa: TID251 (as long as databases take to make)
        with changes:
            at_work -= 1
        return nullcontext()

    def work() -> object:
        begin.wait()
        with opened(tmp_path) as instance:
            return instance

    monkeypatch.setattr(dg.DagsterInstance, "get", get)
    with ThreadPoolExecutor(5) as pool:
        assert all(found.result() for found in [pool.submit(work) for _ in range(5)])
    assert most == 1

"""`python -m tests.simulation 1..1000`: plays seeds on two processes, says how it goes, and ends with what failed.

A seed that fails is printed with what was broken and with the command that plays it again; its trace is kept.
`--processes` 1 plays in this process.
"""

import argparse
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.simulation.play import Played, Templates, play

SHARE = 10
"""Seeds that a process takes at a time."""


def main(arguments: list[str] | None = None) -> int:
    """Play all seeds; returns how the process is to end."""
    args = _parser().parse_args(arguments)
    seeds = _numbers(args.seeds)
    started, played = time.monotonic(), 0
    nights = calls = 0
    faults: Counter[str] = Counter()
    failed: list[int] = []
    for one in _all(seeds, args.processes, args.traces, keep_all=args.keep_all):
        played, nights, calls = played + 1, nights + one.nights, calls + one.calls
        faults.update(one.faults)
        if not one.is_right:
            failed.append(one.seed)
            print(f"seed {one.seed} FAILED (trace: {args.traces / f'{one.seed}.jsonl'})", flush=True)
            for violation in one.violations[:8]:
                print(f"    {violation}", flush=True)
        if played % args.every == 0:
            seconds = time.monotonic() - started
            print(f"{played} of {len(seeds)} seeds, {len(failed)} failed, {seconds:.0f} s", flush=True)
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items()))
    print(
        f"{played} seeds, {nights} nights, {calls} calls; faults: {told}; {len(failed)} failed; "
        f"{time.monotonic() - started:.0f} s"
    )
    for seed in failed:
        print(f"again: make simulate SEEDS={seed}..{seed}")
    return 1 if failed else 0


def _all(seeds: list[int], processes: int, traces: Path, *, keep_all: bool) -> Iterator[Played]:
    shares = [seeds[at : at + SHARE] for at in range(0, len(seeds), SHARE)]
    if processes == 1 or len(shares) == 1:
        for share in shares:
            yield from _share(share, traces, keep_all)
        return
    with ProcessPoolExecutor(max_workers=processes) as pool:
        for done in as_completed([pool.submit(_share_whole, share, traces, keep_all) for share in shares]):
            yield from done.result()


def _share_whole(seeds: list[int], traces: Path, keep_all: bool) -> list[Played]:
    return list(_share(seeds, traces, keep_all))


_TEMPLATES: list[Path] = []
"""Where this process keeps its adopted worlds."""


def _share(seeds: list[int], traces: Path, keep_all: bool) -> Iterator[Played]:
    logging.disable(logging.CRITICAL)
    scratch = _scratch()
    for seed in seeds:
        one = play(seed, Templates(scratch / "families"), scratch / f"seed_{seed}")
        if keep_all or not one.is_right:
            one.trace.write(traces / f"{seed}.jsonl")
        one.trace.lines.clear()
        yield one


def _scratch() -> Path:
    """A folder of this process, in memory where the system has one there."""
    if not _TEMPLATES:
        memory = Path("/dev/shm")
        _TEMPLATES.append(Path(tempfile.mkdtemp(prefix="simulation-", dir=memory if memory.is_dir() else None)))
        (_TEMPLATES[0] / "families").mkdir()
        import atexit

        atexit.register(shutil.rmtree, _TEMPLATES[0], True)
    return _TEMPLATES[0]


def _numbers(text: str) -> list[int]:
    """'1000' is 1..1000; '7..7' is one, 'a..b' are those with both ends."""
    first, dots, last = text.partition("..")
    return list(range(int(first), int(last) + 1)) if dots else list(range(1, int(first) + 1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("seeds", help="so many from 1, or from..to")
    parser.add_argument("--processes", type=int, default=2, help="default: %(default)s")
    parser.add_argument("--every", type=int, default=10, help="say how it goes after so many; default: %(default)s")
    parser.add_argument("--traces", type=Path, default=Path(".trueup/traces"), help="default: %(default)s")
    parser.add_argument("--keep-all", action="store_true", help="keep the traces of seeds that pass, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())

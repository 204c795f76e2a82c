"""The sandbox's command line: `python -m sandbox [create | serve | day | judge] [--dir FOLDER]`.

Without a command it serves, and makes the world first where there is none. Arguments in, words out; what the commands
do is `sandbox.world`, `sandbox.app` and `sandbox.judge`.
"""

import argparse
import json
import shutil
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from sandbox.app import VENDORS, build_app, load_vendors
from sandbox.estate import write_estate
from sandbox.store import Store, parse_stamp
from sandbox.vendor import Settings
from sandbox.world.settings import EMAIL_TOOLS, EPOCH, WEBSHOPS, WorldError, WorldSettings

PORT = 8765
_PLAYERS = {"webshop": WEBSHOPS, "email": EMAIL_TOOLS}
FOLDER = Path(".trueup") / "sandbox"
"""Where `trueup` keeps the world of its own sandbox."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help")):
        given.insert(0, "serve")
    args = _parser().parse_args(given)
    try:
        return int(args.run(args))
    except WorldError as error:
        print(f"sandbox: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox", description="The outside world, played on loopback. Without a command: serve."
    )
    commands = parser.add_subparsers(required=True, metavar="create | serve | day | judge")
    folder = argparse.ArgumentParser(add_help=False)
    folder.add_argument(
        "--dir", type=Path, default=FOLDER, metavar="FOLDER", help="where the world lives; default: %(default)s"
    )
    sizes = argparse.ArgumentParser(add_help=False)
    defaults = WorldSettings()
    for name in ("seed", "variants", "persons", "shops"):
        sizes.add_argument(f"--{name}", type=int, help=f"of a new world; default: {getattr(defaults, name)}")
    for name, players in _PLAYERS.items():
        sizes.add_argument(f"--{name}", choices=players, help=f"of a new world; default: {getattr(defaults, name)}")
    sizes.add_argument("--over-cap", action="store_true", help="edit so many prices a day that a cap must hold them")
    sizes.add_argument("--port", type=int, default=PORT, help="default: %(default)s; 0: any that is free")

    create = commands.add_parser("create", parents=[folder, sizes], help="make a world, its truth and its estate.toml")
    create.add_argument("--force", action="store_true", help="make it anew where there is one")
    create.set_defaults(run=_create)
    serve = commands.add_parser("serve", parents=[folder, sizes], help="serve the systems")
    serve.add_argument("--public-url", default="", help="what links in answers say; default: where it is served")
    serve.add_argument("--plan", default="plus", help="rate-limit tier, where a vendor has several")
    serve.add_argument("--search-lag", type=float, default=0.0, metavar="SECONDS", help="how long searches lag")
    serve.add_argument("--bulk-seconds", type=float, default=0.0, metavar="SECONDS", help="how long a bulk job runs")
    for name, words in (("down", "answers 503"), ("refuses", "refuses every credential")):
        serve.add_argument(f"--{name}", action="append", default=[], choices=list(VENDORS), help=f"{words}; repeatable")
    serve.add_argument("--lacks", action="append", default=[], metavar="SCOPE",
                       help="HubSpot's token was not granted it; repeatable")
    serve.set_defaults(run=_serve)
    day = commands.add_parser("day", parents=[folder], help="let the world live one day")
    day.set_defaults(run=_day)
    judge = commands.add_parser("judge", parents=[folder], help="compare a night and the systems with the truth")
    judge.add_argument("--plan", type=Path, required=True, metavar="PLAN.jsonl", help="the night's corrections")
    judge.add_argument("--down", action="append", default=[], choices=list(VENDORS), help="was not read that night")
    judge.add_argument("--json", action="store_true", help="the verdict as JSON")
    judge.set_defaults(run=_judge)
    return parser


def _create(args: argparse.Namespace) -> int:
    from sandbox.world.create import create_world
    from sandbox.world.truth import summary

    asked = {name: getattr(args, name) for name in ("seed", "variants", "persons", "shops", *_PLAYERS)}
    told = {name: value for name, value in asked.items() if value is not None}
    settings = WorldSettings(**told, over_cap=args.over_cap)
    if (args.dir / "estate.toml").exists() and not args.force:
        _refuse_another(args.dir, asked)
        print(f"There is a world in {args.dir} already; --force makes it anew.")
        return 0
    _clear(args.dir)
    started = time.monotonic()
    store = Store(args.dir / "world.sqlite", epoch=EPOCH)
    rows = create_world(args.dir, settings, store, load_vendors(), say=_say)
    store.close()
    write_estate(args.dir, settings, f"http://127.0.0.1:{args.port or PORT}")
    print(f"Made in {time.monotonic() - started:.1f} s. Night 0 must find: {json.dumps(summary(rows))}")
    return 0


def _refuse_another(folder: Path, asked: dict[str, int | str | None]) -> None:
    """A world has one seed and one size for life; who asks for others means another world."""
    kept = json.loads((folder / "truth" / "chronicle.json").read_text(encoding="utf-8"))["settings"]
    made = asdict(WorldSettings(**kept))
    other = [f"{name} {made[name]}, not {value}" for name, value in asked.items() if value not in (None, made[name])]
    if other:
        raise WorldError(f"this world has {'; '.join(other)}. `make clean` forgets it, then another can be made")


def _clear(folder: Path) -> None:
    """A world half made is no world: start from nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(folder / "truth", ignore_errors=True)
    for name in ("world.sqlite", "world.sqlite-wal", "world.sqlite-shm", "estate.toml"):
        (folder / name).unlink(missing_ok=True)


def _serve(args: argparse.Namespace) -> int:
    import uvicorn

    if not (args.dir / "estate.toml").exists():
        args.force = False
        _create(args)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", args.port))
        listener.listen()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(
            base_url=args.public_url or url,
            plan=args.plan, search_lag_seconds=args.search_lag, bulk_seconds=args.bulk_seconds,
            is_down=frozenset(args.down), refuses=frozenset(args.refuses), lacks=frozenset(args.lacks),
        )
        store = _open(args.dir)
        _never_back(store)
        signal.signal(signal.SIGTERM, _leave)  # uvicorn raises the signal again when it is done
        print(url, flush=True)
        config = uvicorn.Config(
            build_app(store, settings, folder=args.dir), http="httptools", access_log=False, log_level="warning",
            lifespan="off", timeout_graceful_shutdown=2, date_header=False,  # the world has a time of its own
        )
        try:
            uvicorn.Server(config).run(sockets=[listener])
        except (KeyboardInterrupt, _Stopped):
            print("stopped")
        finally:
            store.close()
    return 0


class _Stopped(Exception):
    """Somebody asked the server to end."""


def _leave(_number: int, _frame: object) -> None:
    raise _Stopped


def _never_back(store: Store) -> None:
    """A server that was killed could not store the clock: no moment that the log knows comes again."""
    last = max((effect["at"] for effect in store.effects()[-1:]), default="")
    if last and parse_stamp(last) > store.now():
        store.set_now(parse_stamp(last) + timedelta(seconds=1))


def _day(args: argparse.Namespace) -> int:
    from sandbox.world.day import live_day
    from sandbox.world.truth import summary

    store = _open(args.dir)
    rows = live_day(args.dir, store, load_vendors(), say=_say)
    print(f"Night {store.fact('night')} must find: {json.dumps(summary(rows))}")
    store.close()
    return 0


def _judge(args: argparse.Namespace) -> int:
    from sandbox.judge import judge_folder
    from sandbox.judge_report import print_verdict

    store = _open(args.dir)
    verdict = judge_folder(args.dir, store, load_vendors(), args.plan, down=frozenset(args.down))
    store.close()
    if args.json:
        print(json.dumps(verdict.as_json(), ensure_ascii=False, indent=1))
    else:
        print_verdict(verdict)
    return 0 if verdict.is_passed else 1


def _open(folder: Path) -> Store:
    if not (folder / "world.sqlite").exists():
        raise WorldError(f"there is no world in {folder}; make one with `python -m sandbox create --dir {folder}`")
    return Store(folder / "world.sqlite")


def _say(words: str) -> None:
    print(f"  {words} …", flush=True)


if __name__ == "__main__":
    sys.exit(main())

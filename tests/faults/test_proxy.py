"""The proxy does what it says: over a plain server of bytes."""

import socket
import threading
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Faults, Proxy

ANSWER = bytes(range(256)) * 40


@pytest.fixture
def port() -> Iterator[int]:
    """A server that says the same to everybody and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            caller.recv(1_000)
            caller.sendall(ANSWER)
            caller.close()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def asked(proxy: Proxy) -> bytes:
    with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2])), timeout=20) as caller:
        caller.sendall(b"?")
        told = b""
        while piece := caller.recv(100_000):
            told += piece
    return told


@pytest.mark.parametrize("faults", [
    Faults(), Faults(slice_bytes=7_000), Faults(latency_ms=5), Faults(bytes_per_second=10**6),
])
def test_what_is_slow_or_in_pieces_comes_whole(port: int, faults: Faults) -> None:
    with Proxy("a", faults, port).running() as proxy:
        assert asked(proxy) == ANSWER
    assert proxy.befell["piece"] >= (2 if faults.slice_bytes else 1)
    assert bool(proxy.befell["late"]) is bool(faults.latency_ms or faults.bytes_per_second)


def test_what_is_cut_ends_early_as_if_it_were_all(port: int) -> None:
    with Proxy("a", Faults(cut_pct=100), port).running() as proxy:
        told = asked(proxy)
    assert ANSWER.startswith(told) and len(told) < 4_000
    assert proxy.befell["cut"] == 1


def test_what_is_reset_says_so(port: int) -> None:
    with Proxy("a", Faults(reset_pct=100), port).running() as proxy, pytest.raises(ConnectionResetError):
        asked(proxy)
    assert proxy.befell["reset"] == 1


def test_the_same_seed_spoils_the_same_connections(port: int) -> None:
    lengths = []
    for _ in range(2):
        with Proxy("b", Faults(cut_pct=50), port).running() as proxy:
            lengths.append([len(asked(proxy)) for _ in range(12)])
    assert lengths[0] == lengths[1] and 0 < sum(length < 4_000 for length in lengths[0]) < 12

"""The wire: what it takes for a write, and each fault played once and no further."""

import httpx
import pytest

from conformance.hands import hands_of, write_test
from conformance.wire import Wire, is_write, rebuilt

GRAPHQL = "http://x/admin/api/2026-07/graphql.json"


def request(method: str, url: str = "http://x/v1/customers/7", content: bytes = b"") -> httpx.Request:
    return httpx.Request(method, url, content=content)


@pytest.mark.parametrize(("asked", "writes"), [
    (request("GET"), False), (request("PUT"), True), (request("PATCH"), True), (request("DELETE"), True),
    (request("POST"), True),
    (request("POST", "http://x/crm/v3/objects/contacts/search"), False),
    (request("POST", "http://x/crm/v3/objects/contacts/batch/read"), False),
    (request("POST", "http://x/crm/v3/objects/contacts/batch/update"), True),
    (request("POST", "http://x/v2/catalog/batch-retrieve"), False),
    (request("POST", "http://x/json/2/res.partner/search_read"), False),
    (request("POST", "http://x/json/2/res.partner/read"), False),
    (request("POST", "http://x/json/2/res.partner/write"), True),
    (request("POST", GRAPHQL, b'{"query": "query Page { shop { id } }"}'), False),
    (request("POST", GRAPHQL, b'{"query": "mutation A { b }"}'), True),
    (request("POST", "http://x/admin-api", b'{"query": "mutation A { b }"}'), True),
], ids=lambda value: f"{value.method} {value.url.path}" if isinstance(value, httpx.Request) else "")
def test_a_write_is_told_from_a_read(asked, writes):
    assert is_write(asked) is writes


def test_hands_may_know_better():
    class Knowing:
        def is_write(self, request: httpx.Request) -> bool:
            return b"login" not in request.content

    assert write_test(None) is is_write
    assert write_test(hands_of("square")) is is_write
    knows = write_test(Knowing())  # type: ignore[arg-type]
    assert not knows(request("POST", content=b"login")) and knows(request("POST"))
    assert hands_of("nobody") is None


def wire_over(taken: list[httpx.Request]) -> tuple[Wire, httpx.AsyncClient]:
    def answer(asked: httpx.Request) -> httpx.Response:
        taken.append(asked)
        return httpx.Response(200, text="taken")

    wire = Wire(httpx.MockTransport(answer))
    return wire, httpx.AsyncClient(transport=wire)


async def test_an_answer_is_lost_once_after_the_server_took_the_call():
    taken: list[httpx.Request] = []
    wire, client = wire_over(taken)
    async with client:
        with wire.losing():
            assert (await client.get("http://x/a")).text == "taken", "a read goes through"
            with pytest.raises(httpx.ReadError):
                await client.post("http://x/b")
            assert (await client.post("http://x/b")).text == "taken"
    assert [one.url.path for one in taken] == ["/a", "/b", "/b"] and wire.lost == 1
    assert [sent.path for sent in wire.writes_since(0)] == ["/b", "/b"]


async def test_something_happens_just_before_the_next_write_and_once():
    taken: list[httpx.Request] = []
    wire, client = wire_over(taken)

    async def hook() -> None:
        await client.delete("http://x/other")

    async with client:
        with wire.before_write(hook):
            await client.get("http://x/a")
            await client.post("http://x/b")
            await client.post("http://x/c")
    assert [one.url.path for one in taken] == ["/a", "/other", "/b", "/c"]


async def test_every_call_is_noted_and_whether_it_was_answered_here():
    taken: list[httpx.Request] = []
    wire, client = wire_over(taken)
    noted: list[tuple[str, bool]] = []
    async with client:
        with wire.noting(lambda asked, is_here: noted.append((asked.url.path, is_here))):
            with wire.answering(httpx.Response(429)):
                await client.get("http://x/a")
            await client.get("http://x/a")
        await client.get("http://x/b")
    assert noted == [("/a", True), ("/a", False)]


async def test_a_canned_answer_and_a_rewritten_call_end_with_their_block():
    taken: list[httpx.Request] = []
    wire, client = wire_over(taken)
    async with client:
        with wire.answering(httpx.Response(429), httpx.Response(503)):
            assert (await client.get("http://x/a")).status_code == 429
        assert (await client.get("http://x/a")).status_code == 200, "what was not asked for is forgotten"
        with wire.rewriting(lambda asked: rebuilt(asked, content=b"[1]")):
            await client.post("http://x/b", content=b"[1, 2, 3]")
        await client.post("http://x/b", content=b"[1, 2, 3]")
    assert [one.content for one in taken] == [b"", b"[1]", b"[1, 2, 3]"]
    assert taken[1].headers["content-length"] == "3"

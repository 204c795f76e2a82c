"""What a system's answer says lies elsewhere: nobody goes there, and no credential is seen there.

Redirects and links of every connector, over real sockets to loopback: the shop lures, and the other server writes down
what it hears. Certificates that nobody vouches for are refused by every connector, whatever is set.
"""

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipelines.channels import CHANNELS
from pipelines.channels.base import Channel, Connection, Window
from pipelines.errors import ChannelError, ConfigurationError, FatalChannelError
from pipelines.http import Session, trust
from resources.clock import clock_of_systems
from sandbox.app import load_vendors
from tests.channels.harness import EPOCH, outside
from tests.plan.world import VirtualClock
from tests.test_answers import OPTIONS

ROOT = Path(__file__).parents[2]
SYSTEMS = [channel for channel in CHANNELS if channel.name != "files"]
VENDORS = load_vendors()
SECRET = "SECRETkey918273-us1"
each_system = pytest.mark.parametrize("channel", SYSTEMS, ids=lambda channel: channel.name)


def connected(channel: Channel, base_url: str, options: dict[str, str] | None = None, **rest: Any) -> Session:
    held = OPTIONS.get(channel.name, {}) | (options or {})
    secrets = dict.fromkeys(channel.secrets, SECRET)
    return channel.connect(Connection(base_url, secrets, held, VirtualClock(), **rest))


@asynccontextmanager
async def listening(answer: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that gives one answer to everything: its port, and what it has heard."""
    heard: list[bytes] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(answer.encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()
        await server.wait_closed()


HELLO = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}"


@each_system
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_the_other_host_hears_nothing(channel, status):
    async with listening(HELLO) as (other, stolen):
        lure = f"HTTP/1.1 {status} Go\r\nlocation: http://localhost:{other}/x\r\ncontent-length: 0\r\n" \
            "connection: close\r\n\r\n"
        async with listening(lure) as (port, heard), connected(channel, f"http://127.0.0.1:{port}/api") as session:
            with pytest.raises(ChannelError) as raised:
                await channel.identify(session)
            with pytest.raises(ChannelError):
                await session.post("things", {"a": 1}, is_repeatable=False)
    assert stolen == []
    assert isinstance(raised.value, FatalChannelError) and raised.value.system == channel.name
    assert len(heard) == 2, "a redirect is not asked for again"


class Luring(httpx.AsyncBaseTransport):
    """The sandbox, whose every answer names other hosts wherever a vendor might name its next page."""

    URL = "http://other.test/next?page=2"

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.hosts: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(request.url.host)
        answer = await self._inner.handle_async_request(request)
        body = await answer.aread()
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() != b"content-length"]
        headers += [(b"link", f'<{self.URL}>; rel="next"'.encode()), (b"content-location", self.URL.encode())]
        try:
            found = json.loads(body)
        except ValueError:
            return httpx.Response(answer.status_code, headers=headers, content=body)
        if isinstance(found, dict):
            found |= {"next": self.URL, "next_page": self.URL, "_links": [{"rel": "next", "href": self.URL}]}
            if "paging" in found:
                found["paging"]["next"]["link"] = self.URL
        return httpx.Response(answer.status_code, headers=headers, content=json.dumps(found))


@pytest.mark.parametrize("channel", [c for c in SYSTEMS if c.name in VENDORS], ids=lambda channel: channel.name)
async def test_links_to_other_hosts_are_not_followed(channel):
    there = outside(VENDORS[channel.name], channel, channel.secrets[0])
    luring = Luring(there.transport)
    connection = Connection(
        f"http://sandbox/{channel.name}", dict.fromkeys(channel.secrets, "sandbox"),
        {"bulk_patience_seconds": "60"} if channel.name == "shopify" else {}, there.clock, luring,
    )
    async with channel.connect(connection) as session:
        for endpoint in channel.endpoints:
            for since in (None, EPOCH):
                with suppress(FatalChannelError):  # an empty shop lacks what some of them need
                    async for _ in endpoint.read(session, Window(since, there.clock.now())):
                        pass
    assert set(luring.hosts) == {"sandbox"} and len(luring.hosts) > len(channel.endpoints)


async def test_a_cursor_that_is_an_address_is_a_cursor():
    hubspot = next(channel for channel in SYSTEMS if channel.name == "hubspot")
    pages = [
        {"subscriptionDefinitions": [{"id": "7"}]},
        {"results": [{"id": "1"}], "paging": {"next": {"after": Luring.URL, "link": Luring.URL}}},
        {"results": [{"id": "2"}]},
    ]
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        return httpx.Response(200, json=pages[len(asked) - 1])

    contacts = next(endpoint for endpoint in hubspot.endpoints if endpoint.name == "contacts")
    async with connected(hubspot, "http://shop", transport=httpx.MockTransport(answer)) as session:
        rows = [row.id async for page in contacts.read(session, Window(None, EPOCH)) for row in page.rows]
    assert rows == ["1", "2"]
    assert {url.host for url in asked} == {"shop"} and asked[-1].params["after"] == Luring.URL


@each_system
@pytest.mark.parametrize("link", [
    "https://other.test/x", "http://shop.test/x", "https://shop.test:8443/x", "https://shop.test.other.test/x",
    "https://shop.test@other.test/x", "https://other.test\\@shop.test/x", "HTTPS://OTHER.TEST/x",
    "ftp://shop.test/x", "https://127.0.0.1/x", "file:///etc/hostname", "x?next=https://shop.test/x",
])
async def test_a_link_off_the_host_is_refused_before_anything_is_sent(channel, link):
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    async with connected(channel, "https://shop.test", transport=httpx.MockTransport(answer)) as session:
        with pytest.raises(FatalChannelError, match="off the configured host"):
            await session.get(link)
    assert asked == []


@pytest.mark.parametrize("link", ["//other.test/x", "/\\other.test/x", "\\\\other.test\\x", "@other.test/x"])
async def test_what_is_no_link_is_a_path_on_the_host(link):
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json={})

    async with connected(SYSTEMS[0], "https://shop.test", transport=httpx.MockTransport(answer)) as session:
        await session.get(link)
    assert asked == ["shop.test"]


@pytest.mark.parametrize("url", ["http://shop.test/bulk/x.jsonl", "http://storage.googleapis.com/x.jsonl"])
async def test_a_bulk_file_never_comes_over_plain_http_where_the_shop_does_not(url):
    shopify = next(channel for channel in SYSTEMS if channel.name == "shopify")
    async with connected(
        shopify, "https://shop.test", transport=httpx.MockTransport(lambda _: httpx.Response(200, content=b"x"))
    ) as session:
        with pytest.raises(FatalChannelError, match="not allowed"):
            [piece async for piece in session.download(url)]
        secure = "https" + url.removeprefix("http")
        assert [piece async for piece in session.download(secure)] == [b"x"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for loopback, by a certificate that it has signed itself; and that certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    signed = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1)).not_valid_after(datetime(2120, 1, 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    public, private = folder / "public.pem", folder / "private.pem"
    public.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


@pytest.fixture(autouse=True)
def trusted_anew():
    """Whom TLS trusts is read once a process; here for each test."""
    trust.cache_clear()
    yield
    trust.cache_clear()


SWITCHES = {
    "PYTHONHTTPSVERIFY": "0", "SSL_VERIFY": "0", "HTTPX_VERIFY": "false", "CURL_INSECURE": "1",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0", "GIT_SSL_NO_VERIFY": "1", "TRUEUP_VERIFY": "false", "TRUEUP_INSECURE": "1",
    "TRUEUP_TLS_VERIFY": "0", "TRUEUP_SSL_VERIFY": "0",
}
BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@each_system
async def test_no_setting_makes_a_certificate_good(channel, certificate, monkeypatch):
    context, public = certificate
    for name, value in SWITCHES.items() | {(name, str(public)) for name in BUNDLES}:
        monkeypatch.setenv(name, value)
    async with listening(HELLO, context) as (port, heard):
        for option in ({}, *({name: word} for name in ("verify", "tls", "insecure") for word in ("false", "0"))):
            try:
                session = connected(channel, f"https://127.0.0.1:{port}", option)
            except ConfigurationError:
                continue  # an option that is not known at all
            async with session:
                with pytest.raises(FatalChannelError, match="certificate is refused: self-signed certificate"):
                    await channel.identify(session)
                assert session.counters.calls <= 1, "it does not pass by trying again"
    assert heard == []


def test_the_time_is_not_asked_of_who_cannot_prove_who_it_is(certificate):
    async def ask() -> list[bytes]:
        async with listening(HELLO, certificate[0]) as (port, heard):
            with pytest.raises(FatalChannelError, match="no system"):
                await asyncio.to_thread(clock_of_systems, [f"https://127.0.0.1:{port}"])
            return heard

    assert asyncio.run(ask()) == []


async def test_a_certificate_is_trusted_by_naming_it_and_for_its_own_host_alone(certificate, monkeypatch):
    """SSL_CERT_FILE says whom to trust (a house's own authority); what is checked stays the same."""
    context, public = certificate
    monkeypatch.setenv("SSL_CERT_FILE", str(public))
    async with listening(HELLO, context) as (port, heard):
        async with connected(SYSTEMS[0], f"https://127.0.0.1:{port}") as session:
            await session.get("x")
        assert len(heard) == 1
        async with connected(SYSTEMS[0], f"https://localhost:{port}") as session:
            with pytest.raises(FatalChannelError, match=r"certificate is refused: .*localhost"):
                await session.get("x")
    assert len(heard) == 1


UNSAFE = ("verify=False", "verify = False", "CERT_NONE", "check_hostname", "_create_unverified_context", "ssl=False",
    "AutoAddPolicy", "follow_redirects=True", "allow_redirects=True")


def test_nothing_in_the_source_switches_verification_off_or_follows():
    sources = [
        path for folder in ("pipelines", "resources", "assets", "cli", "conformance", "sandbox")
        for path in (ROOT / folder).rglob("*.py")
    ]
    assert len(sources) > 300
    found = [
        f"{path.relative_to(ROOT)}: {word}" for path in sources for word in UNSAFE if word in path.read_text("utf-8")
    ]
    assert found == []

"""Files that customers name: fetched whole or not at all, over redirects that are judged like the first address."""

import asyncio
import gzip
import re
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from heliograph.net.guard import Guard
from heliograph.net.http import CallFailed, Fetched, GuardedClient
from heliograph.testing.receiver import Answer, Receiver
from tests.unit.net.servers import LOOPBACK, STRICT, Names, raw_server

FILE = b"\xff\xd8\xff\xe0 a picture"
MOST = 1_000
SHORT_S = 0.3
ONE_HOST = Guard([ip_network("127.0.0.1/32")])
HINT = "; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW"

# Each way of the checklist to name an address inside, as a literal, a spelling or what a name leads to.
INSIDE = (
    "http://10.11.12.13/",
    "http://100.64.0.1/",
    "http://100.100.100.200/",
    "http://127.0.0.1/",
    "http://168.63.129.16/",
    "http://169.254.169.254/latest/meta-data/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://0.0.0.0/",
    "http://[::1]/",
    "http://[::]/",
    "http://[::127.0.0.1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[fe80::1]/",
    "http://[febf::1]/",
    "http://[fec0::1]/",
    "http://[fd00::1]/",
    "http://[ff02::1]/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://①②⑦.0.0.1/",
    "http://0/",
    "http://127.0.0.1./",
    "http://user:password@public.example/",
    "http://public.example/#fragment",
    "http://public.example\\@127.0.0.1/",
    "http://public.example:0/",
    "ftp://public.example/",
    "file:///etc/passwd",
    "gopher://127.0.0.1/",
    "javascript:alert(1)",
)


async def get(client: GuardedClient, url: str, *, most_octets: int = MOST, timeout_s: float = 5.0) -> Fetched | str:
    """The file, or the note of the failure."""
    try:
        return await client.get(url, most_octets=most_octets, timeout_s=timeout_s)
    except CallFailed as failure:
        return str(failure)


async def is_passing(client: GuardedClient, url: str, *, timeout_s: float = 5.0) -> bool:
    """Whether a failure may be over a minute later."""
    with pytest.raises(CallFailed) as failed:
        await client.get(url, most_octets=MOST, timeout_s=timeout_s)
    return failed.value.is_passing


def test_a_file_comes_whole_with_what_its_server_calls_it() -> None:
    async def story() -> None:
        async with Receiver(Answer(200, (("Content-Type", "image/jpeg"),), FILE)) as server:
            async with GuardedClient(LOOPBACK) as client:
                assert await get(client, server.url + "/a?b=c") == Fetched(200, FILE, "image/jpeg")
            (call,) = server.calls
            assert call.path == "/a?b=c"
            assert call.headers["accept-encoding"] == "identity"
            assert re.fullmatch(r"Heliograph/[0-9.a-z+]+", call.headers["user-agent"])
            assert not {"cookie", "authorization", "referer"} & set(call.headers)

    asyncio.run(story())


@pytest.mark.parametrize("url", INSIDE)
def test_nothing_inside_is_called(url: str) -> None:
    async def story() -> None:
        names = Names(["1.1.1.1"])
        async with GuardedClient(STRICT, lookup=names) as client:
            assert isinstance(await get(client, url), str)
            assert not await is_passing(client, url)
        assert names.asked == []

    asyncio.run(story())


@pytest.mark.parametrize("url", [url for url in INSIDE if url != "http://127.0.0.1/"])
def test_no_redirect_leads_inside(url: str) -> None:
    async def story() -> None:
        names = Names(["10.0.0.1"])
        place = url.replace("①②⑦", "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6")
        async with Receiver(Answer(302, (("Location", place),))) as server:
            async with GuardedClient(ONE_HOST, lookup=names) as client:
                assert isinstance(await get(client, server.url + "/"), str)
                assert not await is_passing(client, server.url + "/")
            assert {call.path for call in server.calls} == {"/"}

    asyncio.run(story())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("place", ["/there", "there", "http://{host}/there", "//{host}/there", "/there#fragment"])
def test_a_redirect_is_followed(status: int, place: str) -> None:
    async def story() -> None:
        async with Receiver() as server, GuardedClient(LOOPBACK) as client:
            found = place.format(host=f"127.0.0.1:{server.port}")
            server.answers["/"] = Answer(status, (("Location", found), ("Set-Cookie", "a=b")), b"x" * 5_000)
            server.answers["/there"] = Answer(200, (("Content-Type", "image/jpeg"),), FILE)
            assert await get(client, server.url + "/") == Fetched(200, FILE, "image/jpeg")
            assert [call.path for call in server.calls] == ["/", "/there"]
            assert not {"cookie", "authorization", "referer"} & set(server.calls[1].headers)

    asyncio.run(story())


def test_three_redirects_are_enough_for_anyone() -> None:
    async def story() -> None:
        async with Receiver() as server, GuardedClient(LOOPBACK) as client:
            for number in range(5):
                server.answers[f"/{number}"] = Answer(302, (("Location", f"/{number + 1}"),))
            server.answers["/5"] = Answer(200, (), FILE)
            assert await get(client, server.url + "/2") == Fetched(200, FILE, "")
            assert await get(client, server.url + "/1") == "redirected more than 3 times"
            server.answers["/round"] = Answer(302, (("Location", "/round"),))
            assert await get(client, server.url + "/round") == "redirected more than 3 times"

    asyncio.run(story())


def test_a_name_is_judged_again_at_the_next_hop() -> None:
    async def story() -> None:
        names = Names(["127.0.0.1"], ["169.254.169.254"])
        async with Receiver() as server, GuardedClient(LOOPBACK, lookup=names) as client:
            server.answers["/"] = Answer(302, (("Location", "http://second.example/latest/meta-data/"),))
            note = await get(client, f"http://first.example:{server.port}/")
            assert note == "second.example leads to a link-local address" + HINT
            assert names.asked == ["first.example", "second.example"]

    asyncio.run(story())


def test_one_bad_address_of_a_name_is_enough_and_is_not_told() -> None:
    async def story() -> None:
        async with GuardedClient(STRICT, lookup=Names(["1.1.1.1", "10.1.2.3"])) as client:
            assert await get(client, "http://cdn.example/a.jpg") == "cdn.example leads to a private address" + HINT

    asyncio.run(story())


def test_a_redirect_without_a_place_is_an_answer() -> None:
    async def story() -> None:
        async with Receiver(Answer(302)) as server, GuardedClient(LOOPBACK) as client:
            assert await get(client, server.url) == "answered 302"

    asyncio.run(story())


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(MOST + 1),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + bytes(MOST + 1),
    ],
    ids=["announced", "unannounced", "in pieces"],
)
def test_a_large_file_is_left(reply: bytes) -> None:
    """No server here ever ends its answer: a client that waits for the rest would run into its time."""

    async def story() -> None:
        async with raw_server(reply) as port, GuardedClient(LOOPBACK) as client:
            url = f"http://127.0.0.1:{port}/"
            assert await get(client, url) == "the file is larger than 1000 octets"
            assert not await is_passing(client, url)

    asyncio.run(story())


def test_the_largest_file_there_may_be() -> None:
    async def story() -> None:
        async with Receiver(Answer(200, (), bytes(MOST))) as server, GuardedClient(LOOPBACK) as client:
            assert await get(client, server.url) == Fetched(200, bytes(MOST), "")
            assert await get(client, server.url, most_octets=MOST - 1) == "the file is larger than 999 octets"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello", "the file broke off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "the file broke off"),
        (b"", "the connection was closed without an answer"),
        (b"SSH-2.0-secret banner\r\n\r\n", "the answer is not HTTP, or its headers are too long"),
    ],
)
def test_what_breaks_off_is_no_file(reply: bytes, note: str) -> None:
    async def story() -> None:
        async with raw_server(reply, closes=True) as port, GuardedClient(LOOPBACK) as client:
            assert await get(client, f"http://127.0.0.1:{port}/") == note
            assert await is_passing(client, f"http://127.0.0.1:{port}/")

    asyncio.run(story())


def test_a_file_that_stalls_is_left_in_time() -> None:
    async def story() -> None:
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhello"
        async with raw_server(reply) as port, GuardedClient(LOOPBACK) as client:
            url = f"http://127.0.0.1:{port}/"
            assert await get(client, url, timeout_s=SHORT_S) == "no answer within 0.3 s"
            assert await is_passing(client, url, timeout_s=SHORT_S)

    asyncio.run(story())


def test_redirects_share_one_time() -> None:
    async def story() -> None:
        async with Receiver() as server, GuardedClient(LOOPBACK) as client:
            server.answers["/"] = Answer(302, (("Location", "/slow"),))
            server.answers["/slow"] = Answer(hangs=True)
            assert await get(client, server.url + "/", timeout_s=SHORT_S) == "no answer within 0.3 s"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("status", "passes"), [(404, False), (403, False), (410, False), (429, True), (500, True), (503, True)]
)
def test_an_error_is_no_file_and_nothing_of_it_is_told(status: int, passes: bool) -> None:
    async def story() -> None:
        answer = Answer(status, (), b"secret words of a server inside")
        async with Receiver(answer) as server, GuardedClient(LOOPBACK) as client:
            assert await get(client, server.url) == f"answered {status}"
            assert await is_passing(client, server.url) is passes

    asyncio.run(story())


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(1_000_000))[:MOST]

    async def story() -> None:
        answer = Answer(200, (("Content-Encoding", "gzip"),), bomb)
        async with Receiver(answer) as server, GuardedClient(LOOPBACK) as client:
            note = await get(client, server.url, most_octets=10_000)
            assert note == "the file was sent compressed, although we do not take that"

    asyncio.run(story())


@pytest.mark.parametrize(("lines", "octets"), [(3, 8000), (1, 9000), (70, 1)])
@pytest.mark.parametrize("status", [200, 302])
def test_endless_headers_are_refused(status: int, lines: int, octets: int) -> None:
    headers = (("Location", "/there"), *((f"X-{number}", "x" * octets) for number in range(lines)))

    async def story() -> None:
        async with Receiver(Answer(status, headers)) as server, GuardedClient(LOOPBACK) as client:
            assert await get(client, server.url + "/") in {
                f"answered {status} with headers of more than 16 KiB",
                "the answer is not HTTP, or its headers are too long",
            }
            assert server.count == 1

    asyncio.run(story())


@pytest.mark.parametrize("place", ["", " ", "http://", "//", "http://[", "\udcff", "http:\\\\127.0.0.1", "?" * 7_000])
def test_a_place_that_is_none(place: str) -> None:
    async def story() -> None:
        written = place.encode("utf-8", "surrogateescape").decode("latin-1")
        async with Receiver(Answer(302, (("Location", written),))) as server, GuardedClient(LOOPBACK) as client:
            assert isinstance(await get(client, server.url + "/"), str)

    asyncio.run(story())


def test_https_only_holds_for_every_hop() -> None:
    async def story() -> None:
        async with GuardedClient(Guard(https_only=True)) as client:
            assert await get(client, "http://public.example/") == "the URL must begin with https://"

    asyncio.run(story())


def test_nothing_is_resolved_or_reached() -> None:
    async def nowhere(_host: str) -> Sequence[str]:
        raise OSError("internal words")

    async def story() -> None:
        async with GuardedClient(LOOPBACK, lookup=nowhere) as client:
            assert await get(client, "http://cdn.example/") == "the name cdn.example does not resolve"
            assert await is_passing(client, "http://cdn.example/")
        async with Receiver() as server:
            url = server.url
        async with GuardedClient(LOOPBACK) as client:
            assert await get(client, url) == "no connection: connection refused"

    asyncio.run(story())

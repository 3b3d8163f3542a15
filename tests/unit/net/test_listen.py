"""The server over loopback sockets, octet for octet: both ways of a request, and what connects them."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.net import connection
from heliograph.net.connection import IDLE_LOOKS, LOOK_S, REQUEST_LOOKS, Handler, Receive, Reply, Scope, Send
from heliograph.net.listen import listening_socket, serve_http
from heliograph.testing.clock import VirtualClock, turns

PATIENCE_S = 5.0
POST = b"POST /direct HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nHello"
GET = b"GET /direct?a=1 HTTP/1.1\r\nHost: a\r\n\r\n"
USUAL = b"GET /usual HTTP/1.1\r\nHost: a\r\n\r\n"
CHUNKED = b"POST /direct HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nHel\r\n2\r\nlo\r\n0\r\n\r\n"
EXPECTS = b"POST /direct HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
CLOSES = b"GET /direct HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
OLD = b"GET /direct HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
LONG = b"POST /direct HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000

DATE = re.compile(rb"date: [A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\r\n")


class Echo:
    """Answers with what was asked. ways: how each request came. gate: holds answers back while it is not set."""

    def __init__(self) -> None:
        self.ways: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.failing: Exception | None = None
        self.lines: tuple[tuple[bytes, bytes], ...] = ((b"content-type", b"text/plain"),)
        self.padding = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.ways.append("usual")
        body = b""
        event: Mapping[str, object] = {"more_body": True}
        while event.get("more_body"):
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            piece = event["body"]
            assert isinstance(piece, bytes)
            body += piece
        status, said, lines = await self._echo(body, scope["query_string"])
        start = {"status": status, "headers": [*lines, (b"content-length", b"%d" % len(said))]}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": said})

    def direct(self, method: bytes, path: bytes) -> Handler | None:
        return self._directly if path == b"/direct" and method in {b"GET", b"POST"} else None

    async def _directly(self, headers: Mapping[bytes, bytes], body: bytes, query: bytes) -> Reply:
        self.ways.append("direct")
        return await self._echo(body, query)

    async def _echo(self, body: bytes, query: bytes) -> Reply:
        await self.gate.wait()
        if self.failing is not None:
            raise self.failing
        return 200, b"%b|%b%b" % (query, body[:100], self.padding), self.lines


class Served:
    """A running server. dial: a new connection to it."""

    def __init__(self, echo: Echo, clock: VirtualClock, port: int, serving: "asyncio.Task[None]") -> None:
        self.echo = echo
        self.clock = clock
        self.serving = serving
        self._port = port

    @asynccontextmanager
    async def dial(self) -> AsyncIterator["Wire"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            yield Wire(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def look(self, count: int) -> None:
        """Let the server look at its connections so often."""
        for _ in range(count):
            await self.clock.advance(LOOK_S)

    async def on_the_way(self, count: int) -> None:
        """Wait until so many requests have come."""
        while len(self.echo.ways) < count:
            await turns(1)


class Wire:
    """A caller's end, in octets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def say(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def hear(self) -> bytes:
        """One answer, without its date."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head)
        assert DATE.search(head) or head.startswith(b"HTTP/1.1 100"), head
        return DATE.sub(b"", head) + await self.reader.readexactly(int(length[1]) if length else 0)

    async def ask(self, octets: bytes) -> bytes:
        await self.say(octets)
        return await self.hear()

    async def rest(self) -> bytes:
        """Everything until the server hangs up."""
        return DATE.sub(b"", await self.reader.read())


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    clock, echo = VirtualClock(), Echo()
    with listening_socket("127.0.0.1", 0) as listener:
        serving = asyncio.ensure_future(serve_http(echo, listener, clock=clock, started=lambda: None))
        try:
            yield Served(echo, clock, listener.getsockname()[1], serving)
        finally:
            echo.gate.set()
            serving.cancel()
            await asyncio.wait([serving])


Story = Callable[[Served], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def tell(request: pytest.FixtureRequest) -> Tell:
    """Tells a story of a server, on each kind of event loop."""

    async def whole(story: Story) -> None:
        async with served() as server, asyncio.timeout(PATIENCE_S):
            await story(server)

    def tell_it(story: Story) -> None:
        with asyncio.Runner(loop_factory=request.param) as runner:
            runner.run(whole(story))

    return tell_it


def answer(body: bytes, *, closes: bool = False) -> bytes:
    end = b"connection: close\r\n" if closes else b""
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n%b\r\n%b" % (len(body), end, body)


def test_both_ways_give_the_same_answer_over_one_connection(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(POST) == answer(b"|Hello")
            assert await wire.ask(CHUNKED) == answer(b"|Hello")
            assert await wire.ask(GET) == answer(b"a=1|")
            assert await wire.ask(USUAL) == answer(b"|")
            assert await wire.ask(POST) == answer(b"|Hello")
        assert server.echo.ways == ["direct", "usual", "direct", "usual", "direct"]

    tell(story)


@pytest.mark.parametrize("last", [CLOSES, OLD, OLD.replace(b"Connection: keep-alive\r\n", b"")])
def test_a_connection_that_is_not_kept_is_said_to_be_closed(tell: Tell, last: bytes) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            await wire.say(POST)
            assert await wire.hear() == answer(b"|Hello")
            await wire.say(last)
            assert await wire.rest() == answer(b"|", closes=True)
        assert server.echo.ways == ["direct", "direct"]

    tell(story)


def test_requests_in_one_packet_are_answered_in_order(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            await wire.say(POST + GET + USUAL + CHUNKED + POST.replace(b"Hello", b"world") + CLOSES)
            expected = [b"|Hello", b"a=1|", b"|", b"|Hello", b"|world"]
            assert await wire.rest() == b"".join(map(answer, expected)) + answer(b"|", closes=True)

    tell(story)


def test_a_request_that_comes_while_another_is_on_the_way_waits_for_its_answer(tell: Tell) -> None:
    async def story(server: Served) -> None:
        server.echo.gate.clear()
        async with server.dial() as wire:
            await wire.say(POST)
            await server.on_the_way(1)
            await wire.say(GET)
            await turns()
            assert server.echo.ways == ["direct"]
            server.echo.gate.set()
            assert [await wire.hear(), await wire.hear()] == [answer(b"|Hello"), answer(b"a=1|")]
            assert await wire.ask(GET) == answer(b"a=1|")
        assert server.echo.ways == ["direct", "usual", "direct"]

    tell(story)


def test_a_request_may_come_in_two_writes(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            head, _, body = POST.partition(b"\r\n\r\n")
            await wire.say(head + b"\r\n\r\n")
            await turns()
            await wire.say(body[:2])
            await turns()
            assert await wire.ask(body[2:]) == answer(b"|Hello")
        assert server.echo.ways == ["direct"]

    tell(story)


def test_a_long_body_is_read_as_the_application_reads_it(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(LONG) == answer(b"|" + b"x" * 100)
            assert await wire.ask(POST) == answer(b"|Hello")
        assert server.echo.ways == ["usual", "direct"]

    tell(story)


def test_who_expects_a_go_ahead_gets_it(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(EXPECTS) == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert await wire.ask(b"Hello") == answer(b"|Hello")

    tell(story)


def test_who_hangs_up_half_way_asked_nothing(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            await wire.say(POST[:-1])
            await turns()
        async with server.dial() as wire:
            assert await wire.ask(GET) == answer(b"a=1|")
        assert server.echo.ways == ["direct"]

    tell(story)


def test_who_hangs_up_before_the_answer_harms_nobody(tell: Tell) -> None:
    async def story(server: Served) -> None:
        server.echo.gate.clear()
        async with server.dial() as wire:
            await wire.say(POST)
            await server.on_the_way(1)
            wire.writer.transport.abort()
            await turns()
        server.echo.gate.set()
        async with server.dial() as wire:
            assert await wire.ask(GET) == answer(b"a=1|")

    tell(story)


@pytest.mark.parametrize("begun", [b"", b"POST /dir", POST[:-1]])
def test_who_takes_too_long_for_a_request_is_hung_up_on(tell: Tell, begun: bytes) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(GET) == answer(b"a=1|")
        async with server.dial() as wire:
            await wire.say(begun)
            await turns()
            await server.look(REQUEST_LOOKS - 1)
            assert not wire.reader.at_eof()
            await server.look(1)
            assert await wire.rest() == b""

    tell(story)


def test_a_kept_connection_is_given_up_when_nothing_comes(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(POST) == answer(b"|Hello")
            await server.look(IDLE_LOOKS - 1)
            assert await wire.ask(POST) == answer(b"|Hello")
            await server.look(IDLE_LOOKS)
            assert await wire.rest() == b""

    tell(story)


def test_whoever_waits_for_us_is_not_hung_up_on(tell: Tell) -> None:
    async def story(server: Served) -> None:
        server.echo.gate.clear()
        async with server.dial() as wire:
            await wire.say(POST)
            await server.on_the_way(1)
            await server.look(3 * IDLE_LOOKS)
            server.echo.gate.set()
            assert await wire.hear() == answer(b"|Hello")

    tell(story)


@pytest.mark.parametrize("asked", [POST, USUAL])
@pytest.mark.parametrize("known", [0, 5])
def test_who_had_connected_before_the_server_ends_is_answered(tell: Tell, asked: bytes, known: int) -> None:
    """As a rolling restart has it: the connection was taken by the process that goes."""

    async def story(server: Served) -> None:
        async with server.dial() as other, server.dial() as wire:
            await wire.say(asked[:known])
            assert await other.ask(GET) == answer(b"a=1|")
            await server.look(2)
            server.serving.cancel()
            assert await other.rest() == b""
            await wire.say(asked[known:])
            assert await wire.rest() == answer(b"|Hello" if asked is POST else b"|", closes=True)

    tell(story)


@pytest.mark.parametrize("asked", [POST, USUAL])
@pytest.mark.parametrize("first", [POST, USUAL])
def test_who_asked_a_moment_ago_may_ask_once_more_when_the_server_ends(tell: Tell, first: bytes, asked: bytes) -> None:
    """On a connection that it keeps: whatever it sends before it knows of the end has an answer."""

    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(first) == answer(b"|Hello" if first is POST else b"|")
            server.serving.cancel()
            while b"connection: close" not in (heard := await wire.ask(asked)):
                await turns(1)
            assert heard + await wire.rest() == answer(b"|Hello" if asked is POST else b"|", closes=True)

    tell(story)


@pytest.mark.parametrize("asked", [b"", POST[:5], POST, USUAL])
def test_nobody_is_waited_for_who_does_not_ask(tell: Tell, asked: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "LAST_REQUEST_S", 0.05)

    async def story(server: Served) -> None:
        async with server.dial() as wire, server.dial() as other:
            if asked in {POST, USUAL}:
                await wire.ask(asked)
            else:
                await wire.say(asked)
            assert await other.ask(GET) == answer(b"a=1|")
            server.serving.cancel()
            assert await wire.rest() == b""
            assert await other.rest() == b""

    tell(story)


@pytest.mark.parametrize("asked", [POST, USUAL])
def test_a_request_on_the_way_is_answered_before_the_server_ends(tell: Tell, asked: bytes) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire, server.dial() as idle:
            assert await idle.ask(GET) == answer(b"a=1|")
            server.echo.gate.clear()
            await wire.say(asked)
            await server.on_the_way(2)
            await server.look(2)
            server.serving.cancel()
            assert await idle.rest() == b""
            assert not server.serving.done()
            server.echo.gate.set()
            assert await wire.rest() == answer(b"|Hello" if asked is POST else b"|", closes=True)
            await asyncio.wait([server.serving])

    tell(story)


def test_a_reader_who_does_not_read_is_not_written_to_without_end(tell: Tell) -> None:
    async def story(server: Served) -> None:
        server.echo.padding = b"." * 1_000_000
        count = 40
        async with server.dial() as wire:
            for _ in range(count):
                await wire.say(POST)
                await turns()
            assert len(server.echo.ways) < count
            server.echo.padding = b""
            for _ in range(count):
                assert (await wire.hear()).startswith(b"HTTP/1.1 200")
        assert len(server.echo.ways) == count

    tell(story)


@pytest.mark.parametrize("failing", ["handler", "line"])
def test_a_bug_is_answered_and_the_connection_closed(
    tell: Tell, failing: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(server: Served) -> None:
        if failing == "handler":
            server.echo.failing = KeyError("a bug")
        else:
            server.echo.lines = ((b"location", b"/a\r\nset-cookie: b"),)
        async with server.dial() as wire:
            await wire.say(POST)
            said = await wire.rest()
        assert said.startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
        assert said.endswith(b"connection: close\r\n\r\nInternal Server Error")
        assert b"set-cookie" not in said

    tell(story)
    assert "a request failed" in caplog.text


def test_what_is_no_http_is_refused(tell: Tell) -> None:
    async def story(server: Served) -> None:
        async with server.dial() as wire:
            assert await wire.ask(POST) == answer(b"|Hello")
            await wire.say(b"\x16\x03\x01 hello\r\n\r\n")
            assert (await wire.rest()).startswith(b"HTTP/1.1 400 ")

    tell(story)


ANSWERS = {POST: b"|Hello", GET: b"a=1|", USUAL: b"|", CHUNKED: b"|Hello", LONG: b"|" + b"x" * 100}


async def said_to(server: Served, pieces: Iterable[bytes]) -> bytes:
    async with server.dial() as wire, asyncio.timeout(PATIENCE_S):
        for piece in pieces:
            await wire.say(piece)
            await turns(2)
        return await wire.rest()


def test_where_a_stream_of_requests_is_cut_does_not_matter() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        context = served()
        server = runner.run(context.__aenter__())

        @settings(max_examples=100, deadline=None)
        @given(
            requests=st.lists(st.sampled_from(sorted(ANSWERS)), max_size=5),
            shares=st.lists(st.floats(0, 1), max_size=8),
        )
        def holds(requests: list[bytes], shares: list[float]) -> None:
            stream = b"".join([*requests, CLOSES])
            cuts = [0, *sorted(int(share * len(stream)) for share in shares), len(stream)]
            pieces = [stream[start:end] for start, end in itertools.pairwise(cuts)]
            expected = [answer(ANSWERS[asked]) for asked in requests]
            assert runner.run(said_to(server, pieces)) == b"".join([*expected, answer(b"|", closes=True)])

        try:
            holds()
        finally:
            runner.run(context.__aexit__(None, None, None))
    assert {"direct", "usual"} == set(server.echo.ways)

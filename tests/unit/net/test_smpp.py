import asyncio
import shutil
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from heliograph.net import smpp
from heliograph.net.clock import SystemClock
from heliograph.net.smpp import Connection, connect, serve, tls_for_connecting
from heliograph.smpp import events as happened
from heliograph.smpp.constants import CommandId
from heliograph.smpp.pdus import Bind, SubmitSm
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.template import SubmitTemplate
from heliograph.smpp.timers import Timers
from tests.stories import lasting

PATIENCE_S = 10


live = lasting(PATIENCE_S)


class Ear:
    """Notes each call; `heard` waits for an event of a kind."""

    def __init__(self, *, answers: bool = False) -> None:
        self.calls: list[list[happened.Event]] = []
        self.connections: list[Connection] = []
        self._answers = answers
        self._more = asyncio.Event()

    def __call__(self, connection: Connection, events: list[happened.Event]) -> None:
        self.calls.append(events)
        if connection not in self.connections:
            self.connections.append(connection)
        for event in events if self._answers else ():
            if isinstance(event, happened.BindRequested):
                connection.session.answer_bind(event.sequence)
            elif isinstance(event, happened.SubmitRequested):
                connection.session.answer_submit(event.sequence, f"{event.sequence:x}")
            elif isinstance(event, happened.UnbindRequested):
                connection.unbind()
        self._more.set()

    async def heard(self, kind: type[Any], count: int = 1) -> list[Any]:
        while True:
            found = [event for events in self.calls for event in events if isinstance(event, kind)]
            if len(found) >= count:
                return found
            self._more.clear()
            await self._more.wait()


def maker(role: Role, timers: Timers | None = None) -> Callable[[float], Session]:
    return lambda now: Session(role, timers=timers or Timers(), window=1000, now=now)


class Pair:
    """A server that says yes to everything, and one connection to it."""

    def __init__(self, server: asyncio.Server, port: int, theirs: Ear) -> None:
        self.server = server
        self.port = port
        self.theirs = theirs
        self.ours = Ear()

    async def dial(self, *, timers: Timers | None = None, tls: ssl.SSLContext | None = None) -> Connection:
        return await connect(
            "127.0.0.1",
            self.port,
            make_session=maker(Role.ESME, timers),
            on_events=self.ours,
            clock=SystemClock(),
            tls=tls,
        )

    async def bind(self, **kwargs: Any) -> Connection:
        connection = await self.dial(**kwargs)
        connection.session.request(Bind(system_id="me"), now=connection.now())
        connection.flush()
        await self.ours.heard(happened.Bound)
        return connection

    async def close(self) -> None:
        self.server.close()
        for connection in (*self.ours.connections, *self.theirs.connections):
            connection.close(at_once=True)
        await self.server.wait_closed()


async def pair(*, timers: Timers | None = None, tls: ssl.SSLContext | None = None) -> Pair:
    theirs = Ear(answers=True)
    server = await serve(
        "127.0.0.1", 0, make_session=maker(Role.MC, timers), on_events=theirs, clock=SystemClock(), tls=tls
    )
    return Pair(server, server.sockets[0].getsockname()[1], theirs)


@live
async def test_many_submits_leave_in_one_write_and_come_back_in_few_reads() -> None:
    both = await pair()
    connection = await both.bind()
    template = SubmitTemplate(SubmitSm())
    for _ in range(200):
        connection.session.submit(template, b"27831234567", b"hello", now=connection.now())
    connection.flush()
    answers = await both.ours.heard(happened.SubmitAnswered, 200)
    assert [answer.sequence for answer in answers] == list(range(2, 202))
    assert len(both.ours.calls) < 20
    await both.close()


@live
async def test_unbinding_ends_with_closed_on_both_sides() -> None:
    both = await pair()
    connection = await both.bind()
    connection.unbind()
    await both.ours.heard(happened.Closed)
    await both.theirs.heard(happened.Closed)
    assert connection.is_closed
    assert both.ours.calls[-1][-1] == happened.Closed("unbound", ())
    await both.close()


@live
async def test_a_cut_tells_what_was_not_answered() -> None:
    both = await pair()
    connection = await both.bind()
    both.theirs._answers = False
    sequence = connection.session.submit(SubmitTemplate(SubmitSm()), b"1", b"x", now=connection.now())
    connection.flush()
    await both.theirs.heard(happened.SubmitRequested)
    both.theirs.connections[0].close(at_once=True)
    (closed,) = await both.ours.heard(happened.Closed)
    assert closed.unanswered == (sequence,)
    await both.close()


@live
async def test_the_timers_of_the_session_ring() -> None:
    both = await pair(timers=Timers(session_init=0.03))
    await both.dial()
    (closed,) = await both.theirs.heard(happened.Closed)
    assert "bind" in closed.reason
    await both.ours.heard(happened.Closed)
    await both.close()


@live
async def test_a_timer_that_was_set_late_gives_way_to_an_earlier_one() -> None:
    both = await pair()
    connection = await both.bind(timers=Timers(enquire_link=60, response=0.05))
    both.theirs._answers = False
    connection.session.submit(SubmitTemplate(SubmitSm()), b"1", b"x", now=connection.now())
    connection.flush()
    (overdue,) = await both.ours.heard(happened.RequestTimedOut)
    assert overdue.command_id == CommandId.SUBMIT_SM
    await both.close()


@live
async def test_enquire_link_keeps_a_silent_session_alive() -> None:
    both = await pair()
    connection = await both.bind(timers=Timers(enquire_link=0.02, inactivity=0.2, response=0.1))
    await asyncio.sleep(0.4)
    assert not connection.is_closed
    await both.close()


@live
async def test_a_web_browser_is_shown_out() -> None:
    both = await pair()
    reader, writer = await asyncio.open_connection("127.0.0.1", both.port)
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert (await reader.read())[4:8] == bytes.fromhex("80000000")
    writer.close()
    await writer.wait_closed()
    await both.close()


@live
async def test_a_peer_that_does_not_read_is_not_written_to_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smpp, "MOST_UNSENT_OCTETS", 1024)
    both = await pair()
    _, writer = await asyncio.open_connection("127.0.0.1", both.port, limit=1)
    writer.write(bytes.fromhex("0000001c0000000900000000000000016d6500000000340000000000"[:56]))
    await both.theirs.heard(happened.BindRequested)
    (connection,) = both.theirs.connections
    waiting = asyncio.create_task(connection.writable())
    await asyncio.sleep(0)
    assert waiting.done()
    connection.pause_writing()
    assert connection.is_paused
    blocked = asyncio.create_task(connection.writable())
    await asyncio.sleep(0)
    assert not blocked.done()
    assert not connection._transport.is_reading()  # type: ignore[union-attr]
    connection.resume_writing()
    await blocked
    assert connection._transport.is_reading()  # type: ignore[union-attr]
    connection.pause_writing()
    connection.close(at_once=True)
    await connection.writable()
    writer.close()
    await both.close()


@live
async def test_nobody_there_is_an_oserror() -> None:
    both = await pair()
    await both.close()
    with pytest.raises(OSError, match="Connect"):
        await both.dial()


@live
async def test_tls_carries_the_same_and_is_verified_unless_told_otherwise(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed; it makes the certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    order = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run(  # noqa: ASYNC221  nothing else runs yet
        [openssl, *order.split(), "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True
    )
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(certificate, key)
    both = await pair(tls=offered)
    with pytest.raises(ssl.SSLCertVerificationError):
        await both.dial(tls=tls_for_connecting())
    connection = await both.bind(tls=tls_for_connecting(verifies=False))
    assert not connection.is_closed
    await both.close()

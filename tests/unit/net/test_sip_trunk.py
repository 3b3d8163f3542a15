import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from heliograph.net.sip import Leg
from heliograph.net.sip_trunk import PING_S, Trunk
from heliograph.net.smpp import tls_for_connecting
from heliograph.sip.events import Answered, Ended, Failed, Party, Ringing
from heliograph.sip.messages import Request, read, response_to, write
from heliograph.sip.outgoing import OutgoingCall
from heliograph.sip.ways import Hop, Transport
from heliograph.testing.clock import VirtualClock
from tests.unit.net.phones import NEAR, Ear, Phone, live, place, trunk_to, until


class Carrier:
    """A carrier over TCP that a test speaks for: it notes what came and says what it is told to."""

    def __init__(self) -> None:
        self.heard = b""
        self.writers: list[asyncio.StreamWriter] = []
        self.server: asyncio.Server | None = None

    async def start(self) -> Hop:
        self.server = await asyncio.start_server(self._serve, *NEAR)
        return Hop(*self.server.sockets[0].getsockname()[:2])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with contextlib.suppress(ConnectionError):
            while octets := await reader.read(65_536):
                self.heard += octets
        writer.close()

    async def invite(self) -> Request:
        await until(lambda: b"m=audio" in self.heard)
        message = read(self.heard[self.heard.index(b"INVITE") :])
        assert isinstance(message, Request)
        return message

    def say(self, octets: bytes) -> None:
        self.writers[-1].write(octets)

    def cut(self) -> None:
        for writer in self.writers:
            writer.transport.abort()

    async def stop_listening(self) -> None:
        assert self.server is not None
        self.server.close()


@contextlib.asynccontextmanager
async def running(trunk: Trunk) -> AsyncIterator[None]:
    task = asyncio.create_task(trunk.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await trunk.close()


@pytest.fixture
def certificate(tmp_path: Path) -> ssl.SSLContext:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed; it makes the certificate")
    key, made = tmp_path / "key.pem", tmp_path / "certificate.pem"
    order = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    subprocess.run([openssl, *order.split(), "-keyout", str(key), "-out", str(made)], check=True, capture_output=True)
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    offered.load_cert_chain(made, key)
    return offered


async def a_whole_call(phone: Phone, trunk: Trunk) -> None:
    leg, ear = await place(trunk)
    assert (await ear.heard(Ringing)).status == 180
    assert (await ear.heard(Answered)).stream.port == 4_000
    assert (await phone.ears[0].heard(Answered)).stream.port == 5_000
    leg.hang_up(cause=16)
    assert await phone.ears[0].heard(Ended) == Ended(Party.REMOTE, 16, "")
    assert ear.events[-1] == Ended(Party.LOCAL, 16, "")
    await trunk.close()
    await phone.close()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_a_whole_call(transport: Transport) -> None:
    @live
    async def story() -> None:
        phone = Phone()
        await a_whole_call(phone, trunk_to(await phone.start(transport), transport))

    story()


@live
async def test_a_whole_call_over_tls_and_the_carrier_is_verified(certificate: ssl.SSLContext) -> None:
    phone = Phone()
    remote = await phone.start(Transport.TLS, certificate)
    with pytest.raises(ssl.SSLCertVerificationError):
        await trunk_to(remote, Transport.TLS, tls=tls_for_connecting()).way()
    await a_whole_call(phone, trunk_to(remote, Transport.TLS, tls=tls_for_connecting(verifies=False)))


@live
async def test_a_carrier_that_says_nothing() -> None:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=NEAR)
    trunk = trunk_to(Hop(*transport.get_extra_info("sockname")[:2]))
    _, ear = await place(trunk)
    assert await ear.heard(Failed) == Failed(408, None, None, "nobody answered", Party.NETWORK)
    assert trunk.exchange.legs == []
    transport.close()
    await trunk.close()


@live
async def test_a_carrier_that_cannot_be_reached() -> None:
    carrier = Carrier()
    remote = await carrier.start()
    await carrier.stop_listening()
    with pytest.raises(ConnectionRefusedError):
        await trunk_to(remote, Transport.TCP).way()
    with pytest.raises(socket.gaierror):
        await trunk_to(Hop("no-such-host.invalid", 5060)).way()


@live
async def test_a_call_that_is_given_up() -> None:
    phone = Phone(rings_only=True)
    trunk = trunk_to(await phone.start())
    leg, ear = await place(trunk)
    await ear.heard(Ringing)
    leg.hang_up(cause=19)
    failed = await ear.heard(Failed)
    assert (failed.status, failed.by) == (487, Party.LOCAL)
    assert (await phone.ears[0].heard(Failed)).cause == 19
    await trunk.close()
    await phone.close()


@live
async def test_a_connection_that_ends_takes_the_unanswered_calls_along() -> None:
    carrier = Carrier()
    trunk = trunk_to(await carrier.start(), Transport.TCP)
    _, ear = await place(trunk)
    await carrier.invite()
    carrier.cut()
    failed = await ear.heard(Failed)
    assert (failed.status, failed.by) == (503, Party.NETWORK)
    # The next call finds a new connection.
    carrier.heard = b""
    _, ear = await place(trunk)
    await carrier.invite()
    assert len(carrier.writers) == 2
    await trunk.close()
    await carrier.stop_listening()


async def answered_and_cut(carrier: Carrier, trunk: Trunk) -> tuple[Leg[OutgoingCall], Ear]:
    leg, ear = await place(trunk)
    invite = await carrier.invite()
    headers = (("Contact", "<sip:c@127.0.0.1>"), ("Content-Type", "application/sdp"))
    carrier.say(write(response_to(invite, 200, tag="c", headers=headers, body=invite.body)))
    await ear.heard(Answered)
    carrier.cut()
    await until(lambda: not trunk.is_connected)
    return leg, ear


@live
async def test_an_answered_call_outlives_its_connection() -> None:
    carrier = Carrier()
    trunk = trunk_to(await carrier.start(), Transport.TCP)
    async with running(trunk):
        leg, ear = await answered_and_cut(carrier, trunk)
        leg.hang_up()
        assert (await ear.heard(Ended)).by is Party.LOCAL
        await until(lambda: b"BYE sip:c@127.0.0.1" in carrier.heard)
        assert len(carrier.writers) == 2
    await carrier.stop_listening()


@live
async def test_what_waits_for_a_carrier_that_is_gone_is_forgotten() -> None:
    carrier = Carrier()
    trunk = trunk_to(await carrier.start(), Transport.TCP)
    async with running(trunk):
        leg, ear = await answered_and_cut(carrier, trunk)
        await carrier.stop_listening()
        leg.hang_up()
        assert (await ear.heard(Ended)).by is Party.LOCAL
        await until(lambda: trunk.exchange.legs == [])


@live
async def test_signs_of_life_while_calls_are_going() -> None:
    carrier, clock = Carrier(), VirtualClock()
    trunk = trunk_to(await carrier.start(), Transport.TCP, clock=clock)
    async with running(trunk):
        await trunk.way()
        await clock.advance(PING_S)
        await place(trunk)
        await carrier.invite()
        carrier.heard = b""
        await clock.advance(PING_S)
        await until(lambda: carrier.heard.startswith(b"\r\n\r\n"))
    await carrier.stop_listening()


@live
async def test_our_address_as_the_carrier_sees_it() -> None:
    phone = Phone()
    trunk = trunk_to(await phone.start(), advertised="203.0.113.9")
    way = await trunk.way()
    assert (way.local.host, way.remote) == ("203.0.113.9", phone.exchange.local if phone.exchange else None)
    await place(trunk)
    await until(lambda: bool(phone.legs))
    assert ("Contact", f"<sip:27110000000@203.0.113.9:{way.local.port}>") in phone.legs[0].call.invite.headers
    await trunk.close()
    await phone.close()

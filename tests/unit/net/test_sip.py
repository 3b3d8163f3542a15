import asyncio

import pytest

from heliograph.net.sip import Exchange
from heliograph.sip.events import Answered, Ended, Failed, Party
from heliograph.sip.headers import first
from heliograph.sip.messages import Request, Response, read, write
from heliograph.sip.ways import Transport
from tests.unit.net.phones import Phone, live, place, trunk_to, until
from tests.unit.sip.samples import an_invite


class Stranger(asyncio.DatagramProtocol):
    """Sends what it likes over UDP, and notes the answers."""

    def __init__(self) -> None:
        self.heard: list[Response] = []

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = read(data)
        assert isinstance(message, Response)
        self.heard.append(message)

    async def dial(self, exchange: Exchange) -> asyncio.DatagramTransport:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: self, remote_addr=exchange.local
        )
        return transport


def asked(method: str) -> Request:
    headers = tuple((name, f"7 {method}" if name == "CSeq" else value) for name, value in an_invite().headers)
    return Request(method=method, uri="sip:x@y", headers=headers)


@live
async def test_what_strangers_ask_is_answered_to_where_they_are() -> None:
    phone, stranger = Phone(), Stranger()
    await phone.start()
    assert phone.exchange is not None
    transport = await stranger.dial(phone.exchange)
    for method, status in (("OPTIONS", 200), ("BYE", 481), ("REGISTER", 405)):
        transport.sendto(write(asked(method)))
        await until(lambda: bool(stranger.heard))
        assert stranger.heard.pop().status == status
    transport.close()
    await phone.close()


@live
async def test_what_belongs_nowhere_is_dropped() -> None:
    phone, stranger = Phone(), Stranger()
    await phone.start()
    exchange = phone.exchange
    assert exchange is not None
    transport = await stranger.dial(exchange)
    ok = Response(status=200, phrase="OK", headers=an_invite().headers)
    for rubbish in (b"rubbish", write(ok), write(asked("ACK")), b"\xff" * 2_000):
        transport.sendto(rubbish)
    transport.sendto(b"\r\n\r\n")
    await until(lambda: exchange.dropped == 4)
    transport.sendto(write(asked("OPTIONS")))
    await until(lambda: len(stranger.heard) == 1)
    transport.close()
    await phone.close()


@live
async def test_an_invite_that_cannot_be_taken_is_refused_without_being_kept() -> None:
    phone, stranger = Phone(), Stranger()
    await phone.start()
    assert phone.exchange is not None
    transport = await stranger.dial(phone.exchange)
    transport.sendto(write(an_invite(headers=(("Require", "100rel"),))))
    await until(lambda: bool(stranger.heard))
    assert (stranger.heard[0].status, first(stranger.heard[0].headers, "Unsupported")) == (420, "100rel")
    assert phone.exchange.legs == []
    transport.close()
    await phone.close()


@live
async def test_nobody_is_told_of_a_call_that_the_owner_does_not_want() -> None:
    phone = Phone(refuses=True)
    trunk = trunk_to(await phone.start())
    _, ear = await place(trunk)
    failed = await ear.heard(Failed)
    assert (failed.status, failed.by) == (486, Party.REMOTE)
    await trunk.close()
    await phone.close()


@live
async def test_where_only_calls_are_placed_none_are_taken() -> None:
    phone, stranger = Phone(rings_only=True), Stranger()
    trunk = trunk_to(await phone.start())
    await trunk.way()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: stranger, remote_addr=("127.0.0.1", trunk.exchange.local.port)
    )
    transport.sendto(write(an_invite()))
    await until(lambda: bool(stranger.heard))
    assert stranger.heard[0].status == 480
    transport.close()
    await trunk.close()
    await phone.close()


@live
async def test_only_the_carrier_may_ask() -> None:
    phone, stranger = Phone(), Stranger()
    trunk = trunk_to(await phone.start())
    await trunk.way()
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: stranger, remote_addr=("127.0.0.1", trunk.exchange.local.port), local_addr=("127.0.0.2", 0)
    )
    transport.sendto(write(asked("OPTIONS")))
    await until(lambda: trunk.exchange.dropped == 1)
    assert stranger.heard == []
    transport.close()
    await trunk.close()
    await phone.close()


@live
async def test_many_calls_share_a_socket_and_each_hears_its_own() -> None:
    phone = Phone()
    trunk = trunk_to(await phone.start())
    calls = [await place(trunk, port=5_000 + 2 * number) for number in range(40)]
    for _, ear in calls:
        await ear.heard(Answered)
    for leg, _ in calls[::2]:
        leg.hang_up(cause=16)
    for theirs in phone.legs[1::2]:
        theirs.hang_up()
    for number, (_, ear) in enumerate(calls):
        assert (await ear.heard(Ended)).by is (Party.REMOTE if number % 2 else Party.LOCAL)
        assert (await phone.ears[number].heard(Answered)).stream.port == 5_000 + 2 * number
        await phone.ears[number].heard(Ended)
    exchange = phone.exchange
    assert exchange is not None
    await until(lambda: not exchange.legs and not trunk.exchange.legs)
    await trunk.close()
    await phone.close()


@pytest.mark.parametrize("transport", [Transport.UDP, Transport.TCP])
def test_what_is_still_going_when_we_stop_is_hung_up(transport: Transport) -> None:
    @live
    async def story() -> None:
        phone = Phone()
        trunk = trunk_to(await phone.start(transport), transport)
        _, ear = await place(trunk)
        await ear.heard(Answered)
        await phone.ears[0].heard(Answered)
        await trunk.close()
        assert (await ear.heard(Ended)).by is Party.LOCAL
        assert (await phone.ears[0].heard(Ended)).by is Party.REMOTE
        assert trunk.exchange.legs == []
        await phone.close()

    story()

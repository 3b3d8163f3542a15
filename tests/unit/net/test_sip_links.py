import asyncio

from heliograph.net.sip_links import DatagramLink, StreamLink, local_host
from heliograph.sip.ways import Hop, Packet
from tests.unit.net.phones import live, until

MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Ends:
    """Two ends of a connection, or two sockets, and what arrives."""

    def __init__(self) -> None:
        self.octets: list[bytes] = []
        self.lost: list[str] = []

    def on_octets(self, octets: bytes, _source: Hop, _link: object) -> None:
        self.octets.append(octets)

    def on_lost(self, _link: object, reason: str) -> None:
        self.lost.append(reason)


async def a_socket(ends: Ends) -> DatagramLink:
    _, link = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: DatagramLink(ends.on_octets), local_addr=("127.0.0.1", 0)
    )
    return link


@live
async def test_a_datagram_finds_a_host_by_its_name() -> None:
    ends = Ends()
    here, there = await a_socket(ends), await a_socket(ends)
    here.send(Packet(b"by name", Hop("localhost", there.local.port)))
    await until(lambda: ends.octets == [b"by name"])
    here.close()
    here.send(Packet(b"too late", there.local))
    there.close()


@live
async def test_datagrams_that_cannot_leave_disturb_nothing() -> None:
    ends = Ends()
    here, there = await a_socket(ends), await a_socket(ends)
    for hop in (Hop("::1", there.local.port), Hop("no such host.invalid", 1), Hop("x" * 70, 1)):
        here.send(Packet(b"lost", hop))
    here.send(Packet(b"\r\n\r\n", there.local))
    here.send(Packet(b"arrives", there.local))
    await until(lambda: ends.octets == [b"arrives"])
    here.close()
    there.close()


@live
async def test_a_stream_is_cut_into_messages_and_pings_are_answered() -> None:
    ends = Ends()
    server = await asyncio.get_running_loop().create_server(
        lambda: StreamLink(ends.on_octets, ends.on_lost), "127.0.0.1", 0
    )
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(MESSAGE[:10])
    writer.write(MESSAGE[10:] + b"\r\n\r\n" + MESSAGE)
    assert await reader.readexactly(2) == b"\r\n"
    await until(lambda: ends.octets == [MESSAGE, MESSAGE])
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert await reader.read() == b""
    await until(lambda: len(ends.lost) == 1)
    writer.close()
    server.close()


def test_our_address_on_the_way_to_ourselves() -> None:
    assert local_host(Hop("127.0.0.1", 9)) == "127.0.0.1"

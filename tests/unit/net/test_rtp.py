import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvloop

from heliograph.net.clock import SystemClock
from heliograph.net.rtp import Place, RtpStream, Schedule, open_stream
from heliograph.rtp.g711 import Law
from heliograph.rtp.outgoing import Outgoing
from heliograph.rtp.packets import RtpPacket, decode, encode
from heliograph.testing.clock import VirtualClock, turns

HERE = "127.0.0.1"
SPEECH = bytes(range(1, 101)) * 160
SILENCE = b"\xff" * 160


def on_both_loops(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    def both(run: Callable[[Any], None]) -> None:
        async def story() -> None:
            async with asyncio.timeout(10):
                await test()

        run(story())

    both.__name__ = test.__name__
    marked: Callable[..., None] = pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])(
        both
    )
    return marked


class Ear:
    """A socket that hears what a stream sends."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((HERE, 0))
        self.socket.setblocking(False)

    @property
    def place(self) -> Place:
        return Place(*self.socket.getsockname())

    def heard(self) -> list[RtpPacket]:
        packets: list[RtpPacket] = []
        while True:
            try:
                packet = decode(self.socket.recv(2048))
            except BlockingIOError:
                return packets
            assert packet is not None
            packets.append(packet)

    def say(self, number: int, to: Place, *, ssrc: int = 1) -> None:
        self.socket.sendto(encode(RtpPacket(0, number, number * 160, ssrc, b"x" * 160)), to)


class World:
    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.schedule = Schedule(self.clock)
        self.ear = Ear()
        self._streams: list[RtpStream] = []

    def stream(self, *, follows: bool = False) -> RtpStream:
        stream = open_stream(HERE, (0,), self.schedule, follows=follows)
        self._streams.append(stream)
        return stream

    def speaking(self, *, follows: bool = False) -> RtpStream:
        stream = self.stream(follows=follows)
        stream.move(self.ear.place)
        stream.start(outgoing())
        return stream

    def close(self) -> None:
        for stream in self._streams:
            stream.close()
        self.ear.socket.close()


def spoken(packets: list[RtpPacket]) -> bytes:
    return b"".join(packet.payload for packet in packets if packet.payload != SILENCE)


def outgoing() -> Outgoing:
    return Outgoing(Law.PCMU, ssrc=9, sequence=0, timestamp=0)


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    it = World()
    running = asyncio.create_task(it.schedule.run())
    try:
        yield it
    finally:
        it.close()
        running.cancel()
        await asyncio.wait((running,))


async def read(is_so: Callable[[], bool]) -> None:
    """Wait for what comes through a real socket."""
    while not is_so():  # noqa: ASYNC110
        await asyncio.sleep(0.001)


@on_both_loops
async def test_a_packet_leaves_every_20_ms() -> None:
    async with world() as it:
        it.speaking()
        await it.clock.advance(0.01)
        assert len(it.ear.heard()) == 1
        for _ in range(50):
            await it.clock.advance(0.02)
            assert len(it.ear.heard()) == 1


@on_both_loops
async def test_all_is_said_and_then_silence_follows() -> None:
    async with world() as it:
        playing = asyncio.create_task(it.speaking().play(SPEECH))
        await it.clock.advance(98 * 0.02)
        assert not playing.done()
        await it.clock.advance(0.041)
        assert playing.done()
        await it.clock.advance(0.1)
        packets = it.ear.heard()
        assert spoken(packets) == SPEECH
        assert [packet.payload for packet in packets[-5:]] == [SILENCE] * 5


@on_both_loops
async def test_no_lateness_adds_up() -> None:
    async with world() as it:
        it.speaking()
        await it.clock.advance(0.001)
        for _ in range(100):
            # Somebody else holds the loop up for a moment, again and again.
            it.clock.skip(0.007)
            await it.clock.advance(0.013)
        assert len(it.ear.heard()) == 101


@on_both_loops
async def test_after_a_short_stop_what_is_due_is_sent_at_once() -> None:
    async with world() as it:
        it.speaking()
        await it.clock.advance(0.001)
        it.clock.skip(0.08)
        await it.clock.advance(0.001)
        assert [packet.timestamp // 160 for packet in it.ear.heard()] == [0, 1, 2, 3, 4]


@on_both_loops
async def test_after_a_long_stop_the_speech_goes_on_where_it_was() -> None:
    async with world() as it:
        playing = asyncio.create_task(it.speaking().play(SPEECH))
        await it.clock.advance(0.001)
        it.clock.skip(5.0)
        await it.clock.advance(101 * 0.02)
        packets = it.ear.heard()
        assert playing.done()
        assert spoken(packets) == SPEECH
        assert [packet.sequence for packet in packets] == list(range(len(packets)))
        (gap,) = [packet for packet in packets[1:] if packet.is_marked]
        assert gap.timestamp // 160 == pytest.approx(251, abs=2)


@on_both_loops
async def test_streams_are_spread_over_the_20_ms() -> None:
    async with world() as it:
        for _ in range(8):
            it.speaking()
        await it.clock.advance(0.1)
        it.ear.heard()
        counts = []
        for _ in range(8):
            await it.clock.advance(0.005)
            counts.append(len(it.ear.heard()))
        assert counts == [2] * 8


@on_both_loops
async def test_while_the_call_is_held_the_speech_waits() -> None:
    async with world() as it:
        stream = it.speaking()
        playing = asyncio.create_task(stream.play(SPEECH))
        await it.clock.advance(0.1)
        stream.is_held = True
        before = it.ear.heard()
        await it.clock.advance(10)
        assert it.ear.heard() == []
        assert not playing.done()
        stream.is_held = False
        await it.clock.advance(2)
        assert playing.done()
        assert spoken(before + it.ear.heard()) == SPEECH


@on_both_loops
async def test_who_stops_playing_falls_silent() -> None:
    async with world() as it:
        playing = asyncio.create_task(it.speaking().play(SPEECH))
        await it.clock.advance(0.1)
        playing.cancel()
        await turns()
        it.ear.heard()
        await it.clock.advance(0.1)
        assert {packet.payload for packet in it.ear.heard()} == {SILENCE}


@on_both_loops
async def test_what_comes_is_counted_and_told() -> None:
    async with world() as it:
        stream = it.stream()
        told: list[RtpPacket] = []
        stream.listen = told.append
        it.ear.socket.sendto(b"rubbish", stream.local)
        for number in (0, 1, 3):
            it.ear.say(number, stream.local)
        await read(lambda: len(told) == 3)
        assert (stream.heard.received, stream.heard.lost) == (3, 1)
        assert stream.heard_at == it.clock.monotonic()


@on_both_loops
async def test_it_follows_where_packets_come_from_once_and_only_when_told_to() -> None:
    async with world() as it:
        follower, other = it.speaking(follows=True), it.speaking()
        near, thief = Ear(), Ear()
        for stream in (follower, other):
            near.say(1, stream.local, ssrc=5)
            await read(lambda stream=stream: stream.heard.received == 1)  # type: ignore[misc]
            thief.say(2, stream.local, ssrc=5)
            await read(lambda stream=stream: stream.heard.received == 2)  # type: ignore[misc]
        await it.clock.advance(0.1)
        assert len(near.heard()) >= 4
        assert thief.heard() == []
        assert len(it.ear.heard()) >= 4
        near.socket.close()
        thief.socket.close()


@on_both_loops
async def test_a_place_where_nobody_is_shows_as_unreachable() -> None:
    async with world() as it:
        stream = it.speaking()
        nobody = Ear()
        stream.move(nobody.place)
        nobody.socket.close()
        for _ in range(5):
            await it.clock.advance(0.02)
            await asyncio.sleep(0.002)
        assert stream.unreachable >= 3
        # It goes on, and hears: another place may be told.
        it.ear.say(1, stream.local)
        await read(lambda: stream.heard.received == 1)
        assert stream.unreachable == 0


@on_both_loops
async def test_a_taken_port_is_passed_over() -> None:
    async with world() as it:
        with pytest.raises(OSError, match="no port for RTP"):
            open_stream(HERE, (it.ear.place.port,), it.schedule)
        stream = open_stream(HERE, (it.ear.place.port, 0), it.schedule)
        assert stream.local.port != it.ear.place.port
        stream.close()
        stream.close()


@on_both_loops
async def test_real_time_keeps_its_pace() -> None:
    schedule, ear = Schedule(SystemClock()), Ear()
    running = asyncio.create_task(schedule.run())
    stream = open_stream(HERE, (0,), schedule)
    stream.move(ear.place)
    stream.start(outgoing())
    took_s: list[float] = []
    # A machine with much else to do may be late: not every time.
    while len(took_s) < 5 and not (took_s and took_s[-1] <= 0.6):
        started = asyncio.get_running_loop().time()
        await stream.play(SPEECH[: 160 * 20])
        took_s.append(asyncio.get_running_loop().time() - started)
    assert 0.37 <= min(took_s) <= 0.6, took_s
    stream.close()
    running.cancel()
    await asyncio.wait((running,))
    assert len(ear.heard()) == 20 * len(took_s)
    ear.socket.close()

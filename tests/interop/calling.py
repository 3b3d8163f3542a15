"""Our driver as the caller of somebody else's phone, with a pipeline that takes notes and an ear for the speech."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from heliograph.carriers.sip.driver import SipDriver
from heliograph.core.directory import Carrier, Policy
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel, Parcel, Traits
from heliograph.net.clock import SystemClock
from heliograph.net.rtp import RtpStream, Schedule, open_stream
from heliograph.pipeline.ports import Speaker
from heliograph.rtp.recording import Recording
from heliograph.testing.feeds import PATIENCE_S, NotingFeed, parcels_for
from heliograph.testing.speech import Murmur

ALIKE = 0.9
"""How alike what was said and what was heard must be."""

SECONDS = 1.0


def voice_parcels(recipients: list[str], *, text: str = "Hello", sender: str = "+27820000000") -> list[Parcel]:
    """A voice message for each."""
    traits = Traits(language="en-gb", gender="female")
    return [
        parcel._replace(
            message=parcel.message._replace(
                content=parcel.message.content._replace(channel=Channel.VOICE, traits=traits)
            )
        )
        for parcel in parcels_for(recipients, text=text, sender=sender)
    ]


class PatientClock(SystemClock):
    """Real time, in which a wait of a second shows that a line is down."""

    def __init__(self) -> None:
        self._slept = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        if 0.5 <= seconds <= 1.0:
            self._slept.set()
        await super().sleep(seconds)

    async def slept(self) -> None:
        """Wait until the driver waits before it tries again."""
        async with asyncio.timeout(PATIENCE_S):
            await self._slept.wait()


@dataclass(slots=True, kw_only=True)
class Calling:
    """A driver at work."""

    feed: NotingFeed
    speaker: Speaker
    clock: PatientClock

    async def said(self, text: str = "Hello") -> bytes:
        """What a message sounds like."""
        return (await self.speaker.speak(text, language="en-gb", gender="female")).samples


@asynccontextmanager
async def calling(
    url: str, *, lines: int = 1, speaker: Speaker | None = None, **settings: object
) -> AsyncIterator[Calling]:
    """Our driver, calling over a trunk."""
    feed, speaker = NotingFeed(window=1), speaker or Murmur(seconds=SECONDS)
    carrier = Carrier(
        carrier_id=CarrierId(1),
        name="trunk",
        url=url,
        channels=frozenset({Channel.VOICE}),
        window=1,
        sessions=lines,
        policy=Policy.HOLD,
        settings={"pause_ms": 100, **settings},
    )
    clock = PatientClock()
    running = asyncio.create_task(SipDriver(carrier, feed, clock, speaker=speaker).run())
    try:
        yield Calling(feed=feed, speaker=speaker, clock=clock)
    finally:
        running.cancel()
        await asyncio.wait((running,))
        assert running.cancelled()


@dataclass(slots=True, kw_only=True)
class Ear:
    """A place where RTP is heard, for a callee that hears nothing itself."""

    stream: RtpStream
    recording: Recording

    @property
    def port(self) -> int:
        """Where it is."""
        return self.stream.local.port


@asynccontextmanager
async def ear() -> AsyncIterator[Ear]:
    """Hear what is sent to a port."""
    stream, recording = open_stream("127.0.0.1", (0,), Schedule(SystemClock())), Recording()
    stream.listen = recording.take
    try:
        yield Ear(stream=stream, recording=recording)
    finally:
        stream.close()

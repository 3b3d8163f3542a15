"""baresip as the party called: the recording of the callee is what was said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from heliograph.core.outcomes import Submitted
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.services.speech.cache import SpeechCache
from heliograph.services.speech.speaker import EngineSpeaker
from heliograph.services.speech.workers import Workers
from heliograph.testing.speech import likeness
from tests.faults.rig import live
from tests.interop.baresip import Baresip
from tests.interop.calling import ALIKE, calling, voice_parcels

CALLEE = "+27831234567"
TEXT = "Hello."


@asynccontextmanager
async def reading(folder: Path) -> AsyncIterator[EngineSpeaker]:
    """The speaker of the product, with its engine."""
    clock = SystemClock()
    speaker = EngineSpeaker(Workers(clock), SpeechCache(folder, clock, most_octets=1 << 24), clock)
    running = asyncio.create_task(speaker.run())
    try:
        yield speaker
    finally:
        running.cancel()
        await asyncio.wait((running,))


@pytest.mark.parametrize(("transport", "codecs"), [("udp", "PCMU"), ("udp", "PCMA"), ("tcp", "PCMA"), ("tls", "PCMU")])
@live
async def test_the_callee_recorded_what_was_said(tmp_path: Path, transport: str, codecs: str) -> None:
    async with Baresip(tmp_path, CALLEE, codecs=codecs, transport=transport) as phone:
        await phone.until(lambda: any("is ready" in line for line in phone.said))
        settings = {"transport": transport} if transport != "tls" else {"verify": False}
        url = f"sips://127.0.0.1:{phone.port + 1}" if transport == "tls" else f"sip://127.0.0.1:{phone.port}"
        async with reading(tmp_path / "cache") as speaker, calling(url, speaker=speaker, **settings) as it:
            it.feed.offer(voice_parcels([CALLEE], text=TEXT))
            await it.feed.until(lambda: len(it.feed.receipts) == 1)
            (outcome,), (receipt,) = it.feed.outcomes, it.feed.receipts
            assert isinstance(outcome, Submitted)
            assert receipt.state is MessageState.DELIVERED
            assert likeness(await it.said(TEXT), await phone.heard_sound()) >= ALIKE


@live
async def test_a_certificate_that_nobody_vouches_for_is_not_believed(tmp_path: Path) -> None:
    async with Baresip(tmp_path, CALLEE, codecs="PCMU", transport="tls") as phone:
        await phone.until(lambda: any("is ready" in line for line in phone.said))
        async with calling(f"sips://127.0.0.1:{phone.port + 1}") as it:
            it.feed.offer(voice_parcels([CALLEE]))
            await it.clock.slept()
            assert it.feed.sessions == []

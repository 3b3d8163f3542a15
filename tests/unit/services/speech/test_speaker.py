import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from heliograph.pipeline.ports import CannotSend
from heliograph.services.speech.cache import SpeechCache
from heliograph.services.speech.speaker import SPARED_S, EngineSpeaker
from heliograph.services.speech.workers import Died, Workers
from tests.unit.services.conftest import StillClock


class Mock(Workers):
    """Notes what it is to read."""

    def __init__(self, clock: StillClock) -> None:
        super().__init__(clock)
        self.asked: list[tuple[str, str]] = []
        self.is_asked = asyncio.Event()
        self.fails = ""
        self.ended = 0

    async def read(self, voice: str, text: str) -> bytes:
        self.asked.append((voice, text))
        self.is_asked.set()
        await asyncio.sleep(0)
        if self.fails:
            raise Died(self.fails)
        return f"{voice} {text}".encode()

    async def end(self) -> None:
        self.ended += 1


Story = Callable[[EngineSpeaker, Mock], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path, clock: StillClock) -> Callable[[Story], None]:
    def run(story: Story) -> None:
        async def go() -> None:
            mock = Mock(clock)
            await story(EngineSpeaker(mock, SpeechCache(tmp_path, clock, most_octets=10_000), clock), mock)

        asyncio.run(go())

    return run


def test_a_text_is_read_once_however_many_ask_for_it(play: Callable[[Story], None]) -> None:
    async def story(speaker: EngineSpeaker, mock: Mock) -> None:
        wanted = [speaker.speak("Hello", language="en-gb", gender="male") for _ in range(20)]
        assert {speech.samples for speech in await asyncio.gather(*wanted)} == {b"en+m3 Hello"}
        await speaker.speak("Hello", language="en-gb", gender="male")
        assert mock.asked == [("en+m3", "Hello")]
        await speaker.speak("Hello", language="en-gb", gender="female")
        await speaker.speak("Hello", language="de-de", gender="male")
        await speaker.speak("Ｈｅｌｌｏ", language="de-de", gender="male")
        assert mock.asked[1:] == [("en+f2", "Hello"), ("de+m3", "Hello")]

    play(story)


def test_one_who_goes_away_takes_nothing_from_the_others(play: Callable[[Story], None]) -> None:
    async def story(speaker: EngineSpeaker, mock: Mock) -> None:
        first, second = (asyncio.create_task(speaker.speak("Hello", language="en-gb", gender="male")) for _ in range(2))
        await mock.is_asked.wait()
        first.cancel()
        assert (await second).samples == b"en+m3 Hello"
        assert first.cancelled()

    play(story)


def test_a_text_that_breaks_the_engine_is_not_tried_for_each_recipient(
    play: Callable[[Story], None], clock: StillClock
) -> None:
    async def story(speaker: EngineSpeaker, mock: Mock) -> None:
        mock.fails = "the speech engine failed on the text"
        for _ in range(3):
            with pytest.raises(CannotSend, match="failed on the text"):
                await speaker.speak("Hello", language="en-gb", gender="male")
        assert len(mock.asked) == 1
        mock.fails = ""
        assert (await speaker.speak("Other", language="en-gb", gender="male")).samples
        await clock.sleep(SPARED_S)
        assert (await speaker.speak("Hello", language="en-gb", gender="male")).samples

    play(story)


def test_a_voice_that_nobody_has(play: Callable[[Story], None]) -> None:
    async def story(speaker: EngineSpeaker, mock: Mock) -> None:
        with pytest.raises(CannotSend, match="no robot voice for en-gb"):
            await speaker.speak("Hello", language="en-gb", gender="robot")

    play(story)


def test_without_an_engine_the_package_is_named(play: Callable[[Story], None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heliograph.services.speech.speaker.ENGINE", "no-such-engine")

    async def story(speaker: EngineSpeaker, mock: Mock) -> None:
        with pytest.raises(CannotSend, match="no speech engine is installed: it is the package no-such-engine"):
            await speaker.speak("Hello", language="en-gb", gender="male")

    play(story)


def test_workers_are_ended_with_it(play: Callable[[Story], None]) -> None:
    async def story(speaker: EngineSpeaker, mock: Mock) -> None:
        running = asyncio.create_task(speaker.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait([running])
        assert mock.ended == 1

    play(story)

"""The pipeline's `Speaker`: a text is read once, whoever asks for it, and kept."""

import asyncio
from importlib.metadata import PackageNotFoundError, version
from typing import Final
from weakref import WeakValueDictionary

from heliograph.core.scripts import spoken
from heliograph.net.clock import Clock
from heliograph.pipeline.ports import CannotSend, Speech
from heliograph.services.speech.cache import SpeechCache, name_of
from heliograph.services.speech.voices import voice_of
from heliograph.services.speech.workers import Died, TooSlow, Workers

ENGINE: Final = "espeakng-loader"
"""The package that brings the engine's library and data."""
FORM: Final = "1"
"""Of the sound: another number when the same voice comes out differently."""
LOOK_S: Final = 15.0
LOOKS: Final = 240
"""After so many looks for idle workers the cache is looked through: every hour."""
SPARED_S: Final = 600.0
"""For so long a text that the engine broke on is not given to it again."""
_MOST_BROKEN: Final = 1_000


class EngineSpeaker:
    """Reads with the engine, or from the cache. `run` must run beside it."""

    def __init__(self, workers: Workers, cache: SpeechCache, clock: Clock) -> None:
        self._workers = workers
        self._cache = cache
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._broken: dict[str, tuple[float, str]] = {}

    async def run(self) -> None:
        """End workers that are idle, forget what is old; all workers when this is cancelled."""
        try:
            while True:
                await self._cache.forget()
                for _ in range(LOOKS):
                    await self._clock.sleep(LOOK_S)
                    await self._workers.end_idle()
        finally:
            await self._workers.end()

    async def speak(self, text: str, *, language: str, gender: str) -> Speech:
        """A text as it is heard. Raises CannotSend."""
        try:
            voice, engine = voice_of(language, gender), version(ENGINE)
        except KeyError:
            raise CannotSend(f"there is no {gender} voice for {language}") from None
        except PackageNotFoundError:
            raise CannotSend(f"no speech engine is installed: it is the package {ENGINE}") from None
        wanted = spoken(text, language)
        name = name_of(ENGINE, engine, FORM, voice, wanted)
        async with self._alone(name):
            samples = await self._cache.get(name)
            if samples is None:
                samples = await self._read(name, voice, wanted)
                await self._cache.put(name, samples)
        return Speech(samples)

    async def _read(self, name: str, voice: str, text: str) -> bytes:
        now = self._clock.monotonic()
        since, why = self._broken.pop(name, (-SPARED_S, ""))
        if now < since + SPARED_S:
            self._broken[name] = since, why
            raise CannotSend(why)
        try:
            return await self._workers.read(voice, text)
        except (Died, TooSlow) as error:
            # A broadcast would break it once for each of its recipients.
            if len(self._broken) >= _MOST_BROKEN:
                self._broken.clear()
            self._broken[name] = now, str(error)
            raise

    def _alone(self, name: str) -> asyncio.Lock:
        """Held by whoever reads a text, so that the others find it read."""
        lock = self._locks.get(name)
        if lock is None:
            lock = self._locks[name] = asyncio.Lock()
        return lock

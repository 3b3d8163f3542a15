import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from heliograph.services.speech.cache import KEPT_S, UNNAMED_S, SpeechCache, name_of
from tests.unit.services.conftest import StillClock


def play(story: Callable[[], Awaitable[None]]) -> None:
    async def go() -> None:
        await story()

    asyncio.run(go())


def files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*") if each.is_file())


def test_what_is_kept_is_found_by_every_process(tmp_path: Path, clock: StillClock) -> None:
    async def story() -> None:
        one, other = (SpeechCache(tmp_path / "speech", clock, most_octets=1_000) for _ in range(2))
        assert await one.get(name_of("a")) is None
        await one.put(name_of("a"), b"sound")
        await other.put(name_of("a"), b"sound")
        assert await other.get(name_of("a")) == b"sound"
        assert await other.get(name_of("b")) is None
        assert [each.read_bytes() for each in files(tmp_path)] == [b"sound"]
        assert (tmp_path / "speech").stat().st_mode & 0o777 == 0o700

    play(story)


def test_names_tell_apart_what_differs() -> None:
    assert len({name_of("a", "b"), name_of("ab", ""), name_of("a", "c"), name_of("b", "a")}) == 4


def test_what_was_used_longest_ago_goes_first(tmp_path: Path, clock: StillClock) -> None:
    async def story() -> None:
        cache = SpeechCache(tmp_path, clock, most_octets=1_000)
        for place in range(10):
            await cache.put(name_of(str(place)), bytes([65]) * 100)
            await clock.sleep(1)
        assert await cache.get(name_of("0")) is not None
        await clock.sleep(1)
        await cache.put(name_of("10"), b"x" * 100)
        left = [place for place in range(11) if await cache.get(name_of(str(place))) is not None]
        assert left == [0, 3, 4, 5, 6, 7, 8, 9, 10]

    play(story)


def test_what_nobody_wants_for_a_week_is_forgotten(tmp_path: Path, clock: StillClock) -> None:
    async def story() -> None:
        cache = SpeechCache(tmp_path, clock, most_octets=1_000)
        await cache.put(name_of("old"), b"x")
        await cache.put(name_of("used"), b"x")
        await clock.sleep(KEPT_S - 10)
        assert await cache.get(name_of("used")) == b"x"
        await clock.sleep(20)
        await cache.forget()
        assert [each.name for each in files(tmp_path)] == [name_of("used")]

    play(story)


def test_what_a_crash_left_half_written_is_never_found_and_goes_away(tmp_path: Path, clock: StillClock) -> None:
    async def story() -> None:
        cache = SpeechCache(tmp_path, clock, most_octets=1_000)
        await cache.put(name_of("a"), b"x")
        now_s = clock.now_ms() / 1000
        for name, age_s in (("left", UNNAMED_S + 1), ("young", 10)):
            (tmp_path / "new" / name).write_bytes(b"half")
            os.utime(tmp_path / "new" / name, (now_s - age_s, now_s - age_s))
        await cache.forget()
        assert {each.name for each in files(tmp_path)} == {name_of("a"), "young"}

    play(story)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, clock: StillClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    async def story() -> None:
        cache = SpeechCache(tmp_path, clock, most_octets=1_000)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            await cache.put(name_of("a"), b"x")
        assert files(tmp_path) == []
        assert await cache.get(name_of("a")) is None
        await cache.put(name_of("a"), b"x")
        assert await cache.get(name_of("a")) == b"x"

    play(story)


def test_an_empty_file_and_a_folder_that_cannot_be_made_are_no_cache(tmp_path: Path, clock: StillClock) -> None:
    async def story() -> None:
        cache = SpeechCache(tmp_path, clock, most_octets=1_000)
        await cache.put(name_of("a"), b"x")
        (tmp_path / name_of("a")[:2] / name_of("a")).write_bytes(b"")
        assert await cache.get(name_of("a")) is None
        (tmp_path / "file").write_bytes(b"")
        blocked = SpeechCache(tmp_path / "file", clock, most_octets=1_000)
        await blocked.put(name_of("a"), b"x")
        assert await blocked.get(name_of("a")) is None
        await blocked.forget()

    play(story)


def test_nothing_is_kept_where_nothing_may_be(tmp_path: Path, clock: StillClock) -> None:
    async def story() -> None:
        cache = SpeechCache(tmp_path / "speech", clock, most_octets=0)
        await cache.put(name_of("a"), b"x")
        assert await cache.get(name_of("a")) is None
        assert not (tmp_path / "speech").exists()

    play(story)

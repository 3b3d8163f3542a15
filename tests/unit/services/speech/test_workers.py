"""Workers that misbehave: the program goes on."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from heliograph.net.clock import SystemClock
from heliograph.pipeline.ports import CannotSend
from heliograph.services.speech import workers
from heliograph.services.speech.workers import Died, TooSlow, Workers
from tests.unit.services.conftest import StillClock

# Answers with the text, its process and whatever the text asks for.
MOCK = """
import os, sys, time
source, target = sys.stdin.buffer, sys.stdout.buffer
while length := source.read(4):
    voice, _, text = source.read(int.from_bytes(length, "big")).decode().partition("\\0")
    if text == "die":
        os._exit(1)
    if text == "die later":
        target.write(b"\\0\\0\\0\\2+x"); target.flush(); os._exit(1)
    if text == "hang":
        time.sleep(60)
    if text == "swamp":
        target.write(b"\\xff\\xff\\xff\\xff"); target.flush(); continue
    answer = b"-no" if text == "bad" else f"+{text} {os.getpid()} {sorted(os.environ)}".encode()
    target.write(len(answer).to_bytes(4, "big") + answer); target.flush()
"""


def play(story: Callable[[Workers], Awaitable[None]]) -> None:

    async def go() -> None:
        mock = [sys.executable, "-I", "-S", "-c", MOCK]
        pool = Workers(StillClock(), command=mock, patience_s=lambda text: 0.2 if text == "hang" else 60)
        try:
            await story(pool)
        finally:
            await pool.end()

    asyncio.run(go())


def process_in(answer: bytes) -> int:
    return int(answer.split()[1])


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def limits_of(process: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{process}/limits").read_text(encoding="ascii").splitlines()
    return {line[:26].strip(): line[26:].split()[:2] for line in lines}


def test_a_worker_is_begun_on_demand_and_used_again() -> None:
    async def story(pool: Workers) -> None:
        first, second = await pool.read("en", "one"), await pool.read("en", "two")
        assert first.startswith(b"one ")
        assert process_in(first) == process_in(second)

    play(story)


def test_no_more_than_two_read_at_once() -> None:
    async def story(pool: Workers) -> None:
        answers = await asyncio.gather(*(pool.read("en", f"{number}") for number in range(8)))
        assert len({process_in(each) for each in answers}) == workers.MOST

    play(story)


def test_a_worker_that_dies_on_a_text_is_replaced_and_the_text_fails() -> None:
    async def story(pool: Workers) -> None:
        with pytest.raises(Died, match="failed on the text"):
            await pool.read("en", "die")
        assert (await pool.read("en", "one")).startswith(b"one ")

    play(story)


def test_a_worker_that_died_while_it_was_idle_costs_no_text() -> None:
    async def story(pool: Workers) -> None:
        assert await pool.read("en", "die later") == b"x"
        assert (await pool.read("en", "one")).startswith(b"one ")

    play(story)


@pytest.mark.parametrize("is_first", [True, False])
def test_a_worker_that_hangs_is_ended(is_first: bool) -> None:
    async def story(pool: Workers) -> None:
        if not is_first:
            await pool.read("en", "one")
        with pytest.raises(TooSlow, match="too long"):
            await pool.read("en", "hang")
        assert (await pool.read("en", "two")).startswith(b"two ")

    play(story)


def test_what_is_no_answer_of_ours_is_not_waited_for() -> None:
    async def story(pool: Workers) -> None:
        with pytest.raises(Died):
            await pool.read("en", "swamp")

    play(story)


def test_what_the_engine_says_of_a_text_is_told_and_it_goes_on() -> None:
    async def story(pool: Workers) -> None:
        before = process_in(await pool.read("en", "one"))
        with pytest.raises(CannotSend, match="no"):
            await pool.read("en", "bad")
        assert process_in(await pool.read("en", "two")) == before

    play(story)


def test_nobody_gets_the_answer_of_one_who_went_away() -> None:
    async def story(pool: Workers) -> None:
        process = process_in(await pool.read("en", "one"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await pool.read("en", "hang")
        assert not is_running(process)
        assert (await pool.read("en", "two")).startswith(b"two ")

    play(story)


def test_idle_workers_are_ended_after_a_while() -> None:
    async def story(pool: Workers) -> None:
        clock = pool._clock
        assert isinstance(clock, StillClock)
        process = process_in(await pool.read("en", "one"))
        await clock.sleep(29)
        await pool.end_idle()
        assert is_running(process)
        await clock.sleep(2)
        await pool.end_idle()
        assert not is_running(process)

    play(story)


def test_a_worker_gets_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_SECRET", "x")

    async def story(pool: Workers) -> None:
        assert b"HELIOGRAPH_SECRET" not in await pool.read("en", "one")

    play(story)


def test_a_worker_that_cannot_be_begun_is_a_failure_of_the_text() -> None:
    async def story() -> None:
        pool = Workers(StillClock(), command=["/nowhere/python"])
        with pytest.raises(CannotSend, match="cannot be begun"):
            await pool.read("en", "one")

    asyncio.run(story())


def test_the_real_worker_bounds_itself_and_says_what_it_cannot_read() -> None:
    async def story() -> None:
        pool = Workers(SystemClock())
        with pytest.raises(CannotSend, match="has no voice xx"):
            await pool.read("xx", "one")
        with pytest.raises(CannotSend, match="says nothing"):
            await pool.read("en+f2", "\u200b")
        limits = limits_of(pool._idle[0][0].pid)
        assert limits["Max file size"] == limits["Max core file size"] == limits["Max processes"] == ["0", "0"]
        assert limits["Max address space"] == [str(512 << 20)] * 2
        assert limits["Max open files"] == ["32", "32"]
        assert limits["Max cpu time"][0] in ("6", "7")
        await pool.end()

    asyncio.run(story())

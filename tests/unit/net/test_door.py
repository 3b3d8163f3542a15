import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from heliograph.net import door
from heliograph.net.door import MOST, Door, allow_files, most_callers

FRESHEST = 10
PATIENCE_S = 5.0


class Visit(asyncio.Protocol):
    """A connection of a test."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self.patience = FRESHEST
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._house.visits.append(self)
        self._house.changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._house.visits.remove(self)
        self._house.changed.set()


class House:
    """A listening socket with a door."""

    def __init__(self, most: int) -> None:
        self.visits: list[Visit] = []
        self.changed = asyncio.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.setblocking(False)
        self.callers: list[socket.socket] = []
        self.place: tuple[str, int] = self.listener.getsockname()
        self.door = Door(self.listener, lambda: Visit(self), visitors=self.visits, most=most, freshest=FRESHEST)

    def call(self, count: int) -> None:
        """The kernel answers: they wait to be taken in."""
        self.callers += [socket.create_connection(self.place, timeout=PATIENCE_S) for _ in range(count)]

    async def has(self, count: int) -> None:
        """Wait until so many are in."""
        async with asyncio.timeout(PATIENCE_S):
            while len(self.visits) != count:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def house(most: int) -> AsyncIterator[House]:
    made = House(most)
    try:
        yield made
    finally:
        made.door.close()
        for caller in made.callers:
            caller.close()
        await made.has(0)


def test_everybody_who_calls_is_taken_in() -> None:
    async def story() -> None:
        async with house(100) as it:
            it.call(30)
            await it.has(30)

    asyncio.run(story())


def test_many_are_taken_in_within_a_turn_of_the_loop() -> None:
    async def story() -> None:
        async with house(100) as it:
            it.call(30)
            turns = 0
            while len(it.visits) < 30:
                await asyncio.sleep(0)
                turns += 1
            assert turns < 20

    asyncio.run(story())


def test_who_finds_no_room_waits_until_somebody_goes() -> None:
    async def story() -> None:
        async with house(2) as it:
            it.call(3)
            await it.has(2)
            await asyncio.sleep(0)
            assert len(it.visits) == 2
            it.callers.pop(0).close()
            await it.has(1)
            await it.has(2)

    asyncio.run(story())


def test_the_silent_make_room_and_the_fresh_and_the_busy_do_not() -> None:
    async def story() -> None:
        async with house(3) as it:
            it.call(3)
            await it.has(3)
            busy, silent, fresh = it.visits
            busy.patience, silent.patience = 0, FRESHEST - 1
            it.call(1)
            async with asyncio.timeout(PATIENCE_S):
                while silent in it.visits or len(it.visits) < 3:
                    it.changed.clear()
                    await it.changed.wait()
            assert {busy, fresh} < set(it.visits)

    asyncio.run(story())


def test_a_process_without_files_takes_them_in_when_it_has_some(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        async with house(9) as it:
            listener = it.listener
            refusals = iter([OSError(24, "too many open files")])

            class Poor:
                def accept(self) -> tuple[socket.socket, object]:
                    for refusal in refusals:
                        raise refusal
                    return listener.accept()

                def fileno(self) -> int:
                    return listener.fileno()

                def close(self) -> None:
                    listener.close()

            monkeypatch.setattr(it.door, "_listener", Poor())
            it.call(1)
            await it.has(1)

    asyncio.run(story())


def test_nobody_is_taken_in_when_it_is_closed_while_it_rests() -> None:
    async def story() -> None:
        async with house(0) as it:
            it.call(1)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            it.door.close()
            assert it.listener.fileno() == -1

    asyncio.run(story())


def test_files_are_left_for_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {"of": (1024, 1024)}
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits["of"])
    assert most_callers() == 1024 - door.OURS
    limits["of"] = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    assert most_callers() == MOST
    limits["of"] = (300, 300)
    assert most_callers() == 150


def test_a_process_may_open_as_many_as_the_machine_lets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 4096))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: asked.append(limit))
    allow_files()
    assert asked == [(4096, 4096)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (door.MOST_FILES, resource.RLIM_INFINITY))
    allow_files()
    assert len(asked) == 1

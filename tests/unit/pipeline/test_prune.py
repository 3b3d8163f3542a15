import asyncio
import sqlite3
from pathlib import Path

import pytest

from heliograph.core.ids import first_at
from heliograph.core.replies import TALK_MS
from heliograph.core.states import Charge, MessageState
from heliograph.pipeline import prune
from heliograph.pipeline.forget import DAY_MS
from heliograph.store import accounts
from heliograph.store.opening import open_sqlite
from heliograph.testing.life import Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import Taker, rows, submission
from tests.unit.pipeline.test_receive import HANDSET, SHARED, take_in, written

NOW_MS = 1_795_400_000_000


class RoundOver(Exception):
    """The loop went to sleep until its next round."""


class OneRound:
    """A clock on which short sleeps take no time, and the long one ends the story."""

    def now_ms(self) -> int:
        """Now."""
        return NOW_MS

    def monotonic(self) -> float:
        """Now."""
        return NOW_MS / 1000

    async def sleep(self, seconds: float) -> None:
        """Nothing, or the end."""
        if seconds == prune.ROUND_S:
            raise RoundOver


@pytest.mark.parametrize(("retention_days", "left"), [(0, [20, 8, 6]), (10, [8, 6]), (7, [6]), (30, [20, 8, 6])])
def test_messages_are_kept_as_long_as_the_operator_says(tmp_path: Path, retention_days: int, left: list[int]) -> None:
    def end(days: int, connection: sqlite3.Connection) -> None:
        at_ms = NOW_MS - days * DAY_MS
        connection.execute(
            "insert into message(account_id, id, submission_id, recipient, state, segments, charge, carrier_id, price, "
            "expires_at_ms) values (1, ?, 1, '+27831234567', ?, 1, ?, 1, 0, 0)",
            (first_at(at_ms), MessageState.DELIVERED, Charge.CAPTURED),
        )
        connection.execute(
            "insert into event(account_id, message_id, at_ms, state) values (1, ?, ?, ?)",
            (first_at(at_ms), at_ms, MessageState.DELIVERED),
        )

    async def story() -> list[int]:
        store = open_sqlite("", tmp_path)
        try:
            async with store.writing() as writing:
                await accounts.add(writing, name="Crane", user="crane", mark="0" * 16, now_ms=NOW_MS)
            connection = sqlite3.connect(store.path)
            with connection:
                for days in (20, 8, 6):
                    end(days, connection)
            looked: list[str] = []

            async def forget_media() -> None:
                looked.append("after files")

            with pytest.raises(RoundOver):
                await prune.follow(store, OneRound(), forget_media=forget_media, retention_days=retention_days)
            assert looked == ["after files"]
            kept = [row[0] for row in connection.execute("select id from message order by id")]
            connection.close()
            return kept
        finally:
            await store.close()

    assert asyncio.run(story()) == [first_at(NOW_MS - days * DAY_MS) for days in left]


class HastyClock:
    """Time stands still, and nobody sleeps."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        """Go on."""


def test_segments_are_forgotten_after_three_days_and_conversations_after_seven(play: Play) -> None:
    async def story(process: Process) -> None:
        clock = HastyClock(process.clock.now_ms())
        await process.acceptance.submit(submission(f"+{HANDSET}", sender=SHARED))
        await take_in(Taker(process), *written("Yes", recipient=SHARED))

        async def left(after_ms: int) -> list[int]:
            clock.at_ms += after_ms
            await prune.prune(process.store, clock)
            tables = ("incoming_segment", "conversation", "incoming")
            return [rows(process, f"select count(*) from {table}")[0][0] for table in tables]

        assert await left(prune.SEGMENTS_MS - 1_000) == [1, 1, 1]
        assert await left(2_000) == [0, 1, 1]
        assert await left(TALK_MS) == [0, 0, 1]

    play(story)

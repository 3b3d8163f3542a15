import asyncio
import sqlite3
from pathlib import Path

import pytest

from heliograph.core.ids import first_at
from heliograph.core.states import Charge, MessageState
from heliograph.pipeline import prune
from heliograph.pipeline.forget import DAY_MS
from heliograph.store import accounts
from heliograph.store.opening import open_store

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
        store = await open_store("", tmp_path)
        try:
            async with store.writing() as writing:
                await accounts.add(writing, name="Crane", user="crane", mark="0" * 16, now_ms=NOW_MS)
            connection = sqlite3.connect(store.path)
            with connection:
                for days in (20, 8, 6):
                    end(days, connection)
            with pytest.raises(RoundOver):
                await prune.follow(store, OneRound(), retention_days=retention_days)
            kept = [row[0] for row in connection.execute("select id from message order by id")]
            connection.close()
            return kept
        finally:
            await store.close()

    assert asyncio.run(story()) == [first_at(NOW_MS - days * DAY_MS) for days in left]

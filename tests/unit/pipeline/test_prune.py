from heliograph.core.replies import TALK_MS
from heliograph.pipeline import prune
from heliograph.testing.life import Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import Taker, rows, submission
from tests.unit.pipeline.test_receive import HANDSET, SHARED, take_in, written


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

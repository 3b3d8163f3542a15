"""What one of several processes does for all."""

import asyncio
from typing import Any, cast

from heliograph.pipeline.duty import LOOK_S, Duty, on_duty
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.clock import VirtualClock, turns


class Company:
    def __init__(self) -> None:
        self.has: bool | Exception = False

    async def has_duty(self, _number: int) -> bool:
        if isinstance(self.has, Exception):
            raise self.has
        return self.has


def test_the_work_is_done_as_long_as_the_duty_is_ours() -> None:
    async def story() -> None:
        clock, company, doing = VirtualClock(), Company(), []

        async def work() -> None:
            doing.append("on")
            try:
                await asyncio.Event().wait()
            finally:
                doing.append("off")

        task = asyncio.ensure_future(on_duty(cast(Any, company), Duty.PRUNE, clock=clock, work=work))
        await clock.advance(LOOK_S)
        assert doing == []
        for has, expected in ((True, ["on"]), (StoreUnavailable("away"), ["on", "off"]), (True, ["on", "off", "on"])):
            company.has = has
            await clock.advance(LOOK_S)
            assert doing == expected
        task.cancel()
        await turns()
        assert doing == ["on", "off", "on", "off"]
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(story())

import asyncio

from heliograph.sandbox.delays import DelayLine


class HandClock:
    def __init__(self) -> None:
        self.time = 0.0

    def now_ms(self) -> int:
        return int(self.time * 1000)

    def monotonic(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a delay line never sleeps")


def test_what_waited_long_enough_goes_together_and_in_order() -> None:
    async def story() -> None:
        clock = HandClock()
        due: list[list[int]] = []
        line = DelayLine(0.01, clock, due.append)
        line.add([1, 2])
        clock.time = 0.005
        line.add([3])
        assert len(line) == 3
        clock.time = 0.0105
        await asyncio.sleep(0.02)
        assert due == [[1, 2]]
        clock.time = 0.02
        await asyncio.sleep(0.02)
        assert due == [[1, 2], [3]]
        assert len(line) == 0

    asyncio.run(story())


def test_without_delay_it_is_the_next_turn_of_the_loop() -> None:
    async def story() -> None:
        due: list[list[int]] = []
        line = DelayLine(0, HandClock(), due.append)
        line.add([1])
        line.add([2])
        assert due == []
        await asyncio.sleep(0)
        assert due == [[1, 2]]

    asyncio.run(story())


def test_what_is_added_while_others_are_due_is_not_forgotten() -> None:
    async def story() -> None:
        due: list[list[int]] = []

        def again(things: list[int]) -> None:
            due.append(things)
            if len(due) < 3:
                line.add([len(due)])

        line = DelayLine(0, HandClock(), again)
        line.add([0])
        for _ in range(4):
            await asyncio.sleep(0)
        assert due == [[0], [1], [2]]

    asyncio.run(story())


def test_closed_it_forgets() -> None:
    async def story() -> None:
        due: list[list[int]] = []
        line = DelayLine(0, HandClock(), due.append)
        line.add([1])
        line.close()
        await asyncio.sleep(0)
        assert due == []

    asyncio.run(story())

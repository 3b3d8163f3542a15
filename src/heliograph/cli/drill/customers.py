"""The customers of a drill: each request has a key, and is repeated under it until it is answered."""

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from typing import Final

from heliograph.cli.drill.stage import PREFIXES, Stage
from heliograph.testing.served import Reply, Requests

SHORT: Final = "Your code is 4711"
LONG: Final = "A long message has several segments, and each of them is sent, counted and paid for. " * 3
SEGMENTS: Final = {SHORT: 1, LONG: 2}
AT_ONCE: Final = 4
AGAIN_S: Final = 0.2
ANSWER_S: Final = 3.0
PAUSE_S: Final = 0.05
MOST_TRIES: Final = 300
ACCEPTED: Final = 202
TROUBLE: Final = (OSError, EOFError, TimeoutError)


@dataclass(slots=True)
class Customers:
    """accepted, tried: texts by recipient. strange: answered as none of theirs should be.

    is_sending: false ends everybody after their request.
    """

    stage: Stage
    accepted: dict[str, str] = field(default_factory=dict)
    tried: dict[str, str] = field(default_factory=dict)
    requests: int = 0
    unanswered: int = 0
    refused: int = 0
    strange: list[str] = field(default_factory=list)
    is_sending: bool = True
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def live(self) -> None:
        """Send until told to stop."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._send())

    async def _send(self) -> None:
        for turn in itertools.count():
            if not self.is_sending:
                return
            carrier = ("north", "south")[turn % 2]
            # What becomes of a long message in doubt where doubts are held is decided by its segments one by one.
            text = LONG if carrier == "north" and turn % 3 == 0 else SHORT
            numbers = [f"{PREFIXES[carrier]}{next(self._numbers):07d}" for _ in range(3 if turn % 5 == 0 else 1)]
            await self._insist(numbers, text)
            await asyncio.sleep(PAUSE_S)

    async def _insist(self, numbers: list[str], text: str) -> None:
        """One request until it is answered."""
        self.tried.update(dict.fromkeys(numbers, text))
        self.requests += 1
        key = f"drill-{numbers[0]}"
        for _ in range(MOST_TRIES):
            began = time.monotonic()
            try:
                async with asyncio.timeout(ANSWER_S):
                    reply = await self._ask(numbers, text, key)
            except TROUBLE as error:
                self.unanswered += 1
                why = repr(error)
            else:
                if reply.status == ACCEPTED:
                    self._take(reply, numbers, text)
                    return
                self.refused += 1
                why = f"{reply.status} {reply.body[:200].decode(errors='replace')}"
            self.stage.failure = why
            self.stage.failed_at = max(began, self.stage.failed_at)
            await asyncio.sleep(AGAIN_S)

    async def _ask(self, numbers: list[str], text: str, key: str) -> Reply:
        async with Requests(self.stage.callers.port, self.stage.api_key) as requests:
            return await requests.send(numbers, text, key=key)

    def _take(self, reply: Reply, numbers: list[str], text: str) -> None:
        for each in reply.json()["messages"]:
            if each["accepted"]:
                self.accepted[each["to"]] = text
            else:
                self.strange.append(each["to"])
        if len(reply.json()["messages"]) != len(numbers):
            self.strange.append(numbers[0])

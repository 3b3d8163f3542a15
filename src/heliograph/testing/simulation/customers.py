"""Customers: what they submit, and the webhooks that they are told by."""

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from heliograph.core.ids import AccountId
from heliograph.core.messages import Accepted, Channel, IdempotencyKey, Submission
from heliograph.dialects.touchbasepro.wire import Update
from heliograph.net.http import CallFailed, Fetched, HttpAnswer
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.leaping import LeapingClock
from heliograph.testing.simulation.plan import Plan
from heliograph.testing.simulation.process import Process
from heliograph.testing.simulation.witness import Witness

SIZES: Final = (1, 1, 1, 1, 2, 3, 5, 10, 30, 60)
"""Recipients of a submission, one of these."""
PREFIXES: Final = ("2783", "2772", "4477")
LONG: Final = "A text that does not fit into one segment has to be cut, and each of its segments goes its own way. " * 3
LATER_S: Final = (5, 60, 900, 5_400)
FILES: Final = tuple(f"http://cdn.example/{name}.gif" for name in ("there", "there", "slow", "gone"))
REPEATS: Final = 5
_read = msgspec.json.Decoder(Update).decode


class Customers:
    """Everybody who submits. process: the one that runs, None while there is none."""

    def __init__(
        self,
        plan: Plan,
        clock: LeapingClock,
        *,
        witness: Witness,
        accounts: list[AccountId],
        process: Callable[[], Process | None],
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._witness = witness
        self._accounts = accounts
        self._process = process
        self._dice = plan.dice("customers")
        self._numbers = itertools.count(1)
        self._asking: set[asyncio.Task[None]] = set()

    async def live(self) -> None:
        """Submit for ever."""
        mean_s = sum(SIZES) / len(SIZES) / self._plan.rate
        while True:
            await asyncio.sleep(self._dice.expovariate(1 / mean_s))
            task = asyncio.ensure_future(self._ask(self._submission()))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def end(self) -> None:
        """Wait for the last answers."""
        while self._asking:
            await asyncio.wait(self._asking)

    def _submission(self) -> Submission:
        plan, dice = self._plan, self._dice
        number, count, prefix = next(self._numbers), dice.choice(SIZES), dice.choice(PREFIXES)
        recipients = tuple(f"+{prefix}{next(self._numbers):07}" for _ in range(count))
        is_long, is_later, is_mms, is_repeated = (dice.random() < chance for chance in (0.12, 0.05, 0.03, 0.6))
        text = LONG if is_long and plan.has("long") else "Your code is 4711"
        send_at_ms = self._clock.now_ms() + dice.choice(LATER_S) * 1000
        key = IdempotencyKey(f"key {number}", f"digest {number}")
        urls = (dice.choice(FILES),)
        submission = Submission(
            account_id=dice.choice(self._accounts), dialect="touchbasepro", channel=Channel.SMS, text=text,
            recipients=recipients, send_at_ms=send_at_ms if is_later and plan.has("scheduled") else 0,
            idempotency=key if is_repeated and plan.has("repeats") else None,
        )  # fmt: skip
        if is_mms and plan.has("mms"):
            return submission._replace(channel=Channel.MMS, text="Look", media_urls=urls, send_at_ms=0)
        return submission

    async def _ask(self, submission: Submission) -> None:
        """Submit; whoever has a key asks again when no answer comes, as the same request."""
        witness = self._witness
        witness.tried.update(map(str, submission.recipients))
        for _ in range(REPEATS if submission.idempotency else 1):
            process = self._process()
            if process is not None:
                asked = process.ask(process.whole.acceptance.submit(submission))
                await asyncio.wait([asked])
                if not asked.cancelled() and not process.is_dead and self._is_answered(submission, asked):
                    return
            await asyncio.sleep(10.0)

    def _is_answered(self, submission: Submission, asked: "asyncio.Task[object]") -> bool:
        witness = self._witness
        if isinstance(asked.exception(), StoreUnavailable):
            witness.counts["turned away"] += 1
            return False
        answer = asked.result()
        if not isinstance(answer, Accepted):
            witness.counts["refused"] += 1
            return True
        for verdict in answer.verdicts:
            if verdict.message_id is not None and verdict.recipient is not None:
                witness.accepted[verdict.message_id] = submission.account_id, verdict.recipient
                witness.say(f"accepted as {verdict.message_id}", verdict.recipient)
        return True


class Web:
    """Everything that is called over HTTP, in place of the guarded client: webhooks, and files of MMS.

    works: whether webhooks do; has no effect on files.
    """

    def __init__(self, plan: Plan, witness: Witness) -> None:
        self._dice = plan.dice("web")
        self._witness = witness
        self.works = True

    async def post(self, _url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float = 15.0) -> HttpAnswer:
        """A webhook is called."""
        dice, witness = self._dice, self._witness
        await asyncio.sleep(dice.uniform(0.01, 0.5))
        identifier = headers["webhook-id"]
        if witness.bodies.setdefault(identifier, body) != body:
            witness.find(f"delivery {identifier} was called with other bytes than before")
        if not self.works and dice.random() < 0.8:
            if dice.random() < 0.3:
                await asyncio.sleep(timeout_s)
                raise CallFailed("no answer in time", is_passing=True)
            return HttpAnswer(503, {}, "busy")
        self._hear(identifier, body)
        if not self.works:
            # It heard, and nobody learns of it.
            raise CallFailed("the connection was lost", is_passing=True)
        return HttpAnswer(200, {}, "")

    def _hear(self, identifier: str, body: bytes) -> None:
        witness = self._witness
        witness.counts["calls"] += 1
        for event in _read(body).events:
            if isinstance(event.message, str):
                witness.replies_told[event.message] += 1
            else:
                witness.told[f"+{event.number}"].add(str(event.status))
                witness.say(f"told {event.status} by {identifier}", f"+{event.number}")

    async def get(self, url: str, **_bounds: float) -> Fetched:
        """A file is fetched."""
        await asyncio.sleep(self._dice.uniform(0.05, 1.0))
        if "slow" in url and self._dice.random() < 0.5:
            raise CallFailed("answered 503", is_passing=True)
        if "gone" in url:
            raise CallFailed("answered 404")
        return Fetched(200, b"GIF89a", "")

"""One session of a carrier over HTTP: parcels out, as many calls at once as its window, outcomes as they come.

A call that may have left and was not answered leaves its parcel in doubt. Where the carrier knows a call again by a
key, it is made again a few times under the same one first, and the doubt is mostly gone.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog

from heliograph.carriers.backoff import Backoff
from heliograph.carriers.http.answers import outcome_of
from heliograph.carriers.http.caller import Caller, reference_of
from heliograph.carriers.http.lookups import Said
from heliograph.carriers.http.recipe import Sending
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.net.clock import Clock
from heliograph.net.http import Asked, CallFailed
from heliograph.pipeline.ports import SessionFeed

DRAIN_S: Final = 10.0
"""How long answers are waited for when the session is to end."""

AGAIN_S: Final = (1.0, 2.0, 4.0)
"""How long before a call is made again whose end is in doubt."""

_UNREACHED_MS: Final = 1_000
_log = structlog.get_logger(__name__)


class HttpSession:
    """Carries parcels until it is cancelled. taken: is told the carrier's ids of those that it took."""

    def __init__(
        self,
        caller: Caller,
        feed: SessionFeed,
        clock: Clock,
        *,
        backoff: Backoff,
        taken: Callable[[list[str]], None],
    ) -> None:
        self._caller = caller
        self._feed = feed
        self._clock = clock
        self._backoff = backoff
        self._taken = taken
        self._carrying: set[asyncio.Task[None]] = set()
        self._outcomes: list[SubmitOutcome] = []
        self._is_ending = False
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_up = True

    async def run(self) -> None:
        """Take and call; when cancelled, wait for the answers first."""
        taking = asyncio.create_task(self._take_for_ever())
        try:
            await asyncio.wait((taking, self._failed), return_when=asyncio.FIRST_COMPLETED)
            for done in (self._failed, taking):
                if done.done():
                    done.result()
        finally:
            self._is_ending = True
            taking.cancel()
            await asyncio.wait((taking,))
            await self._drain()
            self._feed.close("stopped")

    async def _drain(self) -> None:
        if self._carrying:
            await asyncio.wait(self._carrying, timeout=DRAIN_S)
        for task in self._carrying:
            task.cancel()
        if self._carrying:
            _log.warning("drain timed out", unanswered=len(self._carrying))
            await asyncio.wait(self._carrying)
        self._flush()

    async def _take_for_ever(self) -> None:
        while True:
            if not self.is_up:
                await self._clock.sleep(self._backoff.next_s())
            for parcel in await self._feed.take():
                task = asyncio.create_task(self._carry(parcel))
                self._carrying.add(task)
                task.add_done_callback(self._carried)

    def _carried(self, task: asyncio.Task[None]) -> None:
        self._carrying.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _carry(self, parcel: Parcel) -> None:
        outcome = await self._outcome(parcel)
        if not self._outcomes:
            # What else is answered in this turn is told together with it.
            asyncio.get_running_loop().call_soon(self._flush)
        self._outcomes.append(outcome)

    def _flush(self) -> None:
        outcomes, self._outcomes = self._outcomes, []
        if outcomes:
            self._feed.report(outcomes)
            self._taken([each.carrier_message_id for each in outcomes if isinstance(each, Submitted)])

    async def _outcome(self, parcel: Parcel) -> SubmitOutcome:
        content = parcel.message.content
        sending = self._caller.profile.recipe.sending.get(content.channel)
        if sending is None:
            return Refused(parcel, Reason.NO_ROUTE, f"the recipe sends no {content.channel.name}")
        if len(content.media) > sending.most_media:
            return Refused(parcel, Reason.BAD_MEDIA, f"the carrier takes {sending.most_media} files in a message")
        asked = self._caller.asked_about(sending.form, parcel)
        outcome = await self._tried(parcel, sending, asked)
        if not sending.form.idempotency:
            return outcome
        for wait_s in AGAIN_S:
            if not isinstance(outcome, Ambiguous) or self._is_ending:
                break
            await self._clock.sleep(wait_s)
            again = await self._tried(parcel, sending, asked)
            # That it was not taken this time says nothing of the time before.
            outcome = outcome if isinstance(again, Deferred) else again
        return outcome

    async def _tried(self, parcel: Parcel, sending: Sending, asked: Asked) -> SubmitOutcome:
        try:
            told = await self._caller.call(asked)
        except CallFailed as error:
            self.is_up = False
            if error.may_have_left:
                return Ambiguous(parcel, str(error))
            return Deferred(parcel, _UNREACHED_MS, False, str(error))
        self.is_up = True
        self._backoff.reset()
        said = Said(told.body, status=told.status, own=reference_of(parcel))
        return outcome_of(parcel, sending, said, retry_after=told.retry_after)

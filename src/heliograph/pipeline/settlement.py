"""Commit facts and pass on what came of them: the common end of submit, receive, recover and expire."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from heliograph.core.events import Told
from heliograph.core.ids import AccountId, MessageId
from heliograph.core.settling import ReceiptFact, SegmentFact, Settled
from heliograph.core.states import MessageState
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.notify import Notify
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.settle import SETTLE, SettleRequest

PAUSE_S = 0.5
States = Mapping[tuple[AccountId, MessageId], MessageState]
_log = logging.getLogger(__name__)


class Settlement:
    """Puts facts into the store, in order, and tells `notify` what became of them.

    has_new_doubts: a message was held since somebody looked for receipts that clear its doubt up.
    """

    def __init__(self, desk: Desk, notify: Notify) -> None:
        self.desk = desk
        self._notify = notify
        self.has_new_doubts = False

    def settle(self, facts: list[SegmentFact | ReceiptFact], done: Callable[[States], None]) -> None:
        """Store facts that happened, however long the store takes to come back; then call `done`.

        A fact that cannot be stored at all (a fault of ours) is logged, and its message is found by the recovery of
        the next start.
        """

        def settled(result: Settled | Exception) -> None:
            if isinstance(result, StoreUnavailable):
                asyncio.get_running_loop().call_later(PAUSE_S, self.settle, facts, done)
                return
            if isinstance(result, Exception):
                _log.error("facts could not be stored", exc_info=result, extra={"facts": len(facts)})
                done({})
                return
            self.tell(result)
            done(result.states)

        self._put(facts, settled)

    async def settled(self, facts: Sequence[SegmentFact | ReceiptFact]) -> None:
        """Store facts and wait for it; raises StoreUnavailable."""
        request = SettleRequest(list(facts), self.desk.directory.snapshot.audience)
        self.tell(await ask(self.desk.writer, SETTLE, request))

    def settle_once(self, facts: list[SegmentFact | ReceiptFact], done: Callable[[bool], None]) -> None:
        """Store facts that the other side will tell again if we cannot; `done` hears whether they are stored."""

        def settled(result: Settled | Exception) -> None:
            if isinstance(result, Exception):
                _log.warning("receipts could not be stored", exc_info=result, extra={"facts": len(facts)})
                done(False)
                return
            self.tell(result)
            done(True)

        self._put(facts, settled)

    def tell(self, settled: Settled) -> None:
        """Pass on the events of facts that are committed."""
        self.desk.tally.states.update(settled.entered)
        self.has_new_doubts |= MessageState.HELD in settled.entered
        self._notify.tell(settled.told)

    def tell_replies(self, told: list[Told]) -> None:
        """Pass on what came in from handsets and is committed."""
        self._notify.tell(told)

    def _put(self, facts: list[SegmentFact | ReceiptFact], settled: Callable[[Settled | Exception], None]) -> None:
        self.desk.writer.put(SETTLE, SettleRequest(facts, self.desk.directory.snapshot.audience), settled)

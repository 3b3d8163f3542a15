"""Commit facts and pass on what came of them: the common end of submit, receive, recover and expire."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from heliograph.core.ids import AccountId, MessageId
from heliograph.core.standing import Standing
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.notify import Notify
from heliograph.pipeline.tally import Tally
from heliograph.store.engine import StoreUnavailable, Writer
from heliograph.store.hops.settle import SETTLE, ReceiptFact, SegmentFact, Settled, SettleRequest

PAUSE_S = 0.5
Standings = Mapping[tuple[AccountId, MessageId], Standing]
_log = logging.getLogger(__name__)


class Settlement:
    """Puts facts into the store, in order, and tells `notify` what became of them."""

    def __init__(self, writer: Writer, directory: Directory, notify: Notify, tally: Tally) -> None:
        self._tally = tally
        self._writer = writer
        self._directory = directory
        self._notify = notify

    def settle(self, facts: list[SegmentFact | ReceiptFact], done: Callable[[Standings], None]) -> None:
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
            done(result.standings)

        self._put(facts, settled)

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
        self._tally.states.update(settled.entered)
        self._notify.tell(settled.told)

    def _put(self, facts: list[SegmentFact | ReceiptFact], settled: Callable[[Settled | Exception], None]) -> None:
        self._writer.put(SETTLE, SettleRequest(facts, self._directory.snapshot.told), settled)

"""One phone line of a SIP carrier: takes a message, calls, takes the next."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from heliograph.carriers.sip.conversation import Conversation, Switchboard, Unreachable
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Deferred
from heliograph.pipeline.ports import SessionFeed

DRAIN_S: Final = 15.0
"""How long a call may go on when the line is to end."""


class TrunkLine:
    """A line's life while the carrier can be reached. calls: how many got through to the carrier."""

    def __init__(self, board: Switchboard, session: SessionFeed) -> None:
        self._board = board
        self._session = session
        self._stopping = asyncio.Event()
        self.calls = 0

    async def run(self) -> str:
        """Call until the carrier cannot be reached, and say why. Cancelled, it lets a call in progress end in time."""
        why = "stopped"
        try:
            while True:
                await self._carry(await self._session.take())
        except Unreachable as error:
            why = str(error)
            return why
        finally:
            self._session.close(why)

    async def _carry(self, parcels: list[Parcel]) -> None:
        """A call for each, one after the other. A line has a window of one, so there is one."""
        waiting = list(parcels)
        try:
            while waiting:
                parcel = waiting.pop(0)
                conversation = Conversation(self._board, self._session, parcel, stopping=self._stopping)
                await self._finish(conversation.hold())
                self.calls += 1
        finally:
            if waiting:
                self._session.report([Deferred(parcel, 0, False, "the line has ended") for parcel in waiting])

    async def _finish(self, conversation: Coroutine[Any, Any, None]) -> None:
        """Hold a conversation; when cancelled, for as long as it may still take."""
        holding = asyncio.create_task(conversation)
        try:
            await asyncio.shield(holding)
        except asyncio.CancelledError:
            self._stopping.set()
            await asyncio.wait((holding,), timeout=DRAIN_S)
            holding.cancel()
            with suppress(asyncio.CancelledError, Unreachable):
                # Its own end: this line's comes next.
                await asyncio.wait((holding,))
                holding.result()
            raise

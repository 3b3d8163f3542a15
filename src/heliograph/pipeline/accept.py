"""Accept: decide on a submission, store what passes, answer after the commit.

The decisions are `core`'s; what is stored, held and answered belongs to one transaction. Messages that fit in
memory are handed to dispatch as soon as they are committed; the others wait in the store. What cannot be stored within
a second or two is refused: `lobby` has it until then.
"""

import asyncio

from heliograph.core.ids import AccountId
from heliograph.core.messages import Accepted, Overtaken, Refusal, Submission
from heliograph.core.reasons import FORBIDDING, Reason
from heliograph.pipeline.answers import replayed
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.drafting import RETRY_AFTER_S, Draft, Drafting, Lines, Terms
from heliograph.pipeline.lobby import Lobby
from heliograph.store.engine import ask
from heliograph.store.hops.accept import ACCEPT, AcceptResult, KeyReused, NotEnough, Replay, Stored


class Acceptance:
    """The door of every dialect. One for each process."""

    def __init__(self, desk: Desk, *, lines: Lines, terms: Terms) -> None:
        self._directory = desk.directory
        self._writer = desk.writer
        self._lines = lines
        self._tally = desk.tally
        self._drafting = Drafting(desk, lines=lines, terms=terms)
        self.draft = self._drafting.draft
        self._loop: asyncio.AbstractEventLoop | None = None
        self._running: set[tuple[AccountId, str]] = set()
        self._lobby = Lobby(desk.clock, desk.spawn)

    async def submit(self, submission: Submission) -> Accepted | Refusal:
        """Decide, store, answer. Raises StoreUnavailable when nothing can be stored."""
        place = submission.account_id, len(submission.recipients)
        passed = self._lobby.enter(*place) or await self._lobby.wait(*place)
        if passed is None:
            self._tally.refused[Reason.OVERLOADED] += 1
            return Refusal(Reason.OVERLOADED, RETRY_AFTER_S)
        try:
            return await self._let_in(submission)
        finally:
            self._lobby.leave(passed)

    async def _let_in(self, submission: Submission) -> Accepted | Refusal:
        key = submission.idempotency and (submission.account_id, submission.idempotency.key)
        if key:
            if key in self._running:
                return Refusal(Reason.KEY_IN_USE)
            self._running.add(key)
        try:
            answer = await self.expand(submission)
        finally:
            if key:
                self._running.discard(key)
        assert not isinstance(answer, Overtaken), "only a stage of a broadcast can be overtaken"
        return answer

    async def expand(self, submission: Submission) -> Accepted | Refusal | Overtaken:
        """As `submit`, for a stage of a broadcast: its place moves with the messages, or neither is written."""
        answer = await self._decide(submission)
        if type(answer) is Refusal:
            self._tally.refused[answer.reason] += 1
        return answer

    async def check(self, submission: Submission) -> Refusal | None:
        """Why a submission would be refused whoever its recipients are; None when it would not. Nothing is stored."""
        if not self._carries(submission) and await self._directory.is_stale():
            await self._directory.load()
        draft = await self._fresh_draft(submission._replace(recipients=("",)))
        if isinstance(draft, Refusal):
            return draft
        return None if self._carries(submission) else Refusal(Reason.NO_ROUTE)

    def _carries(self, submission: Submission) -> bool:
        return self._directory.snapshot.routing.carries(submission.channel)

    async def _fresh_draft(self, submission: Submission) -> Draft | Refusal:
        draft = self.draft(submission)
        if _may_be_stale(draft) and await self._directory.is_stale():
            await self._directory.load()
            draft = self.draft(submission)
        return draft

    async def _decide(self, submission: Submission) -> Accepted | Refusal | Overtaken:
        draft = await self._fresh_draft(submission)
        if type(draft) is Refusal:
            return draft
        assert isinstance(draft, Draft)
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        result = await ask(self._writer, ACCEPT, draft.request, loop=self._loop)
        return self._answer(draft, result)

    def _answer(self, draft: Draft, result: AcceptResult) -> Accepted | Refusal | Overtaken:
        match result:
            case Stored(available=available):
                self._tally.submissions += 1
                self._tally.accepted += len(draft.messages)
                if not draft.request.waits:
                    self._lines.hand_over(draft.messages)
                elif not draft.request.send_at_ms:
                    self._share_out(draft)
                sender, send_at_ms = draft.request.sender, draft.request.send_at_ms
                return Accepted(draft.submission_id, draft.verdicts, available, False, sender, send_at_ms)
            case NotEnough():
                return Refusal(Reason.NO_FUNDS, price=draft.request.cost)
            case Replay(answer=answer, available=available):
                return replayed(answer, available)
            case KeyReused():
                return Refusal(Reason.KEY_REUSED)
            case Overtaken():
                return result

    def _share_out(self, draft: Draft) -> None:
        """Some of the messages are ours; the others wait in the store, and their carriers' processes are told."""
        rows = draft.request.messages
        self._lines.note_waiting(sum(not row.owner for row in rows))
        if self._lines.share.is_whole:
            return
        mine = [message for message, row in zip(draft.messages, rows, strict=True) if row.owner]
        if mine:
            self._lines.hand_over(mine)
        self._lines.share.tell({row.carrier_id for row in rows if not row.owner})


_CHANGEABLE = FORBIDDING | {Reason.SUSPENDED}


def _may_be_stale(draft: Draft | Refusal) -> bool:
    """Whether a "no" could turn into a "yes" by what was set up a moment ago."""
    if type(draft) is Refusal:
        return draft.reason in _CHANGEABLE
    assert isinstance(draft, Draft)
    return not draft.messages and any(verdict.reason is Reason.NO_ROUTE for verdict in draft.verdicts)

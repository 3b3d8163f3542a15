"""Messages: looked at, traced, cancelled, and settled by hand when nobody knows what became of them."""

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from heliograph.core.events import Event, Told
from heliograph.core.ids import AccountId, MessageId, id_and_mark
from heliograph.core.listing import Listing
from heliograph.core.messages import Report
from heliograph.core.reasons import Reason
from heliograph.core.standing import Ended, Reported, Standing, apply
from heliograph.core.states import MessageState
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, the_account
from heliograph.services.refused import Refused
from heliograph.store import accounts, messages, numbers, reports, webhooks
from heliograph.store.connection import Connection
from heliograph.store.directory import ToldOf, audience_of
from heliograph.store.engine import Store
from heliograph.store.messages import AttemptRow, EventRow, MessageView

STRETCH = 5_000
"""Messages looked at in one read, so that no reader stays long."""

_S = MessageState
_ENDS = {
    _S.REJECTED: Reason.CARRIER_REFUSED,
    _S.FAILED: Reason.RETRIES_EXHAUSTED,
    _S.CANCELLED: Reason.CANCELLED,
    _S.UNKNOWN: Reason.NO_RECEIPT,
}
_REPORTS = (_S.DELIVERED, _S.UNDELIVERED, _S.EXPIRED)
RESOLUTIONS = (*_REPORTS, *_ENDS)
"""What a held message can be resolved as. The first three say that the carrier had it, so its price is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """A message and everything that is known of its way."""

    message: MessageView
    events: tuple[EventRow, ...]
    attempts: tuple[AttemptRow, ...]


class Messages:
    """Looking at messages, and the changes people make to one. told: see `store.directory`."""

    def __init__(self, store: Store, clock: Clock, *, told: ToldOf, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)
        self._told = told

    async def show(self, account_id: AccountId, message_id: MessageId) -> MessageView | None:
        """A message of an account."""
        async with self._store.reading() as connection:
            return await messages.find(connection, account_id, message_id=message_id)

    async def find(self, written: str) -> MessageView:
        """The message that any id shown to anybody names; refused when there is none."""
        async with self._store.reading() as connection:
            return await _named(connection, written)

    async def list(
        self, *, state: MessageState | None = None, account_name: str | None = None, limit: int = 50
    ) -> tuple[MessageView, ...]:
        """Up to `limit` messages in a state, of one account or of all, newest first."""
        async with self._store.reading() as connection:
            chosen = (
                await accounts.every(connection)
                if account_name is None
                else [await the_account(connection, account_name)]
            )
        found: list[MessageView] = []
        for account in chosen:
            found += await self._newest(account.account_id, state=state, limit=limit)
        return tuple(heapq.nlargest(limit, found, key=lambda message: message.message_id))

    async def _newest(self, account_id: AccountId, *, state: MessageState | None, limit: int) -> Sequence[MessageView]:
        stretch = STRETCH if state is not None else min(STRETCH, limit)
        found: list[MessageView] = []
        below: MessageId | None = None
        while len(found) < limit:
            async with self._store.reading() as connection:
                page = await messages.page(connection, account_id, below=below, state=state, stretch=stretch)
            found += page.messages
            below = page.go_on
            if below is None:
                break
        return found[:limit]

    async def report(self, account_id: AccountId, message_id: MessageId) -> Report | None:
        """A message of an account, in either direction."""
        async with self._store.reading() as connection:
            return await reports.find(connection, account_id, message_id=message_id)

    async def reports(self, account_id: AccountId, *, page: int, per_page: int) -> Listing[Report]:
        """A page (from 1) of an account's messages in both directions, newest first; see `store.reports.MOST`."""
        async with self._store.reading() as connection:
            return await reports.page(connection, account_id, start=(page - 1) * per_page, most=per_page)

    async def trace(self, written: str) -> Trace:
        """A message by any id, its history and its tries."""
        async with self._store.reading() as connection:
            message = await _named(connection, written)
            account_id, message_id = message.account_id, message.message_id
            return Trace(
                message=message,
                events=tuple(await messages.events_of(connection, account_id, message_id=message_id)),
                attempts=tuple(await messages.attempts_of(connection, account_id, message_id=message_id)),
            )

    async def cancel(self, written: str) -> MessageView:
        """End a message that has not left; its price is released. Refused once it is on its way."""
        return await self._settle(written, action="message.cancel", end=_cancelled)

    async def resolve(self, written: str, state: MessageState) -> MessageView:
        """Say what became of a held message, one of `RESOLUTIONS`; webhooks are told as after a receipt."""
        if state not in RESOLUTIONS:
            raise Refused(f"A message is resolved as {', '.join(each.word for each in RESOLUTIONS)}.")
        return await self._settle(written, action="message.resolve", end=lambda standing: _resolved(standing, state))

    async def _settle(self, written: str, *, action: str, end: Callable[[Standing], Standing]) -> MessageView:
        message = await self.find(written)
        account_id, message_id = message.account_id, message.message_id
        async with self._store.writing() as connection:
            before = await messages.standing_of(connection, account_id, message_id=message_id)
            if before is None:
                raise _no_message(written)
            after = end(before)
            now_ms = self._log.now_ms()
            told = await self._listeners(connection, after, now_ms=now_ms)
            if not await messages.settle(connection, before, after=after, told=told, detail="by hand", now_ms=now_ms):
                raise Refused("The message moved on just now; look at it again.")
            if message.send_at_ms:
                await messages.let_wait_no_longer(
                    connection, account_id, message_id=message_id, due_ms=message.send_at_ms
                )
            await self._log.note(connection, action, subject=str(message.message_id), state=after.state.word)
            settled = await messages.find(connection, account_id, message_id=message_id)
        assert settled is not None
        return settled

    async def _listeners(self, connection: Connection, after: Standing, *, now_ms: int) -> Sequence[Told]:
        account_id, state = after.account_id, after.state
        listening = await webhooks.every(connection, account_id)
        number = await numbers.numbered(connection, account_id, after.sender)
        audience = audience_of(listening, {after.sender: number} if number else {}, self._told)
        event = Event(account_id, after.message_id, state, now_ms, after.recipient, after.reference)
        return [Told(webhook_id, event) for webhook_id in audience.wanting(account_id, after.sender, state)]


def _cancelled(before: Standing) -> Standing:
    if before.state not in (_S.SCHEDULED, _S.QUEUED):
        raise Refused(f"The message is {before.state.word}: only one that is scheduled or queued can be cancelled.")
    return apply(before, Ended(_S.CANCELLED, Reason.CANCELLED))


def _resolved(before: Standing, state: MessageState) -> Standing:
    if before.state is not _S.HELD:
        raise Refused(f"The message is {before.state.word}: only one that is held can be resolved.")
    if state in _ENDS:
        return apply(before, Ended(state, _ENDS[state]))
    after = before
    while not after.state.is_terminal:
        after = apply(after, Reported(state, taken=after.accepted < after.segments))
    return after


async def _named(connection: Connection, written: str) -> MessageView:
    plain = written.strip().replace("-", "").lower()
    message: MessageView | None = None
    shown = id_and_mark(plain)
    if shown is not None:
        account = await accounts.marked(connection, shown[1])
        if account is not None:
            message = await messages.find(connection, account.account_id, message_id=MessageId(shown[0]))
    elif plain.isascii() and plain.isdecimal() and len(plain) <= 18:
        for account_id in await messages.owners_of(connection, MessageId(int(plain))):
            message = await messages.find(connection, account_id, message_id=MessageId(int(plain)))
    if message is None and (key := await reports.shown_as(connection, plain)) is not None:
        message = await messages.find(connection, key[0], message_id=key[1])
    if message is None:
        raise _no_message(written)
    return message


def _no_message(written: str) -> Refused:
    return Refused(f"There is no message {written!r}: an id is a number, or 13 or 32 digits and letters from a to f.")

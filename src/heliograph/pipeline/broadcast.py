"""Broadcast: expand broadcasts into messages, a page of contacts at a time.

A page is read behind the broadcast's place. Piece by piece it is merged with the text and submitted like any other
submission; the messages of a piece and the new place are committed together. So whatever was in hand when the process
ended is read again, or was committed and is passed over: nobody gets two messages or none. Nothing of a broadcast but
the page is in memory.

Accounts take turns by the page, and the broadcasts of an account in their turn. An account has no turn while enough of
its messages are queued, and nobody while memory or the store hold so much that others could be refused. What an account
lacks, credits or the right to send, makes its broadcasts pause, and so does a channel that no carrier has; each of them
is tried again every few seconds.
"""

import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple, Protocol

from heliograph.core.broadcasts import Broadcast, BroadcastState
from heliograph.core.contacts import Contact
from heliograph.core.ids import AccountId, ContactId
from heliograph.core.messages import Accepted, Overtaken, Refusal, Stage, Submission
from heliograph.core.reasons import Reason
from heliograph.core.templates import Template
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.drafting import Terms
from heliograph.store import broadcasts, contacts, ready
from heliograph.store.broadcasts import Key, Place
from heliograph.store.connection import Connection
from heliograph.store.contacts import Stretch
from heliograph.store.engine import StoreFailed, StoreUnavailable

PAGE = 500
"""Contacts that are read together."""

PIECE = 100
"""Contacts that are submitted together: enough for one commit, few enough that others' submissions need not wait."""

AT_ONCE, FULL_S, LOOK_S = 0.0, 0.1, 0.25
"""Waits between two rounds: none, until there is room, until there may be something new."""

RETRY_S = 10.0

ACCOUNT_SHARE = 0.04
"""Of the messages that memory may hold: what an account has queued, so that no carrier waits for the next round."""

MEMORY_SHARE, STORE_SHARE = 0.5, 0.5
"""Of the messages that memory, and the store, may hold: the rest is for other submissions."""

_log = logging.getLogger(__name__)


class Room(Protocol):
    """`dispatch.Dispatch`: what memory and the store hold."""

    @property
    def in_memory(self) -> int:
        """Messages in memory."""
        ...

    @property
    def waiting(self) -> int:
        """Messages in the store that are due soon."""
        ...

    def queued_of(self, account_id: AccountId) -> int:
        """An account's messages that no session has taken yet."""
        ...


class Accepts(Protocol):
    """`accept.Acceptance`."""

    async def expand(self, submission: Submission) -> Accepted | Refusal | Overtaken:
        """Decide, store, answer; the place moves with the messages."""
        ...


class Page(NamedTuple):
    """Contacts behind a broadcast's place, and the place behind them. There may be none, and still more to come."""

    contacts: Sequence[Contact]
    upto: Place


class Expansion:
    """Expands the broadcasts of a process that serves."""

    def __init__(self, desk: Desk, *, acceptance: Accepts, room: Room, terms: Terms) -> None:
        self._desk = desk
        self._acceptance = acceptance
        self._room = room
        self._most_queued = terms.most_in_memory * ACCOUNT_SHARE
        self._most_in_memory = terms.most_in_memory * MEMORY_SHARE
        self._most_in_store = terms.most_in_store * STORE_SHARE
        self._tried_at: dict[Key, float] = {}
        self._rounds = 0

    async def follow(self) -> None:
        """Expand what is due; for ever."""
        while True:
            try:
                wait_s = await self.round()
            except StoreUnavailable:
                wait_s = LOOK_S
            if wait_s:
                await self._desk.clock.sleep(wait_s)

    async def round(self) -> float:
        """Expand a page for each account that has a broadcast; how many seconds later there may be more to do."""
        return min([await self._expand(key) for key in await self._turns()], default=LOOK_S)

    def _has_room(self, account_id: AccountId) -> bool:
        room = self._room
        return (
            room.queued_of(account_id) < self._most_queued
            and room.in_memory < self._most_in_memory
            and room.waiting < self._most_in_store
        )

    async def _is_others_full(self, connection: Connection) -> bool:
        """Whether enough messages wait for the processes that hold their carriers."""
        most = max(PAGE, int(self._most_queued))
        return await ready.count(connection, before_ms=self._desk.clock.now_ms(), most=most) == most

    async def _turns(self) -> list[Key]:
        """The broadcast of each account whose turn it is; one that pauses has a turn when it is tried again."""
        async with self._desk.store.reading() as connection:
            due = await broadcasts.due(connection, at_ms=self._desk.clock.now_ms())
        now = self._desk.clock.monotonic()
        paused = {(account_id, each) for account_id, each, state in due if state is BroadcastState.PAUSED}
        self._tried_at = {key: at for key, at in self._tried_at.items() if key in paused}
        ready = sorted(
            (account_id, each)
            for account_id, each, _ in due
            if now - self._tried_at.get((account_id, each), -RETRY_S) >= RETRY_S
        )
        self._rounds += 1
        turns = []
        for _, its in groupby(ready, key=lambda key: key[0]):
            keys = list(its)
            turns.append(keys[self._rounds % len(keys)])
        return turns

    # One page ------------------------------------------------------------------------------------------------------

    async def _expand(self, key: Key) -> float:
        """Expand the next page of a broadcast; how many seconds later there may be more to do."""
        if key[0] not in self._desk.directory.snapshot.accounts:
            # It was made a moment ago.
            return LOOK_S
        if not self._has_room(key[0]):
            return FULL_S
        async with self._desk.store.reading() as connection:
            if self._desk.store.is_shared and await self._is_others_full(connection):
                return FULL_S
            stood = await broadcasts.find(connection, *key)
            if stood is None or stood.state.is_over:
                return LOOK_S
            page = await _page(connection, stood)
        if page is not None:
            self._desk.reach("broadcast.read")
            if page.contacts:
                return await self._take(stood, page)
        async with self._desk.store.writing() as connection:
            if page is not None:
                await broadcasts.move(connection, stood, upto=page.upto)
            else:
                await broadcasts.finish(connection, stood, now_ms=self._desk.clock.now_ms())
        return AT_ONCE

    async def _take(self, stood: Broadcast, page: Page) -> float:
        """Submit a page piece by piece, as far as there is room; how many seconds later there may be more to do."""
        clock = self._desk.clock
        if not self._desk.directory.snapshot.routing.carries(stood.channel):
            # Everybody would be refused for want of a carrier, which may be back soon.
            await self._pause(stood, Reason.NO_ROUTE)
            return LOOK_S
        for piece in _pieces(page, stood.place[0]):
            if not self._has_room(stood.account_id):
                return FULL_S
            began = clock.monotonic()
            reached = await self._submit(stood, piece)
            self._desk.reach("broadcast.moved")
            if reached != piece.upto:
                return LOOK_S if reached is None else AT_ONCE
            stood = stood._replace(place=reached)
            if took_s := clock.monotonic() - began:
                # As long as it took, others come first.
                await clock.sleep(took_s)
        return AT_ONCE

    async def _submit(self, stood: Broadcast, page: Page) -> Place | None:
        """Submit a page or a piece of one; the place that was reached, None when nobody was sent to."""
        try:
            answer = await self._acceptance.expand(submission_of(stood, page))
        except StoreFailed:
            # The page would fail again: somebody has to look, while everything else goes on.
            _log.exception("a page of broadcast %s cannot be stored", stood.broadcast_id)
            answer = Refusal(Reason.INTERNAL)
        if not isinstance(answer, Refusal):
            # What is overtaken was cancelled.
            return page.upto if isinstance(answer, Accepted) else None
        if answer.reason is Reason.OVERLOADED:
            return None
        if answer.reason is Reason.NO_FUNDS and len(page.contacts) > 1:
            # The credits may do for some of them.
            some = page.contacts[: len(page.contacts) // 2]
            return await self._submit(stood, Page(some, (stood.place[0], some[-1].contact_id)))
        await self._pause(stood, answer.reason)
        return None

    async def _pause(self, stood: Broadcast, reason: Reason) -> None:
        self._tried_at[stood.account_id, stood.broadcast_id] = self._desk.clock.monotonic()
        if (stood.state, stood.reason) != (BroadcastState.PAUSED, reason):
            async with self._desk.store.writing() as connection:
                await broadcasts.pause(connection, stood, reason=reason)


async def _page(connection: Connection, stood: Broadcast) -> Page | None:
    """The next page of a broadcast; None when its last group has no more contacts."""
    number, last_id = stood.place
    if number >= len(stood.groups):
        return None
    within = Stretch(stood.account_id, stood.groups[number], ContactId(last_id), ContactId(stood.broadcast_id))
    found, go_on = await contacts.stretch(connection, within, most=PAGE, not_in=stood.groups[:number])
    return Page(found, (number, go_on) if go_on is not None else (number + 1, 0))


def _pieces(page: Page, number: int) -> Iterator[Page]:
    """The contacts of a page as they are submitted together; the last piece ends where the page does.

    number: of their group.
    """
    found, upto = page
    for start in range(0, len(found), PIECE):
        some = found[start : start + PIECE]
        yield Page(some, (number, some[-1].contact_id) if start + PIECE < len(found) else upto)


def submission_of(stood: Broadcast, page: Page) -> Submission:
    """A page of a broadcast as accept takes it."""
    template = Template(stood.text)
    return Submission(
        account_id=stood.account_id,
        dialect=stood.dialect,
        channel=stood.channel,
        text=stood.text,
        recipients=[contact.msisdn for contact in page.contacts],
        sender=stood.sender,
        media_urls=stood.media_urls,
        texts=tuple(map(template.merge, page.contacts)) if template.merge_fields else (),
        traits=stood.traits,
        stage=Stage(stood.broadcast_id, stood.place, page.upto),
    )

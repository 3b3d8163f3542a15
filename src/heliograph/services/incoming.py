"""Incoming messages: looked at, and told again to the webhooks that want them now."""

import heapq
from collections.abc import Sequence

from heliograph.core.directory import Webhook
from heliograph.core.events import Audience
from heliograph.core.ids import AccountId, MessageId
from heliograph.core.replies import NOBODY
from heliograph.core.states import MessageState
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, the_account
from heliograph.services.refused import Refused
from heliograph.store import accounts, incoming, numbers, reports, webhooks
from heliograph.store.connection import Connection
from heliograph.store.directory import ToldOf, audience_of
from heliograph.store.engine import Store
from heliograph.store.incoming import IncomingView

STRETCH = 5_000
"""Messages looked at in one read, so that no reader stays long."""

PAGE = 500
"""Messages that one transaction has told again at most."""


class IncomingMessages:
    """What came in from handsets. told: see `store.directory`.

    The operator sees everything, also what is nobody's; a message is told to its own account's webhooks only.
    """

    def __init__(self, store: Store, clock: Clock, *, told: ToldOf, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)
        self._told = told

    async def list(
        self, *, account_name: str | None = None, number: str | None = None, limit: int = 50
    ) -> tuple[IncomingView, ...]:
        """Up to `limit` messages of one account or of all and nobody, to one number or to any, newest first."""
        digits = None if number is None else number_from(number)
        async with self._store.reading() as connection:
            chosen = (
                await _everybody(connection)
                if account_name is None
                else [(await the_account(connection, account_name)).account_id]
            )
        found: list[IncomingView] = []
        for account_id in chosen:
            found += await self._newest(account_id, number=digits, limit=limit)
        return tuple(heapq.nlargest(limit, found, key=lambda message: message.incoming_id))

    async def _newest(self, account_id: AccountId, *, number: str | None, limit: int) -> Sequence[IncomingView]:
        stretch = STRETCH if number is not None else min(STRETCH, limit)
        found: list[IncomingView] = []
        below: MessageId | None = None
        while len(found) < limit:
            async with self._store.reading() as connection:
                page = await incoming.page(connection, account_id, below=below, number=number, stretch=stretch)
            found += page.messages
            below = page.go_on
            if below is None:
                break
        return found[:limit]

    async def named(self, written: Sequence[str]) -> Sequence[MessageId]:
        """The ids of messages as they are listed, or as they were shown to their accounts (13 digits and letters)."""
        async with self._store.reading() as connection:
            return [await _named(connection, each) for each in dict.fromkeys(written)]

    async def show(self, incoming_id: MessageId) -> IncomingView:
        """A message by its id; refused when there is none."""
        async with self._store.reading() as connection:
            return await _the_message(connection, incoming_id)

    async def replay(self, incoming_ids: Sequence[MessageId]) -> int:
        """Tell messages (again) to the webhooks that want them now; how many messages have any.

        Refused, and nothing is told, when one of them is nobody's or no webhook wants to hear of any.
        """
        if len(incoming_ids) > PAGE:
            raise Refused(f"At most {PAGE} messages can be named at once.")
        async with self._store.writing() as connection:
            messages = [await _the_message(connection, each) for each in incoming_ids]
            for message in messages:
                if message.account_id == NOBODY:
                    raise Refused(f"Message {message.incoming_id} is nobody's: there is no webhook to tell.")
            count = await self._tell(connection, messages)
            if not count:
                raise Refused("No webhook of their accounts wants to hear of these messages.")
        return count

    async def replay_untold(self, number: str) -> int:
        """Tell what came to a number and no webhook has heard of; how many messages. Refused for an unknown number."""
        digits = number_from(number)
        async with self._store.reading() as connection:
            found = await numbers.find(connection, f"+{digits}")
            account_id = None if found is None else (await the_account(connection, found.account)).account_id
        if account_id is None:
            raise Refused(f"No account has the number {number}; name the messages by their ids.")
        count = 0
        below: MessageId | None = None
        while True:
            async with self._store.writing() as connection:
                page = await incoming.page(
                    connection, account_id, below=below, number=digits, is_untold=True, stretch=PAGE
                )
                count += await self._tell(connection, page.messages)
            below = page.go_on
            if below is None:
                return count

    async def _tell(self, connection: Connection, messages: Sequence[IncomingView]) -> int:
        """Leave messages in the outbox for their own accounts' webhooks; how many are wanted by any."""
        count = 0
        audiences: dict[AccountId, Audience] = {}
        for message in messages:
            account_id = message.account_id
            audience = audiences.get(account_id)
            if audience is None:
                audience = audiences[account_id] = await self._audience(connection, account_id)
            hearing = audience.wanting(account_id, message.recipient, MessageState.RECEIVED)
            if hearing:
                await incoming.tell(connection, message, hearing, now_ms=self._log.now_ms())
                await self._log.note(connection, "incoming.replay", subject=str(message.incoming_id))
                count += 1
        return count

    async def _audience(self, connection: Connection, account_id: AccountId) -> Audience:
        listening: Sequence[Webhook] = await webhooks.every(connection, account_id)
        owned = await numbers.of_account(connection, account_id)
        return audience_of(listening, {numbers.digits_of(each.msisdn): each for each in owned}, self._told)


def number_from(written: str) -> str:
    """The digits of a number or a short code; raises Refused for anything else.

    >>> number_from("+27 83 123 4567"), number_from("27600")
    ('27831234567', '27600')
    """
    digits = "".join(each for each in written.strip().removeprefix("+") if each not in " -.()")
    if not (digits.isascii() and digits.isdecimal()):
        raise Refused(f"{written!r} is not a number: write it with its country's code, such as +27831234567.")
    return digits


async def _everybody(connection: Connection) -> list[AccountId]:
    return [NOBODY, *(account.account_id for account in await accounts.every(connection))]


async def _named(connection: Connection, written: str) -> MessageId:
    plain = written.strip().lower()
    is_number = plain.isascii() and plain.isdecimal() and len(plain) <= 18
    if is_number and await incoming.numbered(connection, MessageId(int(plain)), among=await _everybody(connection)):
        return MessageId(int(plain))
    key = await reports.shown_as(connection, plain, came=True)
    if key is None:
        raise _no_message(written)
    return key[1]


def _no_message(written: object) -> Refused:
    return Refused(f"There is no incoming message {written}; `heliograph incoming list` shows them.")


async def _the_message(connection: Connection, incoming_id: MessageId) -> IncomingView:
    found = await incoming.numbered(connection, incoming_id, among=await _everybody(connection))
    if found is None:
        raise _no_message(incoming_id)
    return found

"""Send a message from the command line, or say what would become of one: the same door as every dialect's.

Works whether or not a server runs: messages are stored for whoever serves, not handed over in memory.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple
from zoneinfo import ZoneInfo

from heliograph.core.directory import Account, Snapshot
from heliograph.core.ids import NODES, AccountId, CarrierId, IdSource, first_at
from heliograph.core.messages import NO_TRAITS, Accepted, Channel, Message, Refusal, Submission, Traits, Verdict
from heliograph.core.reasons import Reason
from heliograph.core.schedule import send_at_ms
from heliograph.gsm.segments import Encoding, count_segments
from heliograph.net.clock import Clock
from heliograph.pipeline.accept import Acceptance
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.drafting import Draft, Terms
from heliograph.pipeline.share import Everything, Share
from heliograph.services.refused import Refused
from heliograph.store import owners
from heliograph.store.directory import ToldOf
from heliograph.store.engine import Store

NODE = NODES - 1
"""Ids made by commands never meet those of a server. Each command's are above those of the ones before it; those of
two at once are apart by chance."""

DIALECT = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nowhere:
    """Lines of a process that only stores: nothing fits in its memory."""

    owner: int = 0
    in_memory: int = 0
    waiting: int = 0
    share: Share = Everything()  # noqa: RUF009 (it holds nothing that could change)

    def queued_of(self, _account_id: AccountId) -> int:
        """Nothing."""
        return 0

    def note_waiting(self, _messages: int) -> None:
        """The processes that serve count them."""

    def hand_over(self, messages: list[Message]) -> None:
        """Never called: whatever is accepted waits in the store."""
        raise AssertionError(f"{len(messages)} messages were handed to a process that serves nobody")


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What would become of one message. carriers: in the order to be tried. price: micro-credits for all segments."""

    sender: str
    encoding: Encoding
    segments: int
    carriers: tuple[str, ...]
    price: int
    verdict: Verdict


class Order(NamedTuple):
    """What somebody wants sent. send_at: when, as written (see `core.schedule`); None for at once."""

    recipients: tuple[str, ...]
    text: str
    sender: str | None = None
    channel: Channel = Channel.SMS
    media_urls: tuple[str, ...] = ()
    send_at: str | None = None
    traits: Traits = NO_TRAITS


class Sent(NamedTuple):
    """What became of a submission, and whose it is."""

    account: Account
    answer: Accepted | Refusal


class Sending:
    """Sends for one account. told: see `store.directory`."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        told: ToldOf,
        terms: Terms,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._random_bytes = random_bytes
        self._store = store
        self._clock = clock
        self._directory = Directory(store, clock, told)
        self._terms = terms

    async def send(self, account_name: str, order: Order) -> Sent:
        """Store a submission; raises Refused when there is no such account."""
        account = await self._account(account_name)
        async with self._store.reading() as connection:
            last_id = await owners.last_id_of(connection, account.account_id)
        return Sent(account, await self._acceptance(last_id).submit(_submission(account, order)))

    async def submission_of(self, account_name: str, order: Order) -> Submission:
        """What accept would be asked; raises Refused when there is no such account."""
        return _submission(await self._account(account_name), order)

    async def check(self, submission: Submission) -> Refusal | None:
        """Why a submission would be refused whoever its recipients are; nothing is stored."""
        await self._directory.load()
        return await self._acceptance().check(submission)

    async def explain(self, account_name: str, order: Order) -> Explanation | Refusal:
        """What would become of a message to the first recipient; nothing is stored."""
        account = await self._account(account_name)
        draft = self._acceptance().draft(_submission(account, order))
        if isinstance(draft, Refusal):
            return draft
        return _explanation(draft, order.text, self._directory.snapshot)

    async def _account(self, name: str) -> Account:
        await self._directory.load()
        for account in self._directory.snapshot.accounts.values():
            if account.name == name:
                return account
        raise Refused(f"There is no account named {name!r}; `heliograph account list` shows them.")

    def _acceptance(self, last_id: int = 0) -> Acceptance:
        desk = Desk(
            directory=self._directory,
            store=self._store,
            writer=self._store.turn_writer(),
            ids=IdSource(NODE, last=max(last_id, first_at(self._clock.now_ms() + self._random_bytes(1)[0]))),
            clock=self._clock,
            owner=0,
        )
        return Acceptance(desk, lines=Nowhere(), terms=self._terms)


def _submission(account: Account, order: Order) -> Submission:
    return Submission(
        account_id=account.account_id,
        dialect=DIALECT,
        channel=order.channel,
        text=order.text,
        recipients=order.recipients,
        sender=order.sender,
        media_urls=order.media_urls,
        send_at_ms=_send_at_ms(account, order.send_at),
        traits=order.traits,
    )


def _send_at_ms(account: Account, written: str | None) -> int:
    """A time without offset is one in the account's time zone."""
    if written is None:
        return 0
    at_ms = send_at_ms(written, ZoneInfo(account.time_zone))
    if at_ms is None:
        reason = Reason.BAD_TIME
        raise Refused(f"{reason.sentence} {reason.advice}")
    return at_ms


def _explanation(draft: Draft, text: str, snapshot: Snapshot) -> Explanation:
    plan: tuple[CarrierId, ...] = draft.messages[0].plan if draft.messages else ()
    content = draft.messages[0].content if draft.messages else draft.content
    # Nobody gets it: then it is told how it would be for anybody.
    encoding, segments = (content.encoding, len(content.segments)) if content else count_segments(text)
    return Explanation(
        sender=draft.request.sender,
        encoding=encoding,
        segments=segments,
        carriers=tuple(snapshot.carriers[carrier_id].name for carrier_id in plan),
        price=draft.request.cost,
        verdict=draft.verdicts[0],
    )

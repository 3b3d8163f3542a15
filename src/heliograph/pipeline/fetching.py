"""Fetching: the files of an MMS are fetched after its submission was answered, before a carrier's line has it.

Each file once for all recipients, through the guarded client, into the media store; then the messages go on, or all of
them end with the reason. Until then they belong to this process like those in a line: after a crash they are claimed
again, and what was fetched already is known by its digest. A few submissions of each account are at it at once, so that
slow files of one delay nobody else.
"""

import asyncio
import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

from heliograph.core.ids import AccountId, MessageId, SubmissionId
from heliograph.core.media_types import may_be_sent
from heliograph.core.messages import Content, Media, Message
from heliograph.core.reasons import Reason
from heliograph.core.settling import ReceiptFact, SegmentFact, fact_at_home
from heliograph.core.standing import Ended
from heliograph.core.states import MessageState
from heliograph.net.http import CallFailed, Fetched
from heliograph.pipeline.desk import Desk
from heliograph.pipeline.ports import MediaKeeper
from heliograph.pipeline.settlement import Settlement
from heliograph.store.engine import StoreUnavailable, ask
from heliograph.store.hops.media import FETCHED, FetchedRequest

AT_ONCE = 16
AT_ONCE_EACH = 3
FILE_S = 30.0
WAITS_S = (5.0, 30.0, 120.0)
"""Between the tries of a file that may be there a minute later: four in some two and a half minutes."""
STORE_PAUSE_S = 1.0
_log = logging.getLogger(__name__)

Onward = Callable[[list[Message]], None]
"""Takes messages whose files are all there."""


class Web(Protocol):
    """Fetches what customers name: `net.http.GuardedClient`."""

    async def get(self, url: str, *, most_octets: int, timeout_s: float = FILE_S) -> Fetched:
        """A whole file; raises CallFailed."""
        ...


class _Wanted:
    """A submission whose files are wanted. media: in their order, those that are there with a digest."""

    __slots__ = ("content", "media", "messages", "onward", "tries")

    def __init__(self, content: Content, onward: Onward) -> None:
        self.content = content
        self.media = list(content.media)
        self.messages: list[Message] = []
        self.onward = onward
        self.tries = 0


class Fetching:
    """All files that this process fetches. most_octets: of one file. `follow` does the work."""

    def __init__(self, desk: Desk, settlement: Settlement, *, web: Web, keeper: MediaKeeper, most_octets: int) -> None:
        self._desk = desk
        self._settlement = settlement
        self._web = web
        self._keeper = keeper
        self._most_octets = most_octets
        self._wanted: dict[tuple[AccountId, SubmissionId], _Wanted] = {}
        self._waiting: OrderedDict[AccountId, deque[_Wanted]] = OrderedDict()
        self._running: Counter[AccountId] = Counter()
        self._ending: set[MessageId] = set()
        self._held = 0
        self._news = asyncio.Event()

    @property
    def in_memory(self) -> int:
        """Messages that wait for a file, or for the commit of their end."""
        return self._held + len(self._ending)

    def ids(self) -> list[MessageId]:
        """The ids of these messages."""
        waiting = [message.message_id for wanted in self._wanted.values() for message in wanted.messages]
        return [*waiting, *self._ending]

    def take(self, messages: list[Message], onward: Onward) -> None:
        """Fetch what messages of this process lack, then hand them on."""
        for message in messages:
            place = (message.account_id, message.content.submission_id)
            wanted = self._wanted.get(place)
            if wanted is None:
                wanted = self._wanted[place] = _Wanted(message.content, onward)
                self._queue(message.account_id, wanted)
            wanted.messages.append(message)
        self._held += len(messages)

    def remove_expired(self, now_ms: int) -> list[Message]:
        """Take out the messages whose validity has passed."""
        expired: list[Message] = []
        for wanted in self._wanted.values():
            late = [message for message in wanted.messages if message.expires_at_ms <= now_ms]
            if late:
                wanted.messages = [message for message in wanted.messages if message.expires_at_ms > now_ms]
                expired += late
        self._held -= len(expired)
        return expired

    def give_up(self) -> list[Message]:
        """Take out all messages, whether or not a file of theirs is on its way."""
        messages = [message for wanted in self._wanted.values() for message in wanted.messages]
        for wanted in self._wanted.values():
            wanted.messages = []
        self._held = 0
        return messages

    def _queue(self, account_id: AccountId, wanted: _Wanted) -> None:
        self._waiting.setdefault(account_id, deque()).append(wanted)
        self._news.set()

    def _next(self) -> tuple[AccountId, _Wanted] | None:
        """The submission whose turn it is, of an account that has not too many at it already."""
        if self._running.total() >= AT_ONCE:
            return None
        for account_id, line in self._waiting.items():
            if self._running[account_id] < AT_ONCE_EACH:
                wanted = line.popleft()
                self._waiting.move_to_end(account_id)
                if not line:
                    del self._waiting[account_id]
                return account_id, wanted
        return None

    # The work --------------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Fetch what is taken; for ever."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._news.clear()
                while found := self._next():
                    account_id, wanted = found
                    self._running[account_id] += 1
                    group.create_task(self._work(account_id, wanted), name="fetch")
                await self._news.wait()

    async def _work(self, account_id: AccountId, wanted: _Wanted) -> None:
        """One try, and the wait for the next one, if there must be one."""
        try:
            wait_s = await self._try(account_id, wanted)
        finally:
            self._running[account_id] -= 1
            self._news.set()
        if wait_s is not None:
            await self._desk.clock.sleep(wait_s)
            self._queue(account_id, wanted)

    async def _try(self, account_id: AccountId, wanted: _Wanted) -> float | None:
        """Fetch what is missing; the seconds to wait before trying again, None when all is said."""
        try:
            if wanted.messages:
                await self._fetch_missing(wanted)
                digests = tuple(each.digest for each in wanted.media)
                request = FetchedRequest(account_id, wanted.content.submission_id, digests)
                await ask(self._desk.writer, FETCHED, request)
        except StoreUnavailable:
            return STORE_PAUSE_S
        except CallFailed as failure:
            if failure.is_passing and wanted.tries < len(WAITS_S):
                wanted.tries += 1
                return WAITS_S[wanted.tries - 1]
            self._fail(account_id, wanted, str(failure))
            return None
        except Exception:  # noqa: BLE001 (a file we stumble over must not end the process, and the next one, and the next)
            _log.exception("a file could not be handled")
            self._fail(account_id, wanted, "the file could not be handled")
            return None
        messages = self._let_go(account_id, wanted)
        content = wanted.content._replace(media=tuple(wanted.media))
        wanted.onward([message._replace(content=content) for message in messages])
        return None

    async def _fetch_missing(self, wanted: _Wanted) -> None:
        there = {each.url: each for each in wanted.media if each.digest}
        for position, media in enumerate(wanted.media):
            if not media.digest:
                try:
                    fetched = there.get(media.url) or await self._fetch(media.url)
                except CallFailed as failure:
                    which = f"file {position + 1} of {len(wanted.media)}"
                    raise CallFailed(f"{which}: {failure}", is_passing=failure.is_passing) from failure
                there[media.url] = wanted.media[position] = fetched

    async def _fetch(self, url: str) -> Media:
        found = await self._web.get(url, most_octets=self._most_octets, timeout_s=FILE_S)
        self._desk.reach("fetch.got")
        if not may_be_sent(found.content, found.declared):
            raise CallFailed("it is neither a picture, sound, film, card nor plain text")
        kept = await self._keeper.keep(found.content, found.declared)
        self._desk.reach("fetch.kept")
        return Media(url, kept.digest, kept.content_type, kept.octets)

    def _let_go(self, account_id: AccountId, wanted: _Wanted) -> list[Message]:
        """The messages that waited for it, which are somebody else's from now on."""
        del self._wanted[account_id, wanted.content.submission_id]
        self._held -= len(wanted.messages)
        return wanted.messages

    def _fail(self, account_id: AccountId, wanted: _Wanted, why: str) -> None:
        """End all messages of a submission; what was held for them is released with it."""
        messages = self._let_go(account_id, wanted)
        now_ms = self._desk.clock.now_ms()
        fact = Ended(MessageState.FAILED, Reason.MEDIA_UNAVAILABLE)
        facts: list[SegmentFact | ReceiptFact] = [
            fact_at_home((account_id, message.message_id), fact, carrier_id=message.plan[0], at_ms=now_ms)._replace(
                status=why
            )
            for message in messages
        ]
        ids = {message.message_id for message in messages}
        self._ending |= ids
        if facts:
            self._settlement.settle(facts, lambda _: self._ending.difference_update(ids))

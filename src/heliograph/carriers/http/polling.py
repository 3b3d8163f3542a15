"""Asking for receipts and messages, at a carrier that does not tell of them.

What the carrier took and never told the end of is looked for in its list, newest first, as far as the list shows any of
it, and then asked about singly, a few in each round. How far the list was read for what came in is remembered, so that
nothing is read twice and nothing left out while we are away; what was there before us is left alone.
"""

import asyncio
from collections.abc import Iterable
from typing import Final

import structlog

from heliograph.carriers.http.callback import Files, handed_over
from heliograph.carriers.http.caller import Caller
from heliograph.carriers.http.calls import Arrived, arrived_in, receipt_in
from heliograph.carriers.http.lookups import Lookup, Said, holds, thing_in, value_in
from heliograph.carriers.http.recipe import Form, Polling
from heliograph.core.receipts import Receipt, match_key
from heliograph.net.clock import Clock
from heliograph.net.http import CallFailed
from heliograph.pipeline.ports import CarrierMemory, Inbox
from heliograph.store.engine import StoreUnavailable

MOST_OPEN: Final = 50_000
"""Ids that are asked about. Of more, the oldest are left to be `unknown` in the end."""

SINGLY: Final = 10
"""Messages that are asked about by themselves in a round."""

FORGET_MS: Final = 6 * 86_400_000
"""By then every message has come to an end without the carrier's help."""

_MARKS: Final = 25
_EMPTY: Final = "-"
_log = structlog.get_logger(__name__)


class Poller:
    """Asks one carrier. inbox: takes what is found. files: fetches what messages name."""

    def __init__(
        self, caller: Caller, polling: Polling, clock: Clock, *, inbox: Inbox, files: Files, memory: CarrierMemory
    ) -> None:
        self._caller = caller
        self._polling = polling
        self._clock = clock
        self._inbox = inbox
        self._files = files
        self._memory = memory
        self._values = {"numbers": caller.profile.numbers}
        self._open: dict[str, int] = {}
        self._noted = asyncio.Event()
        self._marks: list[str] | None = None

    def note(self, ids: Iterable[str]) -> None:
        """The carrier took messages and gave them these ids."""
        now_ms = self._clock.now_ms()
        self._open |= {each: now_ms for each in ids if each}
        while len(self._open) > MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._noted.set()

    async def begin(self) -> None:
        """Find out where we stand, before anything is sent that could be answered. Raises CallFailed."""
        marks = await self._memory.bookmark()
        self._marks = marks.split("\n") if marks else None
        if self._takes_in and self._marks is None:
            await self._read_list(set(), [])

    async def run(self) -> None:
        """Ask for ever."""
        self.note(await self._memory.unreported(MOST_OPEN))
        wait_s = float(self._polling.every_s)
        while True:
            wait_s = await self._rest(wait_s)
            try:
                has_news = await self.round()
            except (CallFailed, StoreUnavailable) as error:
                _log.warning("carrier was not asked for news", why=str(error))
                has_news = False
            wait_s = self._polling.every_s if has_news else min(wait_s * 2, self._polling.longest_s)

    async def _rest(self, wait_s: float) -> float:
        """Wait, but not for long when something was sent meanwhile, nor at all for nothing."""
        every_s = float(self._polling.every_s)
        if not self._open and not self._takes_in:
            await self._noted.wait()
        self._noted.clear()
        if wait_s > every_s:
            resting = asyncio.ensure_future(self._clock.sleep(wait_s))
            noted = asyncio.ensure_future(self._noted.wait())
            try:
                await asyncio.wait((resting, noted), return_when=asyncio.FIRST_COMPLETED)
                if resting.done():
                    return wait_s
            finally:
                resting.cancel()
                noted.cancel()
        await self._clock.sleep(every_s)
        return every_s

    @property
    def _takes_in(self) -> bool:
        return self._polling.incoming is not None and bool(self._values["numbers"])

    async def round(self) -> bool:
        """Ask once all round; whether anything was new. Raises CallFailed."""
        oldest_ms = self._clock.now_ms() - FORGET_MS
        self._open = {each: at_ms for each, at_ms in self._open.items() if at_ms > oldest_ms}
        seen: set[str] = set()
        receipts: list[Receipt] = []
        is_new = await self._read_list(seen, receipts)
        unseen = [each for each in self._open if each not in seen][:SINGLY]
        for each in unseen:
            receipts += await self._ask_about(each)
        if receipts:
            is_stored = await handed_over(lambda stored: self._inbox.receive(receipts, stored))
            self._settle(receipts if is_stored else [])
        for each in unseen:
            if each in self._open:
                # The others have their turn first.
                self._open[each] = self._open.pop(each)
        return is_new or bool(receipts)

    def _settle(self, receipts: list[Receipt]) -> None:
        keys = {receipt.key for receipt in receipts}
        open_ids = self._open.items()
        self._open = {each: at_ms for each, at_ms in open_ids if match_key(each, is_hex=False) not in keys}

    async def _ask_about(self, identifier: str) -> list[Receipt]:
        said = await self._caller.said(self._polling.single, id=identifier)
        said.item = thing_in(said, self._polling.item)
        return self._final(said)

    def _final(self, said: Said) -> list[Receipt]:
        """The receipt that is there, if it tells of an end."""
        receipt = receipt_in(said, self._polling.receipts, self._values)
        return [receipt] if receipt is not None and receipt.state is not None else []

    async def _read_list(self, seen: set[str], receipts: list[Receipt]) -> bool:
        """Read the list as far as it is worth it; whether messages were taken in. seen: of the open ones, by now."""
        polling = self._polling
        if polling.list is None or polling.each is None:
            return False
        arrived: list[Arrived] = []
        newest: list[str] = []
        is_caught_up = not self._takes_in or self._marks is None
        for page in range(1, polling.pages + 1):
            said, items = await self._page(polling.list, polling.each, page)
            before = len(seen)
            for item in items:
                said.item = item
                identifier = value_in(said, polling.receipts.id, self._values) or ""
                if identifier in self._open and identifier not in seen:
                    seen.add(identifier)
                    receipts += self._final(said)
                is_caught_up = is_caught_up or identifier in (self._marks or ())
                arrived += [] if is_caught_up else self._incoming(said)
                if page == 1 and len(newest) < _MARKS:
                    newest.append(identifier)
            is_caught_up = is_caught_up or not items
            if not items or (is_caught_up and (len(seen) == before or len(seen) == len(self._open))):
                break
        if not is_caught_up:
            _log.warning("more came in than the recipe reads pages", pages=polling.pages)
        return self._takes_in and await self._take_in(arrived, newest or [_EMPTY])

    async def _page(self, listing: Form, each: Lookup, page: int) -> tuple[Said, list[object]]:
        """One page of the list. Raises CallFailed when it is none."""
        said = await self._caller.said(listing, page=str(page))
        items = thing_in(said, each)
        if not isinstance(items, list) or not 200 <= said.status < 300:
            raise CallFailed(f"answered {said.status} without a list")
        return said, items

    def _incoming(self, said: Said) -> list[Arrived]:
        coming = self._polling.incoming
        if coming is None or not holds(said, self._polling.incoming_when, self._values):
            return []
        arrived = arrived_in(said, coming, self._values)
        return [arrived] if arrived is not None else []

    async def _take_in(self, arrived: list[Arrived], newest: list[str]) -> bool:
        """Store what came in, oldest first, and then how far the list was read."""
        if arrived:
            incoming = await self._files.fetched(list(reversed(arrived)))
            if not await handed_over(lambda stored: self._inbox.take_in(incoming, stored)):
                return False
        if newest != self._marks:
            await self._memory.set_bookmark("\n".join(newest))
            self._marks = newest
        return bool(arrived)

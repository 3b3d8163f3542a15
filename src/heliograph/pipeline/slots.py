"""Slots: the sessions of carriers that this process runs, where several share the store.

What is decided stands in `core.slots`. A slot is ours from the commit that took it until its driver has ended.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.slots import Slot, choose
from heliograph.net.clock import Clock
from heliograph.pipeline.directory import Directory
from heliograph.store.postgres.company import Company, Picture

LEISURE_S = 3.0
"""So long nobody comes or goes before a slot is let go that another should have: a restart moves it only once."""


class Slots:
    """Implements `share.Share`. is_worker: whether it takes any.

    is_running: whether the driver of a slot has not ended yet; plugged in when there are drivers.
    """

    def __init__(self, company: Company, directory: Directory, clock: Clock, *, is_worker: bool) -> None:
        self._company = company
        self._directory = directory
        self._clock = clock
        self._is_worker = is_worker
        self.is_running: Callable[[Slot], bool] = lambda _: False
        self.is_whole: bool = False
        self.news: asyncio.Event | None = asyncio.Event()
        self._has_given_up = False
        self._held: set[Slot] = set()
        self._leaving: set[Slot] = set()
        self._counts: Counter[CarrierId] = Counter()
        self._gone: tuple[CarrierId, ...] = ()
        self._sessions: frozenset[int] = frozenset()
        self._seen: tuple[object, ...] = ()
        self._seen_at = 0.0

    # The share ------------------------------------------------------------------------------------------------

    def holds(self, carrier_id: CarrierId) -> bool:
        """Whether this process has a slot of it, or looks after what is left of a carrier that is gone."""
        return carrier_id in self._counts or carrier_id in self._gone

    def claimed(self) -> tuple[CarrierId, ...] | None:
        """The carriers of its slots."""
        return (*self._counts, *self._gone)

    def throughput(self, carrier: Carrier) -> float:
        """In proportion to the slots."""
        return carrier.throughput * self._counts[carrier.carrier_id] / max(1, carrier.sessions)

    def wanted(self, carriers: Mapping[CarrierId, Carrier]) -> dict[Slot, Carrier]:
        """A driver for each slot, with one session."""
        return {
            slot: replace(carriers[slot[0]], sessions=1)
            for slot in sorted(self._held - self._leaving)
            if slot[0] in carriers
        }

    def live_sessions(self) -> frozenset[int]:
        """As they were a second or two ago."""
        return self._sessions

    def tell(self, carriers: Iterable[CarrierId]) -> None:
        """Wake whoever holds them."""
        self._company.tell(carriers)

    def heard(self, carriers: frozenset[CarrierId]) -> None:
        """Messages of these carriers are ready."""
        if self.news is not None and any(map(self.holds, carriers)):
            self.news.set()

    # Taking and letting go ------------------------------------------------------------------------------------

    def _hold(self, held: set[Slot]) -> None:
        if self._has_given_up:
            return
        is_more = bool(held - self._held)
        self._held = held
        self._leaving &= held
        self._counts = Counter(slot[0] for slot in held - self._leaving)
        if is_more and self.news is not None:
            self.news.set()

    async def look(self, picture: Picture, *, gone: Iterable[CarrierId] = ()) -> None:
        """Take what is ours to take and let go what is not. gone: carriers that are no more, with messages waiting.

        Raises StoreUnavailable.
        """
        me = self._company.owner
        alive = [each for each in picture.owners if each.beat_at_ms]
        workers = [each.owner for each in alive if each.is_worker]
        self._sessions = frozenset().union(*(each.sessions for each in alive if each.owner != me))
        carriers = self._directory.snapshot.carriers
        is_eldest = self._is_worker and not self._has_given_up and bool(workers) and min(workers) == me
        self._gone = tuple(carrier_id for carrier_id in gone if carrier_id not in carriers) if is_eldest else ()
        self._hold({slot for slot, owner in picture.slots.items() if owner == me})
        if self._is_worker and not self._has_given_up:
            await self._choose(picture, {each: carrier.sessions for each, carrier in carriers.items()}, workers)
        ended = [slot for slot in self._leaving if not self.is_running(slot)]
        if ended:
            await self._company.let_go(ended)
            self._hold(self._held - set(ended))

    async def _choose(self, picture: Picture, sizes: Mapping[CarrierId, int], workers: list[int]) -> None:
        choice = choose(sizes, picture.slots, workers, me=self._company.owner)
        self._leaving.update(choice.drop)
        if choice.take:
            self._hold(self._held | set(await self._company.take(choice.take)))
        now, seen = self._clock.monotonic(), (sorted(workers), sorted(picture.slots.items()), sorted(sizes.items()))
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        elif choice.let_go is not None and not self._leaving and now - self._seen_at >= LEISURE_S:
            self._leaving.add(choice.let_go)
        self._hold(self._held)

    async def give_up(self) -> None:
        """The process stops, and its drivers have ended: everything is free. Raises StoreUnavailable."""
        self._has_given_up = True
        held, self._held, self._leaving, self._gone = sorted(self._held), set(), set(), ()
        self._counts.clear()
        if held:
            await self._company.let_go(held)

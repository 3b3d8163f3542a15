"""What of the carriers a process runs: all of them, unless others share the store with it (`slots.Slots`)."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Protocol

from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.slots import Slot
from heliograph.net.clock import Clock


class Share(Protocol):
    """One process's share. is_whole: it is everything.

    news: set when it is worth looking for messages that are ready; None when nobody sets it.
    """

    is_whole: bool
    news: asyncio.Event | None

    def holds(self, carrier_id: CarrierId) -> bool:
        """Whether messages of a carrier belong into this process's memory."""
        ...

    def claimed(self) -> tuple[CarrierId, ...] | None:
        """The carriers for which messages are claimed; None for every one."""
        ...

    def throughput(self, carrier: Carrier) -> float:
        """Segments a second that may leave from here."""
        ...

    def wanted(self, carriers: Mapping[CarrierId, Carrier]) -> dict[Slot, Carrier]:
        """The drivers that should run, each with as many sessions as its carrier says."""
        ...

    def live_sessions(self) -> frozenset[int]:
        """Sessions that are bound in other processes."""
        ...

    def tell(self, carriers: Iterable[CarrierId]) -> None:
        """Messages of carriers that others hold are ready."""
        ...


class Everything:
    """The share of a process that is alone."""

    is_whole: bool = True
    news: asyncio.Event | None = None

    def holds(self, _carrier_id: CarrierId) -> bool:
        """Always."""
        return True

    def claimed(self) -> None:
        """Every one."""

    def throughput(self, carrier: Carrier) -> float:
        """All of it."""
        return carrier.throughput

    def wanted(self, carriers: Mapping[CarrierId, Carrier]) -> dict[Slot, Carrier]:
        """One driver for each carrier, with all its sessions."""
        return {(carrier_id, 0): carrier for carrier_id, carrier in carriers.items()}

    def live_sessions(self) -> frozenset[int]:
        """There are no others."""
        return frozenset()

    def tell(self, _carriers: Iterable[CarrierId]) -> None:
        """There is nobody to tell."""


async def nap(clock: Clock, seconds: float, news: asyncio.Event) -> None:
    """Sleep until there is news, which is taken note of."""
    waiting = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(news.wait())]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
    news.clear()

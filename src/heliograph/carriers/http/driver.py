"""The driver of a carrier over HTTP: makes ready what the recipe wants ready, holds its sessions, and asks for news."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, NamedTuple

import structlog

from heliograph.carriers.backoff import Backoff, Dice, random_dice
from heliograph.carriers.http.callback import Files
from heliograph.carriers.http.caller import Caller, Web
from heliograph.carriers.http.lookups import holds, items_in
from heliograph.carriers.http.polling import Poller
from heliograph.carriers.http.profile import profile_of
from heliograph.carriers.http.recipe import Preparation
from heliograph.carriers.http.session import HttpSession
from heliograph.core.directory import Carrier
from heliograph.core.events import MediaLink
from heliograph.core.messages import Media
from heliograph.net.clock import Clock
from heliograph.net.http import CallFailed
from heliograph.pipeline.ports import CarrierMemory, Feed, Inbox

FIRST_S: Final = 0.5
MOST_S: Final = 60.0
_log = structlog.get_logger(__name__)


class Around(NamedTuple):
    """What a carrier's driver finds around it.

    web: for its own host. public: for files that messages name anywhere else. callback: our address for its calls.
    link: makes an address for a file. inbox, memory: the carrier's.
    """

    web: Web
    public: Web
    callback: str
    link: Callable[[Media], MediaLink]
    inbox: Inbox
    memory: CarrierMemory


class HttpDriver:
    """Keeps `carrier.sessions` sessions. Raises BadCarrier when the carrier's recipe or settings are wrong."""

    def __init__(self, carrier: Carrier, feed: Feed, clock: Clock, *, around: Around, dice: Dice = random_dice) -> None:
        profile = profile_of(carrier)
        self._carrier = carrier
        self._feed = feed
        self._clock = clock
        self._dice = dice
        self._caller = Caller(profile, around.web, callback=around.callback, link=around.link)
        self._sessions: set[HttpSession] = set()
        self._poller: Poller | None = None
        if profile.recipe.polling is not None:
            files = Files(profile, web=around.web, public=around.public)
            self._poller = Poller(
                self._caller, profile.recipe.polling, clock, inbox=around.inbox, files=files, memory=around.memory
            )
        self._log = _log.bind(carrier=carrier.name)

    def is_bound(self) -> bool:
        """Whether the carrier answered when it was called last."""
        return any(session.is_up for session in self._sessions)

    async def run(self) -> None:
        """Carry until cancelled. What is to be ready first is tried until it is."""
        if self._caller.profile.sets_up:
            for preparation in self._caller.profile.recipe.preparations:
                await self._until_done(partial(self._prepare, preparation))
        if self._poller is not None:
            await self._until_done(self._poller.begin)
        async with asyncio.TaskGroup() as group:
            if self._poller is not None:
                group.create_task(self._poller.run())
            for _ in range(self._carrier.sessions):
                group.create_task(self._hold_session())

    async def _hold_session(self) -> None:
        session = HttpSession(
            self._caller,
            self._feed.open_session(),
            self._clock,
            backoff=Backoff(FIRST_S, MOST_S, self._dice),
            taken=self._note,
        )
        self._sessions.add(session)
        try:
            await session.run()
        finally:
            self._sessions.discard(session)

    def _note(self, ids: list[str]) -> None:
        if self._poller is not None:
            self._poller.note(ids)

    async def _until_done(self, do: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff(FIRST_S, MOST_S, self._dice)
        while True:
            try:
                return await do()
            except CallFailed as error:
                wait_s = backoff.next_s()
                self._log.warning("carrier is not ready", why=str(error), retry_in_s=round(wait_s, 1))
                await self._clock.sleep(wait_s)

    async def _prepare(self, preparation: Preparation) -> None:
        """Make one call of the setup, unless what it is to make is there. Raises CallFailed."""
        caller = self._caller
        if preparation.known is not None:
            said = await caller.said(preparation.known)
            _check(said.status)
            for item in items_in(said, preparation.each):
                said.item = item
                if holds(said, preparation.conditions, caller.access):
                    return
        _check((await caller.call(caller.asked(preparation.form))).status)
        self._log.info("carrier is set up", path=preparation.form.path.literals[0])


def _check(status: int) -> None:
    if not 200 <= status < 300:
        raise CallFailed(f"answered {status}")

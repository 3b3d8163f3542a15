"""The driver of a SIP carrier: one socket, or one connection, for all its lines, and one schedule for all their speech.

There is no binding: a line is up while the carrier can be reached. Registering is for phones, not for trunks.
"""

import asyncio

import structlog

from heliograph.carriers.backoff import Backoff, Dice, random_dice
from heliograph.carriers.sip.conversation import Switchboard
from heliograph.carriers.sip.line import TrunkLine
from heliograph.carriers.sip.profile import profile_of
from heliograph.core.directory import Carrier
from heliograph.net.clock import Clock
from heliograph.net.rtp import Schedule
from heliograph.net.sip_trunk import Trunk, reach
from heliograph.net.smpp import tls_for_connecting
from heliograph.pipeline.ports import Feed, Speaker
from heliograph.sip.timers import Timers
from heliograph.sip.ways import Hop, Transport

_log = structlog.get_logger(__name__)


class SipDriver:
    """Keeps `carrier.sessions` lines. Raises BadCarrier when the carrier's settings are wrong."""

    def __init__(
        self,
        carrier: Carrier,
        feed: Feed,
        clock: Clock,
        *,
        speaker: Speaker,
        dice: Dice = random_dice,
        timers: Timers = Timers(),  # noqa: B008  a value, never changed
    ) -> None:
        self._carrier = carrier
        self._profile = profile_of(carrier)
        self._feed = feed
        self._clock = clock
        self._speaker = speaker
        self._dice = dice
        self._timers = timers
        is_encrypted = self._profile.transport is Transport.TLS
        self._tls = tls_for_connecting(verifies=self._profile.verifies) if is_encrypted else None
        self._log = _log.bind(carrier=carrier.name)
        self._up = 0

    def is_bound(self) -> bool:
        """Whether at least one line is up."""
        return self._up > 0

    async def run(self) -> None:
        """Keep the lines until cancelled; then calls in progress end in good order."""
        trunk, schedule = self._reach(), Schedule(self._clock)
        board = Switchboard(
            name=self._carrier.name,
            profile=self._profile,
            trunk=trunk,
            schedule=schedule,
            speaker=self._speaker,
            clock=self._clock,
        )
        lines = asyncio.create_task(self._keep_lines(board))
        # These outlive the lines: what is being said when they are to end is said in time.
        shared = asyncio.create_task(schedule.run()), asyncio.create_task(trunk.run())
        try:
            done, _ = await asyncio.wait((lines, *shared), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (lines, *shared):
                task.cancel()
                await asyncio.wait((task,))
            await trunk.close()

    async def probe(self) -> str:
        """Reach the carrier without a call; returns where it is. Raises OSError."""
        trunk = self._reach()
        try:
            way = await trunk.way()
        finally:
            await trunk.close()
        return f"{way.remote.host}:{way.remote.port}"

    def _reach(self) -> Trunk:
        profile = self._profile
        return reach(
            Hop(profile.host, profile.port),
            clock=self._clock,
            transport=profile.transport,
            tls=self._tls,
            advertised=profile.advertised,
            timers=self._timers,
        )

    async def _keep_lines(self, board: Switchboard) -> None:
        async with asyncio.TaskGroup() as lines:
            for _ in range(self._carrier.sessions):
                lines.create_task(self._keep_line(board))

    async def _keep_line(self, board: Switchboard) -> None:
        backoff = Backoff(1.0, 60.0, self._dice)
        while True:
            try:
                await board.trunk.way()
                why = await self._hold_line(board, backoff)
            except OSError as error:
                why = f"{type(error).__name__}: {error}"
            wait_s = backoff.next_s()
            self._log.warning("line down", why=why, retry_in_s=round(wait_s, 1))
            await self._clock.sleep(wait_s)

    async def _hold_line(self, board: Switchboard, backoff: Backoff) -> str:
        line = TrunkLine(board, self._feed.open_session())
        self._up += 1
        try:
            return await line.run()
        finally:
            self._up -= 1
            if line.calls:
                backoff.reset()

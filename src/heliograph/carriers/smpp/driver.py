"""The driver of an SMPP carrier: keeps its sessions bound, and comes back when one is lost."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable
from typing import Final, Protocol

import structlog

from heliograph.carriers.backoff import Backoff, Dice, random_dice
from heliograph.carriers.smpp.mapping import Submits
from heliograph.carriers.smpp.profile import profile_of
from heliograph.carriers.smpp.session import CarrierSession
from heliograph.carriers.smpp.status import status_name
from heliograph.core.directory import Carrier
from heliograph.net import smpp as shell
from heliograph.net.clock import Clock
from heliograph.pipeline.ports import Feed
from heliograph.smpp.constants import BindKind, CommandStatus
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.events import BindRefused, Bound, Closed, Event
from heliograph.smpp.pdus import Bind
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.timers import Timers

CONNECT_S: Final = 15.0
"""How long a connection, or the answer to a bind, may take."""

STEADY_S: Final = 30.0
"""A session that lived so long was a good one: the next loss is met with the shortest wait."""

# These say that the carrier is busy, or still holds the session we lost: no reason to wait for minutes.
_PASSING: Final = frozenset(
    {
        CommandStatus.ESME_RALYBND,
        CommandStatus.ESME_RSYSERR,
        CommandStatus.ESME_RMSGQFUL,
        CommandStatus.ESME_RTHROTTLED,
        CommandStatus.ESME_RX_T_APPN,
    }
)
_log = structlog.get_logger(__name__)


class Connect(Protocol):
    """`net.smpp.connect`, or what a test has in its place."""

    def __call__(
        self,
        host: str,
        port: int,
        *,
        make_session: shell.SessionMaker,
        on_events: shell.OnEvents,
        clock: Clock,
        tls: ssl.SSLContext | None = None,
    ) -> Awaitable[shell.Connection]:
        """Open a connection."""
        ...


class BindFailed(Exception):
    """The carrier did not let us in; status: its command_status."""

    def __init__(self, status: int) -> None:
        super().__init__(f"bind refused: {status_name(status)}")
        self.status = status


class SmppDriver:
    """Keeps `carrier.sessions` transceiver sessions. Raises BadCarrier when the carrier's settings are wrong.

    counts: what was odd so far, by name.
    """

    def __init__(
        self,
        carrier: Carrier,
        feed: Feed,
        clock: Clock,
        *,
        connect: Connect = shell.connect,
        dice: Dice = random_dice,
    ) -> None:
        self._carrier = carrier
        self._profile = profile_of(carrier)
        self._feed = feed
        self._clock = clock
        self._connect = connect
        self._dice = dice
        self._submits = Submits(self._profile)
        self._tls = shell.tls_for_connecting(verifies=self._profile.verifies) if self._profile.is_encrypted else None
        self._log = _log.bind(carrier=carrier.name)
        self._bound = 0
        self.counts: Counter[str] = Counter()

    def is_bound(self) -> bool:
        """Whether at least one session is up."""
        return self._bound > 0

    async def run(self) -> None:
        """Keep the sessions until cancelled; then each waits for its answers and unbinds."""
        async with asyncio.TaskGroup() as sessions:
            for _ in range(self._carrier.sessions):
                sessions.create_task(self._keep_session())

    async def _keep_session(self) -> None:
        lost = Backoff(1.0, 60.0, self._dice)
        refused = Backoff(30.0, 900.0, self._dice)
        while True:
            backoff, started = lost, self._clock.monotonic()
            try:
                why = await self._hold_session()
                refused.reset()
                if self._clock.monotonic() - started >= STEADY_S:
                    lost.reset()
            except BindFailed as error:
                why = str(error)
                backoff = lost if error.status in _PASSING else refused
            except (OSError, LocalProtocolError, UnicodeError) as error:
                # A name that cannot be one, nobody there, no answer, or a peer that hung up before we could speak.
                why = f"{type(error).__name__}: {error}"
            wait_s = backoff.next_s()
            self._log.warning("session down", why=why, retry_in_s=round(wait_s, 1))
            await self._clock.sleep(wait_s)

    async def probe(self) -> str:
        """Bind once and unbind, without submitting; returns whom it was. Raises BindFailed or OSError."""
        connection = await self._open(_Opening())
        connection.unbind()
        connection.close()
        return connection.peer

    async def _open(self, opening: "_Opening") -> shell.Connection:
        """Connect and bind."""
        async with asyncio.timeout(CONNECT_S):
            connection = await self._connect(
                self._profile.host,
                self._profile.port,
                make_session=self._make_session,
                on_events=opening.on_events,
                clock=self._clock,
                tls=self._tls,
            )
        try:
            await self._bind(connection, opening)
        except BaseException:
            connection.close()
            raise
        return connection

    async def _hold_session(self) -> str:
        """One session from connecting to its end, and why it ended."""
        opening = _Opening()
        connection = await self._open(opening)
        live = CarrierSession(
            connection, self._feed.open_session(), profile=self._profile, submits=self._submits, counts=self.counts
        )
        opening.pass_on(connection, live)
        self._bound += 1
        self._log.info("session bound", peer=connection.peer)
        try:
            return await live.run()
        finally:
            self._bound -= 1

    async def _bind(self, connection: shell.Connection, opening: "_Opening") -> None:
        profile = self._profile
        connection.session.request(
            Bind(
                kind=BindKind.TRANSCEIVER,
                system_id=profile.system_id,
                password=profile.password,
                system_type=profile.system_type,
            ),
            now=connection.now(),
        )
        connection.flush()
        async with asyncio.timeout(CONNECT_S):
            answer = await opening.answer
        if isinstance(answer, BindRefused):
            raise BindFailed(answer.status)
        if isinstance(answer, Closed):
            raise ConnectionResetError(answer.reason)

    def _make_session(self, now: float) -> Session:
        timers = Timers(enquire_link=self._profile.enquire_link_s, response=self._profile.response_s)
        return Session(Role.ESME, timers=timers, window=self._carrier.window, now=now)


class _Opening:
    """Hears a connection until it is bound. What comes right behind the answer is kept for the session."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Bound | BindRefused | Closed] = asyncio.get_running_loop().create_future()
        self._kept: list[Event] = []
        self._live: CarrierSession | None = None

    def on_events(self, _connection: shell.Connection, events: list[Event]) -> None:
        """What `net.smpp` calls."""
        if self._live is not None:
            self._live.on_events(events)
            return
        for event in events:
            if not self.answer.done() and isinstance(event, Bound | BindRefused | Closed):
                self.answer.set_result(event)
            else:
                self._kept.append(event)

    def pass_on(self, connection: shell.Connection, live: CarrierSession) -> None:
        """From now on the session hears all, beginning with what has come meanwhile."""
        self._live = live
        kept, self._kept = self._kept, []
        if kept:
            live.on_events(kept)
            connection.flush()

"""The one socket shell over the SMPP session machine, for both roles: carriers, the message centre, the later door.

One read becomes one call of the machine, one call of the owner with everything that happened, and one write. The owner
is called on the event loop and must not wait. The last event of a connection is always `Closed`.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeAlias, cast

from heliograph.net.clock import Clock
from heliograph.smpp.events import Closed, Event
from heliograph.smpp.session import Session
from heliograph.smpp.states import SessionState

MOST_UNSENT_OCTETS = 256 * 1024
"""When the peer reads so slowly that more than this waits to be written, `writable` waits too."""

LINGER_S = 5.0
"""How long a peer may take to read the last of what we wrote."""

SessionMaker: TypeAlias = Callable[[float], Session]
"""Makes the machine of a new connection; given monotonic seconds."""

OnEvents: TypeAlias = "Callable[[Connection, list[Event]], None]"
"""Told what happened, in order."""


class Connection(asyncio.Protocol):
    """A session machine with a socket. After anything is asked of `session`, call `flush`."""

    def __init__(self, make_session: SessionMaker, on_events: OnEvents, clock: Clock, *, is_server: bool) -> None:
        self._clock = clock
        self._on_events = on_events
        self._is_server = is_server
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0
        self._is_flushing = False
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self.peer = ""
        self.session = make_session(clock.monotonic())

    @property
    def is_closed(self) -> bool:
        """True once nothing can be sent any more."""
        return self.session.state is SessionState.CLOSED

    @property
    def is_paused(self) -> bool:
        """True while the peer reads too slowly for more."""
        return not self._writable.is_set()

    def now(self) -> float:
        """The time to give to the session's methods."""
        return self._clock.monotonic()

    async def writable(self) -> None:
        """Wait until the peer has read enough of what we wrote, or the connection ends."""
        await self._writable.wait()

    def flush(self) -> None:
        """Write what the session has to say before the loop goes on to the next events: everything in one write."""
        if not self._is_flushing:
            self._is_flushing = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        """Write what the session has to say, and wake when it next wants to be."""
        self._is_flushing = False
        transport = self._transport
        data = self.session.data_to_send()
        if data and transport is not None:
            transport.write(data)
        self._arm()

    def unbind(self) -> None:
        """End in good order; `Closed` comes when the peer has agreed or the response timer runs out."""
        self._dispatch(self.session.unbind(now=self.now()))

    def close(self, *, at_once: bool = False) -> None:
        """Write what is left and end the connection; a peer that does not read it is cut off after some seconds.

        at_once: cut it off now.
        """
        transport = self._transport
        if transport is not None and at_once:
            transport.abort()
            return
        if transport is not None and not transport.is_closing():
            self._flush()
            self._disarm()
            self._timer = asyncio.get_running_loop().call_later(LINGER_S, transport.abort)
            self._timer_at = 0.0
            transport.close()

    # What asyncio calls --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=MOST_UNSENT_OCTETS)
        address = transport.get_extra_info("peername")
        self.peer = f"{address[0]}:{address[1]}" if address else ""
        self._arm()

    def data_received(self, data: bytes) -> None:
        """Octets have come."""
        self._dispatch(self.session.receive(data, now=self._clock.monotonic()))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  asyncio's name; the reason adds nothing
        """The socket is gone."""
        events = self.session.receive(b"", now=self._clock.monotonic())
        self._transport = None
        self._writable.set()
        if events:
            self._on_events(self, events)
        self._disarm()

    def pause_writing(self) -> None:
        """The peer reads slowly. A server also takes no further requests; were both ends to do so, both could stop."""
        self._writable.clear()
        if self._is_server and self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        self._writable.set()
        if self._is_server and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # ---------------------------------------------------------------------------------------------------------------

    def _dispatch(self, events: list[Event]) -> None:
        if events:
            self._on_events(self, events)
        self._flush()
        if events and type(events[-1]) is Closed:
            self.close()

    def _arm(self) -> None:
        """Keep one timer that never rings too late; one that rings too early is set anew then."""
        deadline = self.session.next_deadline()
        if deadline is None or self._transport is None:
            return
        if self._timer is None or deadline < self._timer_at:
            self._disarm()
            loop = asyncio.get_running_loop()
            self._timer_at = deadline
            self._timer = loop.call_at(loop.time() + deadline - self._clock.monotonic(), self._ring)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ring(self) -> None:
        self._timer = None
        self._dispatch(self.session.tick(self._clock.monotonic()))


async def connect(
    host: str,
    port: int,
    *,
    make_session: SessionMaker,
    on_events: OnEvents,
    clock: Clock,
    tls: ssl.SSLContext | None = None,
) -> Connection:
    """Open a connection to a message centre; raises OSError (of which ssl.SSLError is one)."""
    _, connection = await asyncio.get_running_loop().create_connection(
        lambda: Connection(make_session, on_events, clock, is_server=False), host, port, ssl=tls
    )
    return connection


async def serve(
    host: str,
    port: int,
    *,
    make_session: SessionMaker,
    on_events: OnEvents,
    clock: Clock,
    tls: ssl.SSLContext | None = None,
) -> asyncio.Server:
    """Listen for sessions; port 0 takes a free one. Raises OSError when the address is taken."""
    return await asyncio.get_running_loop().create_server(
        lambda: Connection(make_session, on_events, clock, is_server=True), host, port, ssl=tls
    )


def tls_for_connecting(*, verifies: bool = True) -> ssl.SSLContext:
    """TLS 1.2 or newer towards a carrier; without verifying, anyone on the way can read the password."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not verifies:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

"""The socket shell over the call machines: one UDP socket, or one TCP or TLS connection, for many calls.

Messages find their call by Call-ID. What belongs to no call is dropped, but for OPTIONS (200), INVITE (asked of
`on_invite`) and requests of calls we do not know (481). Owners are called on the event loop and must not wait.
"""

import ssl
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from heliograph.net.clock import Clock
from heliograph.sip.events import CallEvent
from heliograph.sip.incoming import IncomingCall
from heliograph.sip.outgoing import Invitation, OutgoingCall
from heliograph.sip.timers import Timers
from heliograph.sip.ways import Hop, Way

CallT = TypeVar("CallT", OutgoingCall, IncomingCall)


class Leg(Generic[CallT]):
    """A call with a socket. After anything is asked of `call`, call `flush`; `hang_up` does so itself."""

    call: CallT

    def now(self) -> float:
        """The time to give to the call's methods."""
        raise NotImplementedError

    def flush(self) -> None:
        """Send what the call has to say, and wake when it next wants to be."""
        raise NotImplementedError

    def hang_up(self, *, cause: int | None = None) -> None:
        """See the call's `hang_up`; its events come through `on_events`, before this returns."""
        raise NotImplementedError


OnEvents: TypeAlias = Callable[[list[CallEvent]], None]
OnInvite: TypeAlias = "Callable[[Leg[IncomingCall]], OnEvents | None]"
"""Told of a new call; returns who is told what happens to it, or None to have it refused with 486."""


class Exchange:
    """All calls that share a socket (UDP) or a connection (TCP, TLS)."""

    local: Hop
    """Where peers reach us: what we say in Via and Contact."""

    async def way(self) -> Way:
        """The way of the next call, with the local address (say it in SDP too). Connects when the connection is gone;
        raises OSError when the peer's name has no address or the connection cannot be made."""
        raise NotImplementedError

    def place(self, invitation: Invitation, way: Way, on_events: OnEvents) -> Leg[OutgoingCall]:
        """Place a call; a connection that broke since `way` shows as `Failed` with 503."""
        raise NotImplementedError

    async def close(self) -> None:
        """Stop: calls still going are hung up, what they say is sent, repetitions are not waited for."""
        raise NotImplementedError


async def reach(
    remote: Hop,
    *,
    clock: Clock,
    tls: ssl.SSLContext | None = None,
    stream: bool = False,
    advertised: str = "",
    timers: Timers = Timers(),
) -> Exchange:
    """Make ready for calls to a carrier. stream: TCP, or TLS with a context; else UDP. advertised: our address as the
    carrier sees it, when that is another (NAT)."""
    raise NotImplementedError


async def listen(
    local: Hop,
    *,
    clock: Clock,
    on_invite: OnInvite,
    stream: bool = False,
    tls: ssl.SSLContext | None = None,
    timers: Timers = Timers(),
) -> Exchange:
    """Wait for calls; port 0 takes a free one."""
    raise NotImplementedError

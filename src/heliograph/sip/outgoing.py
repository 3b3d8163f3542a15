"""A call that we place: messages in, events out, with time as an argument.

call = OutgoingCall(invitation, way=way, seed=secrets.token_bytes(16), now=now)
send(call.packets_to_send())
for event in call.receive(message, now=now): ...
for event in call.on_time(now): ...          # at call.deadline
"""

from dataclasses import dataclass

from heliograph.sip.digest import Credentials
from heliograph.sip.events import CallEvent
from heliograph.sip.messages import Message
from heliograph.sip.sdp import Media
from heliograph.sip.timers import Timers
from heliograph.sip.uris import NameAddr, SipUri
from heliograph.sip.ways import Packet, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """Whom to call, as whom, with what.

    called: Request-URI and To. caller: From, without a tag. headers: further ones for the INVITE, such as
    P-Asserted-Identity.
    """

    called: SipUri
    caller: NameAddr
    media: Media
    credentials: Credentials | None = None
    headers: tuple[tuple[str, str], ...] = ()
    user_agent: str = "Heliograph"


class OutgoingCall:
    """One call. seed: at least 16 random octets, from which all ids of the call are made."""

    def __init__(self, invitation: Invitation, *, way: Way, seed: bytes, now: float, timers: Timers = Timers()) -> None:
        raise NotImplementedError

    call_id: str
    """The Call-ID, under which messages find the call."""

    @property
    def is_done(self) -> bool:
        """Whether nothing can come of the call any more, repetitions included: forget it."""
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When to call `on_time`; every other call may move it."""
        raise NotImplementedError

    def takes(self, message: Message) -> bool:
        """Whether a message under our Call-ID belongs to this call."""
        raise NotImplementedError

    def receive(self, message: Message, *, now: float) -> list[CallEvent]:
        """Take a message in; one that fits nothing is answered as the standard says, or dropped."""
        raise NotImplementedError

    def on_time(self, now: float) -> list[CallEvent]:
        """Do what time demands; early calls do nothing."""
        raise NotImplementedError

    def hang_up(self, *, now: float, cause: int | None = None) -> list[CallEvent]:
        """Answered: say BYE, `Ended` is returned at once. Else give up: `Failed` comes when the peer has agreed
        (at the latest 64 × T1 later). A second call changes nothing. cause: Q.850, told to the peer."""
        raise NotImplementedError

    def lost(self, reason: str, *, now: float) -> list[CallEvent]:
        """The connection, or the way to the peer, is gone: the call ends."""
        raise NotImplementedError

    def packets_to_send(self) -> list[Packet]:
        """Everything to be sent since the last call, in order."""
        raise NotImplementedError

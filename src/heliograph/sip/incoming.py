"""A call that comes in: for the sandbox's phone, and the other end of our tests. The same habit as `outgoing`."""

from heliograph.sip.events import CallEvent
from heliograph.sip.messages import Message, Request
from heliograph.sip.sdp import Media
from heliograph.sip.timers import Timers
from heliograph.sip.uris import NameAddr, SipUri
from heliograph.sip.ways import Packet, Way


class IncomingCall:
    """One call. 100 is said at once; the owner then calls `ring`, `answer` or `refuse`.

    Events: `Answered` when the caller acknowledged our answer, `Ended`; `Failed` (487, REMOTE) when it gave up before.
    """

    def __init__(self, invite: Request, *, way: Way, seed: bytes, now: float, timers: Timers = Timers()) -> None:
        raise NotImplementedError

    call_id: str
    called: SipUri
    caller: NameAddr
    invite: Request

    @property
    def is_done(self) -> bool:
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        raise NotImplementedError

    def takes(self, message: Message) -> bool:
        raise NotImplementedError

    def receive(self, message: Message, *, now: float) -> list[CallEvent]:
        raise NotImplementedError

    def on_time(self, now: float) -> list[CallEvent]:
        raise NotImplementedError

    def ring(self, *, now: float, status: int = 180, media: Media | None = None) -> None:
        """Say that it rings; with media: early media, the description of our sound goes along."""
        raise NotImplementedError

    def answer(self, media: Media, *, now: float) -> None:
        """Say 200. Raises SdpError (after answering 488) when there is no codec in common."""
        raise NotImplementedError

    def refuse(
        self, status: int, *, now: float, cause: int | None = None, headers: tuple[tuple[str, str], ...] = ()
    ) -> None:
        """Say no: 300–699. headers: further ones (Retry-After, Contact, Proxy-Authenticate)."""
        raise NotImplementedError

    def hang_up(self, *, now: float, cause: int | None = None) -> list[CallEvent]:
        """Answered: BYE. Not yet: 480."""
        raise NotImplementedError

    def lost(self, reason: str, *, now: float) -> list[CallEvent]:
        raise NotImplementedError

    def packets_to_send(self) -> list[Packet]:
        raise NotImplementedError

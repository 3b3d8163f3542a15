"""What a call reports to its owner.

Rules: a call that is placed ends with exactly one `Failed`, or with one `Answered` and later one `Ended`. Nothing is
reported after these; the machine goes on answering repetitions until `is_done`.
"""

from enum import Enum
from typing import NamedTuple, TypeAlias

from heliograph.sip.sdp import Stream


class Party(Enum):
    """Who ended a call. NETWORK: nobody did; the way to the peer is gone."""

    LOCAL = "local"
    REMOTE = "remote"
    NETWORK = "network"


class Ringing(NamedTuple):
    """The peer says that it is at work on the call: 180 (it rings), 181, 182 or 183. May come several times."""

    status: int


class EarlyMedia(NamedTuple):
    """There is sound before the answer: a ringing tone or an announcement of the network, never the person called."""

    stream: Stream


class Answered(NamedTuple):
    """The call is answered; of an incoming call: our answer was acknowledged. Speak to `stream`."""

    stream: Stream


class MediaMoved(NamedTuple):
    """The peer changed where or whether sound goes (hold, another address); it was agreed to."""

    stream: Stream


class Failed(NamedTuple):
    """The call ended without having been answered.

    status: what the peer said; 408 when it said nothing in time, 503 when it could not be reached, 487 when we gave
    the call up, 488 when its answer named no codec of ours. cause: Q.850 cause of its Reason header, which beats the
    status (RFC 6432). retry_after_s: when it may be tried again, if the peer said. reason: in words, for a trace.
    by: REMOTE when the peer said so, LOCAL after `hang_up`, NETWORK when nobody answered.
    """

    status: int
    cause: int | None
    retry_after_s: int | None
    reason: str
    by: Party


class Ended(NamedTuple):
    """An answered call is over. cause: Q.850 cause if one was given; reason: in words, may be empty."""

    by: Party
    cause: int | None
    reason: str


CallEvent: TypeAlias = Ringing | EarlyMedia | Answered | MediaMoved | Failed | Ended

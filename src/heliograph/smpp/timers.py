"""The timers of a session (clause 2.9). The standard names them and gives no values; ours are the customary ones."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """Durations in seconds; `math.inf` switches one off.

    session_init: from the connection to the bind; kept by the message centre alone.
    enquire_link: from the last PDU of the peer to our question whether it lives.
    inactivity: from the last PDU of the peer, answers to enquire_link included, to our closing the session.
    response: from a request to its answer. Of a bind, an unbind and an enquire_link the lack of one ends the session.
    """

    session_init: float = 10.0
    enquire_link: float = 30.0
    inactivity: float = 300.0
    response: float = 30.0

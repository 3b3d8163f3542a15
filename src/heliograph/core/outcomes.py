"""A carrier's word on one segment that was handed to it: a closed union that drivers pick from.

A driver reports what happened and never decides what follows; `retry.decide` does.
"""

from typing import NamedTuple

from heliograph.core.messages import Parcel
from heliograph.core.reasons import Reason


class Submitted(NamedTuple):
    """The carrier took the segment and named it."""

    parcel: Parcel
    carrier_message_id: str


class Refused(NamedTuple):
    """The carrier will never take this segment. status: the carrier's own code, for the trace."""

    parcel: Parcel
    reason: Reason
    status: str


class Deferred(NamedTuple):
    """Not now. after_ms: how long to wait at least; counts: whether this was a try of the message's own.

    A throttled or misconfigured session is not the message's fault: then `counts` is false.
    tries: how many counted tries this kind of answer deserves before the next carrier, or the end.
    pause_ms: how long the carrier wants to be left alone altogether.
    """

    parcel: Parcel
    after_ms: int
    counts: bool
    status: str
    tries: int = 5
    pause_ms: int = 0


class Ambiguous(NamedTuple):
    """The segment may have left us: no answer came before the session ended or the time was up."""

    parcel: Parcel
    why: str


SubmitOutcome = Submitted | Refused | Deferred | Ambiguous

"""What it means that a call was not answered, as a table.

The cause that the telephone network gave (Q.850, in a Reason header) says more than the status of SIP and beats it. A
3xx is never followed: whoever may answer us could have us call numbers that cost dearly.
Source: RFC 3261 §21, RFC 3398 §8.2.6.1, RFC 6432; ITU-T Q.850 §2.2.7.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Final, NamedTuple

from heliograph.carriers.sip.profile import Profile
from heliograph.carriers.treatments import outcome_from
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Deferred, Refused, SubmitOutcome
from heliograph.core.reasons import Reason
from heliograph.sip.events import Failed, Party

MOST_PAUSE_S: Final = 300
"""However long a carrier wants to be left alone."""


class Failure(Enum):
    """Why there was no answer; its value is what the trace says."""

    BUSY = "busy"
    NO_ANSWER = "no answer"
    NO_SUCH_NUMBER = "no such number"
    DECLINED = "declined"
    CREDENTIALS = "credentials refused"
    CODEC = "no codec in common"
    NETWORK = "the network could not"
    CONGESTED = "congested"
    UNREACHABLE = "the carrier does not answer"
    REFUSED = "refused"


class Treatment(NamedTuple):
    """What is reported; the fields are those of `core.outcomes.Deferred`. None for what the carrier's settings say."""

    after_s: int | None = None
    counts: bool = True
    tries: int | None = None
    pause_s: int = 0


_F = Failure
TREATMENTS: Final[Mapping[Failure, Treatment]] = {
    _F.BUSY: Treatment(),
    _F.NO_ANSWER: Treatment(),
    # Not the message's fault: somebody has to change a setting.
    _F.CREDENTIALS: Treatment(60, counts=False, pause_s=60),
    # Another carrier may do it; this one will not.
    _F.CODEC: Treatment(30, tries=1),
    _F.NETWORK: Treatment(30, tries=2),
    _F.CONGESTED: Treatment(30, tries=3),
    _F.UNREACHABLE: Treatment(30, tries=3),
}
"""Everything that is not a plain refusal."""

CAUSES: Final[Mapping[int, Failure]] = {
    1: _F.NO_SUCH_NUMBER, 3: _F.NO_SUCH_NUMBER, 22: _F.NO_SUCH_NUMBER, 28: _F.NO_SUCH_NUMBER,
    17: _F.BUSY, 18: _F.NO_ANSWER, 19: _F.NO_ANSWER, 20: _F.NO_ANSWER, 21: _F.DECLINED,
    27: _F.NETWORK, 34: _F.NETWORK, 38: _F.NETWORK, 41: _F.NETWORK, 42: _F.CONGESTED, 47: _F.NETWORK,
    65: _F.CODEC, 88: _F.CODEC,
}  # fmt: skip
"""By Q.850 cause. Others say nothing that the status does not: 16 is a normal end."""

STATUSES: Final[Mapping[int, Failure]] = {
    401: _F.CREDENTIALS, 407: _F.CREDENTIALS,
    403: _F.DECLINED, 603: _F.DECLINED, 607: _F.DECLINED, 608: _F.DECLINED,
    404: _F.NO_SUCH_NUMBER, 410: _F.NO_SUCH_NUMBER, 484: _F.NO_SUCH_NUMBER, 485: _F.NO_SUCH_NUMBER,
    604: _F.NO_SUCH_NUMBER,
    408: _F.NO_ANSWER, 480: _F.NO_ANSWER, 487: _F.NO_ANSWER,
    486: _F.BUSY, 600: _F.BUSY,
    415: _F.CODEC, 488: _F.CODEC, 606: _F.CODEC,
    500: _F.NETWORK, 501: _F.NETWORK, 502: _F.NETWORK, 504: _F.NETWORK, 503: _F.CONGESTED,
}  # fmt: skip
"""By status. The rest of 5xx is the network's fault, all other is a refusal."""


def failure_of(failed: Failed) -> Failure:
    """Why a call was not answered."""
    if failed.by is Party.NETWORK:
        return Failure.UNREACHABLE
    found = CAUSES.get(failed.cause or 0) or STATUSES.get(failed.status)
    if found is not None:
        return found
    return Failure.NETWORK if 500 <= failed.status < 600 else Failure.REFUSED


def outcome_of(parcel: Parcel, failed: Failed, profile: Profile) -> SubmitOutcome:
    """The carrier's word on a message whose call was not answered."""
    failure = failure_of(failed)
    status = described(failed, failure)
    if failed.by is Party.REMOTE and failed.status in profile.statuses:
        return outcome_from(parcel, profile.statuses[failed.status], status)
    treatment = TREATMENTS.get(failure)
    if treatment is None:
        return Refused(parcel, Reason.CARRIER_REFUSED, status)
    after_s = profile.retry_s if treatment.after_s is None else treatment.after_s
    pause_s = treatment.pause_s
    if failed.retry_after_s is not None:
        after_s = max(after_s, failed.retry_after_s)
        if failure is Failure.CONGESTED:
            pause_s = min(failed.retry_after_s, MOST_PAUSE_S)
    tries = treatment.tries or profile.tries
    return Deferred(parcel, after_s * 1_000, treatment.counts, status, tries, pause_s * 1_000)


def described(failed: Failed, failure: Failure) -> str:
    """A failure as the trace shows it.

    >>> described(Failed(486, 17, None, "Busy Here", Party.REMOTE), Failure.BUSY)
    'busy: 486 Busy Here, cause 17'
    """
    cause = f", cause {failed.cause}" if failed.cause is not None else ""
    return f"{failure.value}: {failed.status} {failed.reason}".rstrip() + cause

"""What a carrier's command_status means for a segment, as a table that each carrier may override.

Real systems disagree about many codes, so the table is only where we start. Codes that are not listed are refusals;
those of the range that carriers define themselves (0x400 and above) deserve a few tries.
Source: SMPP 3.4 §5.1.3.
"""

from typing import Final

from heliograph.carriers.treatments import Defer, Refuse, StatusTable, Treatment, outcome_from
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.smpp.constants import CommandStatus

_FIRST_OF_CARRIERS: Final = 0x400
_UNLISTED: Final = Refuse()
_OF_CARRIERS: Final = Defer(30_000, tries=3)

_S = CommandStatus
STATUSES: Final[StatusTable] = {
    # The session is at fault, not the message: it is closed and opened again.
    _S.ESME_RINVBNDSTS: Defer(1_000, counts=False),
    _S.ESME_RALYBND: Defer(1_000, counts=False),
    _S.ESME_RSYSERR: Defer(30_000, tries=4),
    # Either the whole carrier or this one recipient's queue is full, so only the message waits.
    _S.ESME_RMSGQFUL: Defer(30_000, tries=5),
    _S.ESME_RSUBMITFAIL: Defer(30_000, tries=3),
    _S.ESME_RTHROTTLED: Defer(1_000, counts=False, pause_ms=1_000),
    _S.ESME_RX_T_APPN: Defer(30_000, tries=5),
    _S.ESME_RDELIVERYFAILURE: Defer(30_000, tries=3),
    _S.ESME_RUNKNOWNERR: Defer(30_000, tries=3),
    _S.ESME_RSERTYPUNAVAIL: Defer(30_000, tries=5),
    _S.ESME_RINVSRCADR: Refuse(Reason.SENDER_NOT_ALLOWED),
}
"""Everything that is not a plain refusal."""

SESSION_FAULTS: Final = frozenset({_S.ESME_RINVBNDSTS, _S.ESME_RALYBND})
"""Answers to a submit that say the session is useless."""


def treatment_of(status: int, overrides: StatusTable) -> Treatment:
    """What a command_status other than 0 means at a carrier."""
    found = overrides.get(status) or STATUSES.get(status)
    if found is not None:
        return found
    return _OF_CARRIERS if status >= _FIRST_OF_CARRIERS else _UNLISTED


def outcome_of(parcel: Parcel, status: int, message_id: str, *, overrides: StatusTable) -> SubmitOutcome:
    """The carrier's word on a segment, from its submit_sm_resp."""
    if not status:
        return Submitted(parcel, message_id)
    return outcome_from(parcel, treatment_of(status, overrides), status_name(status))


def status_name(status: int) -> str:
    """A status as the trace shows it.

    >>> status_name(0x58), status_name(0x455)
    ('0x58 ESME_RTHROTTLED', '0x455')
    """
    try:
        return f"{status:#04x} {CommandStatus(status).name}"
    except ValueError:
        return f"{status:#04x}"

"""What a carrier's command_status means for a segment, as a table that each carrier may override.

Real systems disagree about many codes, so the table is only where we start. Codes that are not listed are refusals;
those of the range that carriers define themselves (0x400 and above) deserve a few tries.
Source: SMPP 3.4 §5.1.3.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.smpp.constants import CommandStatus


class Refuse(NamedTuple):
    """The carrier will never take it."""

    reason: Reason = Reason.CARRIER_REFUSED


class Defer(NamedTuple):
    """Not now; the fields are those of `core.outcomes.Deferred`."""

    after_ms: int
    counts: bool = True
    tries: int = 5
    pause_ms: int = 0


Treatment: TypeAlias = Refuse | Defer
StatusTable: TypeAlias = Mapping[int, Treatment]

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
    treatment = treatment_of(status, overrides)
    written = status_name(status)
    if isinstance(treatment, Refuse):
        return Refused(parcel, treatment.reason, written)
    after_ms, counts, tries, pause_ms = treatment
    return Deferred(parcel, after_ms, counts, written, tries, pause_ms)


def status_name(status: int) -> str:
    """A status as the trace shows it.

    >>> status_name(0x58), status_name(0x455)
    ('0x58 ESME_RTHROTTLED', '0x455')
    """
    try:
        return f"{status:#04x} {CommandStatus(status).name}"
    except ValueError:
        return f"{status:#04x}"


def overrides_from(written: object) -> StatusTable:
    """Read a carrier's own table: each code (`"0x14"` or `"20"`) with `"refuse"` or the fields of a `Defer`.

    ValueError with a sentence for anything else.

    >>> overrides_from({"0x14": {"after_ms": 500, "counts": False}})
    {20: Defer(after_ms=500, counts=False, tries=5, pause_ms=0)}
    """
    if not isinstance(written, Mapping):
        raise ValueError("statuses is a table from command_status to what it means")
    return {_code_from(code): _treatment_from(code, value) for code, value in written.items()}


def _code_from(code: object) -> int:
    try:
        number = int(str(code), 0)
    except ValueError:
        raise ValueError(f"{code!r} is not a command_status") from None
    if not 0 < number <= 0xFFFFFFFF:
        raise ValueError(f"{code!r} is not the command_status of a refusal")
    return number


def _treatment_from(code: object, value: object) -> Treatment:
    if value == "refuse":
        return Refuse()
    if not isinstance(value, Mapping) or "after_ms" not in value or set(value) - set(Defer._fields):
        raise ValueError(f'status {code}: write "refuse", or after_ms with counts, tries and pause_ms as needed')
    for name, field in value.items():
        wanted = bool if name == "counts" else int
        if type(field) is not wanted or field < 0:
            raise ValueError(f"status {code}: {name} is {'true or false' if wanted is bool else 'a number from 0'}")
    return Defer(**value)

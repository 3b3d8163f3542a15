"""What a carrier's codes mean for a message, as tables that the operator may override for one carrier."""

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Deferred, Refused
from heliograph.core.reasons import Reason


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


def outcome_from(parcel: Parcel, treatment: Treatment, written: str) -> Refused | Deferred:
    """The carrier's word in ours. written: as the trace shows it."""
    if isinstance(treatment, Refuse):
        return Refused(parcel, treatment.reason, written)
    after_ms, counts, tries, pause_ms = treatment
    return Deferred(parcel, after_ms, counts, written, tries, pause_ms)


def overrides_from(written: object) -> StatusTable:
    """Read a carrier's own table: each code (`"0x14"` or `"20"`) with `"refuse"` or the fields of a `Defer`.

    ValueError with a sentence for anything else.

    >>> overrides_from({"0x14": {"after_ms": 500, "counts": False}})
    {20: Defer(after_ms=500, counts=False, tries=5, pause_ms=0)}
    """
    if not isinstance(written, Mapping):
        raise ValueError("statuses is a table from the carrier's codes to what they mean")
    return {_code_from(code): _treatment_from(code, value) for code, value in written.items()}


def _code_from(code: object) -> int:
    try:
        number = int(str(code), 0)
    except ValueError:
        raise ValueError(f"{code!r} is not a status code") from None
    if not 0 < number <= 0xFFFFFFFF:
        raise ValueError(f"{code!r} is not the status code of a refusal")
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

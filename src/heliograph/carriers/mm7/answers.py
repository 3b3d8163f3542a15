"""What a carrier's answer to a SubmitReq means for a message: by MM7's status code, else by that of HTTP.

Both tables are only where we start; `statuses` in a carrier's settings overrides the first. An answer that we cannot
read may stand for a message that was taken: it is ambiguous, unless HTTP says that nobody looked at it.
Source: 3GPP TS 23.140 §8.7.8.3; RFC 9110 §15.
"""

from typing import Final

from heliograph.carriers.treatments import Defer, Refuse, StatusTable, Treatment, outcome_from
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.messages import Fault, Message, Status, SubmitRsp
from heliograph.mm7.packing import unpack
from heliograph.mm7.status import PASSING, StatusCode, is_success
from heliograph.net.http import Told

_MOST_WORDS: Final = 120
_SET_UP_WRONGLY: Final = Defer(60_000, counts=False, pause_ms=60_000)
_PASSING: Final = Defer(30_000, tries=5)

STATUSES: Final[StatusTable] = {
    **dict.fromkeys(PASSING, _PASSING),
    # The carrier does not know who we are: the operator's mistake, and every message would have the same fate.
    StatusCode.IMPROPER_IDENTIFICATION: _SET_UP_WRONGLY,
    StatusCode.ADDRESS_ERROR: Refuse(Reason.INVALID_RECIPIENT),
}
"""Everything that is not a plain refusal."""

HTTP_STATUSES: Final[StatusTable] = {
    **dict.fromkeys((301, 302, 303, 307, 308, 401, 403, 404, 405, 407), _SET_UP_WRONGLY),
    **dict.fromkeys((408, 425, 503), _PASSING),
    429: Defer(1_000, counts=False, pause_ms=1_000),
}
"""What HTTP says where the answer holds no MM7. Other 4xx are refusals; 5xx may come from behind the carrier."""


def treatment_of(status_code: int, overrides: StatusTable) -> Treatment:
    """What a status code that is no success means at a carrier."""
    return overrides.get(status_code) or STATUSES.get(status_code) or Refuse()


def outcome_of(parcel: Parcel, told: Told, *, transaction_id: str, overrides: StatusTable) -> SubmitOutcome:
    """The carrier's word on a message. transaction_id: names it when the carrier took it and gave it no name."""
    try:
        message = unpack(told.content_type, told.body).envelope.message
    except NotReadable as error:
        return _by_http(parcel, told.status, f"HTTP {told.status}: {error}")
    found: Status | None = getattr(message, "status", None)
    if found is None:
        return _by_fault(parcel, told.status, message)
    written = _words(f"{found.status_code} {found.status_text} {found.details}")
    if not is_success(found.status_code):
        return outcome_from(parcel, treatment_of(found.status_code, overrides), written)
    if not isinstance(message, SubmitRsp):
        return Ambiguous(parcel, f"answered with another message: {written}")
    return Submitted(parcel, message.message_id or transaction_id)


def _by_http(parcel: Parcel, status: int, written: str) -> SubmitOutcome:
    treatment = HTTP_STATUSES.get(status)
    if treatment is not None:
        return outcome_from(parcel, treatment, written)
    if 400 <= status < 500:
        return outcome_from(parcel, Refuse(), written)
    return Ambiguous(parcel, written)


def _by_fault(parcel: Parcel, status: int, message: Message) -> SubmitOutcome:
    """A SOAP fault says that the request was not carried out, but not in MM7's words."""
    if not isinstance(message, Fault):
        return Ambiguous(parcel, "answered with a request")
    written = _words(f"SOAP fault {message.fault_code}: {message.fault_string}")
    is_theirs = "server" in message.fault_code.lower() or "receiver" in message.fault_code.lower()
    treatment = HTTP_STATUSES.get(status) or (_PASSING if is_theirs else Refuse())
    return outcome_from(parcel, treatment, written)


def _words(text: str) -> str:
    """On one line, as the trace shows it."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:_MOST_WORDS]

"""What a carrier's answer means for the parcel that was sent: the first rule of the recipe that fits, or HTTP's."""

from typing import Final

from heliograph.carriers.http.lookups import Condition, Lookup, Said, holds, value_in
from heliograph.carriers.http.recipe import Rule, Sending
from heliograph.carriers.http.templates import Template, Values
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted

MOST_STATUS_CHARS: Final = 200
LONGEST_WAIT_S: Final = 3_600
MOST_ID_CHARS: Final = 200
_NOTHING: Final[Values] = {"numbers": ()}


def _of(statuses: str, verdict: str, after_ms: int = 0, tries: int = 0) -> Rule:
    wanted = tuple(Template((status,)) for status in statuses.split())
    return Rule((Condition(Lookup("status"), wanted),), verdict, after_ms=after_ms, tries=tries)


RULES: Final = (
    _of("429", "throttled", 1_000),
    # Our account there is at fault, or the address, and not the message.
    _of("401 402 407 3xx", "unavailable", 30_000),
    _of("503", "deferred", 30_000, 4),
    # It was too slow for us to be sure that it was read in vain.
    _of("408", "in doubt"),
    _of("4xx", "refused"),
    _of("*", "in doubt"),
)
"""What holds where no rule of a recipe fits. A good status that a recipe has no rule for says nothing."""


def outcome_of(parcel: Parcel, sending: Sending, said: Said, *, retry_after: str = "") -> SubmitOutcome:
    """The carrier's word on a parcel. retry_after: the header, as written."""
    rule = next(rule for rule in (*sending.rules, *RULES) if holds(said, rule.conditions, _NOTHING))
    detail = value_in(said, rule.detail or sending.detail, _NOTHING) or ""
    status = f"HTTP {said.status}{': ' if detail else ''}{_line(detail)}"[:MOST_STATUS_CHARS]
    after_ms = max(rule.after_ms, 1_000 * _seconds(retry_after))
    match rule.verdict:
        case "submitted":
            return Submitted(parcel, (value_in(said, rule.id, _NOTHING) or "").strip()[:MOST_ID_CHARS])
        case "refused":
            return Refused(parcel, rule.reason, status)
        case "deferred":
            return Deferred(parcel, after_ms, True, status, rule.tries)
        case "throttled" | "unavailable":
            return Deferred(parcel, after_ms, False, status, pause_ms=after_ms)
        case _:
            return Ambiguous(parcel, status)


def _seconds(retry_after: str) -> int:
    """As a number of seconds; a date, which hardly anybody sends, is not waited for."""
    plain = retry_after.strip()
    return min(int(plain), LONGEST_WAIT_S) if plain.isascii() and plain.isdecimal() and len(plain) < 10 else 0


def _line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text)

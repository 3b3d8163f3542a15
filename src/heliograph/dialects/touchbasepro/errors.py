"""Every reason in the vendor's words, for both generations, and faults of single recipients.

Sentences and codes that the vendor printed are kept letter for letter ("then" and the two blanks among them). A code
that nobody printed is 1000 and the number of our reason; a fault's code is Clickatell's, whose answer the second
generation's is, member for member.
"""

from typing import NamedTuple

import msgspec

from heliograph.core.directory import Account
from heliograph.core.messages import Refusal
from heliograph.core.reasons import FORBIDDING, Reason
from heliograph.dialects.dialect import Answer, Header, Wording
from heliograph.dialects.touchbasepro import wire

UNREADABLE = "The request was not properly formatted."
_TRY_AGAIN = "Rate limit is exceeded.  Try again in {} seconds."
_INTERNAL = (
    "An internal error has occurred. "
    "We have been notified about it and will restore service functionality as soon as possible."
)


class Words(NamedTuple):
    """HTTP status and message; code and message of the first generation where they differ from the rule."""

    status: int
    message: str
    code: int | None = None
    older: str | None = None


WORDS: dict[Reason, Words] = {
    # What is wrong with a request; and ends of messages, which are told by a message's status.
    **{reason: Words(400, f"{UNREADABLE} {reason.sentence}") for reason in Reason if reason.number < 200},
    **{reason: Words(400, reason.sentence) for reason in Reason if reason.number >= 200},
    **{reason: Words(403, reason.sentence) for reason in FORBIDDING},
    Reason.MALFORMED: Words(400, UNREADABLE),
    Reason.UNAUTHORISED: Words(401, "API key is invalid.", 100, "Provided API key is invalid"),
    Reason.SUSPENDED: Words(
        403,
        "Your account has been suspended! Please check with your account representative for more information.",
    ),
    Reason.NO_FUNDS: Words(405, "You don't have enough credits on your account!"),
    Reason.RATE_LIMITED: Words(429, _TRY_AGAIN),
    Reason.NOT_FOUND: Words(404, "Resource not found"),
    Reason.METHOD_NOT_ALLOWED: Words(405, "The method is not supported here. Use one of the Allow header."),
    Reason.BODY_TOO_LARGE: Words(413, Reason.BODY_TOO_LARGE.sentence),
    Reason.NO_RECIPIENT: Words(400, UNREADABLE),
    Reason.TOO_MANY_RECIPIENTS: Words(400, f"{UNREADABLE} It may name at most {wire.MOST_RECIPIENTS} numbers."),
    Reason.NO_TEXT: Words(400, UNREADABLE),
    Reason.KEY_REUSED: Words(422, Reason.KEY_REUSED.sentence),
    Reason.KEY_IN_USE: Words(409, Reason.KEY_IN_USE.sentence),
    Reason.OVERLOADED: Words(429, _TRY_AGAIN),
    Reason.STORE_UNAVAILABLE: Words(500, _INTERNAL),
    Reason.INTERNAL: Words(500, _INTERNAL),
}


def newer(refusal: Refusal, _account: Account | None = None) -> Answer:
    """A refusal as the second generation says it."""
    return _answer(refusal, wire.Error(WORDS[refusal.reason].status, _message(refusal)))


def older(refusal: Refusal, _account: Account | None = None) -> Answer:
    """A refusal as the first generation says it."""
    words = WORDS[refusal.reason]
    code = words.code or 1000 + refusal.reason.number
    return _answer(refusal, wire.CodedError(code, words.older or _message(refusal)))


def _message(refusal: Refusal) -> str:
    if refusal.about:
        return f"{UNREADABLE} {refusal.sentence}"
    return WORDS[refusal.reason].message.format(_seconds(refusal))


def _seconds(refusal: Refusal) -> int:
    return max(1, refusal.retry_after_s)


def _answer(refusal: Refusal, body: wire.Error | wire.CodedError) -> Answer:
    status = WORDS[refusal.reason].status
    return Answer(status, msgspec.json.encode(body), _wait(refusal) if status == 429 else ())


def _wait(refusal: Refusal) -> tuple[Header, ...]:
    return ((b"retry-after", b"%d" % _seconds(refusal)),)


def wording(path: str) -> Wording:
    """The words of the generation that a path belongs to."""
    return newer if path == "/sms/messages" or path.startswith("/sms/messages/") else older


def _coded(status: int, code: int, *, message: str) -> Answer:
    return Answer(status, msgspec.json.encode(wire.CodedError(code, message)))


# The page's error list has no 404.
UNKNOWN_MESSAGE = Answer(400, msgspec.json.encode(wire.Error(400, "Message record does not exist")))
NO_SUCH_MESSAGE = _coded(404, 156, message="Message record does not exist")

NO_SUCH_WEBHOOK = _coded(404, 144, message="Webhook record does not exist")
URL_MISSING = _coded(400, 145, message="Webhook URL is missing")
URL_TOO_LONG = _coded(400, 146, message="Webhook URL is too long. It must not be longer then 512 characters")
URL_INVALID = _coded(400, 147, message="Webhook URL is not valid. It must be an http or https address")
TYPE_INVALID = _coded(
    400, 148, message="Webhook type is not valid. Allowed types are MessageStatusUpdate and MessageReply"
)


class Fault(NamedTuple):
    """The three error members of one recipient."""

    error_code: str
    error: str
    error_description: str


_FAULTS = {
    Reason.INVALID_RECIPIENT: ("25", "Invalid recipient address"),
    Reason.NO_ROUTE: ("27", "Recipient not available on channel"),
    Reason.TEXT_TOO_LONG: ("100", "Maximum message parts exceeded"),
}


def fault(reason: Reason) -> Fault:
    """Why one recipient was not accepted. 29 is what Clickatell keeps for further faults of a recipient."""
    code, name = _FAULTS.get(reason, ("29", "Recipient not accepted"))
    return Fault(code, name, reason.sentence)

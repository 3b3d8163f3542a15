"""Every reason in the vendor's form: `{"Status","Code","Description","Message"}`, and its few HTTP statuses.

The vendor prints a sentence for each status and no body. Programs look for `Description`, `Message` or `Code`.
"""

import msgspec

from heliograph.core.directory import Account
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.bulkvs import wire
from heliograph.dialects.dialect import Answer, Header, Wording

CHALLENGE: Header = (b"www-authenticate", b'Basic realm="Heliograph", charset="UTF-8"')

STATUSES: dict[Reason, int] = {
    # "Property missing, invalid or malformed", and ends of messages, which are told by receipts.
    **dict.fromkeys(Reason, 400),
    Reason.UNAUTHORISED: 401,
    # "Insufficient funds or service not enabled"
    Reason.NO_FUNDS: 403,
    Reason.CHANNEL_NOT_ENABLED: 403,
    Reason.SUSPENDED: 403,
    Reason.NO_ROUTE: 403,
    # "Telephone Number not enabled for Service"; "Webhook not found", "Campaign not found"
    Reason.SENDER_NOT_OWNED: 404,
    Reason.SENDER_NOT_ALLOWED: 404,
    Reason.NUMBER_NOT_ENABLED: 404,
    Reason.NO_CAMPAIGN: 404,
    Reason.NOT_FOUND: 404,
    Reason.METHOD_NOT_ALLOWED: 405,
    # "Conflict, see body"
    Reason.KEY_IN_USE: 409,
    # "Applicable agreement lacks consent"
    Reason.NOT_AGREED: 412,
    Reason.BODY_TOO_LARGE: 413,
    Reason.KEY_REUSED: 422,
    Reason.RATE_LIMITED: 429,
    # "An error occurred, please try again"
    Reason.OVERLOADED: 503,
    Reason.STORE_UNAVAILABLE: 503,
    Reason.INTERNAL: 503,
}

_WAITING = frozenset({Reason.RATE_LIMITED, Reason.OVERLOADED})


def failure(status: int, text: str, headers: tuple[Header, ...] = ()) -> Answer:
    """An error in the vendor's form."""
    return Answer(status, msgspec.json.encode(wire.Failure("Failed", str(status), text, text)), headers)


def worded(refusal: Refusal, _account: Account | None = None) -> Answer:
    """A refusal in the vendor's form."""
    reason, text = refusal.reason, refusal.sentence
    headers: tuple[Header, ...] = ()
    if reason is Reason.UNAUTHORISED:
        text, headers = "The user name or the API token is missing or not valid.", (CHALLENGE,)
    elif reason is Reason.TOO_MANY_RECIPIENTS:
        text = f"To may name at most {wire.MOST_RECIPIENTS} numbers."
    elif reason in _WAITING:
        seconds = max(1, refusal.retry_after_s)
        text, headers = f"{text} Try again in {seconds} seconds.", ((b"retry-after", b"%d" % seconds),)
    return failure(STATUSES[reason], text, headers)


def unreadable(error: Exception) -> Answer:
    """What is wrong with a body, when it is JSON at all."""
    if isinstance(error, msgspec.ValidationError):
        return failure(400, f"The request could not be read: {error}.")
    return worded(Refusal(Reason.MALFORMED))


def wording(_path: str) -> Wording:
    """One way of saying it for all paths."""
    return worded


NAME_MISSING = failure(400, "Webhook is missing.")
NAME_INVALID = failure(
    400, f"Webhook must have 1 to {wire.LONGEST_NAME} printable characters, and no blank at either end."
)
DESCRIPTION_INVALID = failure(400, f"Description may have at most {wire.LONGEST_DESCRIPTION} printable characters.")
URL_INVALID = failure(400, "Url must be an http or https address of at most 512 characters, without user or fragment.")
METHOD_INVALID = failure(400, "Method must be one of POST, 3CX.")
NUMBER_MISSING = failure(400, "TN must be a telephone number.")
NUMBER_UNSAID = failure(400, "Number is missing.")
NO_SUCH_WEBHOOK = failure(404, "Webhook not found.")
NO_SUCH_CAMPAIGN = failure(404, "Campaign not found.")
NO_SUCH_NUMBER = failure(404, "Telephone Number not found.")

"""Every refusal in the product's words, and its HTTP status in both profiles.

faithful: as the product answers; what its framework throws comes out as 200, and programs look at `status` in the body.
strict: as HTTP means it. An account chooses; where nobody knows who asks, the answer is the faithful one.
Sentences that the product has are kept letter for letter.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from heliograph.core.directory import Account
from heliograph.core.messages import Refusal
from heliograph.core.reasons import FORBIDDING, Reason
from heliograph.dialects.dialect import Answer, Header, Wording
from heliograph.dialects.textboost import NAME, wire
from heliograph.dialects.textboost.auth import credentials

VALIDATED, THROWN, HELPED, REFUSED, FORBIDDEN = (200, 422), (200, 404), (404, 422), (403, 422), (403, 403)
"""HTTP statuses, faithful and strict: of a wrong field, of what the framework did not find, of a parameter that only
some types of message have, of a refused send, and of one that is refused until somebody does something about it."""


class Words(NamedTuple):
    """A sentence, and its HTTP status in the faithful and in the strict profile."""

    text: str
    statuses: tuple[int, int] = VALIDATED


class Fault(Exception):
    """A call is not what the product's page asks for, or names what is not there."""

    def __init__(self, words: Words) -> None:
        super().__init__(words.text)
        self.words = words


_NO_PAGE = "Sorry, but the page you were trying to view does not exist."
_AGAIN = "Something went wrong. Please try again"
UNKNOWN = Words("No query results.", THROWN)
CONTACT_UNKNOWN = Words(_NO_PAGE, (404, 404))
MESSAGE_UNKNOWN = Words("SMS Info not found", (404, 404))
NO_SERVER = Words("No sending server available for your subscribed plan", FORBIDDEN)
FUNDS_EXHAUSTED = Words("You have exceeded your sending limit.", FORBIDDEN)
TYPE_INVALID = Words("Please insert valid sms type called plain, unicode, voice, mms, viber, OTP and whatsapp.", HELPED)
VOICE_MISSING = Words("Language and gender parameters are required", HELPED)
LANGUAGE_INVALID = Words("Valid language is required.", HELPED)
GENDER_INVALID = Words("Valid gender is required.", HELPED)
MEDIA_MISSING = Words("media_url parameter is required", HELPED)

WORDS: dict[Reason, Words] = {
    **{reason: Words(reason.sentence, REFUSED) for reason in Reason},
    **{reason: Words(reason.sentence, FORBIDDEN) for reason in FORBIDDING | {Reason.SUSPENDED}},
    Reason.UNAUTHORISED: Words("Unauthenticated.", (200, 401)),
    Reason.NO_FUNDS: Words("There is not enough balance available to send this message.", FORBIDDEN),
    Reason.RATE_LIMITED: Words("Too Many Attempts.", (200, 429)),
    Reason.NOT_FOUND: Words(_NO_PAGE, THROWN),
    Reason.METHOD_NOT_ALLOWED: Words("The method is not supported for this route.", (200, 405)),
    Reason.NO_RECIPIENT: Words("The recipient field is required."),
    Reason.NO_TEXT: Words("The message field is required."),
    Reason.TOO_MANY_RECIPIENTS: Words("You cannot send more than 100 SMS in a single request.", REFUSED),
    Reason.BAD_VOICE: LANGUAGE_INVALID,
    Reason.BAD_TIME: Words("The schedule time is not a valid date."),
    Reason.BAD_MEDIA: Words("Valid media url is required.", HELPED),
    Reason.NO_ROUTE: NO_SERVER,
    Reason.BAD_CONTACT: Words(Reason.BAD_CONTACT.sentence),
    # What the product has no word for, so that its programs look at the HTTP status alone.
    Reason.BODY_TOO_LARGE: Words(Reason.BODY_TOO_LARGE.sentence, (413, 413)),
    Reason.KEY_REUSED: Words(Reason.KEY_REUSED.sentence, (422, 422)),
    Reason.KEY_IN_USE: Words(Reason.KEY_IN_USE.sentence, (409, 409)),
    Reason.OVERLOADED: Words(_AGAIN, (503, 503)),
    Reason.STORE_UNAVAILABLE: Words(_AGAIN, (503, 503)),
    Reason.INTERNAL: Words(_AGAIN, (500, 500)),
}

OF_SENDER = frozenset({Reason.SENDER_NOT_ALLOWED, Reason.SENDER_NOT_OWNED, Reason.INVALID_SENDER})
_WAITING = frozenset({Reason.RATE_LIMITED, Reason.OVERLOADED})


def said(words: Words, account: Account | None, headers: tuple[Header, ...] = ()) -> Answer:
    """An error, as the account wants it."""
    is_strict = account is not None and account.settings.get(NAME, {}).get("errors") == "strict"
    return Answer(words.statuses[is_strict], msgspec.json.encode(wire.Failure(words.text)), headers)


def worded(refusal: Refusal, account: Account | None) -> Answer:
    """A refusal in the product's words."""
    wait = b"%d" % max(1, refusal.retry_after_s)
    words = WORDS[refusal.reason]
    words = words._replace(text=refusal.sentence) if refusal.about else words
    return said(words, account, ((b"retry-after", wait),) if refusal.reason in _WAITING else ())


def wording(_path: str) -> Wording:
    """The same words at every path."""
    return worded


def unknown_key(mount: str, headers: Mapping[bytes, bytes]) -> Answer:
    """What a caller hears whose key is nobody's: for the parameter, one root has words of its own."""
    if mount == wire.OLDER_ROOT and credentials(headers, b"") is None:
        return said(Words("These credentials do not match our records."), None)
    return worded(Refusal(Reason.UNAUTHORISED), None)


def of_recipient(reason: Reason, number: str) -> str:
    """Why nothing is sent to a number. What is much longer than one is not repeated in full."""
    if reason is Reason.INVALID_RECIPIENT:
        return f"{number[:40]} is a invalid phone number"
    if reason is Reason.NO_ROUTE:
        return f"Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {number}"
    return WORDS[reason].text

"""Why not: every refusal and every bad end has one stable number, one sentence and one piece of advice.

Dialects word each of them in their own terms; a test walks this list through every dialect.
"""

from enum import Enum


class Reason(Enum):
    """(number, what happened, what to do)."""

    MALFORMED = (100, "The request could not be read.", "Send what the endpoint's page describes.")
    UNAUTHORISED = (101, "The API key is missing or not valid.", "Check the key; a revoked key stays invalid.")
    SUSPENDED = (102, "The account is suspended.", "Ask the operator to resume it.")
    NO_FUNDS = (103, "The account has too few credits for this submission.", "Top up the account, then send again.")
    RATE_LIMITED = (104, "The account sent too many requests.", "Wait as long as the answer says.")
    NOT_FOUND = (105, "There is no such thing in this account.", "Check the id.")
    METHOD_NOT_ALLOWED = (106, "The address exists, the method does not.", "Use a method of the Allow header.")
    BODY_TOO_LARGE = (107, "The request is larger than the server reads.", "Send fewer recipients or less text.")
    INVALID_RECIPIENT = (110, "The recipient is not a phone number.", "Use 7 to 15 digits with the country code.")
    INVALID_SENDER = (111, "The sender is not well-formed.", "Use a number or at most 11 GSM characters.")
    SENDER_NOT_ALLOWED = (112, "The account may not use this sender.", "Ask the operator to allow the sender.")
    INVALID_TEXT = (113, "The text holds characters that no message can carry.", "Remove NUL and lone surrogates.")
    TEXT_TOO_LONG = (114, "The text needs more segments than one message may have.", "Shorten the text.")
    NO_RECIPIENT = (115, "No recipient was given.", "Name at least one recipient.")
    TOO_MANY_RECIPIENTS = (116, "One submission may not have that many recipients.", "Split the submission.")
    NO_TEXT = (117, "No text was given.", "Send a text of at least one character.")
    BAD_VOICE = (118, "No voice reads this language in this gender.", "Choose a language and a gender of the list.")
    BAD_TIME = (
        119,
        "The time to send at cannot be read.",
        "Write it as 2026-12-31 18:30, or with an offset (RFC 3339).",
    )
    NO_ROUTE = (120, "No carrier takes messages of this kind to this number.", "Ask the operator for a route.")
    CHANNEL_NOT_ENABLED = (121, "The account may not send messages of this kind.", "Ask the operator to enable it.")
    SENDER_NOT_OWNED = (122, "The sender is not a number of this account.", "Send from a number of the account.")
    NUMBER_NOT_ENABLED = (123, "The number is not enabled for messages of this kind.", "Enable it for the number.")
    NO_CAMPAIGN = (
        124,
        "A US number sends only for an approved campaign.",
        "Assign the number to an approved campaign.",
    )
    NOT_AGREED = (125, "The account has not accepted the messaging agreement.", "Accept it, or ask the operator.")
    BAD_MEDIA = (126, "The media are too many, or one has no http or https address.", "Send fewer media, each by URL.")
    NAME_TAKEN = (127, "The name differs from a known one only in the case of its letters.", "Use the known name.")
    DUPLICATE = (128, "There is one like this already.", "Change the one there is, or choose another.")
    EMPTY_GROUP = (129, "The group has no contacts.", "Add contacts to it first.")
    KEY_REUSED = (130, "The idempotency key was used for a different request.", "Use a new key for a new request.")
    KEY_IN_USE = (131, "The first request with this idempotency key is still running.", "Ask again in a moment.")
    BAD_CONTACT = (
        132,
        "A name or field of the address book is empty, too long, or holds characters that cannot be kept.",
        "Keep names to 120 characters, fields to 50 a contact and 1,000 characters a value; remove NUL.",
    )
    UNREADABLE_TEXT = (
        133,
        "The voice cannot read the text.",
        "Write words in the language's own script or in Latin letters; Japanese in kana. No voice reads Thai.",
    )
    OVERLOADED = (140, "The exchange holds as many messages as it may.", "Wait a little, then send again.")
    STORE_UNAVAILABLE = (141, "The exchange cannot store messages just now.", "Wait a little, then send again.")
    INTERNAL = (142, "The exchange failed in a way it did not foresee.", "Tell the operator; nothing was accepted.")
    CARRIER_REFUSED = (200, "The carrier refused the message.", "See the carrier's status in the message's trace.")
    RETRIES_EXHAUSTED = (201, "No carrier took the message in any of its tries.", "See the message's trace.")
    VALIDITY_PASSED = (202, "The message's validity passed before a carrier took it.", "Send it again if it matters.")
    NOT_DELIVERED = (203, "The carrier could not deliver the message.", "See the receipt's error in the trace.")
    NO_RECEIPT = (204, "The carrier took the message and never reported its end.", "Ask the carrier.")
    IN_DOUBT = (205, "The session ended before the carrier answered.", "Wait for a receipt, or resolve it by hand.")
    MEDIA_UNAVAILABLE = (
        207,
        "A file of the message could not be fetched, or cannot be sent.",
        "See the trace, mend the file, send again.",
    )
    CANCELLED = (206, "The message was cancelled before it left.", "Nothing: it was asked for.")

    @property
    def number(self) -> int:
        """The stable number."""
        return self.value[0]

    @property
    def sentence(self) -> str:
        """What happened, for people."""
        return self.value[1]

    @property
    def advice(self) -> str:
        """What the reader can do about it."""
        return self.value[2]


FORBIDDING = frozenset(
    {
        Reason.SENDER_NOT_ALLOWED,
        Reason.CHANNEL_NOT_ENABLED,
        Reason.SENDER_NOT_OWNED,
        Reason.NUMBER_NOT_ENABLED,
        Reason.NO_CAMPAIGN,
        Reason.NOT_AGREED,
    }
)
"""What the operator has to allow before the same request can pass."""

_BY_NUMBER = {reason.number: reason for reason in Reason}


def reason_numbered(number: int) -> Reason:
    """The reason with a stored number; raises KeyError for a number that was never given out."""
    return _BY_NUMBER[number]

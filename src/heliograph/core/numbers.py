"""Who a message goes to and who it comes from.

A `Msisdn` is kept with its plus sign (ITU-T E.164); bare digits exist only on wires.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from heliograph.gsm import alphabet

MIN_DIGITS = 7
MAX_DIGITS = 15
SHORT_CODE_DIGITS = 8
"""The longest short codes there are: Australia's."""
MAX_SENDER_SEPTETS = 11
"""An alphanumeric address has ten octets on the air (3GPP TS 23.040 §9.1.2.5)."""
_SEPARATORS = str.maketrans("", "", " -.()/\u00a0\u2010\u2011\t")


class SenderKind(Enum):
    """What a sender is, which decides how a carrier must be told of it."""

    ALPHANUMERIC = "alphanumeric"
    SHORT_CODE = "short code"
    LONG_NUMBER = "long number"


class Ton(IntEnum):
    """Type of number (SMPP 3.4 §5.2.5), as far as we send it."""

    UNKNOWN = 0
    INTERNATIONAL = 1
    NETWORK_SPECIFIC = 3
    ALPHANUMERIC = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """A well-formed sender; `address` has no plus sign."""

    kind: SenderKind
    address: str

    @property
    def ton(self) -> Ton:
        """Type of number that carriers expect for this kind."""
        return _TON[self.kind]

    @property
    def npi(self) -> int:
        """Numbering plan: 1 (ISDN, E.164) for long numbers, else 0 (unknown)."""
        return 1 if self.kind is SenderKind.LONG_NUMBER else 0


_TON = {
    SenderKind.ALPHANUMERIC: Ton.ALPHANUMERIC,
    SenderKind.SHORT_CODE: Ton.NETWORK_SPECIFIC,
    SenderKind.LONG_NUMBER: Ton.INTERNATIONAL,
}


def msisdn_from(written: str | int) -> str | None:
    """The number in E.164 form with `+`, or None when it cannot be one.

    Blanks and the usual separators are ignored. Seven to fifteen digits are enough here; whether the plan of the
    country holds the number is for routing to find out.

    >>> msisdn_from("+27 (83) 123-456"), msisdn_from(2783123456), msisdn_from("call me")
    ('+2783123456', '+2783123456', None)
    """
    if isinstance(written, int):
        digits = str(written)
    else:
        digits = written[1:] if written[:1] == "+" else written
        if not digits.isdigit():
            digits = written.translate(_SEPARATORS).removeprefix("+")
    if MIN_DIGITS <= len(digits) <= MAX_DIGITS and digits.isdecimal() and digits.isascii() and digits[0] != "0":
        return f"+{digits}"
    return None


def number_from(written: str) -> str | None:
    """A number that an account can own: in E.164 form with `+`, or a short code of 3 to 8 digits as its bare digits.

    Eight digits and fewer are a short code unless a plus sign says otherwise.

    >>> number_from("310 906 0901"), number_from("12345"), number_from("+2908123")
    ('+3109060901', '12345', '+2908123')
    """
    digits = written.translate(_SEPARATORS)
    if 3 <= len(digits) <= SHORT_CODE_DIGITS and digits.isdecimal() and digits.isascii():
        return digits
    return msisdn_from(written)


def sender_from(written: str) -> Sender | None:
    """Read a sender: up to 11 characters of the GSM alphabet, a short code of 3 to 6 digits, or a number.

    `@` is refused: it is octet 0 on the air and would end the address field (SMPP 3.4 §3.1).

    >>> sender_from("Heliograph").kind, sender_from("12345").kind, sender_from("+27831234567").address
    (<SenderKind.ALPHANUMERIC: 'alphanumeric'>, <SenderKind.SHORT_CODE: 'short code'>, '27831234567')
    """
    text = written.strip()
    digits = text.removeprefix("+")
    if digits.isdecimal() and digits.isascii():
        if 3 <= len(digits) <= 6 and text == digits:
            return Sender(kind=SenderKind.SHORT_CODE, address=digits)
        number = msisdn_from(text)
        return Sender(kind=SenderKind.LONG_NUMBER, address=number[1:]) if number else None
    if 1 <= len(text) <= 11 and "@" not in text and text.isprintable() and alphabet.is_encodable(text):
        is_short_enough = len(alphabet.encode(text)) <= MAX_SENDER_SEPTETS
        return Sender(kind=SenderKind.ALPHANUMERIC, address=text) if is_short_enough else None
    return None

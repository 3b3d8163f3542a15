"""What no log line may show: message texts, secrets, whole numbers. Pure; `logs` runs every line through it.

Values are hidden by the name they are logged under, and whatever their name, numbers and secrets are found by their
shape. A number keeps its last four digits.
"""

import math
import re
from collections.abc import Mapping, Sequence, Set
from typing import Final

HIDDEN: Final = "***"

_HIDDEN_NAMES: Final = frozenset({
    "authorization", "bodies", "body", "cookie", "credentials", "key", "keys", "otp", "parameters", "passwd",
    "password", "payload", "reply", "secret", "signature", "text", "texts", "token", "tokens", "udh",
})  # fmt: skip
_HIDDEN_WHOLE: Final = frozenset({"apikey", "short_message", "short_messages"})
_ID_NAMES: Final = frozenset({
    "account_id", "carrier_id", "carrier_message_id", "delivery_id", "key_id", "message_id", "session_id",
    "submission_id", "webhook_id",
})  # fmt: skip
_MEASURES: Final = frozenset({"bytes", "chars", "count", "id", "ids", "ms", "ns", "octets", "pid", "revision", "s"})
_LEAST_NUMBER: Final = 1_000_000
_DEEPEST: Final = 6

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_QUOTED = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""

# In this order: what a pattern has hidden, no later one needs to understand.
_SECRETS: Final = (
    # SQLAlchemy ends its errors with the statement's values.
    (re.compile(r"\[parameters: .*"), f"[parameters: {HIDDEN}]"),
    (re.compile(r"""(?i)(authorization["']?\s*[:=,]\s*)[^\n]+"""), rf"\1{HIDDEN}"),
    (re.compile(r"(?i)\b(basic|bearer)\s+[A-Za-z0-9+/=._~|-]{6,}"), rf"\1 {HIDDEN}"),
    (re.compile(r"([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@]*(?:@[^\s@]*)*@"), rf"\1:{HIDDEN}@"),
    (re.compile(r"\b(\d{1,10})\|[A-Za-z0-9]{8,}"), rf"\1|{HIDDEN}"),
    (re.compile(r"\bwhsec_[A-Za-z0-9+/=_-]+"), f"whsec_{HIDDEN}"),
    (
        re.compile(
            r"(?i)\b((?:\w*_)?(?:text|body|passw(?:or)?d|secret|token|api_?key|short_message)[\"']?\s*)"
            rf"(?:=\s*(?:b?{_QUOTED}|[^\s,;&)}}\]]+)|:\s*{_QUOTED})"
        ),
        rf"\1={HIDDEN}",
    ),
)
_NUMBER = re.compile(
    r"(?P<kept>"
    r"\b(?=[0-9]*[a-f])[0-9a-f]{32}\b"  # the id of a message as a dialect shows it
    r"|\b0x[0-9a-f]+\b"
    r"|\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?Z?)?(?![\d-])"
    r")|\+?\d(?:[ -]?\d){6,}"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def redacted_fields(fields: Mapping[str, object]) -> dict[str, object]:
    """The fields of a log line as they may be written."""
    return {name: redacted(value, name=name) for name, value in fields.items()}


def redacted(value: object, *, name: str = "", depth: int = 0) -> object:
    """A value as it may be written: numbers, texts, lists and mappings of such, and nothing else.

    name: what it is logged under.

    >>> redacted("+27831234567"), redacted("hello", name="text"), redacted(27831234567, name="message_id")
    ('***4567', '***', 27831234567)
    """
    if value is None or isinstance(value, bool):
        return value
    if is_hidden(name):
        return HIDDEN
    match value:
        case int():
            return _whole(value, name=name)
        case float():
            return value if math.isfinite(value) else str(value)
        case str():
            return value if name in _ID_NAMES and value.isalnum() else redacted_text(value)
        case bytes() | bytearray() | memoryview():
            return f"<{len(value)} octets>"
        case _:
            return HIDDEN if depth >= _DEEPEST else _of_many(value, name=name, depth=depth + 1)


def _whole(value: int, *, name: str) -> object:
    """A count stays a number; what may be a phone number does not."""
    if abs(value) < _LEAST_NUMBER or name in _ID_NAMES or _last_word(name) in _MEASURES:
        return int(value)
    return redacted_text(str(value))


def _of_many(value: object, *, name: str, depth: int) -> object:
    match value:
        case Mapping():
            return {
                redacted_text(str(each)): redacted(inner, name=str(each), depth=depth) for each, inner in value.items()
            }
        case tuple() if hasattr(value, "_fields"):
            return _of_many(dict(zip(value._fields, value, strict=True)), name=name, depth=depth)
        case Sequence() | Set():
            return [redacted(inner, name=name, depth=depth) for inner in value]
        case _:
            return redacted_text(str(value) if isinstance(value, BaseException) else repr(value))


def is_hidden(name: str) -> bool:
    """Whether a value must not be written whatever it is; `body_octets` may, `body` may not.

    >>> is_hidden("Authorization"), is_hidden("smpp_password"), is_hidden("key_id"), is_hidden("shortMessage")
    (True, True, False, True)
    """
    words = [word.lower() for word in _WORD.findall(name)]
    return bool(words) and (words[-1] in _HIDDEN_NAMES or "_".join(words) in _HIDDEN_WHOLE)


def _last_word(name: str) -> str:
    words = _WORD.findall(name)
    return words[-1].lower() if words else ""


def redacted_text(text: str) -> str:
    """A text with the secrets in it hidden, numbers cut to four digits and control characters written out."""
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return _CONTROL.sub(_written_out, _NUMBER.sub(_shortened, text))


def _shortened(found: re.Match[str]) -> str:
    if found["kept"]:
        return found[0]
    digits = "".join(filter(str.isdigit, found[0]))
    return HIDDEN + digits[-4:]


def _written_out(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"

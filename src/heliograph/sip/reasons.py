"""Why a call ended, beyond its status: the Reason header with Q.850 causes (RFC 3326, RFC 6432), and Retry-After."""

from typing import Final

from heliograph.sip.headers import Headers, every, first, quote, read_number, split_parameters
from heliograph.sip.messages import Message

NORMAL_CLEARING: Final = 16
MOST_RETRY_AFTER_S: Final = 7 * 86_400


def write_reason(cause: int, text: str = "") -> str:
    """The value of a Reason header.

    >>> write_reason(16, "done")
    'Q.850;cause=16;text="done"'
    """
    return f"Q.850;cause={cause}{f';text={quote(text)}' if text else ''}"


def reason_headers(cause: int | None) -> Headers:
    """A Reason header for a cause, if there is one."""
    return () if cause is None else (("Reason", write_reason(cause)),)


def cause_of(message: Message) -> int | None:
    """The Q.850 cause that a message gives, 1–127; other protocols' reasons may stand beside it."""
    for value in every(message.headers, "Reason"):
        protocol, parameters = split_parameters(value)
        cause = parameters.get("cause") or ""
        if protocol.upper() == "Q.850" and cause.isascii() and cause.isdigit() and 0 < int(cause[:4]) < 128:
            return int(cause[:4])
    return None


def text_of(message: Message) -> str:
    """The words of the first Reason header that has some; empty when there are none."""
    texts = (split_parameters(value)[1].get("text") for value in every(message.headers, "Reason"))
    return next((text for text in texts if text), "")


def retry_after_of(message: Message) -> int | None:
    """Seconds after which the peer asks to be tried again; a week at most."""
    return read_number(first(message.headers, "Retry-After"), most=MOST_RETRY_AFTER_S)

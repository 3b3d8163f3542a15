"""What goes through the pipes between this program and a worker: frames of a length in four octets and what follows.

Asked is a voice, NUL and the text in UTF-8. Answered is `+` and the samples, or `-` and what was wrong. The worker
may be in the hands of whoever wrote the text, so an answer is never more than octets.
"""

from typing import Final

LENGTH_OCTETS: Final = 4
GOOD: Final = b"+"
BAD: Final = b"-"
MOST_OCTETS: Final = 64 << 20
"""Of an answer: an hour and more."""


def framed(octets: bytes) -> bytes:
    """Octets behind their length.

    >>> framed(b"abc")
    b'\\x00\\x00\\x00\\x03abc'
    """
    return len(octets).to_bytes(LENGTH_OCTETS, "big") + octets


def asked(voice: str, text: str) -> bytes:
    """A frame that asks a voice to read a text, which has no NUL."""
    return framed(f"{voice}\0{text}".encode())


def question_in(octets: bytes) -> tuple[str, str]:
    """Voice and text of a frame's octets.

    >>> question_in(b"en\\x00Hello")
    ('en', 'Hello')
    """
    voice, _, text = octets.decode().partition("\0")
    return voice, text

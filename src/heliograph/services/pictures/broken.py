"""What is wrong with a picture. The texts go on in "the picture ...", and end in the trace of the message."""

from typing import Final

CUT: Final = "is broken or cut short"


class BadPicture(Exception):
    """A picture that cannot be sent, and why."""

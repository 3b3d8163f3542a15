"""The status codes of responses: what the standard calls them, and after which the same request may pass later.

Source: 3GPP TS 23.140 V6.16.0 §8.7.8.3.1, table of StatusCode.
"""

from enum import IntEnum
from typing import Final


class StatusCode(IntEnum):
    """1xxx success, 2xxx the request is at fault, 3xxx the server, 4xxx the service."""

    SUCCESS = 1000
    PARTIAL_SUCCESS = 1100
    CLIENT_ERROR = 2000
    OPERATION_RESTRICTED = 2001
    ADDRESS_ERROR = 2002
    ADDRESS_NOT_FOUND = 2003
    MULTIMEDIA_CONTENT_REFUSED = 2004
    MESSAGE_ID_NOT_FOUND = 2005
    LINKED_ID_NOT_FOUND = 2006
    MESSAGE_FORMAT_CORRUPT = 2007
    APPLICATION_ID_NOT_FOUND = 2008
    REPLY_APPLICATION_ID_NOT_FOUND = 2009
    SERVER_ERROR = 3000
    NOT_POSSIBLE = 3001
    MESSAGE_REJECTED = 3002
    MULTIPLE_ADDRESSES_NOT_SUPPORTED = 3003
    APPLICATION_ADDRESSING_NOT_SUPPORTED = 3004
    GENERAL_SERVICE_ERROR = 4000
    IMPROPER_IDENTIFICATION = 4001
    UNSUPPORTED_VERSION = 4002
    UNSUPPORTED_OPERATION = 4003
    VALIDATION_ERROR = 4004
    SERVICE_ERROR = 4005
    SERVICE_UNAVAILABLE = 4006
    SERVICE_DENIED = 4007
    APPLICATION_DENIED = 4008

    @property
    def words(self) -> str:
        """As people read it, and as a StatusText says it.

        >>> StatusCode.MESSAGE_FORMAT_CORRUPT.words
        'Message format corrupt'
        """
        return self.name.replace("_", " ").capitalize()


PASSING: Final = frozenset(
    {
        StatusCode.SERVER_ERROR,
        StatusCode.GENERAL_SERVICE_ERROR,
        StatusCode.SERVICE_ERROR,
        StatusCode.SERVICE_UNAVAILABLE,
    }
)
"""The same request may succeed later. After all other errors it never will."""


def is_success(status_code: int) -> bool:
    """Whether the request did what it asked for; a partial success of one recipient is one.

    >>> is_success(1000), is_success(1100), is_success(2000)
    (True, True, False)
    """
    return 1000 <= status_code < 2000

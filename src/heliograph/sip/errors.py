"""The exceptions of this package.

SipError
├── LocalProtocolError      we misused the package
└── RemoteProtocolError     the peer broke the rules; carries the status that answers it, when an answer is possible
    ├── MessageError        ... in one message
    └── SdpError            ... in a description of media, or there is no codec in common
"""


class SipError(Exception):
    """Anything this package raises on purpose."""


class LocalProtocolError(SipError):
    """Our side asked for something that the standard or the call's state forbids."""


class RemoteProtocolError(SipError):
    """The peer broke the rules. The text says how, in words that may stand in an answer's reason phrase."""

    def __init__(self, reason: str, status: int = 400) -> None:
        """status: what to answer a request with."""
        super().__init__(reason)
        self.status = status


class MessageError(RemoteProtocolError):
    """One message cannot be understood."""


class SdpError(RemoteProtocolError):
    """A description of media that cannot be read, or that shares nothing with ours (status 488)."""

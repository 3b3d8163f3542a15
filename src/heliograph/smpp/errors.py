"""The exceptions of this package.

SmppError
├── LocalProtocolError      we misused the package
└── RemoteProtocolError     the peer broke the rules
    └── PduError            ... in one PDU; carries the command_status to answer
"""

from heliograph.smpp.constants import CommandStatus


class SmppError(Exception):
    """Anything this package raises on purpose."""


class LocalProtocolError(SmppError):
    """Our side asked for something that the standard or the session's state forbids."""


class RemoteProtocolError(SmppError):
    """The peer broke the rules."""


class PduError(RemoteProtocolError):
    """One PDU cannot be understood; the PDUs after it are unaffected."""

    def __init__(self, reason: str, status: int = CommandStatus.ESME_RINVCMDLEN) -> None:
        """status: the command_status to answer the PDU with."""
        super().__init__(reason)
        self.status = status

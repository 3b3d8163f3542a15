"""Who may send which request in which state of a session, as data (clauses 2.2 and 2.3).

Rules: MAY_SEND is the standard and binds our own side. ALSO_TAKEN is what real peers send besides, each line with its
reason, and binds nobody. Responses and generic_nack are free in every state and stand in no table.
"""

from enum import Enum
from typing import Final

from heliograph.smpp.constants import BindKind, CommandId, CommandStatus


class Role(Enum):
    """The two ends of a session."""

    ESME = "ESME"
    MC = "MC"

    @property
    def peer(self) -> "Role":
        """The other end."""
        return Role.MC if self is Role.ESME else Role.ESME


class SessionState(Enum):
    """Clause 2.2. OUTBOUND follows outbind; BINDING lies between a bind and its answer."""

    OPEN = "open"
    OUTBOUND = "outbound"
    BINDING = "binding"
    BOUND_TX = "bound as transmitter"
    BOUND_RX = "bound as receiver"
    BOUND_TRX = "bound as transceiver"
    CLOSED = "closed"


BOUND_STATES: Final = {
    BindKind.TRANSMITTER: SessionState.BOUND_TX,
    BindKind.RECEIVER: SessionState.BOUND_RX,
    BindKind.TRANSCEIVER: SessionState.BOUND_TRX,
}
BINDS: Final = frozenset(CommandId(kind) for kind in BindKind)

_NEVER: Final[frozenset[SessionState]] = frozenset()
_BEFORE: Final = frozenset({SessionState.OPEN, SessionState.OUTBOUND})
_BOUND: Final = frozenset(BOUND_STATES.values())
_TX: Final = frozenset({SessionState.BOUND_TX, SessionState.BOUND_TRX})
_RX: Final = frozenset({SessionState.BOUND_RX, SessionState.BOUND_TRX})
_ALIVE: Final = frozenset(SessionState) - {SessionState.CLOSED}

MAY_SEND: Final[dict[CommandId, dict[Role, frozenset[SessionState]]]] = {
    CommandId.BIND_TRANSMITTER: {Role.ESME: _BEFORE, Role.MC: _NEVER},
    CommandId.BIND_RECEIVER: {Role.ESME: _BEFORE, Role.MC: _NEVER},
    CommandId.BIND_TRANSCEIVER: {Role.ESME: _BEFORE, Role.MC: _NEVER},
    CommandId.OUTBIND: {Role.ESME: _NEVER, Role.MC: frozenset({SessionState.OPEN})},
    CommandId.UNBIND: {Role.ESME: _BOUND, Role.MC: _BOUND},
    CommandId.SUBMIT_SM: {Role.ESME: _TX, Role.MC: _NEVER},
    CommandId.SUBMIT_MULTI: {Role.ESME: _TX, Role.MC: _NEVER},
    CommandId.DATA_SM: {Role.ESME: _TX, Role.MC: _RX},
    CommandId.DELIVER_SM: {Role.ESME: _NEVER, Role.MC: _RX},
    CommandId.QUERY_SM: {Role.ESME: _TX, Role.MC: _NEVER},
    CommandId.CANCEL_SM: {Role.ESME: _TX, Role.MC: _NEVER},
    CommandId.REPLACE_SM: {Role.ESME: _TX, Role.MC: _NEVER},
    CommandId.ALERT_NOTIFICATION: {Role.ESME: _NEVER, Role.MC: _RX},
    CommandId.ENQUIRE_LINK: {Role.ESME: _BOUND, Role.MC: _BOUND},
}

ALSO_TAKEN: Final[dict[CommandId, dict[Role, frozenset[SessionState]]]] = {
    # Load balancers and monitors ask before any bind, and an answer tells them nothing.
    CommandId.ENQUIRE_LINK: {Role.ESME: _ALIVE, Role.MC: _ALIVE},
    # Some message centres deliver receipts over a transmitter bind; to refuse them would lose them.
    CommandId.DELIVER_SM: {Role.MC: _BOUND},
    CommandId.DATA_SM: {Role.MC: _BOUND},
}


def may_send(role: Role, command_id: int, *, state: SessionState) -> bool:
    """Whether the standard lets this end send this request now; false for what is no request.

    >>> may_send(Role.ESME, CommandId.SUBMIT_SM, state=SessionState.BOUND_RX)
    False
    """
    senders = MAY_SEND.get(CommandId(command_id))
    return senders is not None and state in senders[role]


def taken_from(sender: Role, state: SessionState) -> frozenset[int]:
    """The command_ids of all requests that we take from this end in this state."""
    return frozenset(
        int(command_id)
        for command_id, senders in MAY_SEND.items()
        if state in senders[sender] | ALSO_TAKEN.get(command_id, {}).get(sender, _NEVER)
    )


def refusal(command_id: int, state: SessionState) -> CommandStatus:
    """What to answer to a known request in a state in which we do not take it."""
    if command_id in BINDS and (state in _BOUND or state is SessionState.BINDING):
        return CommandStatus.ESME_RALYBND
    return CommandStatus.ESME_RINVBNDSTS

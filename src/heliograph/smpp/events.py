"""What a session reports to its owner.

Rules: named tuples, since thousands are made in a second. `sequence` of an ...Answered event is ours, of a ...Requested
event the peer's: hand it back when answering. A status is a command_status as sent, listed in `CommandStatus` or not.
Each request that is reported waits for the owner's answer; what the machine answers itself is not reported.
"""

from typing import NamedTuple, TypeAlias

from heliograph.smpp.constants import BindKind
from heliograph.smpp.pdus import (
    AlertNotification,
    Bind,
    CancelSm,
    DataSm,
    DeliverSm,
    Outbind,
    QuerySm,
    ReplaceSm,
    Response,
    SubmitMulti,
    SubmitSm,
)


class Bound(NamedTuple):
    """ESME: the bind was accepted. interface_version: the peer's, None when it did not say."""

    kind: BindKind
    system_id: str
    interface_version: int | None


class BindRefused(NamedTuple):
    """ESME: the bind was refused; the session is open again."""

    status: int


class BindRequested(NamedTuple):
    """MC: answer with `answer_bind`."""

    sequence: int
    pdu: Bind


class OutbindRequested(NamedTuple):
    """ESME: the peer wants to be bound to as receiver; its credentials are not checked here. It takes no answer."""

    sequence: int
    pdu: Outbind


class SubmitAnswered(NamedTuple):
    """The answer to a submit_sm, accepted or not; message_id is empty when it was not."""

    sequence: int
    status: int
    message_id: str


class DeliverAnswered(NamedTuple):
    """The answer to a deliver_sm."""

    sequence: int
    status: int


class RequestAnswered(NamedTuple):
    """The answer to any other request of ours; a GenericNack when the peer did not understand it."""

    sequence: int
    status: int
    response: Response


class SubmitRequested(NamedTuple):
    """MC: answer with `answer_submit`."""

    sequence: int
    pdu: SubmitSm


class DeliverRequested(NamedTuple):
    """ESME: answer with `acknowledge_delivers` once its content is safe."""

    sequence: int
    deliver: DeliverSm


class SubmitMultiRequested(NamedTuple):
    """MC: answer with `answer`."""

    sequence: int
    pdu: SubmitMulti


class DataRequested(NamedTuple):
    """Either role: answer with `answer`."""

    sequence: int
    pdu: DataSm


class QueryRequested(NamedTuple):
    """MC: answer with `answer`."""

    sequence: int
    pdu: QuerySm


class CancelRequested(NamedTuple):
    """MC: answer with `answer`."""

    sequence: int
    pdu: CancelSm


class ReplaceRequested(NamedTuple):
    """MC: answer with `answer`."""

    sequence: int
    pdu: ReplaceSm


class AlertReceived(NamedTuple):
    """ESME: a handset is reachable. It takes no answer."""

    sequence: int
    pdu: AlertNotification


class UnbindRequested(NamedTuple):
    """The peer wants to end. Answer what is still to be answered, then call `unbind`."""

    sequence: int


class Unbound(NamedTuple):
    """Both ends agreed to end; Closed follows."""


class RequestTimedOut(NamedTuple):
    """No answer within the response timer: nobody knows whether the peer acted. A late answer is UnexpectedResponse."""

    sequence: int
    command_id: int


class UnexpectedResponse(NamedTuple):
    """An answer to nothing that waits: too late, doubled or wrong. message_id: of a submit_sm_resp, else empty."""

    sequence: int
    command_id: int
    status: int
    message_id: str


class PeerBroke(NamedTuple):
    """The peer broke a rule and has been answered. fatal: Closed follows."""

    reason: str
    fatal: bool


class Closed(NamedTuple):
    """The last event: write what is left to send and drop the connection.

    unanswered: sequences of our requests whose outcome stays unknown, oldest first.
    """

    reason: str
    unanswered: tuple[int, ...]


Event: TypeAlias = (
    Bound
    | BindRefused
    | BindRequested
    | OutbindRequested
    | SubmitAnswered
    | DeliverAnswered
    | RequestAnswered
    | SubmitRequested
    | DeliverRequested
    | SubmitMultiRequested
    | DataRequested
    | QueryRequested
    | CancelRequested
    | ReplaceRequested
    | AlertReceived
    | UnbindRequested
    | Unbound
    | RequestTimedOut
    | UnexpectedResponse
    | PeerBroke
    | Closed
)

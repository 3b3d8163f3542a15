"""What follows from each PDU that arrives, the hottest one excepted, which `session` handles in its loop.

Rules: nothing here acknowledges a message; what the machine answers by itself is enquire_link and what is refused.
A generic_nack and a response are never answered (clauses 4.3.1 and 2.6).
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from heliograph.smpp.codec import decode_body, decode_message_id
from heliograph.smpp.constants import RESPONSE_BIT, BindKind, CommandId, CommandStatus, Tag
from heliograph.smpp.dialogue import Dialogue
from heliograph.smpp.errors import PduError
from heliograph.smpp.events import (
    AlertReceived,
    BindRefused,
    BindRequested,
    Bound,
    CancelRequested,
    DataRequested,
    DeliverAnswered,
    DeliverRequested,
    Event,
    OutbindRequested,
    PeerBroke,
    QueryRequested,
    ReplaceRequested,
    RequestAnswered,
    SubmitAnswered,
    SubmitMultiRequested,
    SubmitRequested,
    UnbindRequested,
    Unbound,
    UnexpectedResponse,
)
from heliograph.smpp.pdus import Bind, BindResp, GenericNack, Response, tlv
from heliograph.smpp.states import BINDS, BOUND_STATES, MAY_SEND, SessionState, refusal

_REQUESTS: Final = frozenset(int(command_id) for command_id in MAY_SEND)
_BINDS: Final = frozenset(int(command_id) for command_id in BINDS)
_UNANSWERABLE: Final = frozenset({CommandId.OUTBIND, CommandId.ALERT_NOTIFICATION})
_EVENTS: Final[dict[int, Callable[[int, Any], Event]]] = {
    CommandId.SUBMIT_SM: SubmitRequested,
    CommandId.SUBMIT_MULTI: SubmitMultiRequested,
    CommandId.DELIVER_SM: DeliverRequested,
    CommandId.DATA_SM: DataRequested,
    CommandId.QUERY_SM: QueryRequested,
    CommandId.CANCEL_SM: CancelRequested,
    CommandId.REPLACE_SM: ReplaceRequested,
    CommandId.ALERT_NOTIFICATION: AlertReceived,
    CommandId.OUTBIND: OutbindRequested,
}


class Frame(NamedTuple):
    """One PDU in the buffer; its body lies from start to end."""

    command_id: int
    status: int
    sequence: int
    buffer: bytes
    start: int
    end: int


def take_frame(dialogue: Dialogue, frame: Frame) -> list[Event]:
    """The events of one PDU, in order; answers that it deserves at once are in the outbox."""
    if frame.command_id & RESPONSE_BIT:
        return _take_response(dialogue, frame)
    return _take_request(dialogue, frame)


def _take_request(dialogue: Dialogue, frame: Frame) -> list[Event]:
    command_id = frame.command_id
    if command_id not in dialogue.taken or dialogue.peer_unbind is not None:
        return _refuse_untaken(dialogue, frame)
    if command_id == CommandId.ENQUIRE_LINK:
        dialogue.send_bare_response(command_id, frame.sequence)
        return []
    try:
        pdu = decode_body(command_id, frame.buffer, start=frame.start, end=frame.end)
    except PduError as error:
        return _refuse(dialogue, frame, status=error.status, reason=str(error))
    if isinstance(pdu, Bind):
        dialogue.peer_bind = (frame.sequence, pdu.kind)
        dialogue.learn_version(pdu.interface_version)
        dialogue.enter(SessionState.BINDING)
        return [BindRequested(frame.sequence, pdu)]
    if command_id == CommandId.UNBIND:
        dialogue.enter_ending(peer_unbind=frame.sequence)
        return [UnbindRequested(frame.sequence)]
    if command_id == CommandId.OUTBIND:
        dialogue.enter(SessionState.OUTBOUND)
    return [_EVENTS[command_id](frame.sequence, pdu)]


def _refuse_untaken(dialogue: Dialogue, frame: Frame) -> list[Event]:
    if frame.command_id not in _REQUESTS:
        dialogue.send_nack(CommandStatus.ESME_RINVCMDID, frame.sequence)
        return [PeerBroke(f"command_id {frame.command_id:#010x} is unknown", False)]
    status = refusal(frame.command_id, dialogue.state)
    name = CommandId(frame.command_id).name.lower()
    reason = f"{name} does not fit a session that is {dialogue.state.value}"
    return _refuse(dialogue, frame, status=status, reason=reason)


def _refuse(dialogue: Dialogue, frame: Frame, *, status: int, reason: str) -> list[Event]:
    if frame.command_id not in _UNANSWERABLE:
        dialogue.send_bare_response(frame.command_id, frame.sequence, status=status)
    return [PeerBroke(reason, False)]


def _take_response(dialogue: Dialogue, frame: Frame) -> list[Event]:
    if frame.command_id == CommandId.GENERIC_NACK:
        return _take_nack(dialogue, frame)
    request_id = frame.command_id & ~RESPONSE_BIT
    if not dialogue.outstanding.take(frame.sequence, request_id):
        is_submit = request_id == CommandId.SUBMIT_SM
        message_id = decode_message_id(frame.buffer, start=frame.start, end=frame.end) if is_submit else ""
        return [UnexpectedResponse(frame.sequence, frame.command_id, frame.status, message_id)]
    return _resolve(dialogue, frame, request_id=request_id)


def _take_nack(dialogue: Dialogue, frame: Frame) -> list[Event]:
    """A nack of a request that waits answers it. One that says ESME_ROK is no acceptance."""
    request_id = dialogue.outstanding.command_of(frame.sequence)
    if request_id is None:
        return [UnexpectedResponse(frame.sequence, frame.command_id, frame.status, "")]
    dialogue.outstanding.take(frame.sequence, request_id)
    status = frame.status or CommandStatus.ESME_RUNKNOWNERR
    return _resolve(dialogue, frame._replace(status=status, start=frame.end), request_id=request_id)


def _resolve(dialogue: Dialogue, frame: Frame, *, request_id: int) -> list[Event]:
    """The answer to a request of ours that no longer waits."""
    if request_id == CommandId.SUBMIT_SM:
        message_id = decode_message_id(frame.buffer, start=frame.start, end=frame.end)
        return [SubmitAnswered(frame.sequence, frame.status, message_id)]
    if request_id == CommandId.DELIVER_SM:
        return [DeliverAnswered(frame.sequence, frame.status)]
    if request_id == CommandId.ENQUIRE_LINK:  # any answer is a sign of life
        dialogue.enquiring = False
        return []
    if request_id in _BINDS:
        return [_resolve_bind(dialogue, frame, kind=BindKind(request_id))]
    if request_id == CommandId.UNBIND:  # a refusal changes nothing: we are leaving
        return [Unbound(), dialogue.close("unbound")]
    return [RequestAnswered(frame.sequence, frame.status, _response(frame))]


def _resolve_bind(dialogue: Dialogue, frame: Frame, *, kind: BindKind) -> Event:
    if frame.status:
        dialogue.enter(SessionState.OPEN)
        return BindRefused(frame.status)
    response = _response(frame)
    system_id, version = "", None
    if isinstance(response, BindResp):
        system_id = response.system_id
        version = tlv(response.tlvs, Tag.SC_INTERFACE_VERSION)
    interface_version = version[0] if version else None
    dialogue.learn_version(interface_version)
    dialogue.enter(BOUND_STATES[kind])
    return Bound(kind, system_id, interface_version)


def _response(frame: Frame) -> Response:
    """The answer as a PDU. Only ids of the tables come here, and reading a response never fails."""
    if frame.command_id == CommandId.GENERIC_NACK:
        return GenericNack()
    pdu: Any = decode_body(frame.command_id, frame.buffer, start=frame.start, end=frame.end)
    response: Response = pdu
    return response

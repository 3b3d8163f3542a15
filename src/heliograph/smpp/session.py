"""The session machine: octets in, events out, for both roles, with time as an argument.

Rules
- No socket, no clock, no thread. The owner reads and writes, calls `tick` at `next_deadline`, and after every call
  sends what `data_to_send` returns. `now` is any clock in seconds that never runs backwards.
- Messages are never acknowledged by the machine: a deliver_sm or submit_sm is answered when the owner says that
  it is safe. enquire_link is answered at once, and so is what must be refused.
- A peer can make the machine report PeerBroke or Closed; it can never make it raise. LocalProtocolError is ours.
- After Closed nothing is taken in, requests raise and answers are dropped: a commit may well end after a connection.

    session = Session(Role.ESME, timers=Timers(), window=10, now=now)
    session.request(Bind(system_id="me", password="secret"), now=now)
    socket.write(session.data_to_send())
    for event in session.receive(socket.read(), now=now): ...
"""

from collections.abc import Iterable
from struct import Struct
from typing import Final

from heliograph.smpp.arrivals import Frame, take_frame
from heliograph.smpp.codec import (
    command_id_of,
    decode_message_id,
    encode,
    encode_deliver_sm_resps,
    encode_submit_sm_resp,
)
from heliograph.smpp.constants import HEADER_OCTETS, VERSION_3_4, CommandId, Tag
from heliograph.smpp.deadlines import next_deadline, tick
from heliograph.smpp.dialogue import Dialogue
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.events import Closed, Event, SubmitAnswered, Unbound
from heliograph.smpp.framing import Remainder
from heliograph.smpp.outstanding import Outstanding
from heliograph.smpp.pdus import BindResp, Request, Response, Unbind, UnbindResp
from heliograph.smpp.states import BOUND_STATES, Role, SessionState, may_send
from heliograph.smpp.template import SubmitTemplate
from heliograph.smpp.timers import Timers

_unpack_header: Final = Struct(">IIII").unpack_from
_SUBMIT_SM: Final = int(CommandId.SUBMIT_SM)
_SUBMIT_SM_RESP: Final = int(CommandId.SUBMIT_SM_RESP)
_LENGTH_OCTETS: Final = 4


class Session:
    """One end of one SMPP connection.

    outstanding: our requests that wait for an answer; its length counts them, its free_slots are what the window
    still lets out.
    """

    __slots__ = ("_dialogue", "_remainder", "outstanding")

    def __init__(self, role: Role, *, timers: Timers, window: int, now: float) -> None:
        """window: most submit_sm, submit_multi, data_sm and deliver_sm of ours unanswered at once."""
        self.outstanding = Outstanding(window)
        self._dialogue = Dialogue(role, timers=timers, outstanding=self.outstanding, now=now)
        self._remainder = Remainder()

    @property
    def state(self) -> SessionState:
        """Where the session stands."""
        return self._dialogue.state

    def receive(self, data: bytes, *, now: float) -> list[Event]:
        """Take octets in, however they are cut; b"" says that the peer ended the connection."""
        dialogue = self._dialogue
        if dialogue.is_closed:
            return []
        if not data:
            return [dialogue.close("the peer ended the connection")]
        buffer = self._remainder.joined(data)
        events: list[Event] = []
        take = self.outstanding.take
        size, offset, wanted = len(buffer), 0, HEADER_OCTETS
        while size - offset >= HEADER_OCTETS:
            length, command_id, status, sequence = _unpack_header(buffer, offset)
            if length < HEADER_OCTETS or length > dialogue.max_octets:
                return events + dialogue.refuse_length(length)
            end = offset + length
            if end > size:
                wanted = length
                break
            start = offset + HEADER_OCTETS
            if command_id == _SUBMIT_SM_RESP and take(sequence, _SUBMIT_SM):
                events.append(SubmitAnswered(sequence, status, decode_message_id(buffer, start=start, end=end)))
            else:
                came = take_frame(dialogue, Frame(command_id, status, sequence, buffer, start, end))
                events += came
                if came and isinstance(came[-1], Closed):
                    return events
            offset = end
        if offset:
            dialogue.last_heard = now
        if offset < size:
            events += self._keep(buffer[offset:], wanted)
        return events

    def _keep(self, rest: bytes, wanted: int) -> list[Event]:
        """Hold an unfinished PDU back, unless its length is wrong already: a web browser says "GET " and waits."""
        if len(rest) >= _LENGTH_OCTETS:
            length = int.from_bytes(rest[:_LENGTH_OCTETS], "big")
            if not HEADER_OCTETS <= length <= self._dialogue.max_octets:
                return self._dialogue.refuse_length(length)
        else:
            wanted = _LENGTH_OCTETS
        self._remainder.keep(rest, wanted)
        return []

    def data_to_send(self) -> bytes:
        """Everything to write since the last call, in one piece."""
        outbox = self._dialogue.outbox
        if not outbox:
            return b""
        data = b"".join(outbox)
        outbox.clear()
        return data

    def next_deadline(self) -> float | None:
        """When to call `tick` next; None when time alone changes nothing. Every other call may move it."""
        return next_deadline(self._dialogue)

    def tick(self, now: float) -> list[Event]:
        """Do what time demands; early calls do nothing."""
        return tick(self._dialogue, now)

    def submit(self, template: SubmitTemplate, destination_addr: bytes, short_message: bytes, *, now: float) -> int:
        """ESME: send a submit_sm and return its sequence; SubmitAnswered or RequestTimedOut follows.

        LocalProtocolError when not bound to transmit, when either end is unbinding, when the window is full or when
        the address or text does not fit.
        """
        dialogue, outstanding = self._dialogue, self.outstanding
        if not dialogue.can_submit:
            raise LocalProtocolError(f"submit_sm does not fit a session that is {dialogue.state.value} or ending")
        if outstanding.free_slots <= 0:
            raise LocalProtocolError("the window is full")
        if not dialogue.peer_takes_tlvs:
            template = template.plain
        sequence = outstanding.next_sequence()
        dialogue.outbox.append(template.encode(sequence, destination_addr, short_message))
        outstanding.add(sequence, _SUBMIT_SM, now=now)
        return sequence

    def request(self, pdu: Request, *, now: float) -> int:
        """Send any request that this role and state may send, binds included, and return its sequence.

        outbind and alert_notification wait for no answer. LocalProtocolError as for `submit`.
        """
        dialogue, command_id = self._dialogue, command_id_of(pdu)
        if isinstance(pdu, Unbind):
            raise LocalProtocolError("to end a session call unbind")
        if dialogue.is_ending or not may_send(dialogue.role, command_id, state=dialogue.state):
            name = CommandId(command_id).name.lower()
            raise LocalProtocolError(f"{name} does not fit a session that is {dialogue.state.value} or ending")
        if not self.outstanding.has_room(command_id):
            raise LocalProtocolError("the window is full")
        return dialogue.send_request(pdu, now=now)

    def unbind(self, *, now: float) -> list[Event]:
        """Agree when the peer asked to end: Unbound and Closed are returned. Else ask it: they come with its answer.

        A second call changes nothing, nor does one after Closed. LocalProtocolError before the bind.
        """
        dialogue = self._dialogue
        if dialogue.is_closed:
            return []
        if dialogue.peer_unbind is not None:
            dialogue.send_bare_response(CommandId.UNBIND, dialogue.peer_unbind)
            return [Unbound(), dialogue.close("unbound")]
        if dialogue.leaving:
            return []
        if not dialogue.is_bound:
            raise LocalProtocolError(f"unbind does not fit a session that is {dialogue.state.value}")
        dialogue.send_request(Unbind(), now=now)
        dialogue.enter_ending()
        return []

    def acknowledge_delivers(self, sequences: Iterable[int], *, status: int = 0) -> None:
        """ESME: answer these deliver_sm, all with one status."""
        if not self._dialogue.is_closed:
            self._dialogue.outbox.append(encode_deliver_sm_resps(sequences, status=status))

    def answer_bind(self, sequence: int, *, status: int = 0, system_id: str = "") -> None:
        """MC: let the peer in or, with a status, refuse it. system_id: ours, to show to the peer."""
        dialogue = self._dialogue
        if dialogue.is_closed:
            return
        if dialogue.peer_bind is None or dialogue.peer_bind[0] != sequence:
            raise LocalProtocolError(f"no bind waits under sequence {sequence}")
        kind = dialogue.peer_bind[1]
        response = BindResp(kind=kind, system_id=system_id, tlvs=((Tag.SC_INTERFACE_VERSION, bytes((VERSION_3_4,))),))
        dialogue.outbox.append(encode(response, sequence=sequence, status=status, tlvs=dialogue.peer_takes_tlvs))
        dialogue.peer_bind = None
        dialogue.enter(SessionState.OPEN if status else BOUND_STATES[kind])

    def answer_submit(self, sequence: int, message_id: str, *, status: int = 0) -> None:
        """MC: answer a submit_sm; message_id is not sent with a status other than ESME_ROK."""
        if not self._dialogue.is_closed:
            self._dialogue.outbox.append(encode_submit_sm_resp(sequence, message_id, status=status))

    def answer(self, sequence: int, response: Response, *, status: int = 0) -> None:
        """Answer any other request. LocalProtocolError for the binds and unbind, which have methods of their own."""
        dialogue = self._dialogue
        if isinstance(response, BindResp | UnbindResp):
            raise LocalProtocolError("to answer a bind or an unbind call answer_bind or unbind")
        if not dialogue.is_closed:
            dialogue.outbox.append(encode(response, sequence=sequence, status=status, tlvs=dialogue.peer_takes_tlvs))

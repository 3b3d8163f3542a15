"""What the parts of the session machine share: its state, the requests that wait and the octets to send.

Only `session`, `arrivals` and `deadlines` use it. Rules of the standard are in `states`; here is no decision.
"""

from typing import Final

from heliograph.smpp.codec import command_id_of, encode, encode_bare
from heliograph.smpp.constants import (
    HEADER_OCTETS,
    RESPONSE_BIT,
    VERSION_3_3,
    BindKind,
    CommandId,
    CommandStatus,
)
from heliograph.smpp.events import Closed, Event, PeerBroke
from heliograph.smpp.outstanding import Outstanding
from heliograph.smpp.pdus import Pdu
from heliograph.smpp.states import BINDS, BOUND_STATES, Role, SessionState, taken_from
from heliograph.smpp.timers import Timers

MAX_OCTETS_BEFORE_BIND: Final = 512
"""The longest bind that keeps to the standard has 98; a stranger gets no more of our memory than this."""

MAX_OCTETS_BOUND: Final = 70 * 1024
"""Room for a message_payload of 65,535 octets and what stands around it."""

_BOUND: Final = frozenset(BOUND_STATES.values())


class Dialogue:
    """The common memory of one session.

    taken: command_ids of the requests that we take from the peer now. can_submit: whether submit_sm may leave.
    peer_bind, peer_unbind: the peer's request that waits for our answer. enquiring: our enquire_link waits.
    last_heard: when the last whole PDU came.
    """

    __slots__ = (
        "can_submit",
        "enquiring",
        "last_heard",
        "leaving",
        "max_octets",
        "opened_at",
        "outbox",
        "outstanding",
        "peer_bind",
        "peer_takes_tlvs",
        "peer_unbind",
        "role",
        "state",
        "taken",
        "timers",
    )

    def __init__(self, role: Role, *, timers: Timers, outstanding: Outstanding, now: float) -> None:
        self.role = role
        self.timers = timers
        self.outstanding = outstanding
        self.opened_at = now
        self.last_heard = now
        self.outbox: list[bytes] = []
        self.peer_takes_tlvs = True
        self.peer_bind: tuple[int, BindKind] | None = None
        self.peer_unbind: int | None = None
        self.enquiring = False
        self.leaving = False
        self.enter(SessionState.OPEN)

    @property
    def is_bound(self) -> bool:
        """Whether messages may travel."""
        return self.state in _BOUND

    @property
    def is_closed(self) -> bool:
        """Whether all is over."""
        return self.state is SessionState.CLOSED

    @property
    def is_ending(self) -> bool:
        """Whether either end has asked to unbind; no new request of ours leaves then."""
        return self.leaving or self.peer_unbind is not None

    def enter(self, state: SessionState) -> None:
        """Change the state and what follows from it."""
        self.state = state
        self.taken = taken_from(self.role.peer, state)
        self.max_octets = MAX_OCTETS_BOUND if state in _BOUND else MAX_OCTETS_BEFORE_BIND
        submitting = state in (SessionState.BOUND_TX, SessionState.BOUND_TRX)
        self.can_submit = submitting and self.role is Role.ESME and not self.is_ending

    def learn_version(self, interface_version: int | None) -> None:
        """A peer that does not say its version is taken for one of 3.4, as most of those are."""
        self.peer_takes_tlvs = interface_version is None or interface_version > VERSION_3_3

    def enter_ending(self, *, peer_unbind: int | None = None) -> None:
        """Either end asks to unbind; peer_unbind: the sequence when it is the peer."""
        if peer_unbind is None:
            self.leaving = True
        else:
            self.peer_unbind = peer_unbind
        self.enter(self.state)

    def send_request(self, pdu: Pdu, *, now: float) -> int:
        """Put a request out and let it wait, unless it is one without an answer; its sequence."""
        command_id = command_id_of(pdu)
        sequence = self.outstanding.next_sequence()
        self.outbox.append(encode(pdu, sequence=sequence, tlvs=self.peer_takes_tlvs))
        if command_id not in (CommandId.OUTBIND, CommandId.ALERT_NOTIFICATION):
            self.outstanding.add(sequence, command_id, now=now)
        if command_id in BINDS:
            self.enter(SessionState.BINDING)
        return sequence

    def send_bare_response(self, request_id: int, sequence: int, *, status: int = 0) -> None:
        """Answer a request with a header alone."""
        self.outbox.append(encode_bare(request_id | RESPONSE_BIT, sequence=sequence, status=status))

    def send_nack(self, status: int, sequence: int = 0) -> None:
        """generic_nack; sequence 0 when the peer's is not known (clause 4.3.1)."""
        self.outbox.append(encode_bare(CommandId.GENERIC_NACK, sequence=sequence, status=status))

    def close(self, reason: str) -> Closed:
        """End the session from our side."""
        self.enter(SessionState.CLOSED)
        return Closed(reason, self.outstanding.sequences())

    def refuse_length(self, length: int) -> list[Event]:
        """Where the next PDU starts can no longer be known, so the session ends."""
        self.send_nack(CommandStatus.ESME_RINVCMDLEN)
        limit = f"{HEADER_OCTETS} to {self.max_octets}"
        reason = f"command_length is {length}, not {limit}"
        return [PeerBroke(reason, True), self.close(reason)]

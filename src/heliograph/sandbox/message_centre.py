"""A message centre that carries nothing anywhere: a real SMPP server that treats each recipient as its digits ask.

Anyone may bind unless it was told whom to let in. A submit is answered with an id that it never gave before; receipts
and replies follow (`core.fates`), are repeated until they are acknowledged, and wait for the next bind of the same
system_id. It forgets everything when it stops.
"""

import asyncio
from collections import Counter
from collections.abc import Container
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from heliograph.core.fates import Fate
from heliograph.gsm.national import Language
from heliograph.net import smpp as shell
from heliograph.net.clock import Clock
from heliograph.net.smpp import Connection
from heliograph.sandbox.aftermath import Aftermath
from heliograph.sandbox.delays import DelayLine
from heliograph.sandbox.desk import Desk
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.mailbox import Mailbox
from heliograph.sandbox.reports import Received, messages_from
from heliograph.smpp import events as happened
from heliograph.smpp.constants import BindKind, CommandStatus
from heliograph.smpp.pdus import Bind, CancelSmResp, DeliverSm, ReplaceSmResp, SubmitSm
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.timers import Timers

NAME: Final = "Heliograph"
"""The system_id that customers see."""

RECEIPT_LEAD_S: Final = 0.02
"""How far a receipt that comes first is ahead of the answer."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Peer:
    """A bound session. unanswered: its submits that wait for their answer; answers: its own, of one read."""

    connection: Connection
    system_id: str
    mailbox: Mailbox
    unanswered: int = 0
    answers: list[tuple[int, bool]] = field(default_factory=list)


class _Answer(NamedTuple):
    peer: _Peer
    sequence: int
    status: int
    message_id: str


class MessageCentre:
    """Serves between `start` and `stop`. counts: what happened so far, by name (`submits`, `accepted` …)."""

    def __init__(self, clock: Clock, habits: Habits | None = None) -> None:
        self._clock = clock
        self._habits = habits = habits or Habits()
        self._peers: dict[Connection, _Peer] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._server: asyncio.Server | None = None
        self._references = 0
        self.counts: Counter[str] = Counter()
        response_s = habits.response_delay_ms / 1000
        self._answers: DelayLine[_Answer] = DelayLine(response_s, clock, self._answer)
        self._slow_answers: DelayLine[_Answer] = DelayLine(response_s + RECEIPT_LEAD_S, clock, self._answer)
        delay_ms = habits.response_delay_ms + habits.receipt_delay_ms
        self._aftermath = Aftermath(self._put, clock, form=habits.id_form, delay_ms=delay_ms, late_ms=habits.late_ms)
        self._desk = Desk(habits, clock, aftermath=self._aftermath, counts=self.counts)

    async def start(self, host: str, port: int) -> int:
        """Listen, and say on which port: 0 takes a free one. Raises OSError when the address is taken."""
        self._server = await shell.serve(
            host, port, make_session=self._make_session, on_events=self._on_events, clock=self._clock
        )
        bound_to: int = self._server.sockets[0].getsockname()[1]
        return bound_to

    async def stop(self) -> None:
        """Hang up and forget all."""
        if self._server is not None:
            self._server.close()
        self.drop_sessions()
        self._answers.close()
        self._slow_answers.close()
        self._aftermath.stop()
        for mailbox in self._mailboxes.values():
            mailbox.stop()
        if self._server is not None:
            await self._server.wait_closed()

    @property
    def received(self) -> tuple[Received, ...]:
        """The latest segments that were taken, oldest first."""
        return self._aftermath.kept()

    @property
    def sessions(self) -> int:
        """How many are bound."""
        return len(self._peers)

    @property
    def waiting(self) -> int:
        """Receipts and incoming messages that nobody has acknowledged yet."""
        return sum(map(len, self._mailboxes.values()))

    @property
    def delivered(self) -> int:
        """Receipts and incoming messages that were acknowledged."""
        return sum(mailbox.delivered for mailbox in self._mailboxes.values())

    def deliver_incoming(
        self,
        sender: str,
        recipient: str,
        text: str,
        *,
        system_id: str,
        lost: Container[int] = (),
        language: Language = Language.NONE,
    ) -> None:
        """A handset writes to a customer; the message waits for the customer's bind if need be.

        lost: segments, counted from 1, that never come. language: whose tables the handset has.
        """
        self._references = (self._references + 1) & 0xFF
        cut = messages_from(sender, recipient, text, reference=self._references, language=language)
        self._put(system_id, [each for number, each in enumerate(cut, start=1) if number not in lost])

    def drop_sessions(self) -> None:
        """Cut every connection, as a failing network does."""
        for connection in list(self._peers):
            connection.close(at_once=True)

    # Sessions --------------------------------------------------------------------------------------------------------

    def _make_session(self, now: float) -> Session:
        return Session(Role.MC, timers=Timers(), window=self._habits.deliver_window, now=now)

    def _on_events(self, connection: Connection, events: list[happened.Event]) -> None:
        peer = self._peers.get(connection)
        for event in events:
            if peer is None:
                peer = self._meet(connection, event)
            elif type(event) is happened.SubmitRequested:
                self._submit(peer, event.sequence, event.pdu)
            elif type(event) is happened.DeliverAnswered:
                peer.answers.append((event.sequence, event.status == 0))
            else:
                self._take_rare(peer, event)
        if peer is not None:
            self._settle(peer)
        self._desk.settle()

    def _settle(self, peer: _Peer) -> None:
        """Tell the mailbox of the answers that have gathered: always before the session ends."""
        if peer.answers:
            answers, peer.answers = peer.answers, []
            peer.mailbox.answered(peer.connection, answers)

    def _meet(self, connection: Connection, event: happened.Event) -> _Peer | None:
        """A stranger can do nothing but bind."""
        if not isinstance(event, happened.BindRequested):
            return None
        status = self._judge_bind(event.pdu)
        connection.session.answer_bind(event.sequence, status=status, system_id=NAME)
        if status:
            self.counts["binds refused"] += 1
            return None
        system_id = event.pdu.system_id
        peer = _Peer(connection=connection, system_id=system_id, mailbox=self._mailbox(system_id))
        self._peers[connection] = peer
        if event.pdu.kind is not BindKind.TRANSMITTER:
            peer.mailbox.open(connection)
        return peer

    def _judge_bind(self, pdu: Bind) -> int:
        if self._habits.system_id not in (None, pdu.system_id):
            return CommandStatus.ESME_RINVSYSID
        if self._habits.password not in (None, pdu.password):
            return CommandStatus.ESME_RINVPASWD
        return CommandStatus.ESME_ROK

    def _mailbox(self, system_id: str) -> Mailbox:
        found = self._mailboxes.get(system_id)
        if found is None:
            found = self._mailboxes[system_id] = Mailbox(self._clock)
        return found

    def _put(self, system_id: str, delivers: list[DeliverSm]) -> None:
        self._mailbox(system_id).put(delivers)

    # Requests --------------------------------------------------------------------------------------------------------

    def _submit(self, peer: _Peer, sequence: int, pdu: SubmitSm) -> None:
        status, message_id = self._desk.submit(peer.system_id, pdu, unanswered=peer.unanswered)
        leads = self._desk.fate_of(pdu.destination_addr) is Fate.RECEIPT_FIRST
        if leads or self._habits.response_delay_ms:
            peer.unanswered += 1
            line = self._slow_answers if leads else self._answers
            line.add((_Answer(peer, sequence, status, message_id),))
        else:
            peer.connection.session.answer_submit(sequence, message_id, status=status)

    def _answer(self, answers: list[_Answer]) -> None:
        """Answer what has waited long enough."""
        for peer, sequence, status, message_id in answers:
            peer.unanswered -= 1
            peer.connection.session.answer_submit(sequence, message_id, status=status)
        for connection in {answer.peer.connection for answer in answers}:
            connection.flush()

    def _take_rare(self, peer: _Peer, event: happened.Event) -> None:
        match event:
            case happened.Closed():
                self._settle(peer)
                self._peers.pop(peer.connection, None)
                peer.mailbox.close(peer.connection)
            case happened.UnbindRequested():
                self._settle(peer)
                peer.connection.unbind()
            case happened.RequestTimedOut(sequence=sequence):
                peer.answers.append((sequence, False))
            case happened.PeerBroke():
                self.counts["rules broken"] += 1
            case _:
                self._answer_rare(peer, event)

    def _answer_rare(self, peer: _Peer, event: happened.Event) -> None:
        desk, system_id, answer = self._desk, peer.system_id, peer.connection.session.answer
        match event:
            case happened.SubmitMultiRequested(sequence=sequence, pdu=multi):
                answer(sequence, desk.submit_multi(system_id, multi))
            case happened.DataRequested(sequence=sequence, pdu=data):
                status, data_response = desk.data(system_id, data)
                answer(sequence, data_response, status=status)
            case happened.QueryRequested(sequence=sequence, pdu=query):
                status, query_response = desk.query(system_id, query)
                answer(sequence, query_response, status=status)
            case happened.CancelRequested(sequence=sequence, pdu=cancel):
                answer(sequence, CancelSmResp(), status=desk.cancel(system_id, cancel.message_id))
            case happened.ReplaceRequested(sequence=sequence):
                answer(sequence, ReplaceSmResp(), status=CommandStatus.ESME_RREPLACEFAIL)
            case _:
                # Answers to nothing, and requests that only a message centre sends.
                pass

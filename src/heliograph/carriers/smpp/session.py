"""One bound session of an SMPP carrier: parcels out, answers, receipts and incoming messages in.

What one read of the socket brings is told to the pipeline in the order of arrival, each run of one kind in one call. A
deliver_sm is acknowledged when the store has it, and refused with ESME_RSYSERR, after which carriers repeat it, when it
has not. What we cannot understand is acknowledged and counted: refused, it would come again for days.
"""

import asyncio
from collections import Counter
from functools import partial
from typing import Final

import structlog

from heliograph.carriers.smpp.mapping import Submits, UnusableSender, incoming_from, is_receipt, receipt_from
from heliograph.carriers.smpp.profile import Profile
from heliograph.carriers.smpp.status import SESSION_FAULTS, outcome_of, status_name
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.net.smpp import Connection
from heliograph.pipeline.ports import Incoming, SessionFeed, Stored
from heliograph.smpp.constants import CommandStatus
from heliograph.smpp.errors import LocalProtocolError
from heliograph.smpp.events import (
    Closed,
    DataRequested,
    DeliverRequested,
    Event,
    PeerBroke,
    RequestTimedOut,
    SubmitAnswered,
    UnbindRequested,
    UnexpectedResponse,
)
from heliograph.smpp.pdus import DataSm, DataSmResp

DRAIN_S: Final = 10.0
"""How long answers are waited for when the session is to end."""

_NOT_STORED: Final = int(CommandStatus.ESME_RSYSERR)
_log = structlog.get_logger(__name__)


class CarrierSession:
    """A session's life from bound to closed. `counts` is shared by a carrier's sessions."""

    def __init__(
        self, connection: Connection, feed: SessionFeed, *, profile: Profile, submits: Submits, counts: Counter[str]
    ) -> None:
        self._connection = connection
        self._session = connection.session
        self._feed = feed
        self._profile = profile
        self._submits = submits
        self._counts = counts
        self._parcels: dict[int, Parcel] = {}
        self._outcomes: list[SubmitOutcome] = []
        self._receipts: list[Receipt] = []
        self._incoming: list[Incoming] = []
        self._receipt_sequences: list[int] = []
        self._incoming_sequences: list[int] = []
        self._unstored = 0
        self._closed = asyncio.Event()
        self._settled = asyncio.Event()
        self._ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def run(self) -> str:
        """Submit until the session ends, and say why it did. When cancelled, it is unbound in good order first."""
        submitting = asyncio.create_task(self._submit_for_ever())
        why = "stopped"
        try:
            why = await self._until_ended(submitting)
            return why
        finally:
            submitting.cancel()
            await asyncio.wait((submitting,))
            await self._leave()
            self._feed.close(why)

    async def _until_ended(self, submitting: asyncio.Task[None]) -> str:
        await asyncio.wait((submitting, self._ended), return_when=asyncio.FIRST_COMPLETED)
        if not self._ended.done():
            submitting.result()
        return await self._ended

    async def _leave(self) -> None:
        """Wait for what is still on its way, unbind, and hang up: each within its time."""
        try:
            async with asyncio.timeout(DRAIN_S):
                await self._drained()
                if not self._connection.is_closed:
                    self._connection.unbind()
                    await self._closed.wait()
        except TimeoutError:
            _log.warning("drain timed out", unanswered=len(self._parcels), unstored=self._unstored)
        except LocalProtocolError as error:
            _log.warning("unbind failed", error=str(error))
        self._connection.close()

    async def _drained(self) -> None:
        while (self._parcels or self._unstored) and not self._connection.is_closed:
            self._settled.clear()
            await self._settled.wait()

    # Out -----------------------------------------------------------------------------------------------------------

    async def _submit_for_ever(self) -> None:
        while True:
            await self._connection.writable()
            self._submit(await self._feed.take())

    def _submit(self, parcels: list[Parcel]) -> None:
        """Put parcels out with one write. What could not leave is told at once."""
        submit_from, submit, waiting = self._submits.submit_from, self._session.submit, self._parcels
        now = self._connection.now()
        unsent: list[SubmitOutcome] = []
        for parcel in parcels:
            try:
                template, destination_addr, short_message = submit_from(parcel)
                waiting[submit(template, destination_addr, short_message, now=now)] = parcel
            except UnusableSender as error:
                unsent.append(Refused(parcel, Reason.INVALID_SENDER, str(error)))
            except LocalProtocolError as error:
                unsent.append(Deferred(parcel, 0, False, str(error)))
        self._connection.flush()
        if unsent:
            self._feed.report(unsent)

    # In ------------------------------------------------------------------------------------------------------------

    def on_events(self, events: list[Event]) -> None:
        """Take in what one read of the socket brought."""
        for event in events:
            if type(event) is SubmitAnswered:
                self._take_answer(event)
            elif type(event) is DeliverRequested:
                self._take_deliver(event)
            else:
                self._take_rare(event)
        self._hand_over()
        if not self._parcels:
            self._settled.set()

    def _take_answer(self, event: SubmitAnswered) -> None:
        sequence, status, message_id = event
        self._outcomes.append(
            outcome_of(self._parcels.pop(sequence), status, message_id, overrides=self._profile.statuses)
        )
        if status in SESSION_FAULTS:
            self._end(f"the carrier answered {status_name(status)}")

    def _take_deliver(self, event: DeliverRequested) -> None:
        sequence, pdu = event
        receipt = receipt_from(pdu, self._profile)
        if receipt is not None:
            self._receipts.append(receipt)
            self._receipt_sequences.append(sequence)
        elif is_receipt(pdu):
            self._counts["receipts without id"] += 1
            self._session.acknowledge_delivers((sequence,))
            return
        else:
            self._incoming.append(incoming_from(pdu))
            self._incoming_sequences.append(sequence)

    def _take_rare(self, event: Event) -> None:
        self._hand_over()
        match event:
            case DataRequested(sequence=sequence, pdu=pdu):
                self._take_data(sequence, pdu)
            case RequestTimedOut(sequence=sequence) if sequence in self._parcels:
                self._counts["unanswered"] += 1
                why = f"no answer within {self._profile.response_s} s"
                self._outcomes.append(Ambiguous(self._parcels.pop(sequence), why))
                # Whatever else went into this silence would be in doubt as well.
                self._end(why)
            case UnexpectedResponse():
                self._counts["unexpected answers"] += 1
            case PeerBroke(reason=reason):
                self._counts["broken rules"] += 1
                _log.warning("carrier broke a rule", reason=reason)
            case UnbindRequested():
                self._end("the carrier asked to unbind")
            case Closed(reason=reason):
                self._end(reason)
                self._settled.set()
                self._closed.set()
            case _:
                # Ours to ignore: alerts, answers to enquire_link, an outbind to a session that is bound.
                pass

    def _take_data(self, sequence: int, pdu: DataSm) -> None:
        """data_sm, which is rare, is handed over one by one."""
        receipt = receipt_from(pdu, self._profile)
        answered = partial(self._answer_data, sequence)
        if receipt is not None:
            self._unstored += 1
            self._feed.receive([receipt], answered)
        elif is_receipt(pdu):
            self._counts["receipts without id"] += 1
            self._session.answer(sequence, DataSmResp())
        else:
            self._unstored += 1
            self._feed.take_in([incoming_from(pdu)], answered)

    def _hand_over(self) -> None:
        """Tell what one read has brought: answers before receipts, so that each receipt finds its answer."""
        if self._outcomes:
            outcomes, self._outcomes = self._outcomes, []
            self._feed.report(outcomes)
        if self._receipts:
            receipts, self._receipts = self._receipts, []
            self._feed.receive(receipts, self._when_stored(self._receipt_sequences))
            self._receipt_sequences = []
        if self._incoming:
            incoming, self._incoming = self._incoming, []
            self._feed.take_in(incoming, self._when_stored(self._incoming_sequences))
            self._incoming_sequences = []

    def _when_stored(self, sequences: list[int]) -> Stored:
        self._unstored += len(sequences)
        return partial(self._acknowledge, sequences)

    def _acknowledge(self, sequences: list[int], is_stored: bool) -> None:
        self._unstored -= len(sequences)
        self._session.acknowledge_delivers(sequences, status=0 if is_stored else _NOT_STORED)
        self._connection.flush()
        if not self._unstored:
            self._settled.set()

    def _answer_data(self, sequence: int, is_stored: bool) -> None:
        self._unstored -= 1
        self._session.answer(sequence, DataSmResp(), status=0 if is_stored else _NOT_STORED)
        self._connection.flush()
        if not self._unstored:
            self._settled.set()

    def _end(self, why: str) -> None:
        if not self._ended.done():
            self._ended.set_result(why)

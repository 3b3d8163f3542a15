"""What a message centre does for a customer: takes segments, knows where they are, takes them back."""

from collections import Counter

from heliograph.core.fates import Fate, fate_of
from heliograph.core.ids import IdSource
from heliograph.net.clock import Clock
from heliograph.sandbox.aftermath import Aftermath
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.judgement import Judgement
from heliograph.sandbox.reports import Received, answered_id, number_from, wire_state
from heliograph.smpp.constants import CommandStatus, Tag
from heliograph.smpp.pdus import (
    DataSm,
    DataSmResp,
    QuerySm,
    QuerySmResp,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
    UnsuccessfulSme,
    tlv,
)

_SHARED_FIELDS = tuple(field for field in SubmitSm._fields if field in SubmitMulti.__slots__)


class Desk:
    """Takes segments for every session. What was taken takes its course when `settle` is called.

    counts: `submits`, and what became of them: `accepted`, `throttled` or `refused`.
    """

    def __init__(self, habits: Habits, clock: Clock, *, aftermath: Aftermath, counts: Counter[str]) -> None:
        self._habits = habits
        self._clock = clock
        self._aftermath = aftermath
        self._counts = counts
        self._ids = IdSource(0)
        self._judgement = Judgement(throughput=habits.throughput, now=clock.monotonic())
        self._fresh: list[Received] = []

    def fate_of(self, recipient: str) -> Fate:
        """What the recipient's digits ask for, if this message centre looks at them."""
        return fate_of(recipient) if self._habits.has_fates else Fate.DELIVERED

    def submit(self, system_id: str, pdu: SubmitSm, *, unanswered: int = 0) -> tuple[int, str]:
        """The command_status, and the id when it is 0. unanswered: submits of the session that still wait."""
        counts = self._counts
        counts["submits"] += 1
        fate = self.fate_of(pdu.destination_addr)
        status = self._judgement.status_of(pdu, fate, now=self._clock.monotonic())
        if self._habits.window and unanswered >= self._habits.window:
            status = CommandStatus.ESME_RMSGQFUL
        if status:
            counts["throttled" if status == CommandStatus.ESME_RTHROTTLED else "refused"] += 1
            return status, ""
        counts["accepted"] += 1
        now_ms = self._clock.now_ms()
        number = self._ids.next(now_ms)
        self._fresh.append(Received(number, system_id, pdu, fate, now_ms))
        return 0, answered_id(number, self._habits.id_form)

    def settle(self) -> None:
        """Let what was taken since the last call take its course."""
        if self._fresh:
            fresh, self._fresh = self._fresh, []
            self._aftermath.follow(fresh)

    def submit_multi(self, system_id: str, multi: SubmitMulti) -> SubmitMultiResp:
        """One segment for each address, each with an id of its own; the answer has room for one, the last."""
        shown = ""
        failed: list[UnsuccessfulSme] = []
        pattern = SubmitSm(**{name: getattr(multi, name) for name in _SHARED_FIELDS})
        for address in multi.dest_address:
            if not isinstance(address, SmeAddress):
                failed.append(UnsuccessfulSme(0, 0, address.dl_name[:20], CommandStatus.ESME_RINVDLNAME))
                continue
            ton, npi, recipient = address
            single = pattern._replace(dest_addr_ton=ton, dest_addr_npi=npi, destination_addr=recipient)
            status, message_id = self.submit(system_id, single)
            shown = message_id or shown
            if status:
                failed.append(UnsuccessfulSme(ton, npi, recipient[:20], status))
        return SubmitMultiResp(message_id=shown, unsuccess_sme=tuple(failed))

    def data(self, system_id: str, pdu: DataSm) -> tuple[int, DataSmResp]:
        """data_sm is taken like a submit_sm."""
        single = SubmitSm(
            service_type=pdu.service_type,
            source_addr_ton=pdu.source_addr_ton,
            source_addr_npi=pdu.source_addr_npi,
            source_addr=pdu.source_addr,
            dest_addr_ton=pdu.dest_addr_ton,
            dest_addr_npi=pdu.dest_addr_npi,
            destination_addr=pdu.destination_addr,
            esm_class=pdu.esm_class,
            registered_delivery=pdu.registered_delivery,
            data_coding=pdu.data_coding,
            short_message=tlv(pdu.tlvs, Tag.MESSAGE_PAYLOAD) or b"",
        )
        status, message_id = self.submit(system_id, single)
        return status, DataSmResp(message_id=message_id)

    def query(self, system_id: str, pdu: QuerySm) -> tuple[int, QuerySmResp]:
        """Where a segment stands, for the one who sent it."""
        found = self._find(system_id, pdu.message_id)
        if found is None:
            return CommandStatus.ESME_RQUERYFAIL, QuerySmResp()
        state = wire_state(self._aftermath.end_of(found))
        return 0, QuerySmResp(message_id=pdu.message_id, message_state=state)

    def cancel(self, system_id: str, message_id: str) -> int:
        """Take a segment back; the command_status. Without an id there is nothing we could look for."""
        found = self._find(system_id, message_id)
        if found is None:
            return CommandStatus.ESME_RINVMSGID
        return 0 if self._aftermath.cancel(found) else CommandStatus.ESME_RCANCELFAIL

    def _find(self, system_id: str, message_id: str) -> Received | None:
        return self._aftermath.find(number_from(message_id, self._habits.id_form), system_id)

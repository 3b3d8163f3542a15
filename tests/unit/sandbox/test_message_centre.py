"""The message centre as an ESME sees it, over real sockets on loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from heliograph.core.fates import THROTTLED_TIMES, Fate
from heliograph.gsm.national import Language
from heliograph.gsm.segments import Encoding, split
from heliograph.net.clock import SystemClock
from heliograph.net.smpp import Connection, connect
from heliograph.sandbox import aftermath
from heliograph.sandbox.habits import Habits
from heliograph.sandbox.message_centre import MessageCentre
from heliograph.smpp import events as happened
from heliograph.smpp.constants import BindKind, CommandStatus, DataCoding, EsmClass, MessageState
from heliograph.smpp.pdus import (
    Bind,
    CancelSm,
    CancelSmResp,
    DataSm,
    DataSmResp,
    DeliverSm,
    DistributionList,
    QuerySm,
    QuerySmResp,
    ReplaceSm,
    Request,
    SmeAddress,
    SubmitMulti,
    SubmitMultiResp,
    SubmitSm,
)
from heliograph.smpp.receipts import parse_receipt
from heliograph.smpp.session import Session
from heliograph.smpp.states import Role
from heliograph.smpp.timers import Timers
from tests.stories import lasting

PLAIN = "27831234567"
SLOW = Habits(receipt_delay_ms=60_000)


live = lasting(10)


class Esme:
    """Asks one thing at a time; acknowledges deliveries when `acknowledges`."""

    def __init__(self) -> None:
        self.acknowledges = True
        self.delivers: list[DeliverSm] = []
        self._more = asyncio.Event()
        self._events: asyncio.Queue[happened.Event] = asyncio.Queue()
        self.connection: Connection | None = None

    async def bind(self, port: int, *, system_id: str = "me", kind: BindKind = BindKind.TRANSCEIVER) -> happened.Event:
        self.connection = await connect(
            "127.0.0.1",
            port,
            make_session=lambda now: Session(Role.ESME, timers=Timers(), window=100, now=now),
            on_events=self._hear,
            clock=SystemClock(),
        )
        self.send(Bind(kind=kind, system_id=system_id, password="secret"))
        return await self._events.get()

    async def ask(self, request: Request) -> Any:
        self.send(request)
        return await self._events.get()

    def send(self, *requests: Request) -> None:
        assert self.connection is not None
        for request in requests:
            self.connection.session.request(request, now=self.connection.now())
        self.connection.flush()

    async def heard(self) -> Any:
        return await self._events.get()

    async def delivered(self, count: int) -> list[DeliverSm]:
        while len(self.delivers) < count:
            self._more.clear()
            await self._more.wait()
        return self.delivers

    def _hear(self, connection: Connection, events: list[happened.Event]) -> None:
        for event in events:
            if isinstance(event, happened.DeliverRequested):
                self.delivers.append(event.deliver)
                self._more.set()
                if self.acknowledges:
                    connection.session.acknowledge_delivers((event.sequence,))
            else:
                self._events.put_nowait(event)


def submit(recipient: str = PLAIN, **fields: Any) -> SubmitSm:
    return SubmitSm(
        source_addr="12345", destination_addr=recipient, short_message=b"hi", registered_delivery=1
    )._replace(**fields)


@asynccontextmanager
async def centre(habits: Habits | None = None) -> AsyncIterator[tuple[MessageCentre, Esme, int]]:
    it = MessageCentre(SystemClock(), habits)
    port = await it.start("127.0.0.1", 0)
    esme = Esme()
    bound = await esme.bind(port)
    assert isinstance(bound, happened.Bound)
    assert bound.system_id == "Heliograph"
    try:
        yield it, esme, port
    finally:
        await it.stop()


@live
async def test_a_handset_shows_the_text_in_the_tables_that_the_header_names() -> None:
    async with centre() as (it, esme, _):
        for text, language in (
            ("Hello [you]", Language.NONE),
            ("я😀", Language.NONE),
            ("ağaç " * 30, Language.TURKISH),
        ):
            encoding, (segment,) = split(text, reference=7, language=language)
            udhi = EsmClass.UDHI if segment.udh else 0
            coding = DataCoding.UCS2 if encoding is Encoding.UCS2 else DataCoding.DEFAULT
            await esme.ask(submit(short_message=segment.payload, esm_class=udhi, data_coding=coding))
            assert it.received[-1].text == text
        await esme.ask(submit(short_message=b"\x00\xff", data_coding=DataCoding.OCTETS_8))
        assert it.received[-1].text == ""


@live
async def test_a_submit_gets_an_id_and_its_receipt_names_it() -> None:
    async with centre() as (it, esme, _):
        answer = await esme.ask(submit())
        assert answer.status == 0
        (deliver,) = await esme.delivered(1)
        receipt = parse_receipt(deliver)
        assert receipt is not None
        assert (receipt.message_id, receipt.state) == (answer.message_id, MessageState.DELIVERED)
        assert (deliver.source_addr, deliver.destination_addr) == (PLAIN, "12345")
        (received,) = it.received
        assert (received.system_id, received.pdu.short_message) == ("me", b"hi")


@pytest.mark.parametrize(
    ("asked", "fate", "comes"),
    [
        (0, Fate.DELIVERED, False),
        (2, Fate.DELIVERED, False),
        (2, Fate.UNDELIVERABLE, True),
        (3, Fate.DELIVERED, True),
        (3, Fate.UNDELIVERABLE, False),
        (0x11, Fate.EXPIRED, True),
    ],
)
@live
async def test_only_receipts_that_were_asked_for(asked: int, fate: Fate, comes: bool) -> None:
    async with centre() as (_, esme, _port):
        recipient, last = "278312" + (fate.digits or "34567"), "27830000001"
        await esme.ask(submit(recipient, registered_delivery=asked))
        await esme.ask(submit(last))
        expected = [recipient, last] if comes else [last]
        assert [deliver.source_addr for deliver in await esme.delivered(len(expected))] == expected


@live
async def test_ids_are_never_given_twice() -> None:
    async with centre() as (_, esme, _port):
        esme.send(*[submit() for _ in range(100)])
        answers = [await esme.heard() for _ in range(100)]
        assert len({answer.message_id for answer in answers}) == 100


@live
async def test_everyone_is_alike_when_fates_are_off() -> None:
    async with centre(Habits(has_fates=False)) as (_, esme, _port):
        answer = await esme.ask(submit("278312" + Fate.REJECTED.digits))
        assert answer.status == 0


@live
async def test_throughput_is_limited_when_asked() -> None:
    async with centre(Habits(throughput=5)) as (it, esme, _):
        esme.send(*[submit() for _ in range(20)])
        statuses = [(await esme.heard()).status for _ in range(20)]
        assert statuses[:5] == [0] * 5
        assert set(statuses[6:]) == {CommandStatus.ESME_RTHROTTLED}
        assert it.counts["throttled"] == statuses.count(CommandStatus.ESME_RTHROTTLED)


@live
async def test_two_throttled_messages_do_not_use_up_each_others_patience() -> None:
    recipient = "278312" + Fate.THROTTLED.digits
    async with centre() as (_, esme, _port):
        for text in (b"one", b"two"):
            statuses = [
                (await esme.ask(submit(recipient, short_message=text))).status for _ in range(THROTTLED_TIMES + 1)
            ]
            assert statuses == [CommandStatus.ESME_RTHROTTLED] * THROTTLED_TIMES + [0]


@live
async def test_addresses_that_no_receipt_could_carry_are_refused() -> None:
    async with centre() as (it, esme, _):
        assert (await esme.ask(submit(""))).status == CommandStatus.ESME_RINVDSTADR
        assert it.counts["refused"] == 1


@live
async def test_receipts_wait_for_a_session_that_may_receive() -> None:
    async with centre() as (it, esme, port):
        esme.acknowledges = False
        await esme.ask(submit())
        await esme.delivered(1)
        it.drop_sessions()
        assert isinstance(await esme.heard(), happened.Closed)
        transmitter, receiver, stranger = Esme(), Esme(), Esme()
        await transmitter.bind(port, kind=BindKind.TRANSMITTER)
        await stranger.bind(port, system_id="other")
        assert it.waiting == 1
        await receiver.bind(port, kind=BindKind.RECEIVER)
        await receiver.delivered(1)
        assert (transmitter.delivers, stranger.delivers) == ([], [])


@live
async def test_query_tells_the_state_to_the_sender_alone() -> None:
    async with centre() as (_, esme, port):
        answer = await esme.ask(submit())
        await esme.delivered(1)
        told = await esme.ask(QuerySm(message_id=answer.message_id, source_addr="12345"))
        assert told.response == QuerySmResp(message_id=answer.message_id, message_state=MessageState.DELIVERED)
        other = Esme()
        await other.bind(port, system_id="other")
        refused = await other.ask(QuerySm(message_id=answer.message_id))
        assert refused.status == CommandStatus.ESME_RQUERYFAIL
        assert (await esme.ask(QuerySm(message_id="no id"))).status == CommandStatus.ESME_RQUERYFAIL


@live
async def test_cancel_takes_back_what_is_on_its_way() -> None:
    async with centre(SLOW) as (_, esme, _port):
        answer = await esme.ask(submit())
        told = await esme.ask(QuerySm(message_id=answer.message_id))
        assert told.response.message_state == MessageState.ENROUTE
        cancel = CancelSm(message_id=answer.message_id, source_addr="12345", destination_addr=PLAIN)
        assert (await esme.ask(cancel)).response == CancelSmResp()
        assert (await esme.ask(cancel)).status == CommandStatus.ESME_RCANCELFAIL
        told = await esme.ask(QuerySm(message_id=answer.message_id))
        assert told.response.message_state == MessageState.DELETED
        assert (await esme.ask(CancelSm(message_id="0"))).status == CommandStatus.ESME_RINVMSGID


@live
async def test_what_was_cancelled_is_reported_as_deleted() -> None:
    async with centre(Habits(receipt_delay_ms=100)) as (_, esme, _port):
        answer = await esme.ask(submit())
        await esme.ask(CancelSm(message_id=answer.message_id))
        (deliver,) = await esme.delivered(1)
        receipt = parse_receipt(deliver)
        assert receipt is not None
        assert receipt.state == MessageState.DELETED


@live
async def test_submit_multi_names_those_it_could_not_take() -> None:
    async with centre() as (it, esme, _):
        rejected = "278312" + Fate.REJECTED.digits
        addresses = (SmeAddress(1, 1, PLAIN), SmeAddress(1, 1, rejected), DistributionList("friends"))
        answer = await esme.ask(SubmitMulti(source_addr="12345", dest_address=addresses, short_message=b"hi"))
        assert isinstance(answer.response, SubmitMultiResp)
        failed = {(each.destination_addr, each.error_status_code) for each in answer.response.unsuccess_sme}
        assert failed == {
            (rejected, CommandStatus.ESME_RINVDSTADR),
            ("friends", CommandStatus.ESME_RINVDLNAME),
        }
        assert [received.pdu.destination_addr for received in it.received] == [PLAIN]


@live
async def test_data_sm_is_taken_too_and_replace_is_not() -> None:
    async with centre() as (it, esme, _):
        answer = await esme.ask(DataSm(source_addr="1", destination_addr=PLAIN, tlvs=((0x0424, b"payload"),)))
        assert isinstance(answer.response, DataSmResp)
        assert answer.response.message_id
        assert it.received[0].pdu.short_message == b"payload"
        replaced = await esme.ask(ReplaceSm(message_id=answer.response.message_id))
        assert replaced.status == CommandStatus.ESME_RREPLACEFAIL


@live
async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aftermath, "MOST_KEPT", 10)
    async with centre() as (it, esme, _):
        esme.send(*[submit() for _ in range(50)])
        ids = [(await esme.heard()).message_id for _ in range(50)]
        await esme.delivered(50)
        assert [f"{received.number:x}" for received in it.received] == ids[-10:]
        assert (await esme.ask(QuerySm(message_id=ids[0]))).status == CommandStatus.ESME_RQUERYFAIL


@live
async def test_unbinding_is_agreed_to() -> None:
    async with centre() as (it, esme, _):
        assert esme.connection is not None
        esme.connection.unbind()
        assert isinstance(await esme.heard(), happened.Unbound)
        assert isinstance(await esme.heard(), happened.Closed)
        assert it.sessions == 0

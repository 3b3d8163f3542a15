"""What an MM7 driver and the reader of an MM7 carrier's calls owe the pipeline, against a centre that is not ours."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest

from heliograph.carriers.mm7 import driver as driver_module
from heliograph.carriers.mm7.callback import Mm7Callback
from heliograph.carriers.mm7.driver import Mm7Driver
from heliograph.core.directory import Carrier
from heliograph.core.events import MediaLink
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import Channel, Content, Media, Message, Parcel, whole_of
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.receipts import fits, match_key
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.net.guard import Guard
from heliograph.net.http import GuardedClient
from heliograph.pipeline.ports import Attachment, CannotSend, CarrierCall, IncomingMedia
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.feeds import PATIENCE_S, NotingFeed, Storing
from tests.conformance.mmsc import REL_5, Answering, Centre, Posted, Said, checked
from tests.stories import lasting

PLAIN = "+27831234567"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4
LOOPBACK = Guard([ip_network("127.0.0.0/8")])


class Files:
    """The files of messages, as they are. objection: raised instead."""

    def __init__(self) -> None:
        self.files: list[Attachment] = []
        self.objection: Exception | None = None
        self.asked: list[int] = []

    async def of(self, content: Content, *, most_octets: int, most_side: int = 0) -> list[Attachment]:
        self.asked.append(most_octets)
        if self.objection is not None:
            raise self.objection
        return self.files

    def link(self, media: Media) -> MediaLink:
        raise NotImplementedError


class World:
    """A driver and the reader of calls between a feed and a centre."""

    def __init__(self, centre: Centre, carrier: Carrier, feed: NotingFeed, client: GuardedClient) -> None:
        self.centre = centre
        self.feed = feed
        self.files = Files()
        self.driver = Mm7Driver(carrier, feed, SystemClock(), caller=client, attachments=self.files, dice=lambda: 1.0)
        self.callback = Mm7Callback(carrier, feed.open_session())
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.create_task(self.driver.run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait((self._running,))
            assert self._running.cancelled() or self._running.exception() is None
            self._running = None

    async def told(self, posted: Posted) -> Said:
        """The centre tells us something; our answer, which the schema has."""
        answer = await self.callback.called(
            CarrierCall("POST", "", "", {"content-type": posted.content_type}, posted.body)
        )
        assert answer.content_type.startswith("text/xml")
        return Said(answer.status, checked(answer.body, self.centre.namespace))


@asynccontextmanager
async def world(
    *,
    settings: dict[str, object] | None = None,
    window: int = 10,
    sessions: int = 1,
    storing: Storing = "at once",
    centre: Centre | None = None,
    port: int = 0,
) -> AsyncIterator[World]:
    with centre or Centre() as it:
        carrier = Carrier(
            carrier_id=CarrierId(1),
            name="picture",
            url=f"mm7+http://shop:se%40cret@127.0.0.1:{port or it.port}/mm7",
            channels=frozenset({Channel.MMS}),
            window=window,
            sessions=sessions,
            settings=settings or {},
        )
        async with GuardedClient(LOOPBACK) as client:
            made = World(it, carrier, NotingFeed(window=window, storing=storing), client)
            made.start()
            try:
                yield made
            finally:
                it.let_go()
                await made.stop()
        assert it.complaints == []


live = lasting(PATIENCE_S * 2)


def parcels(*recipients: str, text: str = "Hello 🦉 & <you>", sender: str = "+27820000000") -> list[Parcel]:
    content = whole_of(SubmissionId(1), channel=Channel.MMS, sender=sender, text=text)
    return [
        Parcel(Message(AccountId(1), MessageId(number), recipient, content, (CarrierId(1),), 2**62), 0)
        for number, recipient in enumerate(recipients, start=1)
    ]


# Out -------------------------------------------------------------------------------------------------------------


@live
async def test_a_message_arrives_whole_and_is_named_by_the_centre() -> None:
    async with world() as it:
        it.files.files = [Attachment(PNG, "image/png", "a cat.png"), Attachment(b"#!AMR\n", "audio/amr", "a cat.png")]
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,), (submitted,) = it.feed.outcomes, it.centre.submitted
        assert outcome == Submitted(parcels(PLAIN)[0], submitted.message_id)
        assert submitted.recipient == PLAIN
        assert submitted.text == "Hello 🦉 & <you>"
        files = [(each.content_type, each.content) for each in submitted.files[2:]]
        assert files == [("image/png", PNG), ("audio/amr", b"#!AMR\n")]
        assert [each.name for each in submitted.files] == ["smil.xml", "text.txt", "1-a-cat.png", "2-a-cat.png"]


@live
async def test_each_text_picture_and_sound_has_a_slide_of_its_own_and_other_files_have_none() -> None:
    async with world() as it:
        it.files.files = [
            Attachment(PNG, "image/png", "a.png"),
            Attachment(b"BEGIN:VCARD", "text/vcard", "me.vcf"),
            Attachment(b"....ftyp3gp4", "video/3gpp", "film.3gp"),
        ]
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (submitted,) = it.centre.submitted
        slides = submitted.presentation.findall("body/par")
        shown = [(each[0].tag, each[0].get("src")) for each in slides]
        assert shown == [("text", "text.txt"), ("img", "1-a.png"), ("video", "3-film.3gp")]
        assert "2-me.vcf" in [each.name for each in submitted.files]


@live
async def test_what_the_settings_say_stands_in_the_request() -> None:
    settings: dict[str, object] = {
        "namespace": REL_5, "version": "5.3.0", "vasp_id": "company", "vas_id": "news", "service_code": "free",
        "plus": False, "validity_s": 3600, "read_reply": True, "headers": {"X-Route": "7"}, "binary": True,
    }  # fmt: skip
    async with world(settings=settings, centre=Centre(namespace=REL_5, version="5.3.0")) as it:
        it.files.files = [Attachment(PNG, "image/png", "a.png")]
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (submitted,) = it.centre.submitted
        request = submitted.request
        assert request.text("MM7Version") == "5.3.0"
        assert request.text("SenderIdentification/VASPID") == "company"
        assert request.text("SenderIdentification/VASID") == "news"
        assert request.text("SenderIdentification/SenderAddress/Number") == "27820000000"
        assert submitted.recipient == "27831234567"
        assert request.text("ServiceCode") == "free"
        assert request.text("ExpiryDate") == "PT3600S"
        assert (request.text("DeliveryReport"), request.text("ReadReply")) == ("true", "true")
        assert submitted.headers["x-route"] == "7"
        assert submitted.files[2].content == PNG


@pytest.mark.parametrize(
    ("sender", "setting", "path"),
    [
        ("+27820000000", "auto", "Number"),
        ("27600", "auto", "ShortCode"),
        ("Heliograph", "auto", "ShortCode"),
        ("Heliograph", "rfc2822", "RFC2822Address"),
        ("27600", "number", "Number"),
    ],
)
@live
async def test_the_sender_stands_where_it_belongs(sender: str, setting: str, path: str) -> None:
    async with world(settings={"sender": setting}) as it:
        it.feed.offer(parcels(PLAIN, sender=sender))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.centre.submitted[0].request.text(f"SenderIdentification/SenderAddress/{path}") == sender


@pytest.mark.parametrize("code", [2000, 2001, 2004, 2007, 3001, 3002, 3003, 4002, 4003, 4004, 4007, 4008, 5555])
@live
async def test_what_is_wrong_for_ever_is_refused_in_the_centres_words(code: int) -> None:
    async with world() as it:
        it.centre.answer = lambda _: Answering(code=code, text="no thanks")
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Refused(parcels(PLAIN)[0], Reason.CARRIER_REFUSED, f"{code} no thanks")]


@pytest.mark.parametrize("code", [3000, 4000, 4005, 4006])
@live
async def test_what_may_pass_is_put_off_and_counts(code: int) -> None:
    async with world() as it:
        it.centre.answer = lambda _: Answering(code=code)
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert outcome.counts


@pytest.mark.parametrize("answering", [Answering(code=4001), Answering(http=401, body=b""), Answering(http=404)])
@live
async def test_what_the_operator_set_up_wrongly_is_no_fault_of_the_message(answering: Answering) -> None:
    answering.body = None if answering.code == 4001 else b"<html>no</html>"
    async with world() as it:
        it.centre.answer = lambda _: answering
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert not outcome.counts
        assert outcome.pause_ms >= 1_000


@live
async def test_a_partial_success_of_one_recipient_is_one() -> None:
    async with world() as it:
        it.centre.answer = lambda _: Answering(code=1100)
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert isinstance(it.feed.outcomes[0], Submitted)


@live
async def test_an_error_in_a_soap_fault_is_read_whatever_http_says() -> None:
    async with world() as it:
        it.centre.answer = lambda _: Answering(code=2007, http=500, as_error=True, text="corrupt")
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Refused(parcels(PLAIN)[0], Reason.CARRIER_REFUSED, "2007 corrupt")]


@pytest.mark.parametrize(
    "answering",
    [
        Answering(cuts=True),
        Answering(body=b""),
        Answering(body=b"OK", content_type="text/plain"),
        Answering(body=b"<html/>", http=502),
        Answering(body=b"x" * 100_000),
        Answering(body=b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'),
    ],
)
@live
async def test_an_answer_that_says_nothing_leaves_the_message_in_doubt(answering: Answering) -> None:
    async with world() as it:
        it.centre.answer = lambda _: answering
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert isinstance(it.feed.outcomes[0], Ambiguous)
        assert it.centre.recipients == [PLAIN]


@live
async def test_no_answer_in_time_leaves_the_message_in_doubt() -> None:
    async with world(settings={"response_s": 1}) as it:
        it.centre.answer = lambda _: Answering(hangs=True)
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert it.feed.outcomes == [Ambiguous(parcels(PLAIN)[0], "no answer within 1 s")]


@live
async def test_nobody_there_means_that_nothing_left_and_the_carrier_is_left_alone() -> None:
    with Centre() as gone:
        port = gone.port
    async with world(port=port) as it:
        it.feed.offer(parcels(PLAIN, PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 2)
        assert [(type(each), each.pause_ms) for each in it.feed.outcomes if isinstance(each, Deferred)] == [
            (Deferred, 1_000), (Deferred, 2_000)
        ]  # fmt: skip
        assert not it.driver.is_bound()


@live
async def test_a_message_that_the_centre_names_nothing_gets_a_name_of_its_own() -> None:
    async with world() as it:
        it.centre.answer = lambda _: Answering(names_it=False)
        it.feed.offer(parcels(PLAIN, PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 2)
        names = {each.carrier_message_id for each in it.feed.outcomes if isinstance(each, Submitted)}
        assert names == {each.request.transaction_id for each in it.centre.submitted}
        assert len(names) == 2


@live
async def test_calls_on_the_way_are_never_more_than_the_window() -> None:
    async with world(window=3) as it:
        recipients = [f"+27831{number:06d}" for number in range(40)]
        it.feed.offer(parcels(*recipients))
        await it.feed.until(lambda: len(it.feed.outcomes) == 40)
        assert sorted(it.centre.recipients) == recipients
        assert it.centre.most_at_once <= 3


@live
async def test_sessions_share_the_work() -> None:
    async with world(window=2, sessions=2) as it:
        it.feed.offer(parcels(*[f"+27831{number:06d}" for number in range(20)]))
        await it.feed.until(lambda: len(it.feed.outcomes) == 20)
        assert {told.session_id for told in it.feed.told} == {2, 3}


@live
async def test_files_that_cannot_be_made_end_the_message_and_disturb_no_other() -> None:
    async with world() as it:
        it.files.objection = CannotSend("the picture is cut off")
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        it.files.objection = StoreUnavailable("full")
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 2)
        it.files.objection = None
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 3)
        refused, deferred, submitted = it.feed.outcomes
        assert refused == Refused(parcels(PLAIN)[0], Reason.MEDIA_UNAVAILABLE, "the picture is cut off")
        assert isinstance(deferred, Deferred)
        assert not deferred.counts
        assert isinstance(submitted, Submitted)


@pytest.mark.parametrize("is_binary", [True, False])
@live
async def test_files_that_fill_the_room_they_are_given_fit_and_one_octet_more_is_not_sent(is_binary: bool) -> None:
    async with world(settings={"most_octets": 100_000, "binary": is_binary}) as it:
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        (room,) = it.files.asked
        assert room > 65_000
        room -= len(parcels(PLAIN)[0].message.content.text.encode())
        it.files.files = [Attachment(b"x" * room, "image/png", "a.png")]
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 2)
        assert isinstance(it.feed.outcomes[1], Submitted)
        it.files.files = [Attachment(b"x" * 101_000, "image/png", "a.png")]
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 3)
        assert isinstance(it.feed.outcomes[2], Refused)
        assert len(it.centre.submitted) == 2


@live
async def test_stopping_waits_for_the_answers_that_are_on_their_way() -> None:
    async with world() as it:
        it.centre.answer = lambda _: Answering()
        it.feed.offer(parcels(*[PLAIN] * 5))
        await it.feed.until(lambda: not it.feed.waiting)
        await it.stop()
        session = it.feed.sessions[1]
        assert session.closed == "stopped"
        assert not session.held
        assert all(isinstance(each, Submitted) for each in it.feed.outcomes)
        assert not it.driver.is_bound()


@live
async def test_stopping_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver_module, "DRAIN_S", 0.05)
    async with world() as it:
        it.centre.answer = lambda _: Answering(hangs=True)
        it.feed.offer(parcels(PLAIN))
        async with asyncio.timeout(PATIENCE_S):
            while not it.centre.submitted:  # noqa: ASYNC110  a server in a thread has nobody whom it tells
                await asyncio.sleep(0.002)
        await it.stop()
        assert it.feed.outcomes == [Ambiguous(parcels(PLAIN)[0], "stopped before the answer came")]


# In --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Retrieved", MessageState.DELIVERED),
        ("Delivered", MessageState.DELIVERED),
        ("Expired", MessageState.EXPIRED),
        ("Rejected", MessageState.REJECTED),
        ("Unrecognised", MessageState.UNDELIVERED),
        ("Forwarded", None),
        ("Indeterminate", None),
        ("Deferred", None),
        ("Sideways", None),
    ],
)
@live
async def test_a_delivery_report_is_a_receipt_for_the_name_the_centre_gave(
    status: str, state: MessageState | None
) -> None:
    async with world() as it:
        it.feed.offer(parcels(PLAIN))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        said = await it.told(it.centre.delivery_report("MM-0001", "27831234567", status=status, text="said so"))
        (outcome,), (receipt,) = it.feed.outcomes, it.feed.receipts
        assert isinstance(outcome, Submitted)
        assert receipt.key == match_key(outcome.carrier_message_id, is_hex=False)
        assert receipt.state is state
        assert fits(PLAIN, receipt.addresses)
        assert receipt.error == ("" if state is MessageState.DELIVERED else "said so")
        assert (said.status, said.answer.name, said.answer.text("Status/StatusCode")) == (
            200, "DeliveryReportRsp", "1000"
        )  # fmt: skip


@pytest.mark.parametrize("status", ["Read", "Deleted without being read"])
@live
async def test_who_has_read_a_message_has_got_it(status: str) -> None:
    async with world() as it:
        said = await it.told(it.centre.read_reply("MM-0001", "27831234567", status=status))
        assert it.feed.receipts[0].state is MessageState.DELIVERED
        assert said.answer.name == "ReadReplyRsp"


@live
async def test_a_message_from_a_handset_comes_in_with_its_picture() -> None:
    async with world(centre=Centre(namespace=REL_5, version="5.6.0")) as it:
        posted = it.centre.from_handset("+27831234567/TYPE=PLMN", "27820000000", text="Schön 🦉", picture=PNG)
        said = await it.told(posted)
        (incoming,) = it.feed.incoming
        assert (incoming.sender, incoming.recipient, incoming.text) == ("27831234567", "27820000000", "Schön 🦉")
        assert incoming.channel is Channel.MMS
        assert incoming.media == (IncomingMedia(PNG, "image/png", "picture.png"),)
        assert (said.status, said.answer.name) == (200, "DeliverRsp")
        assert said.answer.text("MM7Version") == "5.6.0"
        assert said.answer.text("Status/StatusCode") == "1000"
        assert said.answer.transaction_id.startswith("D")


@live
async def test_the_same_message_again_is_known_again_and_another_of_the_same_text_is_not() -> None:
    async with world() as it:
        first = it.centre.from_handset("27831234567", "27820000000", picture=PNG)
        await it.told(first)
        await it.told(first)
        await it.told(it.centre.from_handset("27831234567", "27820000000", picture=PNG))
        one, again, other = it.feed.incoming
        assert one == again
        assert other.udh != one.udh
        assert other._replace(udh=one.udh) == one


@live
async def test_success_is_said_after_the_commit() -> None:
    async with world(storing="by hand") as it:
        telling = asyncio.create_task(it.told(it.centre.delivery_report("MM-0001", "27831234567")))
        await it.feed.until(lambda: len(it.feed.unsettled) == 1)
        assert not telling.done()
        it.feed.unsettled.pop()(True)
        assert (await telling).status == 200


@live
async def test_what_the_store_could_not_take_is_refused_for_now() -> None:
    async with world(storing="never") as it:
        for posted in (
            it.centre.delivery_report("MM-0001", "27831234567"),
            it.centre.read_reply("MM-0001", "27831234567"),
            it.centre.from_handset("27831234567", "27820000000", text="hello"),
        ):
            said = await it.told(posted)
            assert said.status == 503
            assert said.answer.text("Status/StatusCode") == "3000"
            assert said.answer.transaction_id

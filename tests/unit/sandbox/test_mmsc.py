"""The sandbox's MMSC, spoken to by our driver and heard by our reader of calls."""

import asyncio
from ipaddress import ip_network
from pathlib import Path

import pytest

from heliograph.carriers.mm7.callback import Mm7Callback
from heliograph.carriers.mm7.driver import Mm7Driver
from heliograph.core.directory import Carrier
from heliograph.core.events import MediaLink
from heliograph.core.fates import Fate
from heliograph.core.ids import AccountId, CarrierId, MessageId, SubmissionId
from heliograph.core.messages import Channel, Content, Media, Message, Parcel, whole_of
from heliograph.core.outcomes import Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.states import MessageState
from heliograph.net.clock import SystemClock
from heliograph.net.guard import Guard
from heliograph.net.http import GuardedClient
from heliograph.pipeline.ports import Attachment, CarrierCall
from heliograph.sandbox import mmsc
from heliograph.sandbox.mmsc import Mmsc
from heliograph.testing.feeds import PATIENCE_S, NotingFeed
from heliograph.testing.receiver import Receiver

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


class Files:
    async def of(self, content: Content, *, most_octets: int, most_side: int = 0) -> list[Attachment]:
        return [Attachment(PNG, "image/png", "1.png")]

    def link(self, media: Media) -> MediaLink:
        raise NotImplementedError


def parcel(number: int, recipient: str) -> Parcel:
    content = whole_of(SubmissionId(number), channel=Channel.MMS, sender="+27820000001", text="Look")
    return Parcel(Message(AccountId(1), MessageId(number), recipient, content, (CarrierId(1),), 1 << 50), 0)


async def sent(folder: Path, recipients: list[str], *, calls: int) -> tuple[list[SubmitOutcome], NotingFeed, Mmsc]:
    """What came of messages, and what was called after so many calls."""
    feed, heard = NotingFeed(), NotingFeed()
    async with GuardedClient(Guard([ip_network("127.0.0.0/8")])) as client, Receiver() as receiver:
        centre = Mmsc(SystemClock(), folder, caller=client)
        port = await centre.start("127.0.0.1", 0)
        centre.report_to = f"{receiver.url}/mm7"
        carrier = Carrier(
            carrier_id=CarrierId(1),
            name="pictures",
            url=f"mm7+http://shop:secret@127.0.0.1:{port}/",
            channels=frozenset({Channel.MMS}),
        )
        driver = Mm7Driver(carrier, feed, SystemClock(), caller=client, attachments=Files())
        running = asyncio.create_task(driver.run())
        try:
            async with asyncio.timeout(PATIENCE_S):
                feed.offer([parcel(number, each) for number, each in enumerate(recipients, 1)])
                await feed.until(lambda: len(feed.outcomes) == len(recipients))
                await receiver.wait_for(calls)
        finally:
            running.cancel()
            await asyncio.wait((running,))
            await centre.stop()
        reader = Mm7Callback(carrier, heard.open_session())
        for each in receiver.calls:
            answer = await reader.called(CarrierCall("POST", "", "", each.headers, each.body))
            assert answer.status == 200
    return feed.outcomes, heard, centre


def test_a_message_is_taken_laid_down_and_reported(tmp_path: Path) -> None:
    outcomes, heard, centre = asyncio.run(sent(tmp_path, ["+27831234567"], calls=1))
    (outcome,) = outcomes
    assert isinstance(outcome, Submitted)
    assert outcome.carrier_message_id == "sandbox-1"
    assert [each.state for each in heard.receipts] == [MessageState.DELIVERED]
    assert (tmp_path / "27831234567-1" / "2.png").read_bytes() == PNG
    assert (tmp_path / "27831234567-1" / "1.txt").read_text() == "Look"
    assert centre.counts["accepted"] == 1


@pytest.mark.parametrize(
    ("fate", "states"),
    [
        (Fate.UNDELIVERABLE, [MessageState.REJECTED]),
        (Fate.EXPIRED, [MessageState.EXPIRED]),
        (Fate.DUPLICATE_RECEIPT, [MessageState.DELIVERED, MessageState.DELIVERED]),
    ],
)
def test_digits_choose_what_is_reported(tmp_path: Path, fate: Fate, states: list[MessageState]) -> None:
    _, heard, _ = asyncio.run(sent(tmp_path, [f"+278312{fate.digits}"], calls=len(states)))
    assert [each.state for each in heard.receipts] == states


def test_digits_choose_what_is_refused_and_put_off(tmp_path: Path) -> None:
    recipients = [f"+278312{Fate.REJECTED.digits}", f"+278312{Fate.THROTTLED.digits}"]
    outcomes, _, centre = asyncio.run(sent(tmp_path, recipients, calls=0))
    assert {type(outcome) for outcome in outcomes} == {Refused, Deferred}
    assert centre.counts == {"refused": 2}


def test_a_recipient_that_replies_sends_the_picture_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmsc, "REPORT_S", 0)
    _, heard, _ = asyncio.run(sent(tmp_path, [f"+278312{Fate.REPLIES.digits}"], calls=2))
    (incoming,) = heard.incoming
    assert incoming.text == Fate.REPLIES.reply
    assert [each.content for each in incoming.media] == [PNG]


def test_what_is_no_message_is_refused_in_words_of_mm7(tmp_path: Path) -> None:
    async def story() -> None:
        async with GuardedClient(Guard([ip_network("127.0.0.0/8")])) as client:
            centre = Mmsc(SystemClock(), tmp_path, caller=client)
            port = await centre.start("127.0.0.1", 0)
            told = await client.tell(f"http://127.0.0.1:{port}/", b"<a/>", headers={}, timeout_s=5)
            await centre.stop()
        assert b"2007" in told.body

    asyncio.run(story())
    assert not list(tmp_path.iterdir())

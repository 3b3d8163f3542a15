import asyncio

import pytest

from heliograph.carriers.loopback import PICTURE, LoopbackDriver
from heliograph.carriers.settings import BadCarrier
from heliograph.core.directory import Carrier
from heliograph.core.fates import Fate
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel, Traits
from heliograph.testing.feeds import NotingFeed, parcels_for


class StillClock:
    """Time stands; sleepers sleep until they are cancelled."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now_ms(self) -> int:
        return 1_790_000_000_000

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.Event().wait()


def carrier(**settings: object) -> Carrier:
    channels = frozenset(Channel)
    return Carrier(carrier_id=CarrierId(1), name="loop", url="loopback:", channels=channels, settings=settings)


def test_what_waits_when_it_is_stopped_is_told_at_once() -> None:
    async def story() -> None:
        feed, clock = NotingFeed(), StillClock()
        running = asyncio.create_task(LoopbackDriver(carrier(), feed, clock).run())
        feed.offer(parcels_for(["+278312" + Fate.DELIVERED_LATE.digits, "+278312" + Fate.OPTS_OUT.digits]))
        await feed.until(lambda: len(feed.receipts) == 1)
        await asyncio.sleep(0)
        assert sorted(clock.slept) == [0.2, 5.0]
        running.cancel()
        await asyncio.wait((running,))
        assert len(feed.receipts) == 2
        assert [incoming.text for incoming in feed.incoming] == ["STOP"]
        assert feed.sessions[0].closed == "stopped"

    asyncio.run(story())


def test_the_delays_are_settings() -> None:
    async def story() -> None:
        feed, clock = NotingFeed(), StillClock()
        driver = LoopbackDriver(carrier(receipt_delay_ms=100, late_ms=700), feed, clock)
        running = asyncio.create_task(driver.run())
        feed.offer(parcels_for(["+278312" + Fate.DELIVERED_LATE.digits, "+27831234567"]))
        await feed.until(lambda: len(feed.outcomes) == 2)
        await asyncio.sleep(0)
        assert sorted(clock.slept) == [0.1, 0.8]
        running.cancel()
        await asyncio.wait((running,))

    asyncio.run(story())


def test_an_mms_is_answered_by_one_with_a_picture() -> None:
    async def story() -> None:
        feed, clock = NotingFeed(), StillClock()
        running = asyncio.create_task(LoopbackDriver(carrier(), feed, clock).run())
        (parcel,) = parcels_for(["+278312" + Fate.REPLIES.digits], sender="+27820000000")
        content = parcel.message.content._replace(channel=Channel.MMS)
        feed.offer([parcel._replace(message=parcel.message._replace(content=content))])
        await feed.until(lambda: len(feed.receipts) == 1)
        running.cancel()
        await asyncio.wait((running,))
        (reply,) = feed.incoming
        assert (reply.channel, reply.text, reply.media) == (Channel.MMS, Fate.REPLIES.reply, (PICTURE,))
        assert (reply.sender, reply.recipient) == ("278312" + Fate.REPLIES.digits, "27820000000")

    asyncio.run(story())


@pytest.mark.parametrize("settings", [{"receipt_delay_ms": "1"}, {"late_ms": -1}, {"id_form": "as-is"}])
def test_settings_with_a_mistake(settings: dict[str, object]) -> None:
    with pytest.raises(BadCarrier, match=next(iter(settings))):
        LoopbackDriver(carrier(**settings), NotingFeed(), StillClock())


def test_a_voice_is_named_in_the_log_and_nobody_answers_a_call(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> None:
        feed = NotingFeed()
        running = asyncio.create_task(LoopbackDriver(carrier(), feed, StillClock()).run())
        (parcel,) = parcels_for(["+278312" + Fate.OPTS_OUT.digits])
        traits = Traits(language="it-it", gender="female")
        content = parcel.message.content._replace(channel=Channel.VOICE, traits=traits)
        feed.offer([parcel._replace(message=parcel.message._replace(content=content))])
        await feed.until(lambda: len(feed.receipts) == 1)
        running.cancel()
        await asyncio.wait((running,))
        assert feed.incoming == []

    with caplog.at_level("INFO"):
        asyncio.run(story())
    assert caplog.messages == ["message 1 would be read in it-it by a female voice"]

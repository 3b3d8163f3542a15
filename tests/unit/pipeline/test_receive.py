import asyncio
import json
from typing import Any

import pytest

from heliograph.core.assembly import GAP, PATIENCE_MS
from heliograph.core.events import EventKind
from heliograph.core.messages import Channel
from heliograph.gsm import segments
from heliograph.gsm.segments import Encoding
from heliograph.pipeline import partial
from heliograph.pipeline.ports import Incoming, IncomingMedia
from heliograph.services.audit import Audit
from heliograph.store import numbers, webhooks
from heliograph.testing.clock import VirtualClock, turns
from heliograph.testing.life import (
    ACME,
    BRAVO,
    DIALECT,
    NORTH,
    PlainEvents,
    Process,
    copied_store,
    let_go,
    pattern_store,
)
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import Taker, accept, rows, submission

OURS, HANDSET, SHARED = "27820000000", "27831112222", "27600"
TEXT = "What I wanted to say is a long story, and it does not fit into one segment. " * 5


async def listening(process: Process, name: str | None = None) -> None:
    """Acme has a number, and a webhook that hears of what comes in."""
    async with process.store.writing() as connection:
        hook = {"account_id": ACME, "dialect": DIALECT, "kind": EventKind.REPLY, "url": "http://127.0.0.1/in"}
        await webhooks.add(connection, {**hook, "secret": "s", "name": name}, now_ms=process.clock.now_ms())
        await numbers.add(connection, f"+{OURS}", account_id=ACME, values={}, now_ms=process.clock.now_ms())
    await process.desk.directory.load()


def written(text: str, *, sender: str = HANDSET, recipient: str = OURS, reference: int = 7) -> list[Incoming]:
    encoding, cut = segments.split(text, reference=reference)
    return [
        Incoming(sender, recipient, encoding, each.udh, each.body, segments.join((each.body,), encoding))
        for each in cut
    ]


async def take_in(taker: Taker, *incoming: Incoming) -> list[bool]:
    """Hand over what a carrier delivers; what it is told about it."""
    told: list[bool] = []
    taker.session.take_in(list(incoming), told.append)
    await turns()
    return told


async def replies(process: Process) -> list[list[Any]]:
    """What webhooks are told within the next seconds."""
    before = len(process.deliverer.calls)
    await process.clock.advance(1.2)
    await process.tell()
    await turns()
    process.check()
    return [reply for call in process.deliverer.calls[before:] for reply in json.loads(call.body)]


def test_a_reply_is_stored_acknowledged_and_told(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        assert await take_in(Taker(process), *written("Yes")) == [True]
        assert process.desk.tally.incoming == {NORTH: 1}
        assert await replies(process) == [[HANDSET, "Yes", []]]
        assert rows(process, "select count(*) from outbox") == [(0,)]

    play(story)


def test_nothing_is_acknowledged_before_it_is_stored(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        process.writer.by_hand = True
        taker = Taker(process)
        assert await take_in(taker, *written("Yes")) == []
        assert process.desk.tally.incoming == {}

    play(story)


def test_a_long_message_is_counted_and_told_once(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        taker = Taker(process)
        first, second, third = written(TEXT)
        assert await take_in(taker, third, first) == [True]
        assert await replies(process) == []
        assert await take_in(taker, first, second, third) == [True]
        assert await replies(process) == [[HANDSET, TEXT, []]]
        assert process.desk.tally.incoming == {NORTH: 1}

    play(story)


def test_only_the_webhook_that_the_number_names_hears(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process, name="Mine")
        taker = Taker(process)
        await take_in(taker, *written("unheard"))
        assert await replies(process) == []
        async with process.store.writing() as connection:
            await numbers.change(connection, f"+{OURS}", values={"webhook": "MINE"})
        await process.desk.directory.load()
        await take_in(taker, *written("heard"))
        assert await replies(process) == [[HANDSET, "heard", []]]

    play(story)


def test_on_a_shared_sender_the_account_that_wrote_last_is_answered(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        for account_id in (ACME, BRAVO):
            await process.acceptance.submit(submission(f"+{HANDSET}", account_id=account_id, sender=SHARED))
            await take_in(Taker(process), *written("Yes", recipient=SHARED))
            await process.clock.advance(1)
        await accept(process, "+27831113333")
        await take_in(Taker(process), *written("Who is this?", recipient=SHARED, sender="27831113333"))
        assert rows(process, "select account_id from incoming order by id") == [(ACME,), (BRAVO,), (0,)]
        assert await replies(process) == [[HANDSET, "Yes", []]]

    play(story)


def test_an_own_number_and_a_name_leave_no_conversation(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        await process.acceptance.submit(submission(f"+{HANDSET}", sender=OURS))
        await process.acceptance.submit(submission(f"+{HANDSET}"))
        assert rows(process, "select * from conversation") == []

    play(story)


def test_a_dialect_that_tells_one_at_a_time_does_so_at_once(play: Play) -> None:
    async def story(process: Process) -> None:
        process.notify._writers = {DIALECT: PlainEvents(most_events=1, linger_s=0.0)}
        await listening(process)
        await take_in(Taker(process), *written("one"), *written("two"))
        await turns()
        assert [json.loads(call.body)[0][1] for call in process.deliverer.calls] == ["one", "two"]

    play(story)


PICTURE = IncomingMedia(b"\x89PNG", "image/png", "a.png")


def mms(*media: IncomingMedia) -> Incoming:
    return Incoming(HANDSET, OURS, Encoding.GSM7, b"", b"Look", "Look", Channel.MMS, media)


def test_files_are_kept_before_the_carrier_is_told_and_linked_when_the_webhook_is(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        taker = Taker(process)
        told: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        taker.session.take_in([mms(PICTURE, PICTURE), *written("Yes")], told.set_result)
        assert await told
        assert rows(process, "select position from incoming_media order by position") == [(0,), (1,)]
        url = "https://files.example/0f4636c7"
        assert await replies(process) == [[HANDSET, "Look", [url, url]], [HANDSET, "Yes", []]]
        assert await Audit(process.store).check() == ()

    play(story)


def test_a_full_media_store_makes_the_carrier_try_again(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        process.keeper.is_full = True
        assert await take_in(Taker(process), mms(PICTURE)) == [False]
        assert rows(process, "select * from incoming") == []

    play(story)


def test_segments_that_stay_away_are_given_up_after_ten_minutes(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        first, _, third = written(TEXT)
        await take_in(Taker(process), first, third)
        await process.clock.advance(PATIENCE_MS / 1000 - 2)
        await partial.give_up(process.settlement)
        assert await replies(process) == []
        await process.clock.advance(1)
        await partial.give_up(process.settlement)
        assert await replies(process) == [[HANDSET, TEXT[:153] + GAP + TEXT[306:], []]]
        assert process.desk.tally.incoming == {NORTH: 1}
        assert await Audit(process.store).check() == ()

    play(story)


def test_the_sweep_looks_some_time_after_the_start(play: Play) -> None:
    async def story(process: Process) -> None:
        await listening(process)
        await take_in(Taker(process), written(TEXT)[0])
        process.clock.skip(PATIENCE_MS / 1000)
        sweeping = process.spawn(partial.sweep(process.settlement))
        await turns()
        assert rows(process, "select * from incoming") == []
        await process.clock.advance(partial.LOOK_S)
        async with asyncio.timeout(5):
            while not rows(process, "select * from incoming"):  # noqa: ASYNC110 (the store tells nobody)
                await asyncio.sleep(0.001)
        sweeping.cancel()
        await asyncio.wait([sweeping])
        process.tasks.discard(sweeping)

    play(story)


@pytest.mark.parametrize("comes_back", [True, False])
def test_a_restart_in_the_middle_of_a_long_message(tmp_path_factory: pytest.TempPathFactory, comes_back: bool) -> None:
    async def story() -> None:
        folder = tmp_path_factory.mktemp("restart")
        pattern = await asyncio.to_thread(pattern_store, tmp_path_factory.mktemp("pattern"))
        store, clock = copied_store(folder, pattern), VirtualClock()
        first, second, third = written(TEXT)
        before = Process(store, clock)
        await before.start()
        await listening(before)
        assert await take_in(Taker(before), first, third) == [True]
        before.writer.by_hand = True
        assert await take_in(Taker(before), second) == []
        await before.crash()

        after = Process(store, clock)
        await after.start()
        text = TEXT
        if comes_back:
            # What was not acknowledged comes again, and something that was, for good measure.
            await take_in(Taker(after), third, second)
        else:
            await clock.advance(PATIENCE_MS / 1000 + 1)
            await partial.give_up(after.settlement)
            text = TEXT[:153] + GAP + TEXT[306:]
        assert await replies(after) == [[HANDSET, text, []]]
        await after.crash()
        await let_go(store)

    asyncio.run(story())


def test_what_was_stored_and_not_told_is_told_after_a_crash(tmp_path_factory: pytest.TempPathFactory) -> None:
    async def story() -> None:
        folder = tmp_path_factory.mktemp("crash")
        pattern = await asyncio.to_thread(pattern_store, tmp_path_factory.mktemp("pattern"))
        store, clock = copied_store(folder, pattern), VirtualClock()
        before = Process(store, clock)
        await before.start()
        await listening(before)
        await take_in(Taker(before), *written("Yes"))
        await before.crash()

        after = Process(store, clock)
        await after.start()
        # The carrier may not have heard the acknowledgement.
        assert await take_in(Taker(after), *written("Yes")) == [True]
        assert await replies(after) == [[HANDSET, "Yes", []]]
        assert rows(after, "select count(*) from incoming") == [(1,)]
        await after.crash()
        await let_go(store)

    asyncio.run(story())

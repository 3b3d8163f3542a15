import asyncio
import json

import pytest

from heliograph.core.events import EventKind
from heliograph.core.messages import Accepted
from heliograph.core.outcomes import Submitted
from heliograph.core.states import MessageState
from heliograph.services.campaigns import Campaigns
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.webhooks import WebhookOptions, Webhooks
from heliograph.store import directory as snapshots
from heliograph.testing.clock import turns
from heliograph.testing.life import ACME, DIALECT, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import Taker, rows, submission

OURS = "+27831110000"


async def _set_up(process: Process) -> Webhooks:
    """A number of the account with a webhook and a campaign, both of which the process knows."""
    webhooks = Webhooks(process.store, process.clock)
    options = WebhookOptions(name="Ours")
    await webhooks.add(ACME, dialect=DIALECT, kind=EventKind.STATUS, url="http://127.0.0.1/2", options=options)
    await Campaigns(process.store, process.clock).add("acme", "CW1", brand="Acme")
    numbers = Numbers(process.store, process.clock)
    await numbers.add("acme", OURS, options=NumberOptions(webhook="Ours", campaign="CW1"))
    await process.desk.directory.load()
    return webhooks


async def _take(process: Process, webhooks: Webhooks, what: str) -> None:
    """What the message depends on goes while it is on its way."""
    if what == "number":
        await Numbers(process.store, process.clock).remove(OURS)
    elif what == "campaign":
        await Campaigns(process.store, process.clock).remove("acme", "CW1")
    else:
        assert await webhooks.remove_named(ACME, dialect=DIALECT, name="ours")


@pytest.mark.parametrize("is_seen", [False, True])
@pytest.mark.parametrize(
    ("what", "is_told"), [("nothing", True), ("campaign", True), ("number", False), ("webhook", False)]
)
def test_what_is_removed_while_a_message_is_on_its_way_breaks_nothing(
    play: Play, what: str, is_told: bool, is_seen: bool
) -> None:
    async def story(process: Process) -> None:
        webhooks = await _set_up(process)
        taker = Taker(process)
        assert isinstance(await process.acceptance.submit(submission(sender=OURS)), Accepted)
        (parcel,) = await taker.take()
        if what != "nothing":
            await _take(process, webhooks, what)
        if is_seen:
            await process.desk.directory.load()
        taker.session.report([Submitted(parcel, "1")])
        await turns()
        # The process hears of the change within a second, before or after the event.
        await process.desk.directory.load()
        await process.clock.advance(1.2)
        await process.tell()
        await turns()
        if working := [task for task in process.tasks if not task.done()]:
            await asyncio.wait(working, timeout=5)
        process.check()
        told = {call.delivery_id: json.loads(call.body) for call in process.deliverer.calls if call.webhook.name}
        # A number that goes takes its webhook's interest along, as soon as the process knows.
        is_heard = is_told or (what == "number" and not is_seen)
        wanted = [[parcel.message.message_id, MessageState.SUBMITTED]]
        assert list(told.values()) == ([wanted] if is_heard else [])
        assert rows(process, "select count(*) from outbox") == [(0,)]
        assert rows(process, "select state from message") == [(MessageState.SUBMITTED,)]

    play(story)


def test_who_asks_while_the_snapshot_is_read_waits_for_one_that_is_no_older(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = snapshots.load
    reading: list[int] = []

    async def counted(*asked: object, **named: object) -> object:
        snapshot = await read(*asked, **named)  # type: ignore[arg-type]
        reading.append(snapshot.revision)
        return snapshot

    async def story(process: Process) -> None:
        monkeypatch.setattr(snapshots, "load", counted)
        directory = process.desk.directory
        revision = directory.snapshot.revision
        first = asyncio.ensure_future(directory.load())
        await turns()
        others = [asyncio.ensure_future(directory.load()) for _ in range(4)]
        await Numbers(process.store, process.clock).add("acme", OURS, options=NumberOptions())
        await asyncio.gather(first, *others, directory.load())
        assert directory.snapshot.revision == revision + 1
        assert OURS[1:] in directory.snapshot.numbers
        assert len(reading) <= 3
        # What is read again is never older than what is known.
        assert reading == sorted(reading)

    play(story)

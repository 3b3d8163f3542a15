"""The files of an MMS: fetched once, between the answer and the carrier, whatever happens meanwhile."""

from dataclasses import replace

import pytest

from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId
from heliograph.core.messages import MOST_MEDIA, MOST_MMS_CHARS, Accepted, Channel, Refusal, Submission
from heliograph.core.outcomes import Submitted
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState
from heliograph.net.http import CallFailed, Fetched
from heliograph.pipeline.accept import Acceptance
from heliograph.pipeline.fetching import AT_ONCE, AT_ONCE_EACH, STORE_PAUSE_S, WAITS_S
from heliograph.services.messages import Messages
from heliograph.store.blobs.blobs import digest_of
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.clock import turns
from heliograph.testing.life import ACME, BRAVO, GRANT, NORTH, TERMS, Process, told_states
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import TO_NORTH, Taker, change_account, rows

PICTURE = b"GIF89a a picture"
OTHER = b"\xff\xd8\xff another"
URL, SECOND = "http://cdn.example/a.gif", "http://cdn.example/b.jpg"
PRICE = 3_000_000
GONE, BUSY = CallFailed("answered 404"), CallFailed("answered 503", is_passing=True)


def mms(
    *recipients: str, urls: tuple[str, ...] = (URL,), text: str = "Look", account_id: AccountId = ACME
) -> Submission:
    return Submission(
        account_id=account_id,
        dialect="plain",
        channel=Channel.MMS,
        text=text,
        recipients=recipients or (TO_NORTH,),
        media_urls=urls,
    )


async def accept(process: Process, asked: Submission) -> Accepted:
    answer = await process.acceptance.submit(asked)
    assert isinstance(answer, Accepted)
    return answer


def fetches(process: Process) -> None:
    """Start fetching, with two files on the web."""
    process.web.answers |= {URL: [Fetched(200, PICTURE, "image/gif")], SECOND: [Fetched(200, OTHER, "")]}
    process.spawn(process.dispatch.fetching.follow())


async def settled(process: Process, seconds: float = 0.0) -> None:
    """Let time pass, and files come and be committed."""
    await process.clock.advance(seconds)
    await turns(100)


def states(process: Process) -> list[tuple[int, int]]:
    return rows(process, "select state, reason from message order by id")


def balance(process: Process) -> tuple[int, int, int]:
    ((available, held, captured),) = rows(process, "select available, held, captured from balance where account_id = 1")
    return available, held, captured


def test_an_mms_leaves_with_its_files(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        answer = await accept(process, mms(urls=(URL, SECOND)))
        assert [(verdict.segments, verdict.reason) for verdict in answer.verdicts] == [(1, None)]
        assert balance(process) == (GRANT - PRICE, PRICE, 0)
        await settled(process)
        (parcel,) = await Taker(process).take()
        content = parcel.message.content
        assert (content.channel, content.text, len(content.segments)) == (Channel.MMS, "Look", 1)
        assert [(each.url, each.digest, each.content_type, each.octets) for each in content.media] == [
            (URL, digest_of(PICTURE), "image/gif", len(PICTURE)),
            (SECOND, digest_of(OTHER), "image/jpeg", len(OTHER)),
        ]
        assert await process.blobs.get(digest_of(OTHER)) == OTHER
        assert rows(process, "select position, url, digest from submission_media") == [
            (0, URL, digest_of(PICTURE)),
            (1, SECOND, digest_of(OTHER)),
        ]

    play(story)


def test_nothing_leaves_before_its_files_are_there(play: Play) -> None:
    async def story(process: Process) -> None:
        door = process.web.close(URL)
        fetches(process)
        await accept(process, mms())
        await settled(process)
        taker = Taker(process)
        assert await taker.take() == []
        assert process.web.asked == [URL]
        assert process.dispatch.in_memory == 1
        door.set()
        await settled(process)
        (parcel,) = await taker.take()
        taker.session.report([Submitted(parcel, "c1")])
        await turns()
        assert process.dispatch.in_memory == 0
        assert balance(process) == (GRANT - PRICE, 0, PRICE)

    play(story)


def test_each_address_once_for_all_recipients(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        recipients = [f"+2783{number:07}" for number in range(15)]
        await accept(process, mms(*recipients, urls=(URL, SECOND, URL)))
        await settled(process)
        assert process.web.asked == [URL, SECOND]
        assert process.dispatch.in_memory == len(recipients)
        assert len(process.dispatch.line(NORTH).queue) == len(recipients)

    play(story)


def test_an_mms_may_be_text_or_files_alone(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        await accept(process, mms(text=""))
        await accept(process, mms(urls=(), text="x" * MOST_MMS_CHARS))
        await settled(process)
        found = [parcel.message.content for parcel in await Taker(process).take()]
        assert sorted((len(content.text), len(content.media)) for content in found) == [(0, 1), (MOST_MMS_CHARS, 0)]

    play(story)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (mms(urls=(), text=""), Reason.NO_TEXT),
        (mms(text="x" * (MOST_MMS_CHARS + 1)), Reason.TEXT_TOO_LONG),
        (mms(text="a\0b"), Reason.INVALID_TEXT),
        (mms(text="a\ud800b"), Reason.INVALID_TEXT),
        (mms(urls=(URL,) * (MOST_MEDIA + 1)), Reason.BAD_MEDIA),
        (mms(urls=("ftp://cdn.example/a",)), Reason.BAD_MEDIA),
        (mms(urls=(URL, "cdn.example/a")), Reason.BAD_MEDIA),
        (mms(urls=("http://cdn.example/\ud800",)), Reason.BAD_MEDIA),
        (mms(urls=(URL + "?" + "x" * 2_048,)), Reason.BAD_MEDIA),
        (mms(urls=("",)), Reason.BAD_MEDIA),
        (mms()._replace(channel=Channel.SMS), Reason.BAD_MEDIA),
        (mms(*(f"+2783{number:07}" for number in range(21))), Reason.NO_FUNDS),
    ],
)
def test_what_is_refused_is_neither_stored_nor_fetched(play: Play, asked: Submission, reason: Reason) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        price = 63_000_000 if reason is Reason.NO_FUNDS else 0
        assert await process.acceptance.submit(asked) == Refusal(reason, price=price)
        await settled(process)
        assert process.web.asked == []
        assert rows(process, "select count(*) from submission_media") == [(0,)]
        assert balance(process) == (GRANT, 0, 0)

    play(story)


def test_an_address_inside_is_well_formed_and_judged_when_it_is_called(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        process.web.answers["https://10.11.12.13/a.gif"] = [CallFailed("10.11.12.13 is a private address")]
        await accept(process, mms(urls=("https://10.11.12.13/a.gif",)))
        await settled(process)
        assert states(process) == [(MessageState.FAILED, Reason.MEDIA_UNAVAILABLE.number)]
        wanted = [("file 1 of 1: 10.11.12.13 is a private address",)]
        assert rows(process, "select detail from event") == wanted

    play(story)


def test_a_channel_that_the_account_has_not(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_account(process, {"channels": [Channel.SMS]})
        assert await process.acceptance.submit(mms()) == Refusal(Reason.CHANNEL_NOT_ENABLED)
        # The operator enables it, and the process has not heard of it yet: it asks before it says no.
        await change_account(process, {"channels": [Channel.SMS, Channel.MMS]}, is_seen=False)
        await accept(process, mms())

    play(story)


def test_a_number_that_no_carrier_takes_pictures_for(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process, mms("+447700900123"))
        assert [verdict.reason for verdict in answer.verdicts] == [Reason.NO_ROUTE]
        assert rows(process, "select count(*) from submission_media") == [(0,)]

    play(story)


# Failing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (GONE, "answered 404"),
        (Fetched(200, b"<html>", "image/gif"), "it is neither a picture, sound, film, card nor plain text"),
        (Fetched(200, b"MZ\x90\0", "image/gif"), "it is neither a picture, sound, film, card nor plain text"),
        (Fetched(200, b"", "image/gif"), "it is neither a picture, sound, film, card nor plain text"),
    ],
)
def test_a_file_that_cannot_be_had_ends_all_messages(play: Play, found: Fetched | CallFailed, why: str) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        process.web.answers[SECOND] = [found]
        await accept(process, mms(TO_NORTH, "+27831234568", urls=(URL, SECOND)))
        await settled(process)
        assert states(process) == [(MessageState.FAILED, Reason.MEDIA_UNAVAILABLE.number)] * 2
        assert rows(process, "select distinct detail from event") == [(f"file 2 of 2: {why}",)]
        assert balance(process) == (GRANT, 0, 0)
        assert process.dispatch.in_memory == 0
        assert await Taker(process).take() == []
        await process.tell()
        await process.clock.advance(2)
        await process.tell()
        (told,) = process.deliverer.calls
        assert (told.webhook.kind, told.body.count(b"14")) == (EventKind.STATUS, 2)

    play(story)


def test_what_may_pass_is_tried_again_for_minutes(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        process.web.answers[URL] = [BUSY, BUSY, Fetched(200, PICTURE, "")]
        await accept(process, mms())
        await settled(process)
        assert (len(process.web.asked), states(process)) == (1, [(MessageState.QUEUED, 0)])
        await settled(process, WAITS_S[0] - 0.1)
        assert len(process.web.asked) == 1
        await settled(process, 0.2)
        assert len(process.web.asked) == 2
        await settled(process, WAITS_S[1])
        assert len(process.web.asked) == 3
        assert len(await Taker(process).take()) == 1

    play(story)


def test_and_then_it_fails(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        process.web.answers[SECOND] = [BUSY]
        await accept(process, mms(urls=(URL, SECOND)))
        for wait_s in (0.0, *WAITS_S):
            await settled(process, wait_s)
        # What was there already is not fetched again.
        assert process.web.asked == [URL, *[SECOND] * (1 + len(WAITS_S))]
        assert states(process) == [(MessageState.FAILED, Reason.MEDIA_UNAVAILABLE.number)]
        assert balance(process) == (GRANT, 0, 0)

    play(story)


def test_a_file_we_stumble_over_fails_alone(play: Play, caplog: pytest.LogCaptureFixture) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        keep = process.library.keep

        async def stumbling(octets: bytes, declared: str) -> object:
            if octets == OTHER:
                raise ZeroDivisionError
            return await keep(octets, declared)

        process.library.keep = stumbling  # type: ignore[method-assign, assignment]
        await accept(process, mms(urls=(SECOND,)))
        await accept(process, mms("+27831234568"))
        await settled(process)
        assert [state for state, _ in states(process)] == [MessageState.FAILED, MessageState.QUEUED]
        assert "could not be handled" in caplog.text

    play(story)


@pytest.mark.parametrize("trouble", ["blobs", "writer"])
def test_a_store_that_cannot_is_waited_for(play: Play, trouble: str) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        put, write = process.blobs.put, process.writer.put

        async def full(_digest: str, _octets: bytes) -> None:
            raise StoreUnavailable("full")

        await accept(process, mms())
        if trouble == "blobs":
            process.blobs.put = full  # type: ignore[method-assign, assignment]
        else:
            process.writer.put = lambda _hop, _request, done: done(StoreUnavailable("full"))  # type: ignore[method-assign, assignment]
        for _ in range(10):
            await settled(process, STORE_PAUSE_S)
        assert (states(process), process.dispatch.in_memory) == ([(MessageState.QUEUED, 0)], 1)
        process.blobs.put, process.writer.put = put, write  # type: ignore[method-assign]
        await settled(process, STORE_PAUSE_S)
        assert len(await Taker(process).take()) == 1

    play(story)


# Meanwhile ----------------------------------------------------------------------------------------------------------


def test_a_message_that_is_cancelled_while_its_file_comes(play: Play) -> None:
    async def story(process: Process) -> None:
        door = process.web.close(URL)
        fetches(process)
        answer = await accept(process, mms(TO_NORTH, "+27831234568"))
        await settled(process)
        messages = Messages(process.store, process.clock, told=told_states)
        await messages.cancel(str(answer.verdicts[0].message_id))
        assert balance(process) == (GRANT - PRICE, PRICE, 0)
        door.set()
        await settled(process)
        taker = Taker(process)
        assert [parcel.message.recipient for parcel in await taker.take()] == ["+27831234568"]
        assert states(process)[0] == (MessageState.CANCELLED, Reason.CANCELLED.number)
        assert process.dispatch.in_memory == 1

    play(story)


def test_a_cancelled_message_does_not_fail_as_well(play: Play) -> None:
    async def story(process: Process) -> None:
        door = process.web.close(URL)
        fetches(process)
        process.web.answers[URL] = [GONE]
        answer = await accept(process, mms())
        await settled(process)
        await Messages(process.store, process.clock, told=told_states).cancel(str(answer.verdicts[0].message_id))
        door.set()
        await settled(process)
        assert states(process) == [(MessageState.CANCELLED, Reason.CANCELLED.number)]
        assert balance(process) == (GRANT, 0, 0)
        assert rows(process, "select count(*) from event") == [(1,)]

    play(story)


def test_a_message_whose_validity_passes_while_its_file_comes(play: Play) -> None:
    async def story(process: Process) -> None:
        process.acceptance = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, validity_ms=60_000))
        door = process.web.close(URL)
        fetches(process)
        await accept(process, mms())
        await settled(process, 61)
        await process.sweep()
        await settled(process)
        assert states(process) == [(MessageState.EXPIRED, Reason.VALIDITY_PASSED.number)]
        assert (balance(process), process.dispatch.in_memory) == ((GRANT, 0, 0), 0)
        door.set()
        await settled(process)
        assert await Taker(process).take() == []

    play(story)


def test_low_water_is_below_what_is_being_fetched(play: Play) -> None:
    async def story(process: Process) -> None:
        process.web.close(URL)
        fetches(process)
        answer = await accept(process, mms())
        await settled(process, 3_600)
        assert process.dispatch.low_water(process.clock.now_ms()) == answer.verdicts[0].message_id

    play(story)


def test_low_water_is_below_what_is_ending(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        process.web.answers[URL] = [BUSY, GONE]
        answer = await accept(process, mms())
        await settled(process)
        process.writer.by_hand = True
        await settled(process, 3_600)
        assert process.dispatch.in_memory == 1
        assert process.dispatch.low_water(process.clock.now_ms()) == answer.verdicts[0].message_id
        process.writer.commit()
        assert process.dispatch.in_memory == 0

    play(story)


def test_what_does_not_fit_in_memory_is_claimed_with_its_files(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_memory=1))
        assert isinstance(await door.submit(mms(TO_NORTH, "+27831234568", urls=(URL, SECOND))), Accepted)
        await settled(process)
        assert process.web.asked == []
        await process.claim()
        await settled(process)
        assert process.web.asked == [URL, SECOND]
        parcels = await Taker(process).take()
        assert [len(parcel.message.content.media) for parcel in parcels] == [2, 2]
        assert all(parcel.message.content.is_complete for parcel in parcels)

    play(story)


@pytest.mark.parametrize("moment", ["before", "while it comes", "before its row", "before its commit", "after it"])
def test_a_crash_loses_nothing_and_sends_nothing_twice(play: Play, moment: str) -> None:
    async def story(process: Process) -> None:
        door = process.web.close(URL)
        if moment != "before":
            fetches(process)
        await accept(process, mms(TO_NORTH, "+27831234568", urls=(URL, SECOND)))
        await turns(100)
        if moment not in ("before", "while it comes"):
            process.writer.by_hand = moment != "after it"
            door.set()
            await turns(100)
            if moment == "before its commit":
                for _ in range(2):
                    process.writer.commit()
                    await turns(100)
        await process.crash()
        process.tasks.clear()
        after = Process(process.store, process.clock)
        after.blobs.files = process.blobs.files
        await after.start()
        fetches(after)
        await after.claim()
        await settled(after)
        assert after.web.asked == ([] if moment == "after it" else [URL, SECOND])
        taker = Taker(after)
        parcels = await taker.take()
        assert sorted(parcel.message.recipient for parcel in parcels) == [TO_NORTH, "+27831234568"]
        assert all(parcel.message.content.is_complete for parcel in parcels)
        taker.session.report([Submitted(parcel, f"c{parcel.message.message_id}") for parcel in parcels])
        await turns()
        assert balance(after) == (GRANT - 2 * PRICE, 0, 2 * PRICE)
        await after.crash()

    play(story)


# Between accounts ---------------------------------------------------------------------------------------------------


def test_slow_files_of_one_account_delay_nobody_else(play: Play) -> None:
    async def story(process: Process) -> None:
        slow = [f"http://slow.example/{number}" for number in range(10)]
        doors = [process.web.close(url) for url in slow]
        fetches(process)
        process.web.answers |= {url: [Fetched(200, PICTURE, "")] for url in slow}
        for url in slow:
            await accept(process, mms(urls=(url,)))
        await settled(process)
        assert len(process.web.asked) == AT_ONCE_EACH < AT_ONCE
        await accept(process, mms(account_id=BRAVO))
        await settled(process)
        taker = Taker(process)
        assert [parcel.message.account_id for parcel in await taker.take()] == [BRAVO]
        for door in doors:
            door.set()
        await settled(process)
        assert len(process.web.asked) == 11

    play(story)


def test_a_file_that_is_tried_again_later_takes_nobodys_place(play: Play) -> None:
    async def story(process: Process) -> None:
        fetches(process)
        for number in range(2 * AT_ONCE_EACH):
            process.web.answers[f"http://slow.example/{number}"] = [BUSY]
            await accept(process, mms(urls=(f"http://slow.example/{number}",)))
        await accept(process, mms("+27831234568"))
        await settled(process)
        assert [parcel.message.recipient for parcel in await Taker(process).take()] == ["+27831234568"]

    play(story)

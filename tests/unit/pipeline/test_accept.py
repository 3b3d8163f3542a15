import asyncio
from dataclasses import replace

import pytest

from heliograph.core.alphabets import language_table_of, national_prefix_from
from heliograph.core.ids import AccountId, MessageId, SubmissionId
from heliograph.core.ledger import PostingKind
from heliograph.core.messages import (
    Accepted,
    Channel,
    IdempotencyKey,
    Overtaken,
    Refusal,
    Stage,
    Submission,
    Traits,
    Verdict,
)
from heliograph.core.reasons import Reason
from heliograph.core.routing import Route
from heliograph.core.states import MessageState
from heliograph.pipeline.accept import Acceptance
from heliograph.pipeline.answers import replayed
from heliograph.pipeline.drafting import RETRY_AFTER_S
from heliograph.store import campaigns, numbers, postings, routes
from heliograph.store.engine import StoreUnavailable
from heliograph.testing.clock import turns
from heliograph.testing.life import ACME, BRAVO, GRANT, NORTH, TERMS, Process
from tests.unit.pipeline.conftest import Play
from tests.unit.pipeline.stories import TO_NORTH, accept, change_account, change_carrier, refused, rows, submission


def balance(process: Process) -> tuple[int, int, int]:
    ((available, held, captured),) = rows(process, "select available, held, captured from balance where account_id = 1")
    return available, held, captured


async def grant(process: Process, amount: int) -> None:
    async with process.store.writing() as connection:
        await postings.post(connection, ACME, kinds=(PostingKind.GRANT,), amount=amount, now_ms=1)


def test_what_is_accepted_is_stored_held_and_handed_over(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process, TO_NORTH, "+27831234568", text="ж" * 71)
        assert [verdict.segments for verdict in answer.verdicts] == [2, 2]
        assert answer.available == GRANT - 4_000_000
        assert balance(process) == (GRANT - 4_000_000, 4_000_000, 0)
        assert process.dispatch.in_memory == 2
        assert rows(process, "select owner, state from message") == [(process.desk.owner, 1)] * 2

    play(story)


@pytest.mark.parametrize("written", ["", "abc", "12345", "+27" + "8" * 40, "{body}"])
def test_a_bad_recipient_has_a_verdict_of_its_own(play: Play, written: str) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process, written, TO_NORTH)
        assert [verdict.reason for verdict in answer.verdicts] == [Reason.INVALID_RECIPIENT, None]
        assert balance(process) == (GRANT - 1_000_000, 1_000_000, 0)

    play(story)


def test_a_number_without_a_route(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process, "+12025550175")
        assert [verdict[:3] for verdict in answer.verdicts] == [("+12025550175", None, Reason.NO_ROUTE)]
        assert rows(process, "select count(*) from message") == [(0,)]
        assert balance(process) == (GRANT, 0, 0)

    play(story)


def test_a_recipient_named_twice_gets_one_message(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await accept(process, TO_NORTH, "0027 83 123 4567", TO_NORTH)
        assert answer.verdicts[0] == answer.verdicts[2]
        assert balance(process)[1] == 1_000_000 * len({verdict.message_id for verdict in answer.verdicts} - {None})

    play(story)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (submission()._replace(recipients=()), Reason.NO_RECIPIENT),
        (submission(text=""), Reason.NO_TEXT),
        (submission(text="a\0b"), Reason.INVALID_TEXT),
        (submission(text="a\ud800b"), Reason.INVALID_TEXT),
        (submission(text="x" * 100_000), Reason.TEXT_TOO_LONG),
        (submission(sender="Much too long a sender"), Reason.INVALID_SENDER),
        (submission(*(f"+2783{number:07}" for number in range(61))), Reason.NO_FUNDS),
    ],
)
def test_what_is_refused_as_a_whole(play: Play, asked: object, reason: Reason) -> None:
    async def story(process: Process) -> None:
        price = 61_000_000 if reason is Reason.NO_FUNDS else 0
        assert await refused(process, asked) == Refusal(reason, price=price)  # type: ignore[arg-type]
        assert rows(process, "select count(*) from message union all select count(*) from submission") == [(0,), (0,)]
        assert balance(process) == (GRANT, 0, 0)
        assert process.desk.tally.refused[reason] == 1

    play(story)


def test_a_suspended_account(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_account(process, {"is_suspended": True})
        assert (await refused(process, submission())).reason is Reason.SUSPENDED
        # The operator resumes it, and the process has not heard of it yet: it asks before it says no.
        await change_account(process, {"is_suspended": False}, is_seen=False)
        await accept(process)

    play(story)


def test_a_sender_that_is_not_on_the_list(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_account(process, {"senders": ["Crane"]})
        assert (await refused(process, submission(sender="Heron"))).reason is Reason.SENDER_NOT_ALLOWED
        assert isinstance(await process.acceptance.submit(submission(sender="Crane")), Accepted)
        assert rows(process, "select sender from submission") == [("Crane",)]

    play(story)


US = "+13109060901"


async def give(process: Process, account_id: AccountId = ACME, **values: object) -> None:
    """Give an account a number; the process does not hear of it yet."""
    async with process.store.writing() as connection:
        await numbers.add(connection, US, account_id=account_id, values=values, now_ms=1)


def test_a_number_given_a_moment_ago_may_be_sent_from(play: Play) -> None:
    async def story(process: Process) -> None:
        asked = submission(sender=US)._replace(owns_sender=True)
        assert (await refused(process, asked)).reason is Reason.SENDER_NOT_OWNED
        await give(process, sms=False)
        assert (await refused(process, asked)).reason is Reason.NUMBER_NOT_ENABLED
        async with process.store.writing() as connection:
            await numbers.change(connection, US, values={"sms": True})
        assert isinstance(await process.acceptance.submit(asked), Accepted)
        assert rows(process, "select sender from submission") == [(US[1:],)]

    play(story)


def test_a_number_that_moved_to_somebody_else_may_not(play: Play) -> None:
    async def story(process: Process) -> None:
        await give(process)
        await change_account(process, {"sender": US[1:]})
        assert isinstance(await process.acceptance.submit(submission()), Accepted)
        async with process.store.writing() as connection:
            await numbers.remove(connection, US)
        await give(process, BRAVO)
        await process.desk.directory.load()
        # The default that was found out before does not outlive the snapshot.
        for asked in (submission(), submission(sender=US)):
            assert (await refused(process, asked)).reason is Reason.SENDER_NOT_ALLOWED

    play(story)


def test_a_campaign_approved_a_moment_ago_lets_its_numbers_send(play: Play) -> None:
    async def story(process: Process) -> None:
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, needs_campaign=True))
        await give(process, campaign="CW1")
        async with process.store.writing() as connection:
            await campaigns.add(connection, ACME, tcr="CW1", brand="b", now_ms=1)
        assert await door.submit(submission(sender=US)) == Refusal(Reason.NO_CAMPAIGN)
        async with process.store.writing() as connection:
            await campaigns.approve(connection, ACME, tcr="CW1")
        assert isinstance(await door.submit(submission(sender=US)), Accepted)
        # The same without the operator's policy.
        assert isinstance(await process.acceptance.submit(submission(sender="+13105550000")), Accepted)

    play(story)


def test_no_more_is_taken_than_the_store_may_hold(play: Play) -> None:
    async def story(process: Process) -> None:
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_store=3))
        process.dispatch.waiting = 3
        assert await door.submit(submission()) == Refusal(Reason.OVERLOADED, RETRY_AFTER_S)
        process.dispatch.waiting = 2
        assert isinstance(await door.submit(submission()), Accepted)

    play(story)


def test_what_waits_counts_before_it_is_counted(play: Play) -> None:
    async def story(process: Process) -> None:
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_store=2, most_in_memory=1))
        assert isinstance(await door.submit(submission(TO_NORTH, "+27831234568")), Accepted)
        assert await door.submit(submission()) == Refusal(Reason.OVERLOADED, RETRY_AFTER_S)

    play(story)


def test_a_fresh_message_does_not_wait_behind_those_of_another_account(play: Play) -> None:
    async def story(process: Process) -> None:
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_memory=100))
        async with process.store.writing() as connection:
            await postings.post(connection, ACME, kinds=(PostingKind.GRANT,), amount=9 * GRANT, now_ms=1)
        many = [f"+2783{place:07d}" for place in range(88)]
        assert isinstance(await door.submit(submission(*many)), Accepted)
        assert isinstance(await door.submit(submission()), Accepted)
        assert process.dispatch.in_memory == 88
        assert isinstance(await door.submit(submission()._replace(account_id=BRAVO)), Accepted)
        assert process.dispatch.in_memory == 89
        assert rows(process, "select account_id from ready") == [(ACME,)]

    play(story)


def test_what_does_not_fit_in_memory_waits_in_the_store(play: Play) -> None:
    async def story(process: Process) -> None:
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_memory=1))
        assert isinstance(await door.submit(submission(TO_NORTH, "+27831234568")), Accepted)
        assert process.dispatch.in_memory == 0
        assert rows(process, "select owner from message") == [(0,), (0,)]
        await process.claim()
        assert process.dispatch.in_memory == 2
        assert rows(process, "select count(*) from ready") == [(0,)]

    play(story)


def test_a_key_is_replayed_reused_or_in_use(play: Play) -> None:
    async def story(process: Process) -> None:
        asked = submission(key=IdempotencyKey("k", "digest"))
        process.writer.by_hand = True
        first = asyncio.ensure_future(process.acceptance.submit(asked))
        await turns()
        assert await process.acceptance.submit(asked) == Refusal(Reason.KEY_IN_USE)
        process.writer.commit()
        answer = await first
        assert isinstance(answer, Accepted)
        process.writer.by_hand = False
        assert await process.acceptance.submit(asked) == answer._replace(replayed=True)
        other = submission(key=IdempotencyKey("k", "other"))
        assert await process.acceptance.submit(other) == Refusal(Reason.KEY_REUSED)
        assert rows(process, "select count(*) from message") == [(1,)]
        assert process.dispatch.in_memory == 1

    play(story)


def test_a_key_is_free_again_when_the_store_failed(play: Play) -> None:
    async def story(process: Process) -> None:
        asked = submission(key=IdempotencyKey("k", "digest"))
        put = process.writer.put
        process.writer.put = lambda hop, request, done: done(StoreUnavailable("full"))  # type: ignore[method-assign]
        with pytest.raises(StoreUnavailable):
            await process.acceptance.submit(asked)
        process.writer.put = put  # type: ignore[method-assign]
        assert isinstance(await process.acceptance.submit(asked), Accepted)

    play(story)


def test_each_recipient_gets_a_text_of_its_own(play: Play) -> None:
    async def story(process: Process) -> None:
        texts = ("Dear Ann", "x" * 40_000, "Liebe Ünal, ж", "Dear Ann", "", "a\0b")
        recipients = [f"+2783123456{number}" for number in range(6)]
        asked = submission(*recipients, text="")._replace(texts=texts, traits=Traits(template_id="1107"))
        answer = await process.acceptance.submit(asked)
        assert isinstance(answer, Accepted)
        assert [verdict.reason for verdict in answer.verdicts] == [
            None, Reason.TEXT_TOO_LONG, None, None, Reason.NO_TEXT, Reason.INVALID_TEXT,
        ]  # fmt: skip
        assert balance(process)[1] == 3_000_000 == sum(verdict.price for verdict in answer.verdicts)
        stored = rows(
            process,
            "select m.recipient, s.text, s.traits from message m join submission s on s.id = submission_id order by 1",
        )
        assert stored == [(recipients[n], texts[n], '{"template_id":"1107"}') for n in (0, 2, 3)]
        assert rows(process, "select count(*), min(id) from submission") == [(2, answer.submission_id)]
        # What a claim makes of the rows is what was handed over.
        handed = {message.recipient: message for message in process.dispatch.line(NORTH).queue.take(9)}
        assert handed[recipients[2]].content.traits.template_id == "1107"
        assert handed[recipients[0]].content is handed[recipients[3]].content

    play(story)


def test_whoever_is_named_twice_gets_one_text(play: Play) -> None:
    async def story(process: Process) -> None:
        asked = submission(TO_NORTH, TO_NORTH, text="")._replace(texts=("one", "two"))
        answer = await process.acceptance.submit(asked)
        assert isinstance(answer, Accepted)
        assert answer.verdicts[0] == answer.verdicts[1]
        assert rows(process, "select text from submission") == [("one",)]

    play(story)


def test_an_answer_says_what_was_used_and_a_repetition_says_the_same(play: Play) -> None:
    async def story(process: Process) -> None:
        at_ms = process.clock.now_ms() + 5_000
        asked = submission(TO_NORTH, "nobody", sender="+27820000001", key=IdempotencyKey("k", "digest"), text="ж" * 71)
        asked = asked._replace(send_at_ms=at_ms)
        answer = await process.acceptance.submit(asked)
        assert isinstance(answer, Accepted)
        assert (answer.sender, answer.send_at_ms) == ("27820000001", at_ms)
        assert [verdict.price for verdict in answer.verdicts] == [2_000_000, 0]
        assert await process.acceptance.submit(asked) == answer._replace(replayed=True)

    play(story)


def test_an_answer_that_an_earlier_version_kept_can_be_read() -> None:
    kept = '[7,[["+27831234567",9,0,2],[null,null,110,0]]]'
    assert replayed(kept, 5) == Accepted(
        SubmissionId(7),
        (Verdict("+27831234567", MessageId(9), None, 2), Verdict(None, None, Reason.INVALID_RECIPIENT)),
        5,
        replayed=True,
    )


def test_a_time_that_has_passed_is_now(play: Play) -> None:
    async def story(process: Process) -> None:
        for at_ms in (1, process.clock.now_ms()):
            answer = await process.acceptance.submit(submission()._replace(send_at_ms=at_ms))
            assert isinstance(answer, Accepted)
            assert answer.send_at_ms == 0
        assert process.dispatch.in_memory == 2
        assert rows(process, "select count(*) from ready") == [(0,)]

    play(story)


def test_a_scheduled_message_is_valid_from_its_time_on(play: Play) -> None:
    async def story(process: Process) -> None:
        at_ms = process.clock.now_ms() + 10**10
        await process.acceptance.submit(submission()._replace(send_at_ms=at_ms))
        assert process.dispatch.in_memory == 0
        assert rows(process, "select state, owner, expires_at_ms from message") == [
            (MessageState.SCHEDULED, 0, at_ms + TERMS.validity_ms)
        ]
        assert balance(process) == (GRANT - 1_000_000, 1_000_000, 0)

    play(story)


def test_a_stage_of_a_broadcast_is_accepted_once(play: Play) -> None:
    async def story(process: Process) -> None:
        connection = process.store.connect()
        connection.execute(
            "insert into broadcast(account_id, id, name, dialect, channel, text, groups, state, created_at_ms)"
            " values (1, 7, 'n', 'd', 1, 't', '[]', 1, 0)"
        )
        connection.close()
        asked = submission(TO_NORTH, "nobody", "+12025550175")._replace(stage=Stage(7, (0, 0), (0, 9)))
        assert isinstance(await process.acceptance.expand(asked), Accepted)
        assert await process.acceptance.expand(asked) == Overtaken()
        assert rows(process, "select contact_id, accepted, refused from broadcast") == [(9, 1, 2)]
        assert process.dispatch.in_memory == 1
        assert balance(process)[1] == 1_000_000

    play(story)


def voice(*recipients: str, text: str = "Good day") -> Submission:
    asked = submission(*recipients, text=text)
    return asked._replace(channel=Channel.VOICE, traits=Traits(language="it-IT", gender="Male"))


async def give_north_a_voice(process: Process) -> None:
    await change_carrier(process, {"channels": [Channel.SMS, Channel.VOICE]})
    await process.desk.directory.load()


def test_voice_has_no_route_where_no_carrier_takes_it(play: Play) -> None:
    async def story(process: Process) -> None:
        answer = await process.acceptance.submit(voice())
        assert isinstance(answer, Accepted)
        assert [verdict.reason for verdict in answer.verdicts] == [Reason.NO_ROUTE]
        assert rows(process, "select count(*) from submission") == [(0,)]
        assert balance(process) == (GRANT, 0, 0)

    play(story)


def test_voice_is_paid_by_the_half_minute_and_comes_back_from_the_store_as_it_was(play: Play) -> None:
    async def story(process: Process) -> None:
        await give_north_a_voice(process)
        door = Acceptance(process.desk, lines=process.dispatch, terms=replace(TERMS, most_in_memory=1))
        answer = await door.submit(voice(TO_NORTH, "+27831234568", text="a" * 900))
        assert isinstance(answer, Accepted)
        assert [(verdict.segments, verdict.price) for verdict in answer.verdicts] == [(1, 6_000_000)] * 2
        assert balance(process)[1] == 12_000_000
        assert process.dispatch.in_memory == 0
        await process.claim()
        content = process.dispatch.line(NORTH).queue.take(1)[0].content
        assert content.traits == Traits(language="it-it", gender="male")
        assert (content.channel, content.text, len(content.segments)) == (Channel.VOICE, "a" * 900, 1)

    play(story)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (voice()._replace(traits=Traits(language="it-it")), Reason.BAD_VOICE),
        (voice()._replace(traits=Traits(language="xx-xx", gender="male")), Reason.BAD_VOICE),
        (voice(text="a" * 5_001), Reason.TEXT_TOO_LONG),
        (voice(text="\ud800"), Reason.INVALID_TEXT),
        (voice(text=""), Reason.NO_TEXT),
        (submission()._replace(traits=Traits(template_id="1" * 65)), Reason.MALFORMED),
        (submission()._replace(traits=Traits(template_id="a\nb")), Reason.MALFORMED),
        (voice()._replace(media_urls=("http://a.example/",)), Reason.BAD_MEDIA),
    ],
)
def test_what_no_voice_reads_and_no_template_is(play: Play, asked: Submission, reason: Reason) -> None:
    async def story(process: Process) -> None:
        assert await refused(process, asked) == Refusal(reason)

    play(story)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (submission(), None),
        (submission()._replace(recipients=()), None),
        (submission("+12025550175"), None),
        (submission(text=""), Reason.NO_TEXT),
        (submission(text="a\ud800b"), Reason.INVALID_TEXT),
        (submission(text="x" * 100_000), Reason.TEXT_TOO_LONG),
        (submission(sender="Much too long a sender"), Reason.INVALID_SENDER),
        (voice()._replace(traits=Traits(language="it-it")), Reason.BAD_VOICE),
        (voice(), Reason.NO_ROUTE),
    ],
)
def test_what_would_be_refused_for_everybody(play: Play, asked: Submission, reason: Reason | None) -> None:
    async def story(process: Process) -> None:
        assert await process.acceptance.check(asked) == (reason and Refusal(reason))
        assert rows(process, "select count(*) from submission") == [(0,)]

    play(story)


def test_a_text_that_the_voice_cannot_read_is_refused_and_named(play: Play) -> None:
    async def story(process: Process) -> None:
        await give_north_a_voice(process)
        answer = await process.acceptance.submit(voice(text="Ciao 東京"))
        assert answer == Refusal(Reason.UNREADABLE_TEXT, about="it-it reads no Chinese characters (東)")
        assert answer.sentence == "The voice cannot read the text: it-it reads no Chinese characters (東)."
        own = voice(TO_NORTH, "+27831234568")._replace(texts=("Ciao", "東京"))
        answer = await process.acceptance.submit(own)
        assert isinstance(answer, Accepted)
        assert [verdict.reason for verdict in answer.verdicts] == [None, Reason.UNREADABLE_TEXT]
        assert balance(process)[1] == 2_000_000

    play(story)


def test_what_was_allowed_a_moment_ago_would_not_be_refused(play: Play) -> None:
    async def story(process: Process) -> None:
        await change_account(process, {"is_suspended": True})
        assert await process.acceptance.check(submission()) == Refusal(Reason.SUSPENDED)
        await change_account(process, {"is_suspended": False}, is_seen=False)
        assert await process.acceptance.check(submission()) is None

    play(story)


def test_the_tables_of_a_language_are_for_those_whose_carriers_take_them(play: Play) -> None:
    async def story(process: Process) -> None:
        async with process.store.writing() as connection:
            await routes.add(connection, Route(NORTH, Channel.SMS, "90", 0))
        await process.desk.directory.load()
        languages = language_table_of([national_prefix_from("90:turkish"), national_prefix_from("351:portuguese")])
        terms = replace(TERMS, languages=languages, most_in_memory=2)
        door = Acceptance(process.desk, lines=process.dispatch, terms=terms)
        turkish, others = ("+905321234567", "+905321234568"), (TO_NORTH,)
        text = "ş" * 150
        answer = await door.submit(submission(*turkish, *others, text=text))
        assert isinstance(answer, Accepted)
        assert [verdict.segments for verdict in answer.verdicts] == [1, 1, 3]
        assert [verdict.price for verdict in answer.verdicts] == [1_000_000, 1_000_000, 3_000_000]
        bodies = "select s.traits, count(*) from message m join submission s on s.id = m.submission_id group by s.id"
        assert rows(process, bodies) == [('{"alphabet":1}', 2), (None, 1)]
        # What a claim encodes is what was paid for.
        await process.claim()
        claimed = process.dispatch.line(NORTH).queue.take(3)
        assert sorted(len(message.content.segments) for message in claimed) == [1, 1, 3]
        # Tables that do not help are not taken, and a text that needs none has one body for all.
        for plain in ("ж" * 71, "Good day"):
            answer = await process.acceptance.submit(submission(*turkish, *others, text=plain))
            assert isinstance(answer, Accepted)
            assert len({verdict.segments for verdict in answer.verdicts}) == 1
        assert rows(process, "select count(*) from submission") == [(4,)]
        # Too long for some, and what is too long or no text for all is refused as a whole.
        await grant(process, 1_000_000_000)
        answer = await door.submit(submission(*turkish, *others, text="ş" * 20_000))
        assert isinstance(answer, Accepted)
        assert [verdict.reason for verdict in answer.verdicts] == [None, None, Reason.TEXT_TOO_LONG]
        for impossible, reason in (("ş" * 40_000, Reason.TEXT_TOO_LONG), ("ş\ud800", Reason.INVALID_TEXT)):
            asked = submission(*turkish, *others, "nobody", text=impossible)
            assert await door.submit(asked) == Refusal(reason)

    play(story)

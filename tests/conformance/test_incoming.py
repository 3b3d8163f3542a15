"""Incoming messages: whatever comes twice, late or mixed up, each is stored once, with whose it is and who is told."""

import pytest

from heliograph.core.assembly import GAP, REPEATED_MS
from heliograph.core.events import Audience, MediaLink
from heliograph.core.ids import AccountId, WebhookId
from heliograph.core.messages import Channel
from heliograph.core.replies import TALK_MS
from heliograph.core.states import MessageState
from heliograph.gsm import udh
from heliograph.gsm.segments import Encoding, Segment
from heliograph.store import audit, retention
from heliograph.store.hops.accept import ACCEPT, Stored
from heliograph.store.hops.incoming import TAKE_IN, IncomingSegment
from heliograph.store.telling import outbox_page
from heliograph.testing.stores import NOW_MS, FreshStore
from tests.conformance.handsets import HANDSET, OURS, SESSION, SHARED, Handsets
from tests.conformance.steps import Steps, faults

LONG = "A text that takes more than one segment, because it goes on and on and on. " * 5
HOOK, OTHER_HOOK = WebhookId(1), WebhookId(2)
R = MessageState.RECEIVED


@pytest.fixture
def handsets(engine: FreshStore) -> Handsets:
    it = Handsets(engine)
    it.own(OURS, engine.account_id)
    it.audience = Audience({(engine.account_id, R): (HOOK,)})
    return it


def sound(engine: FreshStore) -> None:
    assert not faults(engine, audit.searches_beside(NOW_MS))


def test_a_short_message_is_whole_at_once(engine: FreshStore, handsets: Handsets) -> None:
    taken = handsets.take_in(*handsets.written("Good day"))
    ((told),) = taken.told
    assert (told.webhook_id, told.event.account_id, told.event.state) == (HOOK, engine.account_id, R)
    assert engine.rows("select account_id, sender, recipient, text, missing, told, encoding, body from incoming") == [
        (engine.account_id, HANDSET, OURS, "Good day", 0, 1, 0, b"Good day")
    ]
    assert engine.rows("select * from outbox") == [told.row]
    assert taken.messages == {engine.carrier_id: 1}
    sound(engine)


@pytest.mark.parametrize("wide", [False, True])
def test_a_long_message_comes_in_any_order_and_over_several_batches(
    engine: FreshStore, handsets: Handsets, wide: bool
) -> None:
    first, second, third = handsets.written(LONG, wide=wide)
    assert handsets.take_in(third).told == []
    assert handsets.texts() == []
    assert len(handsets.waiting()) == 1
    sound(engine)
    assert handsets.take_in(first, third).told == []
    (told,) = handsets.take_in(second).told
    assert told.event.text == LONG  # type: ignore[union-attr]
    assert handsets.texts() == [LONG]
    assert handsets.waiting() == []
    sound(engine)


def test_what_the_carrier_sends_again_changes_nothing(engine: FreshStore, handsets: Handsets) -> None:
    came = handsets.written(LONG)
    handsets.take_in(*came)
    # The same batch over a new session, as after a crash before the acknowledgement.
    handsets.live = frozenset({12})
    again = handsets.take_in(*(handsets.written(LONG, session=12)))
    assert (again.told, sum(again.messages.values())) == ([], 0)
    assert handsets.texts() == [LONG]
    assert len(engine.rows("select * from outbox")) == 1
    sound(engine)


def test_a_short_message_that_comes_again_over_the_next_session_is_one(engine: FreshStore, handsets: Handsets) -> None:
    handsets.take_in(*handsets.written("STOP"))
    handsets.live = frozenset({12})
    assert handsets.take_in(*handsets.written("STOP", session=12)).told == []
    assert handsets.texts() == ["STOP"]
    sound(engine)


def test_a_person_may_write_the_same_twice(engine: FreshStore, handsets: Handsets) -> None:
    handsets.take_in(*handsets.written("1"), *handsets.written("1"))
    handsets.take_in(*handsets.written("1"))
    assert handsets.texts() == ["1", "1", "1"]
    sound(engine)


def test_the_same_request_twice_is_one(engine: FreshStore, handsets: Handsets) -> None:
    request = handsets.request([*handsets.written("1"), *handsets.written(LONG)])
    for _ in range(2):
        engine.do(TAKE_IN, request)
    assert handsets.texts() == ["1", LONG]
    assert len(engine.rows("select * from outbox")) == 2


def test_references_are_used_again(engine: FreshStore, handsets: Handsets) -> None:
    other = LONG.upper()
    handsets.take_in(*handsets.written(LONG))
    handsets.take_in(*reversed(handsets.written(other)), *handsets.written(LONG))
    assert handsets.texts() == [LONG, other]
    sound(engine)


def test_senders_recipients_carriers_and_widths_are_told_apart(engine: FreshStore, handsets: Handsets) -> None:
    ways = [
        handsets.written(LONG),
        handsets.written(LONG, sender="27839999999"),
        handsets.written(LONG, recipient=SHARED),
        handsets.written(LONG, wide=True),
        [
            each._replace(place=each.place._replace(carrier_id=engine.other_carrier_id))
            for each in handsets.written(LONG)
        ],
    ]
    for place in range(3):
        handsets.take_in(*(way[place] for way in ways))
    assert handsets.texts() == [LONG] * 5
    sound(engine)


def test_several_requests_of_one_batch_complete_each_other(engine: FreshStore, handsets: Handsets) -> None:
    requests = [handsets.request([each]) for each in handsets.written(LONG)]
    results = engine.together(TAKE_IN, requests)
    assert [len(result.told) for result in results if not isinstance(result, Exception)] == [0, 0, 1]
    assert handsets.texts() == [LONG]
    sound(engine)


def test_odd_headers_make_messages_of_their_own(engine: FreshStore, handsets: Handsets) -> None:
    for header in ("050003070200", "050003070203", "050003070000", "0500"):
        handsets.take_in(handsets.segment(Segment(bytes.fromhex(header), header.encode())))
    assert handsets.texts() == ["050003070200", "050003070203", "050003070000", "0500"]


def test_a_message_that_stays_incomplete_is_told_with_a_mark(engine: FreshStore, handsets: Handsets) -> None:
    first, _, third = handsets.written(LONG)
    handsets.take_in(third, first)
    (told,) = handsets.give_up(handsets.waiting()).told
    text = LONG[:153] + GAP + LONG[306:]
    assert told.event.text == text  # type: ignore[union-attr]
    assert engine.rows("select text, missing, told from incoming") == [(text, 1, 1)]
    assert handsets.waiting() == []
    sound(engine)


def test_giving_up_twice_or_too_late_changes_nothing(engine: FreshStore, handsets: Handsets) -> None:
    first, second, third = handsets.written(LONG)
    handsets.take_in(first, third)
    waiting = handsets.waiting()
    handsets.take_in(second)
    assert handsets.give_up(waiting).told == []
    assert handsets.texts() == [LONG]
    sender = "27839999999"
    handsets.take_in(handsets.written(LONG, sender=sender)[0])
    waiting = handsets.waiting()
    assert [len(handsets.give_up(each).told) for each in (waiting, waiting)] == [1, 0]
    assert len(handsets.texts()) == 2
    sound(engine)


def test_a_segment_after_its_message_was_given_up_is_not_lost(engine: FreshStore, handsets: Handsets) -> None:
    first, second, third = handsets.written(LONG)
    handsets.take_in(first, third)
    handsets.give_up(handsets.waiting())
    handsets.take_in(second)
    handsets.give_up(handsets.waiting())
    assert handsets.texts()[1] == GAP + LONG[153:306] + GAP
    sound(engine)


def test_a_segment_that_two_messages_share_completes_both(engine: FreshStore, handsets: Handsets) -> None:
    one, other = "a" * 153 + "the same end", "b" * 153 + "the same end"
    handsets.take_in(*handsets.written(one))
    handsets.take_in(*handsets.written(other))
    assert handsets.texts() == [one]
    handsets.give_up(handsets.waiting())
    assert handsets.texts() == [one, other]
    sound(engine)


def test_a_shared_segment_is_no_puzzle_when_the_reference_rests(engine: FreshStore, handsets: Handsets) -> None:
    one, other = "a" * 153 + "the same end", "b" * 153 + "the same end"
    handsets.take_in(*handsets.written(one))
    handsets.now_ms += REPEATED_MS + 1
    handsets.take_in(*handsets.written(other))
    assert handsets.texts() == [one, other]


# Whose ------------------------------------------------------------------------------------------------------------


def write_to(engine: FreshStore, steps: Steps, account_id: AccountId, handset: str = HANDSET) -> None:
    """An account writes to a handset from the shared sender."""
    request = steps.request([f"+{handset}"], account_id=account_id)._replace(sender=SHARED, talks=True)
    assert isinstance(engine.do(ACCEPT, request), Stored)


def owners(engine: FreshStore) -> list[int]:
    return [int(str(row[0])) for row in engine.rows("select account_id from incoming order by id")]


def test_on_a_shared_sender_the_account_that_wrote_last_is_answered(
    engine: FreshStore, steps: Steps, handsets: Handsets
) -> None:
    other = engine.add_account("bravo", 10_000_000)
    handsets.audience = Audience({(engine.account_id, R): (HOOK,), (other, R): (OTHER_HOOK,)})
    write_to(engine, steps, engine.account_id)
    (told,) = handsets.take_in(*handsets.written("one", recipient=SHARED)).told
    assert (told.webhook_id, told.event.account_id) == (HOOK, engine.account_id)
    steps.now_ms += 1
    write_to(engine, steps, other)
    (told,) = handsets.take_in(*handsets.written("two", recipient=SHARED)).told
    assert (told.webhook_id, told.event.account_id) == (OTHER_HOOK, other)
    assert handsets.take_in(*handsets.written("three", recipient=SHARED, sender="27830000000")).told == []
    handsets.now_ms = steps.now_ms + TALK_MS + 1
    assert handsets.take_in(*handsets.written("four", recipient=SHARED)).told == []
    assert owners(engine) == [engine.account_id, other, 0, 0]
    sound(engine)


def test_a_conversation_is_kept_only_for_senders_that_talk(engine: FreshStore, steps: Steps) -> None:
    steps.accept()
    assert steps.count("conversation") == 0
    request = steps.request(["+27831112222", "+27831112223"])._replace(sender=SHARED, talks=True)
    refused = steps.request([f"+{HANDSET}"], price=10**12)._replace(sender="12345", talks=True)
    engine.together(ACCEPT, [request, refused])
    assert engine.rows("select sender, recipient, account_id, at_ms from conversation order by recipient") == [
        (SHARED, "27831112222", engine.account_id, steps.now_ms),
        (SHARED, "27831112223", engine.account_id, steps.now_ms),
    ]


def test_an_older_submission_does_not_take_a_conversation_back(engine: FreshStore, steps: Steps) -> None:
    other = engine.add_account("bravo", 10_000_000)
    write_to(engine, steps, other)
    steps.now_ms -= 1_000
    write_to(engine, steps, engine.account_id)
    assert engine.rows("select account_id from conversation") == [(other,)]


def test_only_the_numbers_own_webhooks_hear(engine: FreshStore, handsets: Handsets) -> None:
    account = engine.account_id
    handsets.own(OURS, account, webhook="Desk")
    handsets.own("27820000001", account)
    handsets.audience = Audience({(account, R): (HOOK,)}, {(account, "desk", R): (OTHER_HOOK,)})
    taken = handsets.take_in(*handsets.written("one"), *handsets.written("two", recipient="27820000001"))
    assert [told.webhook_id for told in taken.told] == [HOOK, OTHER_HOOK, HOOK]
    assert engine.rows("select told from incoming order by id") == [(2,), (1,)]


# Media, recovery, retention ---------------------------------------------------------------------------------------


def test_files_are_remembered_in_their_order(engine: FreshStore, handsets: Handsets) -> None:
    files = (MediaLink("", "image/png", 70, "b" * 64), MediaLink("", "text/plain", 3, "a" * 64))
    for each in files:
        engine.execute("insert into media values (?, ?, ?, 0)", each.digest, each.content_type, each.octets)
    (told,) = handsets.take_in(handsets.picture("Look", *files)).told
    assert told.event.media == files  # type: ignore[union-attr]
    assert engine.rows("select channel, text from incoming") == [(2, "Look")]
    (recovered,) = engine.reading(lambda connection: outbox_page(connection, None, most=5))
    assert recovered == told
    sound(engine)


def test_replies_and_events_are_recovered_in_one_order(engine: FreshStore, steps: Steps, handsets: Handsets) -> None:
    account = engine.account_id
    steps.audience = handsets.audience = Audience(
        {(account, R): (HOOK, OTHER_HOOK), (account, MessageState.SUBMITTED): (HOOK,)}
    )
    told = [each for text in ("one", "two") for each in handsets.take_in(*handsets.written(text)).told]
    told += steps.settle(steps.answer(steps.leaving(), "1")).told
    handsets.now_ms += 60_000
    told += handsets.take_in(*handsets.written("three")).told
    told.sort(key=lambda each: (each.webhook_id, *each.event[:3]))
    page = engine.reading(lambda connection: outbox_page(connection, None, most=3))
    last = page[-1]
    after = (last.webhook_id, *last.event[:3])
    rest = engine.reading(lambda connection: outbox_page(connection, after, most=50))
    assert [*page, *rest] == told
    assert len(told) == 7


def test_tombstones_and_conversations_are_forgotten_and_what_waits_is_not(
    engine: FreshStore, steps: Steps, handsets: Handsets
) -> None:
    handsets.take_in(*handsets.written(LONG), *handsets.written("1"))
    handsets.take_in(handsets.written(LONG, sender="27839999999")[0])
    handsets.now_ms += 10
    handsets.take_in(*handsets.written("2"))
    write_to(engine, steps, engine.account_id)
    before_ms = handsets.now_ms - 5

    def forget() -> int:
        return engine.writing(lambda connection: retention.forget_segments(connection, before_ms=before_ms, most=3))

    assert [forget(), forget(), forget()] == [3, 1, 0]
    assert engine.rows("select body from incoming_segment order by received_at_ms") == [
        (LONG[:153].encode(),),
        (b"2",),
    ]

    def end(before_ms: int) -> tuple[str, str] | None:
        return engine.writing(
            lambda connection: retention.forget_conversations(connection, ("", ""), before_ms=before_ms, most=5)
        )

    assert end(steps.now_ms) is None
    assert steps.count("conversation") == 1
    end(steps.now_ms + 1)
    assert steps.count("conversation") == 0
    sound(engine)


def test_one_bad_row_fails_alone(engine: FreshStore, handsets: Handsets) -> None:
    good, bad = handsets.written("good"), handsets.written("bad")
    taken = engine.do(TAKE_IN, handsets.request([*good, bad[0]._replace(text="\ud800"), *handsets.written("fine")]))
    assert [told.event.text for told in taken.told] == ["good", "fine"]  # type: ignore[union-attr]
    assert handsets.texts() == ["good", "fine"]
    sound(engine)


def test_binary_bodies_are_kept_as_they_are(engine: FreshStore, handsets: Handsets) -> None:
    octets = bytes(range(256))
    handsets.take_in(handsets.segment(Segment(b"", octets), Encoding.BINARY, session=SESSION))
    assert engine.rows("select encoding, body, text from incoming") == [(Encoding.BINARY, octets, "")]


def test_an_mms_that_its_carrier_names_is_known_again(engine: FreshStore, handsets: Handsets) -> None:
    named = udh.concatenation_header(udh.Concatenation(reference=777, total=1, number=1, wide=True))
    file = MediaLink("", "image/gif", 9, "a" * 64)
    engine.execute("insert into media values (?, ?, ?, 0)", file.digest, file.content_type, file.octets)

    def mms(header: bytes) -> IncomingSegment:
        cut = Segment(header, "Hi".encode("utf-16-be"))
        return handsets.segment(cut, Encoding.UCS2)._replace(channel=Channel.MMS, media=(file,))

    (told,) = handsets.take_in(mms(named)).told
    assert told.event.media == (file,)  # type: ignore[union-attr]
    assert handsets.take_in(mms(named)).told == []
    handsets.take_in(mms(named[:3] + b"\x00\x07" + named[5:]), mms(b""), mms(b""))
    assert engine.rows("select channel, text from incoming") == [(Channel.MMS, "Hi")] * 4
    assert engine.rows("select count(*) from incoming_media") == [(4,)]
    sound(engine)

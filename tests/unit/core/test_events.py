from heliograph.core.directory import Number
from heliograph.core.events import Audience, Event, EventKind, told_order
from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState as S


def test_stored_numbers_never_change() -> None:
    assert {kind.name: int(kind) for kind in EventKind} == {"STATUS": 1, "REPLY": 2}


def test_events_are_told_in_the_order_in_which_a_message_can_enter_states() -> None:
    held, submitted, unknown, delivered, earlier = (
        Event(AccountId(1), MessageId(1), state, at_ms, "+27831234567", None)
        for state, at_ms in ((S.HELD, 5), (S.SUBMITTED, 5), (S.UNKNOWN, 5), (S.DELIVERED, 5), (S.REJECTED, 4))
    )
    assert sorted([delivered, unknown, submitted, held, earlier], key=told_order) == [
        earlier,
        held,
        submitted,
        unknown,
        delivered,
    ]


def test_a_webhook_hears_of_numbers_that_name_it_while_they_are_its_account_s() -> None:
    ours, theirs = AccountId(1), AccountId(2)
    audience = Audience(
        {(ours, S.DELIVERED): (WebhookId(1),), (theirs, S.DELIVERED): (WebhookId(2),)},
        {(ours, "default", S.DELIVERED): (WebhookId(3),), (theirs, "default", S.DELIVERED): (WebhookId(4),)},
        {
            "27831": Number(msisdn="+27831", account_id=ours, channels=frozenset(), webhook="Default"),
            "27832": Number(msisdn="+27832", account_id=ours, channels=frozenset()),
        },
    )
    assert audience.wanting(ours, "27831", S.DELIVERED) == (1, 3)
    assert audience.wanting(ours, "27832", S.DELIVERED) == (1,)
    assert audience.wanting(ours, "Crane", S.DELIVERED) == (1,)
    assert audience.wanting(theirs, "27831", S.DELIVERED) == (2,)
    assert audience.wanting(ours, "27831", S.FAILED) == ()

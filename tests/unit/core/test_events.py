from heliograph.core.events import Event, EventKind, told_order
from heliograph.core.ids import AccountId, MessageId
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

import json

import pytest

from heliograph.core.directory import Account, Webhook
from heliograph.core.events import Event, EventKind, Reply
from heliograph.core.ids import AccountId, MessageId, WebhookId
from heliograph.core.states import MessageState
from heliograph.dialects.touchbasepro.events import Events
from heliograph.pipeline.ports import EventWriter
from tests.unit.dialects.world import MARK, NOW_MS, account_of

S = MessageState
WRITER: EventWriter = Events()


def event(number: int, state: MessageState, reference: str | None = "") -> Event:
    return Event(AccountId(7), MessageId(number), state, NOW_MS, f"+2772837495{number}", reference)


def webhook_of(kind: EventKind) -> Webhook:
    return Webhook(
        webhook_id=WebhookId(1), account_id=AccountId(7), dialect="touchbasepro", kind=kind, url="", secret=""
    )


STATUS, REPLY = webhook_of(EventKind.STATUS), webhook_of(EventKind.REPLY)


def events_in(*events: Event, account: Account | None = None) -> list[object]:
    told = json.loads(WRITER.write(events, webhook=STATUS, account=account or account_of(), at_ms=NOW_MS))["Events"]
    assert isinstance(told, list)
    return told


def test_a_body_is_the_printed_one() -> None:
    events = [event(8, S.SUBMITTED), event(5, S.DELIVERED), event(3, S.DELIVERED, "slkedfjo938urxcvx9ejos")]
    assert WRITER.write(events, webhook=STATUS, account=account_of(), at_ms=1_638_976_164_972) == (
        b'{"Timestamp":"2021-12-08T15:09:24.9720000Z","Type":"MessageStatusUpdate","Events":['
        b'{"Number":"27728374958","Status":"Enroute"},'
        b'{"Number":"27728374955","Status":"Delivered"},'
        b'{"Number":"27728374953","Status":"Delivered","Id":"slkedfjo938urxcvx9ejos"}]}'
    )


def test_a_message_whose_interface_has_no_id_of_the_caller_s_is_told_with_ours() -> None:
    told = {"Number": "27728374951", "Status": "Delivered"}
    assert events_in(event(1, S.DELIVERED, None)) == [{**told, "Id": f"{1:016x}{MARK}"}]
    account = account_of(settings={"touchbasepro": {"message_id_in_events": False}})
    assert events_in(event(1, S.DELIVERED, None), account=account) == [told]


def test_a_message_on_its_way_is_left_out_when_its_end_is_told_too() -> None:
    events = [event(1, S.SUBMITTED), event(2, S.SUBMITTED), event(1, S.DELIVERED)]
    assert events_in(*events) == [
        {"Number": "27728374952", "Status": "Enroute"},
        {"Number": "27728374951", "Status": "Delivered"},
    ]


def test_every_later_end_is_told() -> None:
    assert len(events_in(event(1, S.UNKNOWN), event(1, S.DELIVERED))) == 2


@pytest.mark.parametrize("state", MessageState)
def test_every_state_that_is_asked_for_can_be_written(state: MessageState) -> None:
    if state in WRITER.told(STATUS):
        assert len(events_in(event(1, state))) == 1
    else:
        assert not state.is_terminal or state is S.RECEIVED


def test_a_reply_is_told_with_its_text() -> None:
    reply = Reply(AccountId(7), MessageId(1), S.RECEIVED, NOW_MS, "27728374951", "27600000000", "Yes, “please” ☀")
    assert (
        WRITER.write([reply], webhook=REPLY, account=account_of(), at_ms=1_638_976_164_972)
        == (
            '{"Timestamp":"2021-12-08T15:09:24.9720000Z","Type":"MessageReply","Events":['
            '{"Number":"27728374951","Message":"Yes, “please” ☀"}]}'
        ).encode()
    )
    assert WRITER.told(REPLY) == {S.RECEIVED}


def test_calls_are_large_and_soon() -> None:
    assert (WRITER.most_events, WRITER.linger_s) == (500, 1.5)
